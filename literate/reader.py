r"""The one reader of report.qmd; what it finds are the values of `literate.report`.

The text is read in three layers: *blocks* of whole lines (front matter, chunks, other fenced code),
*spans* (inline values, comments, code, formulas, macros) and *words* (headings, divs, labels,
references, images). What one layer has taken is blanked out for the next, character for character,
so that a place stays a place in the source. Reading never fails: what is wrong with the text itself
is among the values, as `faults`.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from literate.report import (
    Block,
    Chunk,
    Comment,
    Display,
    Div,
    Fault,
    Formula,
    Heading,
    Image,
    Macro,
    Name,
    Origin,
    Piece,
    Prose,
    Report,
    Value,
    in_order,
    sections,
)

ROOT = Path(__file__).parents[1]
REPORT = ROOT / "report.qmd"


def read(path: Path = REPORT) -> Report:
    """Read a report, and the files that it includes.

    Raises OSError, or ValueError if one is not UTF-8.
    """
    return parse(*_with_included(path))


_INCLUDE = re.compile(r"\{\{< include ([\w./-]+) >\}\}[ \t]*")


def _with_included(path: Path) -> tuple[str, tuple[Origin, ...]]:
    """The text of a report with included files in their place, and where its lines come from.

    A line stays as it is if there is no such file in the report's folder.
    """
    rows: list[str] = []
    origins = []
    for number, row in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), start=1):
        found = _INCLUDE.fullmatch(row)
        file = (path.parent / found[1]).resolve() if found else path
        if found and file.is_file() and file.is_relative_to(path.parent.resolve()):
            origins.append(Origin(len(rows) + 1, found[1], 1))
            rows += file.read_text(encoding="utf-8-sig").rstrip("\n").split("\n")
            origins.append(Origin(len(rows) + 1, path.name, number + 1))
        else:
            rows.append(row)
    return "\n".join(rows), (Origin(1, path.name, 1), *origins)


@lru_cache(maxsize=8)
def parse(text: str, origins: tuple[Origin, ...] = (Origin(1, REPORT.name, 1),)) -> Report:
    """The values that a report's text consists of; never raises."""
    source, faults = _Source(text), list[Fault]()
    head, front = _front(source, faults)
    chunks, blocks = _fenced(source, len(head), faults)
    shown = _blank(text, [Piece(0, len(head), 1), *chunks])
    values = tuple(Value(*source.place(found), found[1]) for found in _VALUE.finditer(shown))
    prose = _blank(shown, blocks)
    spans = list(_SPAN.finditer(_blank(prose, values, by="\0")))  # a value is no empty line
    words = _blank(_blank(prose, values), _taken(source, spans))
    comments = tuple(_comments(source, spans))
    divs = _divs(source, words)
    headings = tuple(_headings(source, words, divs))
    return Report(
        text=text,
        head=head,
        front=front,
        parts=tuple(_parts(source, len(head), chunks, values)),
        blocks=blocks,
        comments=comments,
        displays=tuple(_displays(source, spans, headings, divs, comments)),
        inlines=tuple(_inlines(source, spans, headings, divs)),
        macros=tuple(_macros(source, spans)),
        headings=headings,
        divs=divs,
        labels=in_order(_names(source, words, _LABEL), _chunk_labels(chunks)),
        references=in_order(_names(source, words, _REFERENCE), _caption_references(chunks)),
        images=tuple(_images(source, words)),
        prose=prose,
        words=words,
        origins=origins,
        faults=tuple(sorted(faults)),
    )


def equations(part: str | None = None) -> dict[str, str]:
    """The LaTeX of every labelled display of the report, or of its part `# … {#part}`, by label.

    In order of appearance. Raises ValueError for a label that occurs twice.
    """
    found: dict[str, Display] = {}
    for display in read(REPORT).displays:
        if display.label in found:
            raise ValueError(f"{REPORT.name}:{display.line}: {{#{display.label}}} stands twice")
        if display.label:
            found[display.label] = display
    return {
        label: display.latex.strip()
        for label, display in found.items()
        if part is None or part in display.sections
    }


Place = tuple[int, int, int]  # start, end and line


class _Source:
    """The text, and the places in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = [0, *(found.end() for found in re.finditer("\n", text))]

    def between(self, start: int, end: int) -> Place:
        """The place from `start` to `end`."""
        return start, end, bisect_right(self.lines, start)

    def place(self, found: re.Match[str]) -> Place:
        """Where a match in the text is, or in the text with something blanked out."""
        return self.between(*found.span())

    def said(self, found: re.Match[str], group: int | str) -> str:
        """What the text itself says there."""
        return self.text[slice(*found.span(group))]


def _blank(text: str, pieces: Iterable[Piece], by: str = " ") -> str:
    """The text with these pieces blanked out, in as many characters and lines."""
    kept, begun = [], 0
    for piece in pieces:
        kept += [text[begun : piece.start], re.sub(r"[^\n]", by, text[piece.start : piece.end])]
        begun = piece.end
    return "".join([*kept, text[begun:]])


# Blocks: front matter, chunks, other fenced code.

_FRONT = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_FENCE = re.compile(r"(?P<indent>[ \t>]*)(?P<fence>`{3,}(?=[^`]*$)|~{3,})(?P<info>.*)")
_OPTION = re.compile(r"\s*# ?\|")


def _front(source: _Source, faults: list[Fault]) -> tuple[str, Mapping[str, Any]]:
    """The lines of the front matter, and what they say."""
    found = _FRONT.match(source.text)
    if found is None:
        if source.text.startswith("---"):
            faults.append(Fault(1, "the front matter is never closed with ---"))
        return "", {}
    return found[0], _mapping(found[1].rstrip(), 1, faults)


def _mapping(text: str, line: int, faults: list[Fault]) -> Mapping[str, Any]:
    """What YAML below this line says; nothing where it is no mapping, which is a fault."""
    try:
        value = yaml.load(text, yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        last = text.count("\n")  # the parser may complain of the line below it
        below = 1 + min(error.problem_mark.line, last) if error.problem_mark else 0
        faults.append(Fault(line + below, f"not YAML: {error.problem}"))
        return {}
    except Exception as error:  # PyYAML raises of any kind, as IndexError for `!!int ''`
        faults.append(Fault(line, f"not YAML: {error!r}"))
        return {}
    if value is None:
        return {}
    if not isinstance(value, dict):
        faults.append(Fault(line, f"this is written `key: value`, not {value!r}"))
        return {}
    return value


def _fenced(
    source: _Source, begun: int, faults: list[Fault]
) -> tuple[tuple[Chunk, ...], tuple[Block, ...]]:
    """The chunks, and the fenced code that does not run."""
    chunks, blocks = [], []
    opening: re.Match[str] | None = None
    start = inside = begun
    for row in source.text[begun:].split("\n"):
        below = begun + len(row) + 1
        if opening is None:
            opening = _FENCE.fullmatch(row)
            start, inside = begun, below
        elif _closes(row, opening["fence"]):
            place = source.between(start, min(below, len(source.text)))
            info, body = opening["info"].strip(), source.text[inside : max(inside, begun - 1)]
            if info == "{python}" and not opening["indent"]:
                chunks.append(_chunk(place, body, faults))
            else:
                blocks.append(Block(*place, info, body))
            opening = None
        begun = below
    if opening is not None:
        place = source.between(start, len(source.text))
        faults.append(Fault(place[2], "this fence is never closed"))
        blocks.append(Block(*place, opening["info"].strip(), source.text[inside:]))
    return tuple(chunks), tuple(blocks)


def _closes(row: str, fence: str) -> bool:
    mark = row.strip(" \t>")
    return len(mark) >= len(fence) and set(mark) == {fence[0]}


def _chunk(place: Place, body: str, faults: list[Fault]) -> Chunk:
    line, rows = place[2], body.split("\n")
    count = 0  # of option lines
    while count < len(rows) and rows[count].startswith("#|"):
        count += 1
    if any(_OPTION.match(row) for row in rows[count:]):
        faults.append(Fault(line, "options `#| ` stand in the first lines of a chunk"))
    options = _mapping("\n".join(row[2:] for row in rows[:count]), line, faults)
    return Chunk(*place, options, "\n".join(rows[count:]), line + 1 + count)


def _parts(
    source: _Source, begun: int, chunks: Iterable[Chunk], values: Iterable[Value]
) -> Iterator[Prose | Chunk]:
    """Prose and chunks in turn."""

    def prose(end: int) -> Prose:
        inside = tuple(value for value in values if begun <= value.start < end)
        return Prose(*source.between(begun, end), source.text[begun:end], inside)

    for chunk in chunks:
        yield prose(chunk.start)
        yield chunk
        begun = chunk.end
    yield prose(len(source.text))


# Spans: inline values, comments, code, formulas, macros. Quarto replaces inline values wherever
# they stand. Of the others, the one that begins first takes what is in it.

_VALUE = re.compile(r"(?<!`)`\{python\} ([^`\s][^`\n]*)`(?!`)")
_INSIDE = r"(?:(?!\n[ \t]*\n).)"  # a character of a paragraph, which ends at an empty line
_SPANS = {
    "comment": r"<!--(?P<note>.*?)-->",
    "code": rf"(?<!`)(?P<ticks>`+)(?!`){_INSIDE}+?(?<!`)(?P=ticks)(?!`)",
    "display": rf"\$\$(?P<shown>{_INSIDE}+?)\$\$(?:[ \t]*\{{#(?P<label>eq-[\w-]+)\}})?",
    "inline": rf"(?<!\$)\$(?![\s$])(?P<set>(?:\\.|(?![$\\]){_INSIDE})+)(?<!\s)\$(?!\d)",
    "macro": r"^[ \t]*\\newcommand\{(?P<name>\\[A-Za-z]+)\}(?:\[(?P<arity>\d)\])?"
    r"\{(?P<body>[^\n]*)\}[ \t]*$",
    "escaped": r"\\[^\w\s]",
}
_SPAN = re.compile(
    "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _SPANS.items()),
    re.DOTALL | re.MULTILINE,
)
Spans = list[re.Match[str]]


def _of(kind: str, spans: Spans) -> Iterator[re.Match[str]]:
    return (span for span in spans if span.lastgroup == kind)


def _taken(source: _Source, spans: Spans) -> Iterator[Piece]:
    """Where no words are. The label of a display is one, a character after a backslash, too."""
    for span in spans:
        start, end = span.span()
        if span.lastgroup == "display":
            end = span.end("shown") + len("$$")
        if span.lastgroup != "escaped":
            yield Piece(*source.between(start, end))


def _comments(source: _Source, spans: Spans) -> Iterator[Comment]:
    for span in _of("comment", spans):
        yield Comment(*source.place(span), source.said(span, "note").strip())


def _displays(
    source: _Source,
    spans: Spans,
    headings: tuple[Heading, ...],
    divs: tuple[Div, ...],
    comments: tuple[Comment, ...],
) -> Iterator[Display]:
    for span in _of("display", spans):
        where = sections(headings, span.start()), _around(divs, span.start())
        before = _before(source, comments, span.start())
        latex = source.said(span, "shown")
        yield Display(*source.place(span), latex, *where, span["label"] or "", before)


def _inlines(
    source: _Source, spans: Spans, headings: tuple[Heading, ...], divs: tuple[Div, ...]
) -> Iterator[Formula]:
    for span in _of("inline", spans):
        where = sections(headings, span.start()), _around(divs, span.start())
        yield Formula(*source.place(span), source.said(span, "set"), *where)


def _before(source: _Source, comments: tuple[Comment, ...], place: int) -> tuple[str, ...]:
    """The comments that stand directly before a place, with white space between at most."""
    found: list[str] = []
    for comment in reversed(comments):
        if comment.end <= place:
            if source.text[comment.end : place].strip():
                break
            found.insert(0, comment.text)
            place = comment.start
    return tuple(found)


def _macros(source: _Source, spans: Spans) -> Iterator[Macro]:
    for span in _of("macro", spans):
        yield Macro(*source.place(span), span["name"], int(span["arity"] or 0), span["body"])


# Words: headings, divs, labels, references, images.

_THEOREMS = "thm|lem|cor|prp|cnj|def|exm|exr"
_KINDS = f"eq|fig|tbl|lst|sec|{_THEOREMS}"
_TITLED = re.compile(rf"\{{(?:\.callout-|#(?:{_THEOREMS})-)")  # divs that may begin with a title
_HEADING = re.compile(r"^(#{1,6})[ \t]+([^\n]*)$", re.MULTILINE)
_DIV = re.compile(r"^[ \t>]*:{3,}[ \t]*([^\n]*?)[ \t:]*$", re.MULTILINE)
_LABEL = re.compile(rf"\{{[^{{}}\n]*#((?:{_KINDS})-[\w-]+)")
_REFERENCE = re.compile(rf"(?<![\w`])@((?:{_KINDS})-[\w-]*\w)")
_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)(\{[^}]*\})?")


def _headings(source: _Source, words: str, divs: tuple[Div, ...]) -> Iterator[Heading]:
    titled = [div for div in divs if _TITLED.match(div.attributes)]
    for found in _HEADING.finditer(words):
        if any(div.start < found.start() < div.end for div in titled):
            continue
        title = source.said(found, 2).strip()
        attributes = re.search(r"\{[^{}]*\}$", title)
        label = re.search(r"#([\w-]+)", attributes[0]) if attributes else None
        yield Heading(
            *source.place(found),
            len(found[1]),
            title[: attributes.start()].strip() if attributes else title,
            label[1] if label else "",
        )


def _divs(source: _Source, words: str) -> tuple[Div, ...]:
    """The divs; one that is never closed reaches to the end."""
    found: list[Div] = []
    opened: list[re.Match[str]] = []

    def close(end: int) -> None:
        opening = opened.pop()
        classes = re.findall(r"(?:^|\.)([A-Za-z][\w-]*)", opening[1])
        found.append(Div(*source.between(opening.start(), end), opening[1], tuple(classes)))

    for mark in _DIV.finditer(words):
        if mark[1]:
            opened.append(mark)
        elif opened:
            close(mark.end())
    while opened:
        close(len(words))
    return in_order(found)


def _around(divs: tuple[Div, ...], place: int) -> tuple[str, ...]:
    return tuple(name for div in divs if div.start < place < div.end for name in div.classes)


def _names(source: _Source, words: str, pattern: re.Pattern[str]) -> Iterator[Name]:
    for found in pattern.finditer(words):
        yield Name(*source.place(found), found[1])


def _chunk_labels(chunks: Iterable[Chunk]) -> Iterator[Name]:
    for chunk in chunks:
        if chunk.label:
            yield Name(chunk.start, chunk.end, chunk.line, chunk.label)


def _caption_references(chunks: Iterable[Chunk]) -> Iterator[Name]:
    for chunk in chunks:
        for found in _REFERENCE.finditer(chunk.caption):
            yield Name(chunk.start, chunk.end, chunk.line, found[1])


def _images(source: _Source, words: str) -> Iterator[Image]:
    for found in _IMAGE.finditer(words):
        attributes = source.said(found, 2) if found[2] else ""
        yield Image(*source.place(found), source.said(found, 1), attributes)
