"""Two circles: the decision regions of networks."""

from collections.abc import Sequence
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from figures.style import CLASS_COLOURS, SMALL, WIDTH
from mlp.data import Dataset
from mlp.functions import Array
from mlp.model import Params, fprop
from mlp.train import evaluate

REGION_COLOURS = ("#8DB4D6", "#DCE5EC", "#FDEAD9")  # ever lighter, so that grey tells them apart
MARKERS = ("o", "^")  # of class 0 and class 1
EDGE = 1.15  # of the square that a panel shows, beyond the circle of radius 1
SIDE = 136  # grid points along it
SHADES = 10
TITLES = 0.35  # inches, above and below a panel


class Panel(NamedTuple):
    """One picture of decision regions: its title, the network, its data, points to be ringed."""

    title: str
    params: Params
    train: Dataset
    valid: Dataset
    ringed: Array = np.empty((0, 2))  # (n, 2)


def regions(panels: Sequence[Panel], columns: int = 4) -> Figure:
    """Decision regions in a grid; each panel says its training and validation error.

    Shaded by the probability of class 1; the line is where both classes are equally probable.
    """
    rows = -(-len(panels) // columns)
    size = WIDTH, (WIDTH / columns + TITLES) * rows
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False)
    for ax, panel in zip(axes.flat, panels, strict=False):
        draw_regions(ax, panel)
    for ax in axes.flat[len(panels) :]:
        ax.set_visible(False)
    return figure


def draw_regions(ax: Axes, panel: Panel) -> None:
    """Draw one panel into existing axes."""
    _shade(ax, panel.params)
    _points(ax, panel.train)
    ax.plot(*panel.ringed.T, "o", mfc="none", mec="black", ms=5.5, mew=0.5)
    training, validation = (evaluate(panel.params, part)[0] for part in (panel.train, panel.valid))
    ax.set_title(panel.title, pad=3)
    below = rf"train {100 * training:.1f} %, valid {100 * validation:.1f} %"
    ax.set_xlabel(below, fontsize=SMALL)
    ax.set(xticks=[], yticks=[], aspect="equal")
    for spine in ax.spines.values():
        spine.set_visible(False)


def _shade(ax: Axes, params: Params) -> None:
    """Shade the plane by the probability of class 1, with a line where it is one half."""
    u = np.linspace(-EDGE, EDGE, SIDE)
    grid = np.stack([coordinate.ravel() for coordinate in np.meshgrid(u, u)])
    p_1 = fprop(params, grid).os[1].reshape(SIDE, SIDE)
    shades = LinearSegmentedColormap.from_list("regions", REGION_COLOURS)
    ax.contourf(u, u, p_1, np.linspace(0, 1, SHADES + 1), cmap=shades)
    ax.contour(u, u, p_1, [0.5], colors="black", linewidths=0.8)


def _points(ax: Axes, train: Dataset) -> None:
    """Draw the training points, each class by its colour and marker."""
    size = 1.6 if len(train.y) > 200 else 2.8  # hundreds of larger points would merge
    for c, (colour, marker) in enumerate(zip(CLASS_COLOURS, MARKERS, strict=True)):
        ax.plot(*train.X[train.y == c].T, marker, color=colour, ms=size, mew=0)
