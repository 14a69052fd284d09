"""The log file: six figures an epoch, a line each. Nothing else writes logs or tables.

Plain CSV. The first line says what the columns are; errors are proportions of misclassified
examples, losses are averages per example, without penalty.
"""

import contextlib
import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from mlp import files
from mlp.messages import SHORT, line, shown
from mlp.train import Record

MOST = 50_000_000  # bytes of a table


class LogError(ValueError):
    """A log file that cannot be read; the message names the file and the line."""


def read_rows(path: Path, kind: Any, more: Sequence[str] = ()) -> list[Any]:
    """Read the lines below the header, each as `kind`, a NamedTuple of numbers; then come `more`.

    Floats come back bit for bit; an unfinished last line and the columns `more` are passed over.
    Raises LogError if the header is another one, or if a line does not fit it.
    """
    header = [*kind._fields, *more]
    try:
        first, *lines = files.text(path, MOST).splitlines(keepends=True) or [""]
    except (OSError, UnicodeDecodeError) as error:
        raise LogError(f"{path}: cannot be read ({line(str(error))}); restore it") from error
    if first.rstrip("\n").split(",") != header:
        wanted = ",".join(header)
        raise LogError(f"{path}: line 1 is {shown(first.rstrip())}; it must be {wanted!r}")
    if lines and not lines[-1].endswith("\n"):
        lines.pop()
    rows, types = [], kind.__annotations__.values()
    for number, row in enumerate(_split(path, lines), start=2):
        if len(row) != len(header):
            raise LogError(
                f"{path}: line {number} has {len(row)} fields; it must have {len(header)}"
            )
        try:
            rows.append(kind(*(of(cell) for of, cell in zip(types, row, strict=False))))
        except ValueError as error:
            why = line(str(error), SHORT)
            raise LogError(f"{path}: line {number}: {why}; it must hold numbers") from error
    return rows


def _split(path: Path, lines: Sequence[str]) -> Iterator[list[str]]:
    """The fields of each line."""
    reader = csv.reader(lines)
    try:
        yield from reader
    except csv.Error as error:
        number = reader.line_num + 1  # below the header
        raise LogError(f"{path}: line {number}: {error}; restore the file") from error


def read(path: Path) -> list[Record]:
    """Read a log file of epochs. Raises LogError, also if an epoch is left out."""
    records: list[Record] = read_rows(path, Record)
    for number, record in enumerate(records, start=1):
        if record.epoch != number:
            raise LogError(
                f"{path}: line {number + 1} is epoch {shown(record.epoch)}; it must be {number}"
            )
    return records


class Log:
    """An open table, to which one line at a time is added and flushed."""

    def __init__(
        self, path: Path, header: Sequence[str], kept: Iterable[Sequence[object]] = ()
    ) -> None:
        """Start the file with the header and the lines kept from before, in place of the old."""
        temporary = files.temporary_name(path)
        self._path = path
        self._file = temporary.open("x", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file, lineterminator="\n")
        try:
            for row in (header, *kept):
                self.write(row)
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):  # a full disk fails again
                self._file.close()
            temporary.unlink()
            raise

    def write(self, row: Sequence[object]) -> None:
        """Add one line; after this returns, the line is in the file."""
        with files.naming(self._path):
            self._writer.writerow(row)
            self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with files.naming(self._path):
            self._file.close()
