"""Searches for settings: what was tried, and what came out."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from figures.style import BLUE, WIDTH
from figures.tables import fixed, percent, scientific, table

Trial = Mapping[str, Any]  # settings and figures of a trial, as `search.table` gives them

DOT = {"color": BLUE, "ms": 4, "alpha": 0.7, "mew": 0}
RING = {"mfc": "none", "mec": "black", "ms": 7.5, "mew": 0.7}


def tried(trials: Sequence[Trial], names: Mapping[str, str], ringed: Collection[int]) -> Figure:
    """Validation error of the trials of a search against each setting, those in `ringed` ringed.

    `names` gives the label of each setting; `ringed` are numbers of trials.
    """
    figure, axes = plt.subplots(1, len(names), sharey=True, figsize=(WIDTH, 2.2))
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


def trials_table(trials: Sequence[Trial]) -> str:
    """Sizes and step of each trial, the epochs trained, its lowest validation error."""
    rows = [
        [
            str(trial["d_h"]),
            str(trial["K"]),
            fixed(trial["eta"], 3),
            str(trial["epochs"]),
            percent(trial["valid_error"]),
        ]
        for trial in trials
    ]
    head = ["$d_h$", "$K$", r"$\eta$", "epochs trained", "validation error / %"]
    return table(head, rows, "rrrrr")


def strengths_table(trials: Sequence[Trial]) -> str:
    """Strengths of each trial's elastic net on W1, the epochs trained, its lowest error."""
    rows = [
        [
            scientific(trial["l11"]),
            scientific(trial["l12"]),
            str(trial["epochs"]),
            percent(trial["valid_error"]),
        ]
        for trial in trials
    ]
    head = [r"$\lambda_{11}$", r"$\lambda_{12}$", "epochs trained", "validation error / %"]
    return table(head, rows, "rrrr")
