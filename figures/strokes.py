"""The strokes of a drawing: lines, units, boxes and words, at places of its own.

A drawing is 100 wide, whatever its width on the page. What flows forward is blue, what flows back
is orange.
"""

from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle

from figures.style import BLUE, ORANGE, WIDTH

Point = tuple[float, float]

FORWARD, BACKWARD, GREY = BLUE, ORANGE, "#8a8a8a"
PALE = {FORWARD: "#e8f1f8", BACKWARD: "#fbece3", GREY: "#f3f3f1"}
RADIUS = 2.6  # of a unit

# Sizes in points: a script is 0.7 times as large, one in a fraction 0.49 times; none is below 7.5.
LETTER, FRACTION = 11.0, 15.5


def canvas(height: float) -> tuple[Figure, Axes]:
    """An empty drawing, 100 wide."""
    figure, ax = plt.subplots(figsize=(WIDTH, WIDTH * height / 100))
    ax.set(xlim=(0, 100), ylim=(-1.5, height), aspect="equal")
    ax.axis("off")
    return figure, ax


def line(
    ax: Axes,
    start: Point,
    end: Point,
    colour: str = GREY,
    arrow: bool = False,
    dashed: bool = False,
) -> None:
    """Draw a line or, thicker, an arrow."""
    style: dict[str, Any] = (
        {"arrowstyle": "-|>", "lw": 0.9} if arrow else {"arrowstyle": "-", "lw": 0.5}
    )
    style["linestyle"] = "--" if dashed else "-"
    exact: dict[str, Any] = {"shrinkA": 0, "shrinkB": 0, "mutation_scale": 6, "zorder": 0}
    ax.add_patch(FancyArrowPatch(start, end, color=colour, **style, **exact))


def unit(ax: Axes, centre: Point, text: str) -> None:
    """Draw a circle with its text."""
    ax.add_patch(Circle(centre, RADIUS, facecolor=PALE[FORWARD], edgecolor=FORWARD, lw=0.9))
    write(ax, centre, text)


def box(ax: Axes, centre: Point, size: tuple[float, float], colour: str = FORWARD) -> None:
    """Draw a box of a width and height, pale within."""
    (x, y), (width, height) = centre, size
    corner = (x - width / 2, y - height / 2)
    style: dict[str, Any] = {
        "boxstyle": "round,pad=0,rounding_size=1.6",
        "facecolor": PALE[colour],
        "edgecolor": colour,
        "lw": 0.9,
    }
    ax.add_patch(FancyBboxPatch(corner, width, height, **style))


def cell(ax: Axes, centre: Point, size: tuple[float, float]) -> None:
    """Draw a cell of a grid, of a width and height."""
    (x, y), (width, height) = centre, size
    corner = (x - width / 2, y - height / 2)
    ax.add_patch(Rectangle(corner, width, height, facecolor="white", edgecolor=GREY, lw=0.6))


def write(
    ax: Axes, centre: Point, text: str, colour: str = "black", size: float = LETTER, turn: float = 0
) -> None:
    """Write a text, of a size in points, turned by an angle in degrees."""
    style: dict[str, Any] = {"color": colour, "fontsize": size, "rotation": turn}
    ax.text(*centre, text, ha="center", va="center", **style)
