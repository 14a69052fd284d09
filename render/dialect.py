"""What the direct route understands of Quarto; anything else is refused, never dropped.

Chunks and inline values are Python. References are @eq-, @fig-, @tbl-, @lst-, @sec- and citations;
inline values are texts, numbers or Markdown(...). Figures, tables and listings with a caption are
chunks, or divs that end in it.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from literate import reader
from literate.report import Chunk, Fault, Report

FORMATS = ("typst", "html", "pdf", "ipynb")

# Of the front matter; whatever else concerns the document stands in _quarto.yml.
FRONT = re.compile(
    r"--- *|(title|subtitle|bibliography): .*|jupyter: python3|format: typst|author:"
    r"| *- name: .*| *(#.*)?"
)
TEXTS = ("label", "fig-cap", "fig-alt", "tbl-cap")  # options of chunks
SWITCHES = ("echo", "output")
READS = {"reads": "mathematics"}  # our own: what the chunk shows depends on the report's formulas
DIVS = re.compile(r"\{\.(?:abstract|result|marginal)\}|\{#(?:fig|tbl|lst)-[\w-]+\}")
IMAGE = re.compile(r"(?:\{fig-alt=(?:\"[^\"]*\"|'[^']*') *\})?")  # its attributes
ELSEWHERE = re.compile(r"\{\{<.*|(?<=\n)--- *\n\w[\w-]*:.*")  # shortcodes, metadata in the text


class ReportError(ValueError):
    """A fault in the report; the message names file, line and remedy."""


def read(path: Path) -> Report:
    """A report in the dialect. Raises ReportError at the first line that is not, OSError."""
    try:
        report = reader.read(path)
    except UnicodeDecodeError as error:
        raise ReportError(f"{path.name}: not UTF-8, save it as that: {error}") from error
    for line, what in sorted(faults(report)):
        raise ReportError(f"{path.name}:{line}: {what}")
    return report


def faults(report: Report) -> Iterator[Fault]:
    """All that is not in the dialect."""
    yield from report.faults
    for number, line in enumerate(report.head.splitlines(), start=1):
        if not FRONT.fullmatch(line):
            yield Fault(number, f"not in the dialect: {line}")
    for chunk in report.chunks:
        yield from _options(chunk)
    for block in report.blocks:
        if block.info == "{python}":
            yield Fault(block.line, "not in the dialect: a chunk {python} that is indented")
        elif re.match(r"\{[^.]", block.info):
            yield Fault(block.line, f"only {{python}} chunks run, not {block.info}")
    for div in report.divs:
        if not DIVS.fullmatch(div.attributes):
            yield Fault(div.line, f"not in the dialect: ::: {div.attributes}")
    for image in report.images:
        if image.caption or not IMAGE.fullmatch(image.attributes):
            shown = report.text[image.start : image.end]
            yield Fault(image.line, f"not in the dialect: {shown}; a caption stands in a div #fig-")
    for found in ELSEWHERE.finditer(report.prose):
        yield Fault(report.line(found.start()), f"not in the dialect: {found[0]}")


def _options(chunk: Chunk) -> Iterator[Fault]:
    for key, value in chunk.options.items():
        known = {str: TEXTS, bool: SWITCHES}.get(type(value), ())
        if key not in known and READS.get(key) != value:
            said = f"texts {TEXTS}, true or false {SWITCHES}, and {READS}"
            yield Fault(chunk.line, f"no chunk option {key}: {value!r}; known: {said}")
        elif key.endswith("-cap") and not chunk.label.startswith(key[:4]):
            yield Fault(chunk.line, f"{key} needs a label that begins with {key[:4]}")
