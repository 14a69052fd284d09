"""Fashion-MNIST: its images, and which class is taken for which."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.style import CLASS_COLOURS, SMALL, WIDTH
from mlp.data import CLASSES
from mlp.functions import Array

SIDE = 28  # pixels
CELL = (47, 40)  # pixels of an image with its classes above and below it, rows and columns
DARK = 300  # a count whose square is dark, so that it is written in white


def examples(X: Array, y: Array, predicted: Array, columns: int = 10) -> Figure:
    """Images in a grid, each with its true class, and with the predicted one where it differs.

    Images X, (n, 784), their classes y and the predicted ones, (n,). All are one picture in one
    pair of axes, as matplotlib takes long for each of these.
    """
    height, width = CELL
    rows = -(-len(y) // columns)
    picture = np.zeros((rows * height, columns * width))
    figure, ax = plt.subplots(figsize=(WIDTH, WIDTH * len(picture) / (columns * width)))
    ax.axis("off")
    for place, (image, true, guess) in enumerate(zip(X, y, predicted, strict=True)):
        top, left = place // columns * height + 9, place % columns * width + (width - SIDE) // 2
        picture[top : top + SIDE, left : left + SIDE] = image.reshape(SIDE, SIDE)
        _write(ax, left, top - 2, CLASSES[true], "bottom", "black")
        if guess != true:
            _write(ax, left, top + SIDE, CLASSES[guess], "top", CLASS_COLOURS[1])
    ax.imshow(picture, cmap="gray_r", interpolation="nearest")
    return figure


def _write(ax: Axes, left: int, y: int, text: str, align: str, colour: str) -> None:
    """Write a class above or below an image that begins at a column of pixels."""
    x = left + (SIDE - 1) / 2
    ax.text(x, y, text, ha="center", va=align, fontsize=SMALL, color=colour)


def notice(text: str) -> Figure:
    """A line in place of a figure that cannot be drawn here."""
    figure, ax = plt.subplots(figsize=(WIDTH, 0.5))  # axes, as the notebook shows none without
    ax.axis("off")
    ax.text(0.5, 0.5, text, ha="center", va="center", style="italic")
    return figure


def confusion(counts: Array) -> Figure:
    """How often each true class (rows) was taken for each class (columns): (10, 10) counts."""
    m = len(CLASSES)
    figure, ax = plt.subplots(figsize=(3.3, 2.85))
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
