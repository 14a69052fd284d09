"""Figures of the theory: the basic functions, the network, and the flow of gradients."""

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from mlp.functions import Array

Function = Callable[[Array], Array]

FORWARD, BACKWARD, GREY = "#0072B2", "#D55E00", "#8a8a8a"
PALE = {FORWARD: "#e8f1f8", BACKWARD: "#fbece3", GREY: "#f3f3f1"}

Point = tuple[float, float]


def curves(panels: Iterable[tuple[str, Function, Function | None]]) -> Figure:
    """Functions and their derivatives on [-4, 4]: (title, function, derivative or None) each."""
    figure, axes = plt.subplots(2, 3, figsize=(6.3, 3.2), sharex=True)
    x = np.linspace(-4, 4, 802)  # an even number of points: none of them is 0
    for ax, (title, function, derivative) in zip(axes.flat, panels, strict=True):
        for f, colour, style in [(function, FORWARD, "-"), (derivative, BACKWARD, "--")]:
            if f:
                y = np.where(np.abs(np.diff(f(x), append=f(x)[-1:])) > 0.5, np.nan, f(x))
                ax.plot(x, y, style, color=colour)  # a gap where the function jumps
        ax.axhline(0, color=GREY, lw=0.4, zorder=0)
        ax.axvline(0, color=GREY, lw=0.4, zorder=0)
        ax.set_title(title)
    for ax in axes[1]:
        ax.set_xlabel("$x$")
    handles = [Line2D([], [], color=FORWARD), Line2D([], [], color=BACKWARD, ls="--")]
    figure.legend(handles, ["function", "derivative"], loc="outside lower center", ncols=2)
    return figure


def network() -> Figure:
    """The network from input to loss; below each layer its symbol, shape and formula."""
    figure, ax = _canvas(100, 52)
    inputs = [(7.0, y) for y in (42, 33, 18)]
    hidden = [(36.0, y) for y in (45, 36, 27, 15)]
    scores = [(64.0, y) for y in (42, 33, 18)]
    outputs = [(82.0, y) for y in (42, 33, 18)]
    for (_, a), (_, b) in [(s, e) for s in inputs for e in hidden]:
        _line(ax, (9.6, a), (29.4, b))
    for (_, a), (_, b) in [(s, e) for s in hidden for e in scores]:
        _line(ax, (42.6, a), (61.4, b))
    for index, point in zip("12d", inputs, strict=True):
        _unit(ax, point, rf"$\mathbf{{x}}_{index}$")
    for index, (x, y) in zip(["1", "2", "3", "{d_h}"], hidden, strict=True):
        _box(ax, (x, y), 13, 5.4)
        _write(ax, (x - 4, y), rf"$\mathbf{{h}}^a_{index}$")
        _write(ax, (x + 4, y), rf"$\mathbf{{h}}^s_{index}$")
        ax.plot([x - 1.4, x, x + 1.2], [y - 0.9, y - 0.9, y + 1.2], color=FORWARD, lw=1)
    _box(ax, (73, 30), 4, 32)
    _write(ax, (73, 30), "softmax", FORWARD, 8, turn=90)
    for index, (x, y), (right, _) in zip("12m", scores, outputs, strict=True):
        _unit(ax, (x, y), rf"$\mathbf{{o}}^a_{index}$")
        _line(ax, (x + 2.6, y), (71, y), arrow=True)
        _line(ax, (75, y), (right - 2.6, y), arrow=True)
        _unit(ax, (right, y), rf"$\mathbf{{o}}^s_{index}$")
        _line(ax, (right + 2.6, y), (92.6, 30), arrow=True)
    _box(ax, (95, 30), 4.6, 5.4)
    _write(ax, (95, 30), "$L$")
    _line(ax, (95, 20.5), (95, 27.2), arrow=True)
    _write(ax, (95, 18.6), "$y$")
    for gap in [(7, 25.5), (36, 21), (64, 25.5), (82, 25.5)]:
        _write(ax, gap, r"$\vdots$")
    for layer, middle, row, column in [(1, 19.5, "d_h", "d"), (2, 52.0, "m", "d_h")]:
        weights = rf"$\mathbf{{W}}^{{({layer})}}$: ${row}\times {column}$"
        _write(ax, (middle, 50), rf"{weights},  $\mathbf{{b}}^{{({layer})}}$: ${row}\times 1$")
    below: dict[float, list[str]] = {
        7: [r"$\mathbf{x}$: $d\times 1$"],
        36: [
            r"$\mathbf{h}^a$, $\mathbf{h}^s$: $d_h\times 1$",
            r"$\mathbf{h}^a = \mathbf{W}^{(1)}\mathbf{x} + \mathbf{b}^{(1)}$",
            r"$\mathbf{h}^s = \mathrm{rect}(\mathbf{h}^a)$",
        ],
        63: [
            r"$\mathbf{o}^a$: $m\times 1$",
            r"$\mathbf{o}^a = \mathbf{W}^{(2)}\mathbf{h}^s + \mathbf{b}^{(2)}$",
        ],
        81: [r"$\mathbf{o}^s$: $m\times 1$", r"$\mathbf{o}^s = \mathrm{softmax}(\mathbf{o}^a)$"],
        95: [r"$L$: scalar", r"$L = -\log(\mathbf{o}^s_y)$"],
    }
    for x, (shape, *formulas) in below.items():
        _write(ax, (x, 9), shape)
        for row_number, formula in enumerate(formulas):
            _write(ax, (x, 4.6 - 4.2 * row_number), formula, FORWARD, 8)
    return figure


def backward() -> Figure:
    """Which gradient is computed from which, right to left; above it the forward pass."""
    figure, ax = _canvas(100, 39.5)
    chain = [
        (92.0, "L", ""),
        (74.0, r"\mathbf{o}^a", r"$\mathbf{o}^s$, $y$"),
        (50.0, r"\mathbf{h}^s", r"$\mathbf{W}^{(2)}$"),
        (28.0, r"\mathbf{h}^a", r"$\mathbf{h}^a$"),
        (6.0, r"\mathbf{x}", r"$\mathbf{W}^{(1)}$"),
    ]
    for x, symbol, _ in chain:
        _unit(ax, (x, 36), f"${symbol}$")
        if symbol != "L":
            _gradient(ax, (x, 22), symbol)
    for (right, *_), (left, _, factor) in itertools.pairwise(chain):
        _line(ax, (left + 2.8, 36), (right - 2.8, 36), FORWARD, arrow=True)
        first = right == chain[0][0]
        start = (right - 2, 34) if first else (right - 4.6, 22)
        _line(ax, start, (left + 4.6, 23 if first else 22), BACKWARD, arrow=True)
        _write(ax, (left + 16, 28) if first else ((left + right) / 2, 24.2), factor)
    for x, layer, factor in [(74.0, 2, r"$\mathbf{h}^s$"), (28.0, 1, r"$\mathbf{x}$")]:
        for dx, letter in [(-7, "W"), (7, "b")]:
            _line(ax, (x + dx / 3, 18.3), (x + dx, 8.8), BACKWARD, arrow=True)
            _gradient(ax, (x + dx, 5), rf"\mathbf{{{letter}}}^{{({layer})}}", strong=True)
        _write(ax, (x - 7, 14), factor)
    return figure


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    figure, ax = plt.subplots(figsize=(6.3, 6.3 * height / width))
    ax.set(xlim=(0, width), ylim=(-1.5, height), aspect="equal")
    ax.axis("off")
    return figure, ax


def _line(ax: Axes, start: Point, end: Point, colour: str = GREY, arrow: bool = False) -> None:
    style: dict[str, Any] = (
        {"arrowstyle": "-|>", "lw": 0.9} if arrow else {"arrowstyle": "-", "lw": 0.5}
    )
    exact: dict[str, Any] = {"shrinkA": 0, "shrinkB": 0, "mutation_scale": 6, "zorder": 0}
    ax.add_patch(FancyArrowPatch(start, end, color=colour, **style, **exact))


def _unit(ax: Axes, centre: Point, text: str) -> None:
    ax.add_patch(Circle(centre, 2.6, facecolor=PALE[FORWARD], edgecolor=FORWARD, lw=0.9))
    _write(ax, centre, text)


def _box(ax: Axes, centre: Point, width: float, height: float, colour: str = FORWARD) -> None:
    x, y = centre
    corner = (x - width / 2, y - height / 2)
    shape = "round,pad=0,rounding_size=1.6"
    style: dict[str, Any] = {
        "boxstyle": shape,
        "facecolor": PALE[colour],
        "edgecolor": colour,
        "lw": 0.9,
    }
    ax.add_patch(FancyBboxPatch(corner, width, height, **style))


def _gradient(ax: Axes, centre: Point, symbol: str, strong: bool = False) -> None:
    _box(ax, centre, 8.8, 7.2, BACKWARD if strong else GREY)
    _write(ax, centre, rf"$\frac{{\partial L}}{{\partial {symbol}}}$", size=15)


def _write(
    ax: Axes, centre: Point, text: str, colour: str = "black", size: float = 9, turn: float = 0
) -> None:
    style: dict[str, Any] = {"color": colour, "fontsize": size, "rotation": turn}
    ax.text(*centre, text, ha="center", va="center", **style)
