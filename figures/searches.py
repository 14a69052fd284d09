"""Searches for settings: what was tried, and what came out."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from figures.style import BLUE, WIDTH
from figures.tables import percent, scientific, table

Trial = Mapping[str, Any]  # settings and figures of a trial, as `search.table` gives them

DOT = {"color": BLUE, "ms": 4, "alpha": 0.7, "mew": 0}
RING = {"mfc": "none", "mec": "black", "ms": 7.5, "mew": 0.7}


def tried(trials: Sequence[Trial], names: Mapping[str, str], ringed: Collection[int]) -> Figure:
    """Validation error of the trials of a search against each setting, those in `ringed` ringed.

    `names` gives the label of each setting; `ringed` are numbers of trials.
    """
    figure, axes = plt.subplots(1, len(names), sharey=True, figsize=(WIDTH, 1.9))
    chosen = [trial for trial in trials if trial["trial"] in ringed]
    for ax, (name, label) in zip(axes, names.items(), strict=True):
        _scatter(ax, trials, name, DOT)
        _scatter(ax, chosen, name, RING)
        ax.set(xlabel=label, xscale="log")
        ax.margins(x=0.15)
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter("{x:g}")
        ax.minorticks_off()
    axes[0].set_ylabel("validation error / %")
    return figure


def _scatter(ax: Axes, trials: Sequence[Trial], name: str, look: dict[str, Any]) -> None:
    """Draw the error of each trial against one setting."""
    errors = [100 * trial["valid_error"] for trial in trials]
    ax.plot([trial[name] for trial in trials], errors, "o", **look)


def finalists_table(finalists: Sequence[Trial], names: Mapping[str, str]) -> str:
    """Settings of each finalist, and mean and deviation over seeds of its validation error.

    `names` gives the head of the column of each setting.
    """
    rows = [
        [*(setting(trial[name]) for name in names), mean_and_deviation(trial)]
        for trial in finalists
    ]
    head = [*names.values(), "validation error / %"]
    return table(head, rows, "r" * len(head))


def setting(value: float | bool) -> str:
    """A setting, short: yes or no, a whole number, a power of ten, or three digits."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value and value < 0.01:
        return scientific(value)
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def mean_and_deviation(trial: Trial) -> str:
    """The validation error of a finalist over seeds, in percent."""
    return f"{percent(trial['valid_error'])} ± {percent(trial['deviation'])}"


def strengths_table(finalists: Sequence[Trial]) -> str:
    """Validation error over seeds: a row for each λ₁₁, a column for each λ₁₂."""
    cells = {(trial["l11"], trial["l12"]): mean_and_deviation(trial) for trial in finalists}
    first, second = (sorted({strengths[i] for strengths in cells}) for i in (0, 1))
    rows = [[scientific(a), *(cells[a, b] for b in second)] for a in first]
    head = [r"$\lambda_{11}$", *(rf"$\lambda_{{12}} =$ {scientific(b)}" for b in second)]
    return table(head, rows, "r" * len(head))
