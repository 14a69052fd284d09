"""Errors against what limits the capacity of a network, and how far they spread over seeds."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.curves import PARTS
from figures.style import WIDTH
from mlp.functions import Array
from mlp.lab.capacity import Study, Trained

Pair = tuple[Array, Array]  # training and validation errors, (places, S)


def spread(study: Study) -> Figure:
    """Median errors on the noisy points, in bands from the lowest to the highest of all seeds.

    Against hidden units, both penalties, and epochs; the grey line is the share of flipped labels.
    """
    figure, axes = plt.subplots(1, 4, figsize=(WIDTH, 2.0), sharey=True)
    _draw_values(axes[0], study.units, "hidden units $d_h$")
    _draw_values(axes[1], study.l2, r"$\lambda$ of squared $L_2$")
    _draw_values(axes[2], study.l1, r"$\lambda$ of $L_1$")
    _draw(axes[3], study.course.epochs, (study.course.train_errors, study.course.valid_errors))
    axes[3].set_xlabel("epoch")
    for ax in axes:
        ax.axhline(100 * study.points.flipped.mean(), color="0.6", lw=0.8, zorder=0)
    axes[0].set(ylabel="error / %", ylim=(0, None))
    axes[0].legend()
    return figure


def _draw_values(
    ax: Axes, found: Mapping[int, Trained] | Mapping[float, Trained], label: str
) -> None:
    """Draw the errors at each of the values that were tried, which stand at equal distances."""
    places = np.arange(len(found))
    trained = found.values()
    errors = (
        np.array([t.train_errors for t in trained]),
        np.array([t.valid_errors for t in trained]),
    )
    _draw(ax, places, errors, marker="o")
    ax.set_xticks(places, [f"{value:g}".removeprefix("0") or "0" for value in found])
    ax.set_xlabel(label)


def _draw(ax: Axes, x: Sequence[float] | Array, errors: Pair, marker: str = "") -> None:
    """Draw the medians of training and validation errors as lines, and their ranges as bands."""
    for part, found in zip((PARTS["train"], PARTS["valid"]), errors, strict=True):
        percent = 100 * found
        low, high = percent.min(axis=1), percent.max(axis=1)
        ax.fill_between(x, low, high, color=part.colour, alpha=0.2, lw=0)
        middle = np.median(percent, axis=1)
        ax.plot(x, middle, part.line, color=part.colour, marker=marker, ms=2.5, label=part.name)
