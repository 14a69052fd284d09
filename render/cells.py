"""The cells of a report: the code that the kernel runs, and which of it reads the mathematics.

A chunk that reads the report's mathematics, as the checker of the derivations does, says so by
`#| reads: mathematics`. What uses a variable of such a chunk reads it, too. These cells run again
when the mathematics changes, in a kernel that has long run everything below them. So that this
gives what a run from top to bottom would give, they form a program of their own: apart from what
is only ever imported, they share no name with the other cells.
"""

import symtable
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from literate.report import Chunk, Prose, Report, Value
from render.dialect import ReportError


@dataclass(frozen=True)
class Cell:
    """Code that runs in one go: a chunk, or inline values that stand between two chunks."""

    code: str
    reads: bool  # the report's mathematics
    shows: Chunk | tuple[Value, ...]

    def fault(self, what: str) -> ReportError:
        """An error that names the line, and the label or the values."""
        return fault(what, *(self.shows if isinstance(self.shows, tuple) else (self.shows,)))


def fault(what: str, *pieces: Chunk | Value) -> ReportError:
    """An error that names the line of the first of these pieces, and all of them."""
    names = " and ".join(map(_said, pieces))
    return ReportError(f"report.qmd:{pieces[0].line}: {names} {what}")


def _said(piece: Chunk | Value) -> str:
    if isinstance(piece, Value):
        return f"value {piece.code}"
    first, _, _ = piece.code.strip().partition("\n")
    return f"chunk {piece.label or first}"


def cells(report: Report) -> list[Cell]:
    """The cells of a report, in the order in which they run.

    Raises ReportError for code that is not Python, and where a cell that reads the mathematics
    shares a name with one that does not.
    """
    readers = reading(report)
    found = []
    for part in report.parts:
        if isinstance(part, Chunk):
            if part.code:
                found.append(Cell(part.code, part.start in readers, part))
        else:
            for reads in (False, True):
                values = tuple(v for v in part.values if (v.start in readers) == reads)
                if values:
                    found.append(inline(values, reads))
    return found


def inline(values: tuple[Value, ...], reads: bool) -> Cell:
    """The cell that shows inline values."""
    rows = [f"    lambda: ({value.code}),\n" for value in values]
    return Cell("_inside.inline(\n" + "".join(rows) + ")", reads, values)


def reading(report: Report) -> set[int]:
    """Where the chunks and inline values begin that read the mathematics.

    Raises ReportError where one of them shares a name with one that does not.
    """
    pieces = list(_code(report))
    names = [names_of(piece) for piece in pieces]
    modules = _all(n.imported for n in names) - _all(n.bound for n in names)
    given = [(n.imported | n.bound) - modules for n in names]
    used = [n.used - modules for n in names]
    readers = {
        i for i, piece in enumerate(pieces) if isinstance(piece, Chunk) and "reads" in piece.options
    }
    while True:
        theirs = _all(given[i] for i in readers)
        more = {i for i in range(len(pieces)) if used[i] & theirs} - readers
        if not more:
            break
        readers |= more
    for i in sorted(readers):
        for j in sorted(set(range(len(pieces))) - readers):
            for name in sorted(used[i] & given[j]):
                raise fault(
                    f"reads the mathematics and names {name}, which is bound on line "
                    f"{pieces[j].line} by a chunk that does not: let that one say "
                    "`#| reads: mathematics`, too, or take another name",
                    pieces[i],
                )
    return {pieces[i].start for i in readers}


def _code(report: Report) -> Iterator[Chunk | Value]:
    for part in report.parts:
        if isinstance(part, Prose):
            yield from part.values
        else:
            yield part


def _all(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*sets)


@dataclass(frozen=True)
class Names:
    """The names at the top level of some code."""

    imported: frozenset[str]
    bound: frozenset[str]  # in any other way
    used: frozenset[str]  # those above, too


def names_of(piece: Chunk | Value) -> Names:
    """The names of a chunk or an inline value. Raises ReportError if it is not Python."""
    code, line = f"({piece.code})", piece.line
    if isinstance(piece, Chunk):
        code, line = piece.code, piece.code_line
    try:
        with warnings.catch_warnings(action="ignore"):  # the kernel gives them, too
            top = symtable.symtable(code, "chunk", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        row = getattr(error, "lineno", None) or 1
        what = getattr(error, "msg", error)
        raise ReportError(f"report.qmd:{line + row - 1}: {_said(piece)}: {what}") from error
    symbols = top.get_symbols()
    inner = [s for table in _below(top) for s in table.get_symbols() if s.is_global()]
    bound = [s for s in [*symbols, *inner] if s.is_assigned()]
    return Names(
        imported=frozenset(s.get_name() for s in symbols if s.is_imported()),
        bound=frozenset(s.get_name() for s in bound),
        used=frozenset(s.get_name() for s in [*symbols, *inner]),
    )


def _below(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _below(child)
