"""What a report names and nobody has, or two have: labels, citations, images."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from literate.report import Fault, Report

BIBLIOGRAPHY = "references.bib"  # as _quarto.yml says
CITATION = re.compile(r"(?<![\w\\])@(\w(?:[\w:.-]*\w)?)")
ENTRY = re.compile(r"^\s*@\w+\s*\{\s*([^\s,]+)\s*,", re.MULTILINE)  # of a bibliography
TARGET = re.compile(r"\]\(\s*<?([^)>\s]+)")  # of an image
ELSEWHERE = re.compile(r"\w+:|/")  # how an address begins, or a path from the root


def faults(report: Report, folder: Path) -> Iterator[Fault]:
    """Each with its line; `folder` is where the paths of the report begin."""
    given = Counter(label.name for label in report.labels)
    either = [div for div in report.divs if {"content-visible", "content-hidden"} & {*div.classes}]
    for label in report.labels:
        if any(div.start < label.start < div.end for div in either):
            continue  # another format may have the other one
        if given[label.name] > 1:
            yield Fault(label.line, f"label {label.name} is given {given[label.name]} times")
    for reference in report.references:
        if reference.name not in given:
            yield Fault(reference.line, f"reference to @{reference.name}, which nothing bears")
    entries = _entries(report, folder)
    references = {reference.start for reference in report.references}
    for found in CITATION.finditer(report.words):
        if found.start() not in references and found[1] not in entries:
            yield Fault(report.line(found.start()), f"@{found[1]} is in no bibliography")
    for image in report.images:
        target = TARGET.search(report.text, image.start, image.end)
        if target and not ELSEWHERE.match(target[1]) and not (folder / target[1]).is_file():
            yield Fault(image.line, f"there is no file {target[1]}")


def _entries(report: Report, folder: Path) -> set[str]:
    """The keys of all that may be cited."""
    given = report.front.get("bibliography", [])
    names = given if isinstance(given, list) else [given]
    files = [folder / str(name) for name in (BIBLIOGRAPHY, *names)]
    texts = [file.read_text(encoding="utf-8", errors="replace") for file in files if file.is_file()]
    return {found[1] for text in texts for found in ENTRY.finditer(text)}
