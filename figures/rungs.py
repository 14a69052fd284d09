"""Rungs, experiments that build on one another: their settings, their errors, an ensemble."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.curves import KINDS, PARTS
from figures.style import BLUE, ORANGE, WIDTH
from figures.tables import DASH, percent, scientific, table
from mlp.lab.ensemble import Record as Averaged
from mlp.lab.summary import half_width
from mlp.settings import Settings
from mlp.train import Record

LOOKS = (("0.3", "-"), (ORANGE, "--"), (BLUE, "-."))  # colour and line of each rung
TICKS = (8, 9, 10, 12, 14, 16)  # percent


def rungs(logs: Mapping[str, Sequence[Sequence[Record]]], nets: Sequence[Averaged]) -> Figure:
    """Validation error against the epoch, median and range of runs; errors against `nets`.

    `logs` has the records of all runs of a rung, for three rungs at most. Epochs that not all runs
    of a rung have reached are left out.
    """
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(WIDTH, 1.95), gridspec_kw={"width_ratios": (3, 2)}
    )
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


def runs_table(over_runs: Mapping[str, Any]) -> str:
    """The six figures of an experiment at the chosen epochs: mean ± deviation over its runs."""
    rows = []
    for name, scale, label in KINDS:
        cells = [over_runs[f"{part}_{name}"] for part in PARTS]
        digits = [f"{scale * c['mean']:.3f} ± {scale * c['std']:.3f}" for c in cells]
        rows.append([label, *digits])
    return table(["", *(part.name for part in PARTS.values())], rows, "lrrr")


def errors_table(over_runs: Mapping[str, Mapping[str, Any]], average: Averaged, n: int) -> str:
    """Errors of each rung in percent, on validation and test examples; the last rung is an average.

    `over_runs` has means and deviations over the runs of the others, as `summary.read` gives them.
    The last column is the 95 % interval that is due to there being but n test examples.
    """
    head = ["", "network", "validation", "s.d.", "test", "s.d.", "95 % interval of test"]
    rows = []
    for number, (what, figures) in enumerate(over_runs.items(), start=1):
        valid, test = figures["valid_error"], figures["test_error"]
        cells = [percent(each) for each in (valid["mean"], valid["std"], test["mean"], test["std"])]
        rows.append([str(number), what, *cells, _interval(test["mean"], n)])
    cells = [percent(average.valid_error), DASH, percent(average.test_error), DASH]
    what = f"average of {average.nets} networks"
    rows.append([str(len(rows) + 1), what, *cells, _interval(average.test_error, n)])
    return table(head, rows, "llrrrrr")


def _interval(error: float, n: int) -> str:
    """The 95 % interval of an error that was counted on n examples, in percent."""
    half = half_width(error, n)
    return f"{percent(error - half)} to {percent(error + half)}"


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
        "epochs": str(s.epochs),
    }


def _told_images(s: Settings) -> str:
    """How training images are changed."""
    moved = []
    if s.flips:
        moved.append("mirrored")
    if s.shifts:
        moved.append(f"shifted by up to {s.shifts} {'pixel' if s.shifts == 1 else 'pixels'}")
    if s.cutout:
        moved.append(f"a square of {s.cutout} pixels cut out")
    return ", ".join(moved) or DASH
