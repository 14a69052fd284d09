"""The editions of the report, each a function of its text: the handout, and the rubric's.

The handout keeps what is asked and drops everything else, of whatever kind: of the text above the
questions the notation and the definitions, of a question its heading and its **Asked.** paragraph.
The rubric edition is the report itself, with the points of each question in the margin.
"""

import ast
import re
from collections.abc import Collection, Iterator, Mapping

from grading.hollow import question
from literate.reader import parse
from literate.report import Heading, Report

GIVEN = ("sec-notation", "sec-a", "sec-b")  # what stands above their questions is no answer
PARTS = (*GIVEN, "sec-practical")
LAST = "References"
PLACE = "*Not answered yet.*"
_SENTENCE = re.compile(r"(?<=[.:])\s+(?=[A-Z@$*`])")
_REFERENCE = re.compile(r"@((?:eq|fig|tbl|lst|sec)-[\w-]*\w)")
_SHAPE = re.compile(r"(?:, )?\$[^|$]*\\times[^|]*")


def handout(text: str, files: Collection[str], notes: Mapping[str, str]) -> str:
    """The students' edition of a report's text, in a project that has these files.

    `notes` say for a section label what else its answer consists of, beside what bears a label.
    """
    report = parse(text)
    kept = [heading for heading in report.headings if _stays(heading)]
    labels = {heading.label for heading in kept} | _labels_above(report)
    pieces = [report.head.rstrip(), *_setup(report, files)]
    pieces.append("\n".join(text[macro.start : macro.end] for macro in report.macros))
    for heading in kept:
        pieces.append(text[heading.start : heading.end])
        if heading.label in GIVEN:
            pieces += _given(report, heading, labels)
        elif question(heading.label) and heading.level > 1:
            pieces += [*_asked(report, heading), PLACE]
            pieces += _note(report, heading, notes.get(heading.label, ""))
    return "\n\n".join(pieces) + "\n"


def rubric(text: str, margins: Mapping[str, str]) -> str:
    """The report's text with a note in the margin of sections, by their label."""
    report = parse(text)
    pieces, begun = [], 0
    for heading in report.headings:
        if heading.label in margins:
            pieces += [
                text[begun : heading.end],
                f"\n\n::: {{.marginal}}\n{margins[heading.label]}\n:::",
            ]
            begun = heading.end
    return "".join([*pieces, text[begun:]])


def _stays(heading: Heading) -> bool:
    part = heading.level == 1 and (heading.label in PARTS or heading.text == LAST)
    return part or (heading.level == 2 and bool(question(heading.label)))


def _setup(report: Report, files: Collection[str]) -> Iterator[str]:
    """The first chunk without assignments, and with the imports that the files can serve."""
    chunk = report.chunks[0]
    kept = []
    for statement in ast.parse(chunk.code).body:
        if isinstance(statement, ast.ImportFrom):
            module = f"{statement.module}".replace(".", "/")
            there = [a for a in statement.names if _is_there(module, a.name, files)]
            if there:
                kept.append(ast.unparse(ast.ImportFrom(statement.module, there, 0)))
        elif not isinstance(statement, ast.Assign | ast.Import) or _is_served(statement, files):
            kept.append(ast.get_source_segment(chunk.code, statement) or "")
    opening = report.text[chunk.start : chunk.end].partition(chunk.code)[0]
    yield opening + "\n".join(kept) + "\n```"


def _is_there(module: str, name: str, files: Collection[str]) -> bool:
    own = module.partition("/")[0] in ("mlp", "figures", "literate", "derivations")
    return not own or not {f"{module}.py", f"{module}/{name}.py"}.isdisjoint(files)


def _is_served(statement: ast.stmt, files: Collection[str]) -> bool:
    names = [alias.name for alias in statement.names] if isinstance(statement, ast.Import) else []
    return bool(names) and all(_is_there(name, "__init__", files) for name in names)


def _end(report: Report, heading: Heading) -> int:
    """Where the next heading begins."""
    return min(
        (h.start for h in report.headings if h.start > heading.start), default=len(report.text)
    )


def _plain(report: Report, heading: Heading) -> Iterator[str]:
    """The paragraphs below a heading that stand in no chunk, code, div or comment."""
    text, begun, pieces = report.text, heading.end, []
    for piece in (*report.chunks, *report.blocks, *report.divs, *report.comments):
        if heading.end <= piece.start < _end(report, heading):
            pieces.append(piece)
    kept = []
    for piece in sorted(pieces, key=lambda piece: piece.start):
        kept.append(text[begun : max(begun, piece.start)])
        begun = max(begun, piece.end)
    kept.append(text[begun : _end(report, heading)])
    for paragraph in re.split(r"\n\s*\n", "\n\n".join(kept)):
        if paragraph.strip():
            yield paragraph.strip("\n")


def _labels_above(report: Report) -> set[str]:
    """The labels that are given in the text above the questions."""
    text = "\n".join(p for h in report.headings if h.label in GIVEN for p in _plain(report, h))
    return set(re.findall(r"#((?:eq|tbl)-[\w-]+)", text))


def _given(report: Report, heading: Heading, labels: Collection[str]) -> Iterator[str]:
    """What stands above the questions, without sentences that refer to what is not there."""
    for paragraph in _plain(report, heading):
        if paragraph.startswith("|"):
            yield _SHAPE.sub(" ", paragraph) if "| Shape |" in paragraph else paragraph
        elif paragraph.startswith(("$$", ":")):
            yield paragraph
        else:
            sentences = _SENTENCE.split(paragraph)
            there = [s for s in sentences if set(_REFERENCE.findall(s)) <= set(labels)]
            if there:
                yield paragraph if there == sentences else "\n".join(there)


def _asked(report: Report, heading: Heading) -> Iterator[str]:
    return (p for p in _plain(report, heading) if p.startswith("**Asked.**"))


def _note(report: Report, heading: Heading, note: str) -> Iterator[str]:
    """A comment that names what the answer is made of: its equations, and what else there is."""
    end = _end(report, heading)
    here = [display.label for display in report.displays if heading.end < display.start < end]
    labels = ", ".join(label for label in here if label)
    said = [f"Equations: {labels}." if labels else "", note]
    if any(said):
        yield "<!-- " + "\n     ".join(line for line in said if line) + " -->"
