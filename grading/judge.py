"""Grades a submission: gathers the evidence of four kinds, and gives points by the rubric."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from grading import claims, document, functions, logs, places, results
from grading.claims import Proven
from grading.items import Evidence, Finding, Grade, Item, absent
from grading.limits import Runner
from grading.places import Place
from grading.rubric import Rubric, Worth
from literate.reader import parse
from literate.report import Report

REPORT = "report.qmd"
BESIDE = "nothing beside them is wrong"
Found = Mapping[str, Mapping[str, Finding]]  # by kind, and by the name of a check


def grade(folder: Path, rubric: Rubric, runner: Runner, seed: int = 0) -> Grade:
    """The grade of the submission in a folder, which is a copy: the runner may write to it.

    `seed` draws the hidden inputs. Nothing that is missing or broken stops the rest. Raises
    KeyError for a check that the rubric names and nobody knows.
    """
    path = logs.regular(folder, REPORT)
    text = path.read_text(encoding="utf-8-sig", errors="replace") if path else ""
    report = parse(text)
    pdf = places.read_pdf(folder, runner)
    shown = document.read(report, folder, rubric, runner)
    found = {
        "functions": functions.findings(rubric.names("functions"), folder, runner, seed),
        "document": document.findings(shown, rubric, rubric.names("document")),
        "results": results.findings(rubric.names("results"), folder, shown, rubric.run, runner),
    }
    proven = claims.findings(text)
    where = places.places(report, pdf)
    items = [
        _item(worth, where, evidence(worth, proven.get(question), found))
        for question, worth in rubric.items.items()
    ]
    notices = [*_notices(report, pdf is not None, where, rubric)]
    notices += [f"{REPORT}: {shown.raised}"] if shown.raised else []
    title = str(report.front.get("title", ""))
    return Grade(tuple(items), title, _authors(report), tuple(notices), seed=seed)


def evidence(worth: Worth, proven: Proven | None, found: Found) -> tuple[Evidence, ...]:
    """The evidence for an item, and the points that each piece of it earns."""
    pieces = list(_claims(worth, proven)) if worth.claims else []
    for kind, checks in worth.checks.items():
        for name, points in checks.items():
            pieces.append(_piece(kind, name, points, found[kind][name], worth))
    return tuple(pieces)


def _piece(kind: str, what: str, of: float, finding: Finding, worth: Worth) -> Evidence:
    points = of * worth.earned(kind, finding.share)
    return Evidence(
        kind, what, finding.share, points, of, finding.says, finding.there, finding.line
    )


def _claims(worth: Worth, proven: Proven | None) -> Iterator[Evidence]:
    """A piece for each claim that is asked; one more, if all are proven beside something wrong."""
    if proven is None or not proven.claims:
        yield _piece("claims", worth.question, worth.claims, absent("no such question"), worth)
        return
    complete = all(asked.finding.share == 1 for asked in proven.claims)
    earned = complete or worth.credit["claims"] == "share"
    for asked in proven.claims:
        of = worth.claims / len(proven.claims)
        piece = _piece("claims", asked.words, of, asked.finding, worth)
        yield replace(piece, latex=asked.latex, points=piece.points if earned else 0.0)
    if complete and proven.wrong:
        first = proven.wrong[0]
        cost = worth.wrong * worth.claims
        yield Evidence("claims", BESIDE, 0.0, -cost, 0.0, first.says, there=True, line=first.line)


def _item(worth: Worth, where: Mapping[str, Place], pieces: tuple[Evidence, ...]) -> Item:
    place = where.get(places.label_of(worth.question))
    if place is None:
        return Item(worth.question, "", worth.points, pieces)
    title = place.section.partition(" ")[2]
    return Item(worth.question, title, worth.points, pieces, place.section, place.page, place.line)


def _notices(
    report: Report, pdf: bool, where: Mapping[str, Place], rubric: Rubric
) -> Iterator[str]:
    """What a grader should know of the submission as a whole."""
    if not report.text:
        yield f"there is no {REPORT}"
        return
    if not pdf:
        yield "there is no PDF, report.pdf, in the submission"
    for fault in report.faults:
        yield f"{REPORT}:{fault.line}: {fault.what}"
    for question in rubric.items:
        place = where.get(places.label_of(question))
        if place is None:
            yield f"{REPORT} has no section {{#{places.label_of(question)}}} for {question}"
        elif pdf and not place.page:
            yield f"the PDF has no section {place.section}: it was made from another report.qmd"
    if why := results.not_again(rubric.run):
        yield f"No run was trained again: {why}"


def _authors(report: Report) -> tuple[str, ...]:
    """The names on top of the report."""
    authors = report.front.get("author")
    several = authors if isinstance(authors, list) else []
    names = [each.get("name") for each in several if isinstance(each, dict)]
    return tuple(str(name) for name in names if name)
