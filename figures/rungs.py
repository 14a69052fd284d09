"""Rungs, experiments that build on one another: their settings, their errors, an ensemble."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.curves import PARTS
from figures.style import BLUE, ORANGE
from figures.tables import percent, scientific, table
from mlp.lab.ensemble import Record as Averaged
from mlp.lab.summary import half_width
from mlp.settings import Settings
from mlp.train import Record

LOOKS = (("0.3", "-"), (ORANGE, "--"), (BLUE, "-."))  # colour and line of each rung
TICKS = (8, 9, 10, 12, 14, 16)  # percent
DASH = "–"


class Error(NamedTuple):
    """An error, a proportion: the mean over runs and their deviation, or that of a single net."""

    mean: float
    std: float | None = None


def rungs(logs: Mapping[str, Sequence[Sequence[Record]]], nets: Sequence[Averaged]) -> Figure:
    """Validation error against the epoch, median and range of runs; errors against `nets`.

    `logs` has the records of all runs of a rung, for three rungs at most. Epochs that not all runs
    of a rung have reached are left out.
    """
    figure, (left, right) = plt.subplots(1, 2, gridspec_kw={"width_ratios": (3, 2)})
    _draw_runs(left, logs)
    _draw_averages(right, nets)
    return figure


def _draw_runs(ax: Axes, logs: Mapping[str, Sequence[Sequence[Record]]]) -> None:
    for number, (name, runs) in enumerate(logs.items()):
        colour, line = LOOKS[number]
        reached_by_all = zip(*runs, strict=False)
        errors = np.array([[100 * run.valid_error for run in epoch] for epoch in reached_by_all])
        epochs = range(1, 1 + len(errors))
        low, high = errors.min(axis=1), errors.max(axis=1)
        ax.fill_between(epochs, low, high, color=colour, alpha=0.2, lw=0)
        ax.plot(epochs, np.median(errors, axis=1), line, color=colour, lw=1, label=name)
    ax.set(xlabel="epoch", ylabel="validation error / %", yscale="log")
    ax.set_yticks(TICKS, [str(tick) for tick in TICKS])
    ax.minorticks_off()
    ax.legend()


def _draw_averages(ax: Axes, nets: Sequence[Averaged]) -> None:
    numbers = range(1, 1 + len(nets))
    for part in ("valid", "test"):
        name, colour, line = PARTS[part]
        errors = [100 * getattr(record, f"{part}_error") for record in nets]
        ax.plot(numbers, errors, f"o{line}", color=colour, label=name)
    ax.set(xlabel="number of networks averaged", ylabel="error / %")
    ax.set_xticks(numbers)
    ax.legend()


def errors_table(rungs: Mapping[str, tuple[Error, Error]], n: int) -> str:
    """Errors of each rung, on validation and test examples, in percent, with deviations.

    The last column is the 95 % interval of the test error, which is due to there being but n
    examples.
    """
    rows = []
    for number, (what, (valid, test)) in enumerate(rungs.items(), start=1):
        half = half_width(test.mean, n)
        interval = f"{percent(test.mean - half)} to {percent(test.mean + half)}"
        rows.append([str(number), what, *_told_error(valid), *_told_error(test), interval])
    head = ["", "network", "validation", "s.d.", "test", "s.d.", "95 % interval of test"]
    return table(head, rows, "llrrrrr")


def _told_error(error: Error) -> list[str]:
    return [percent(error.mean), DASH if error.std is None else percent(error.std)]


def settings_table(settings: Mapping[str, Settings]) -> str:
    """The settings of experiments, a column each; a dash for what is not used."""
    columns = [_told_settings(each) for each in settings.values()]
    rows = [[what, *(column[what] for column in columns)] for what in columns[0]]
    return table(["", *settings], rows, "l" + "c" * len(columns))


def _told_settings(s: Settings) -> dict[str, str]:
    return {
        "hidden units $d_h$": str(s.d_h),
        "minibatch size $K$": str(s.K),
        r"step size $\eta$": f"{s.eta:g}",
        "schedule": s.schedule,
        r"momentum $\mu$": f"{s.momentum:g}" if s.momentum else DASH,
        r"$\lambda_{11}$": scientific(s.l11) if s.l11 else DASH,
        r"$\lambda_{12}$": scientific(s.l12) if s.l12 else DASH,
        r"$\lambda_{21}$": scientific(s.l21) if s.l21 else DASH,
        r"$\lambda_{22}$": scientific(s.l22) if s.l22 else DASH,
        "smoothing $s$": f"{s.smoothing:g}" if s.smoothing else DASH,
        r"whitening $\varepsilon$": f"{s.whiten:g}" if s.whiten else DASH,
        "training images": _told_images(s),
        "averaged answers": "to image and mirror image" if s.mirrored else DASH,
        "epochs, at most": str(s.epochs),
        "patience in epochs": str(s.patience) if s.patience < s.epochs else DASH,
    }


def _told_images(s: Settings) -> str:
    """How training images are moved."""
    moved = []
    if s.flips:
        moved.append("mirrored")
    if s.shifts:
        moved.append(f"shifted by up to {s.shifts} {'pixel' if s.shifts == 1 else 'pixels'}")
    return ", ".join(moved) or DASH
