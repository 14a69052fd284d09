"""Fashion-MNIST: its images, and which class is taken for which."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.style import CLASS_COLOURS, SMALL, WIDTH
from mlp.data import CLASSES
from mlp.functions import Array

SIDE = 28  # pixels
ROW = 0.85  # inches, for a row of images with their classes
DARK = 300  # a count whose square is dark, so that it is written in white


def examples(X: Array, y: Array, predicted: Array, columns: int = 10) -> Figure:
    """Images in a grid, each with its true class, and with the predicted one where it differs.

    Images X, (n, 784), their classes y and the predicted ones, (n,).
    """
    rows = -(-len(y) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(WIDTH, ROW * rows), squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for ax, image, true, guess in zip(axes.flat, X, y, predicted, strict=False):
        ax.imshow(image.reshape(SIDE, SIDE), cmap="gray_r", interpolation="nearest")
        ax.set_title(CLASSES[true], fontsize=SMALL, pad=2)
        if guess != true:
            _write_below(ax, CLASSES[guess])
    return figure


def _write_below(ax: Axes, text: str) -> None:
    """Write a class that was predicted wrongly."""
    ax.text(
        0.5,
        -0.04,
        text,
        ha="center",
        va="top",
        fontsize=SMALL,
        color=CLASS_COLOURS[1],
        transform=ax.transAxes,
    )


def notice(text: str) -> Figure:
    """A line in place of a figure that cannot be drawn here."""
    figure, ax = plt.subplots(figsize=(WIDTH, 0.5))  # axes, as the notebook shows none without
    ax.axis("off")
    ax.text(0.5, 0.5, text, ha="center", va="center", style="italic")
    return figure


def confusion(counts: Array) -> Figure:
    """How often each true class (rows) was taken for each class (columns): (10, 10) counts."""
    m = len(CLASSES)
    figure, ax = plt.subplots(figsize=(3.5, 3.05))
    shade = np.log1p(counts)
    ax.imshow(shade, cmap="Blues", vmax=shade.max() * 1.1)  # no square is as dark as can be
    for i, j in np.ndindex(m, m):
        if counts[i, j]:
            colour = "white" if counts[i, j] > DARK else "black"
            ax.text(j, i, str(counts[i, j]), ha="center", va="center", fontsize=SMALL, color=colour)
    ax.set_xticks(range(m), CLASSES, rotation=45, ha="right")
    ax.set_yticks(range(m), CLASSES)
    ax.set(xlabel="predicted class", ylabel="true class")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return figure
