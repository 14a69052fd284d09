"""Where an answer stands: section and line in report.qmd, page in the submitted PDF."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from grading import gather
from grading.limits import Runner
from literate.report import Heading, Report

PDFS = ("report.pdf", "_output/report.pdf")  # where a submission may have its PDF


class Place(NamedTuple):
    """A section: its number and heading, its lines, its page."""

    section: str
    line: int
    end: int  # the last line
    page: int  # or 0


class Pdf(NamedTuple):
    """What a PDF says, as text."""

    pages: Sequence[str]
    bookmarks: Sequence[tuple[str, int]]

    def page(self, number: str, heading: str) -> int:
        """The page on which a section begins; 0 if it is not found."""
        wanted = _letters(heading)
        for title, page in self.bookmarks:
            if _letters(title) in (wanted, _letters(number + heading)):
                return page
        found = [
            number_of_page
            for number_of_page, text in enumerate(self.pages, start=1)
            if any(_letters(row) == _letters(number + heading) for row in text.splitlines())
        ]
        return found[-1] if found else 0  # the contents, which name it too, stand before it


def label_of(question: str) -> str:
    """The label of the section that answers a question: a.1 -> sec-a1."""
    return "sec-" + question.replace(".", "")


def places(report: Report, pdf: Pdf | None) -> dict[str, Place]:
    """Where each labelled section of a report stands."""
    lines, found = report.text.count("\n") + 1, {}
    for heading, number in _numbered(report):
        later = [
            h.line for h in report.headings if h.start > heading.start and h.level <= heading.level
        ]
        end = min(later, default=lines + 1) - 1
        plain = re.sub(r"\$|\\[A-Za-z]+|[{}]", "", heading.text)
        page = pdf.page(number, plain) if pdf else 0
        found[heading.label] = Place(f"{number} {heading.text}".strip(), heading.line, end, page)
    return found


def _numbered(report: Report) -> Iterator[tuple[Heading, str]]:
    """The headings of the first two levels with their numbers, as Quarto counts them."""
    chapter = section = 0
    for heading in report.headings:
        numbered = ".unnumbered" not in report.text[heading.start : heading.end]
        if heading.level == 1 and numbered:
            chapter, section = chapter + 1, 0
        if heading.level == 2:
            section += 1
        if heading.label:
            number = {1: f"{chapter}", 2: f"{chapter}.{section}"}.get(heading.level, "")
            yield heading, number if numbered else ""


def read_pdf(folder: Path, runner: Runner) -> Pdf | None:
    """The PDF of a submission as text, read inside the sandbox; None if it has none."""
    paths = [path for path in PDFS if (folder / path).is_file()]
    if not paths:
        return None
    (given,) = gather.run("pages", [{"path": paths[0]}], folder, runner)
    pages, bookmarks = given.texts.get("pages"), given.texts.get("bookmarks")
    if not isinstance(pages, list) or not isinstance(bookmarks, list):
        return Pdf((), ())
    pairs = [tuple(each) for each in bookmarks if isinstance(each, list) and len(each) == 2]
    return Pdf(
        [str(page) for page in pages],
        [(str(title), page) for title, page in pairs if isinstance(page, int)],
    )


def _letters(text: str) -> str:
    """Letters and digits alone, as mathematics in headings is set in many ways."""
    return "".join(re.findall(r"[a-z0-9]", re.sub(r"\\[A-Za-z]+", "", text).lower()))
