"""What was measured: the rows of the tables in results/bench/, and what they say in short.

A table NAME.csv has a line for each repetition; NAME.yml beside it says what it was measured on.
"""

import csv
import io
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import yaml

from mlp import files, log
from mlp.bench.case import Case, N
from mlp.lab.store import MOST_YAML
from mlp.log import LogError
from mlp.mapping import MappingError, parse
from mlp.messages import SHORT, line

T = TypeVar("T")


class Timing(NamedTuple):
    """One measured repetition: the seconds that so many examples of an epoch took."""

    method: str
    K: int
    d_h: int
    elastic: bool
    threads: int
    repetition: int
    examples: int
    seconds: float

    @property
    def case(self) -> Case:
        """What was timed."""
        return Case(self.K, self.d_h, self.elastic)

    @property
    def epoch(self) -> float:
        """Seconds for a whole epoch."""
        return self.seconds * N / self.examples


class Saving(NamedTuple):
    """Microseconds that one repetition took for a minibatch, the plain way and with the trick."""

    trick: str
    K: int
    d_h: int
    repetition: int
    plain: float
    twin: float


Medians = dict[Case, dict[str, float]]  # seconds of an epoch, by case and method
Savings = dict[str, dict[tuple[int, int], list[float]]]  # µs, by trick and (K, d_h)

# --- tables ----------------------------------------------------------------------------------


def write(path: Path, rows: Sequence[Timing | Saving], about: Mapping[str, object]) -> None:
    """Write the table `path`, a line per repetition, and beside it what it was measured on."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(rows[0]._fields)
    for row in rows:
        writer.writerow([int(cell) if isinstance(cell, bool) else cell for cell in row])
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_atomically(path, text.getvalue().encode())
    files.write_atomically(
        path.with_suffix(".yml"), yaml.safe_dump(dict(about), sort_keys=False).encode()
    )


def read(path: Path) -> list[Timing]:
    """Read a table of times. Raises LogError."""

    def timing(row: Mapping[str, str]) -> Timing:
        return Timing(
            method=row["method"],
            K=int(row["K"]),
            d_h=int(row["d_h"]),
            elastic=bool(int(row["elastic"])),
            threads=int(row["threads"]),
            repetition=int(row["repetition"]),
            examples=int(row["examples"]),
            seconds=float(row["seconds"]),
        )

    return _rows(path, timing)


def read_savings(path: Path) -> Savings:
    """Read a table of tricks: microseconds that each repetition saves in a minibatch.

    Raises LogError.
    """

    def saving(row: Mapping[str, str]) -> tuple[str, tuple[int, int], float]:
        saved = float(row["plain"]) - float(row["twin"])
        return row["trick"], (int(row["K"]), int(row["d_h"])), saved

    savings: Savings = {}
    for trick, shape, saved in _rows(path, saving):
        savings.setdefault(trick, {}).setdefault(shape, []).append(saved)
    return savings


def _rows(path: Path, of: Callable[[Mapping[str, str]], T]) -> list[T]:
    """What is made of each line of a table. Raises LogError where that cannot be."""
    try:
        reader = csv.DictReader(io.StringIO(files.text(path, log.MOST)), strict=True)
        return [of(row) for row in reader]
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        why = line(f"{type(error).__name__}: {error}", SHORT)
        raise LogError(f"{path}: no table of what was measured ({why}); restore it") from error


def read_about(path: Path) -> dict[str, Any]:
    """What the table `path` was measured on: machine, versions, data. Raises LogError."""
    beside = path.with_suffix(".yml")
    try:
        return parse(files.text(beside, MOST_YAML))
    except (OSError, UnicodeDecodeError, MappingError) as error:
        raise LogError(f"{beside}: {line(str(error), SHORT)}; restore it") from error


# --- in short --------------------------------------------------------------------------------


class Spread(NamedTuple):
    """A sample of times in short."""

    n: int
    median: float
    low: float
    high: float


def spread(timings: Iterable[Timing], method: str) -> Spread:
    """Number, median, minimum and maximum of a method's seconds for an epoch."""
    seconds = [t.epoch for t in timings if t.method == method]
    return Spread(len(seconds), statistics.median(seconds), min(seconds), max(seconds))


def samples(timings: Iterable[Timing], threads: int) -> dict[Case, dict[str, list[float]]]:
    """Seconds for an epoch of every repetition with so many threads, by case and method."""
    seconds: dict[Case, dict[str, list[float]]] = {}
    for t in timings:
        if t.threads == threads:
            by_method = seconds.setdefault(t.case, {})
            by_method.setdefault(t.method, []).append(t.epoch)
    return seconds


def medians(timings: Iterable[Timing], threads: int) -> Medians:
    """The median seconds for an epoch with so many threads, by case and method."""
    return {
        case: {method: statistics.median(seconds) for method, seconds in by_method.items()}
        for case, by_method in samples(timings, threads).items()
    }


class Scatter(NamedTuple):
    """How far repetitions lie apart: slowest over fastest, of all measurements."""

    median: float
    largest: float


def scatter(timings: Iterable[Timing], threads: int) -> Scatter:
    """The scatter of the measurements with so many threads."""
    ratios = [
        max(seconds) / min(seconds)
        for by_method in samples(timings, threads).values()
        for seconds in by_method.values()
    ]
    return Scatter(statistics.median(ratios), max(ratios))
