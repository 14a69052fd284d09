"""What a report consists of: values read from its source, each with its place and its line.

`literate.reader` makes them; whatever needs to know something of report.qmd takes it from here.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar


class Fault(NamedTuple):
    """Something wrong with the report, and its line."""

    line: int
    what: str


class Origin(NamedTuple):
    """Where lines of the text come from, from its line `first` on."""

    first: int
    file: str
    line: int


@dataclass(frozen=True)
class Piece:
    """A piece of the source, from one place to another, and the line that it begins on."""

    start: int
    end: int
    line: int


@dataclass(frozen=True)
class Block(Piece):
    """Fenced code that does not run."""

    info: str  # what follows the opening fence, as in python
    code: str


@dataclass(frozen=True)
class Chunk(Piece):
    """Code that runs, without its option lines."""

    options: Mapping[str, Any]
    code: str
    code_line: int

    @property
    def label(self) -> str:
        """The option `label`, or empty."""
        return str(self.options.get("label", ""))

    @property
    def caption(self) -> str:
        """The caption of its figure or table, or empty."""
        return str(self.options.get("fig-cap", self.options.get("tbl-cap", "")))


@dataclass(frozen=True)
class Value(Piece):
    """An inline value: its expression."""

    code: str


@dataclass(frozen=True)
class Prose(Piece):
    """What stands between two chunks, and the inline values in it."""

    text: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Comment(Piece):
    """An HTML comment."""

    text: str


@dataclass(frozen=True)
class Formula(Piece):
    """Mathematics within a line, and where it stands."""

    latex: str
    sections: tuple[str, ...]  # labels of the headings above it, outermost first
    divs: tuple[str, ...]  # classes of the divs around it, outermost first

    @property
    def section(self) -> str:
        """The label of the section that it stands in, or empty."""
        return self.sections[-1] if self.sections else ""


@dataclass(frozen=True)
class Display(Formula):
    """Mathematics on lines of its own."""

    label: str  # eq-…, or empty
    comments: tuple[str, ...]  # that stand directly before it


@dataclass(frozen=True)
class Macro(Piece):
    r"""A \newcommand, on one line."""

    name: str  # with its backslash
    arity: int
    body: str


@dataclass(frozen=True)
class Heading(Piece):
    """A heading."""

    level: int
    text: str
    label: str  # sec-…, or empty


@dataclass(frozen=True)
class Div(Piece):
    """A div, from its opening to its closing line."""

    attributes: str  # as written
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Name(Piece):
    """A label, where it is given or where it is referred to."""

    name: str


@dataclass(frozen=True)
class Image(Piece):
    """An image in the text."""

    caption: str
    attributes: str  # as written, or empty


AnyPiece = TypeVar("AnyPiece", bound=Piece)


def in_order(*kinds: Iterable[AnyPiece]) -> tuple[AnyPiece, ...]:
    """Pieces of several kinds in the order of the text."""
    return tuple(sorted((piece for kind in kinds for piece in kind), key=lambda piece: piece.start))


def link(between: str) -> str:
    """How the words between two formulas relate them: joined, in one sentence, or not at all."""
    if between.strip() == "and":
        return " and "
    return "\n\n" if re.search(r"\.\s|\n\s*\n", between) else " , "


def sections(headings: Iterable[Heading], place: int) -> tuple[str, ...]:
    """The labels of the headings above a place in the text, outermost first."""
    above: list[Heading] = []
    for heading in headings:
        if heading.start > place:
            break
        above = [*(outer for outer in above if outer.level < heading.level), heading]
    return tuple(heading.label for heading in above if heading.label)


@dataclass(frozen=True)
class Report:
    """All that the source says, each kind in the order of the text."""

    text: str
    head: str  # the lines of the front matter
    front: Mapping[str, Any]
    parts: tuple[Prose | Chunk, ...]
    blocks: tuple[Block, ...]
    comments: tuple[Comment, ...]
    displays: tuple[Display, ...]
    inlines: tuple[Formula, ...]
    macros: tuple[Macro, ...]
    headings: tuple[Heading, ...]
    divs: tuple[Div, ...]
    labels: tuple[Name, ...]
    references: tuple[Name, ...]  # those in captions, too
    images: tuple[Image, ...]
    prose: str  # the text with all else blanked out: front matter, chunks, other fenced code
    words: str  # and without inline values, comments, code, formulas and macros
    origins: tuple[Origin, ...]  # of its lines
    faults: tuple[Fault, ...]  # what is wrong with the source itself

    @property
    def chunks(self) -> tuple[Chunk, ...]:
        """The chunks."""
        return tuple(part for part in self.parts if isinstance(part, Chunk))

    @property
    def formulas(self) -> tuple[Formula, ...]:
        """The mathematics, displayed and within lines."""
        return in_order(self.displays, self.inlines)

    @property
    def quoting(self) -> tuple[Chunk, ...]:
        """The chunks that quote lines of code, as a question may ask for."""
        return tuple(chunk for chunk in self.chunks if "line(" in chunk.code)

    @property
    def mathematics(self) -> str:
        """All that a check of the mathematics can depend on; no line numbers."""
        pieces: tuple[Piece, ...] = in_order(
            self.headings, self.macros, self.formulas, self.quoting
        )
        said: list[str] = []
        before: Piece | None = None
        for piece in pieces:
            divs = piece.divs if isinstance(piece, Formula) else ()
            comments = piece.comments if isinstance(piece, Display) else ()
            said.append(
                repr(
                    (
                        self.related(before, piece),
                        divs,
                        comments,
                        self.text[piece.start : piece.end],
                    )
                )
            )
            before = piece
        return "\n".join(said)

    def related(self, before: Piece | None, piece: Piece) -> str:
        """How a formula within a line is related to the one before it; a break for all else."""
        if before is None or isinstance(piece, Display) or isinstance(before, Display):
            return "\n\n"
        if not (isinstance(piece, Formula) and isinstance(before, Formula)):
            return "\n\n"
        return link(self.text[before.end : piece.start])

    def where(self, line: int) -> str:
        """The file and the line in it, as `FILE:LINE`, that a line of the text comes from."""
        origin = next(each for each in reversed(self.origins) if each.first <= line)
        return f"{origin.file}:{origin.line + line - origin.first}"

    def line(self, place: int) -> int:
        """The line of a place in the text, from 1 on."""
        return self.text.count("\n", 0, place) + 1

    def sections(self, place: int) -> tuple[str, ...]:
        """The labels of the headings above a place in the text, outermost first."""
        return sections(self.headings, place)
