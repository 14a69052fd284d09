"""The log file: six figures an epoch, a line each. Nothing else writes logs.

Plain CSV. The first line says what the columns are; errors are proportions of misclassified
examples, losses are averages per example, without penalty.
"""

import csv
from pathlib import Path
from typing import NamedTuple, Self


class Record(NamedTuple):
    """One epoch: training figures accumulated during it, the others measured at its end."""

    epoch: int
    train_error: float
    train_loss: float
    valid_error: float
    valid_loss: float
    test_error: float
    test_loss: float


class LogError(ValueError):
    """A log file that cannot be read; the message names the file and the line."""


def read(path: Path) -> list[Record]:
    """Read a log file; floats come back bit for bit. An unfinished last line is passed over.

    Raises LogError if another line is not a record, or epochs do not count 1, 2, 3, …
    """
    header, *lines = path.read_text().splitlines(keepends=True) or [""]
    if next(csv.reader([header]), None) != list(Record._fields):
        raise LogError(f"{path}: line 1 is {header.rstrip()!r}, not {','.join(Record._fields)}")
    records = []
    for number, line in enumerate(lines, start=2):
        try:
            epoch, *figures = next(csv.reader([line]))
            record = Record(int(epoch), *map(float, figures))
        except (TypeError, ValueError, StopIteration):
            record = None
        if not line.endswith("\n") and number == len(lines) + 1:
            break
        if record is None or record.epoch != number - 1:
            raise LogError(f"{path}: line {number} is {line.rstrip()!r}, not epoch {number - 1}")
        records.append(record)
    return records


class Log:
    """An open log file, at which one record at a time is added and flushed."""

    def __init__(self, path: Path, keep: int = 0) -> None:
        """Start a log, or go on after the first `keep` epochs of the one that is there."""
        kept = read(path)[:keep] if keep else []
        if len(kept) < keep:
            raise LogError(f"{path}: has {len(kept)} epochs, the checkpoint {keep}; delete both")
        temporary = path.with_suffix(".tmp")
        self._file = temporary.open("w", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(Record._fields)
        for record in kept:
            self.write(record)
        self._file.flush()
        temporary.replace(path)

    def write(self, record: Record) -> None:
        """Add one line; after this returns, the line is in the file."""
        self._writer.writerow(record)
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
