"""Figures as they are recorded, against figures that came out again.

Where products of matrices are rounded as they were (the same versions, the same kernel of BLAS),
every figure is the same bit for bit. Elsewhere training magnifies what rounding does: there the
losses of the first minibatches agree to `FIRST`, and later figures as `SPREAD` and `ALONE` say.
"""

import math
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mlp.lab import store, summary
from mlp.lab.again import Again
from mlp.lab.evidence import same
from mlp.train import Record

FIRST = 1e-5  # how far, relatively, the losses of the first minibatches may differ
SPREAD = 4.0  # by how many standard deviations over seeds the mean over seeds may differ later
ALONE = 0.1  # how far it may differ, relatively, where there is no spread over seeds
SAME = "the same bit for bit"


class Line(NamedTuple):
    """What was compared, whether it agrees, and how far."""

    what: str
    agrees: bool
    says: str


class Pair(NamedTuple):
    """The first epochs of a run as they are recorded, and what came out again."""

    seed: int
    recorded: list[Record]
    first_losses: list[float]
    again: Again


def rounded_alike(folders: Iterable[Path]) -> bool:
    """Whether products are rounded here as they were when these results were recorded."""
    here = store.arithmetic(store.machine())
    return all(store.arithmetic(summary.machine(folder)) == here for folder in folders)


# --- bit for bit ---------------------------------------------------------------------------------


def bit_for_bit(pairs: Sequence[Pair]) -> list[Line]:
    """Every figure of every epoch."""
    return [_first_losses(pairs, 0.0), *(_figure(pairs, name) for name in Record._fields[1:])]


def _figure(pairs: Sequence[Pair], name: str) -> Line:
    """Whether a figure is the same in all epochs, or where it first is not."""
    for pair in pairs:
        reached = len(pair.again.records)
        if reached < len(pair.recorded):
            return Line(name, False, f"seed {pair.seed} ended at epoch {reached}")
        for old, new in zip(pair.recorded, pair.again.records, strict=False):
            was, came = getattr(old, name), getattr(new, name)
            if not same(was, came):
                says = f"{came} instead of {was}, seed {pair.seed}, epoch {old.epoch}"
                return Line(name, False, says)
    return whether(name, alike=True)


def whether(what: str, *, alike: bool) -> Line:
    """A line on what can only be the same or not."""
    return Line(what, alike, SAME if alike else "not the same")


# --- within bounds -------------------------------------------------------------------------------


def within_bounds(pairs: Sequence[Pair], patience: int, *, whole: bool) -> list[Line]:
    """The losses of the first minibatches, and the mean over seeds of each figure.

    The figures are those of the chosen epochs of `whole` runs, else those of the last epoch that
    was run again.
    """
    lines = [_first_losses(pairs, FIRST)]
    if not all(pair.again.records for pair in pairs):
        return [*lines, Line("epochs", False, "none was reached")]

    def end(records: list[Record]) -> Record:
        return summary.stopped(records, patience) if whole else records[-1]

    for name in Record._fields[1:]:
        was = [getattr(end(pair.recorded), name) for pair in pairs]
        came = [getattr(end(pair.again.records), name) for pair in pairs]
        spread = statistics.stdev(was) if len(was) > 1 else None
        lines.append(mean(name, was, came, spread))
    return lines


def mean(
    what: str, was: Sequence[float], came: Sequence[float], spread: float | None = None
) -> Line:
    """Whether a mean is as it was, but for what the spread over seeds, where known, allows."""
    before, after = statistics.fmean(was), statistics.fmean(came)
    if math.isnan(before) and math.isnan(after):
        return Line(what, True, "not measured")
    allowed = ALONE * abs(before) if spread is None else SPREAD * spread
    bound = max(allowed, FIRST * abs(before))
    says = f"{after:.6f} where {before:.6f} is recorded; {bound:.6f} is the bound"
    return Line(what, abs(after - before) <= bound, says)


def _first_losses(pairs: Sequence[Pair], bound: float) -> Line:
    """Whether the losses of the first minibatches agree to a relative bound."""
    what, largest = "first losses", 0.0
    for pair in pairs:
        old, new = np.array(pair.first_losses), np.array(pair.again.first_losses)
        if old.shape != new.shape or not old.size:
            return Line(what, False, f"{new.size} instead of {old.size}, seed {pair.seed}")
        largest = max(largest, float(np.max(np.abs(new - old) / np.abs(old))))
    if not largest:
        return whether(what, alike=True)
    says = f"largest relative difference {largest:.1e}; {bound:.0e} is the bound"
    return Line(what, largest <= bound, says)
