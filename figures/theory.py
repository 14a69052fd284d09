"""Figures of the theory: the basic functions, the network, and the flow of gradients."""

import itertools
from collections.abc import Callable, Iterable
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.strokes import (
    BACKWARD,
    FORWARD,
    FRACTION,
    GREY,
    RADIUS,
    Point,
    box,
    canvas,
    line,
    unit,
    write,
)
from figures.style import WIDTH
from mlp.functions import Array

Function = Callable[[Array], Array]

# --- the basic functions ---------------------------------------------------------------------

REACH = 4  # they are drawn from -4 to 4
POINTS = 802  # an even number: none of them is 0, where some functions jump
JUMP = 0.5  # two neighbouring points farther apart than this are not joined


def curves(panels: Iterable[tuple[str, Function, Function | None]]) -> Figure:
    """Functions and their derivatives on [-4, 4]: (title, function, derivative or None) each."""
    figure, axes = plt.subplots(2, 3, figsize=(WIDTH, 3.2), sharex=True)
    x = np.linspace(-REACH, REACH, POINTS)
    for ax, (title, function, derivative) in zip(axes.flat, panels, strict=True):
        ax.plot(x, _with_gaps(function(x)), "-", color=FORWARD)
        if derivative:
            ax.plot(x, _with_gaps(derivative(x)), "--", color=BACKWARD)
        ax.axhline(0, color=GREY, lw=0.4, zorder=0)
        ax.axvline(0, color=GREY, lw=0.4, zorder=0)
        ax.set_title(title)
    for ax in axes[1]:
        ax.set_xlabel("$x$")
    handles = [Line2D([], [], color=FORWARD), Line2D([], [], color=BACKWARD, ls="--")]
    figure.legend(handles, ["function", "derivative"], loc="outside lower center", ncols=2)
    return figure


def _with_gaps(y: Array) -> Array:
    """The values y, (n,), but nan before each jump, so that no line is drawn across it."""
    step = np.abs(np.diff(y, append=y[-1:]))
    return np.where(step > JUMP, np.nan, y)


# --- the network -----------------------------------------------------------------------------

# Columns, from left to right, and the heights of the units in them: a gap before the last one.
INPUT, HIDDEN, SCORE, SOFTMAX, OUTPUT, LOSS = 7.0, 36.0, 64.0, 73.0, 82.0, 95.0
THREE_UNITS, FOUR_UNITS = (52, 43, 27), (54, 45, 36, 25)
BIAS, MIDDLE = 16.5, 39.5
HIDDEN_SIZE, SOFTMAX_SIZE, LOSS_SIZE = (15, 6), (4, 33), (4.6, 5.4)  # width and height


def network() -> Figure:
    """The network from input to loss; below each layer its symbol, shape and formula."""
    figure, ax = canvas(62)
    _draw_weights(ax)
    _draw_biases(ax)
    _draw_inputs(ax)
    _draw_hidden_units(ax)
    _draw_outputs(ax)
    _draw_loss(ax)
    _draw_gaps(ax)
    _label_weights(ax)
    _label_layers(ax)
    return figure


def _draw_weights(ax: Axes) -> None:
    """Draw a line from every unit of a layer to every unit of the next."""
    beside = HIDDEN_SIZE[0] / 2
    for start, end in itertools.product(THREE_UNITS, FOUR_UNITS):
        line(ax, (INPUT + RADIUS, start), (HIDDEN - beside, end))
    for start, end in itertools.product(FOUR_UNITS, THREE_UNITS):
        line(ax, (HIDDEN + beside, start), (SCORE - RADIUS, end))


def _draw_biases(ax: Axes) -> None:
    """Draw the constant 1 below a layer, and dashed lines from it to the units of the next."""
    to_hidden = [(HIDDEN - HIDDEN_SIZE[0] / 2, y) for y in FOUR_UNITS]
    to_scores = [(SCORE - RADIUS, y) for y in THREE_UNITS]
    for layer, x, ends in ((1, INPUT, to_hidden), (2, HIDDEN, to_scores)):
        for end in ends:
            line(ax, (x + 2, BIAS), end, dashed=True)
        box(ax, (x, BIAS), (4, 4), GREY)
        write(ax, (x, BIAS), "1")
        write(ax, (x + 8, BIAS), rf"$\mathbf{{b}}^{{({layer})}}$")


def _draw_inputs(ax: Axes) -> None:
    for index, y in zip(("1", "2", "d"), THREE_UNITS, strict=True):
        unit(ax, (INPUT, y), rf"$\mathbf{{x}}_{index}$")


def _draw_hidden_units(ax: Axes) -> None:
    """Draw boxes with preactivation, a small rectifier, and output."""
    for index, y in zip(("1", "2", "3", "{d_h}"), FOUR_UNITS, strict=True):
        box(ax, (HIDDEN, y), HIDDEN_SIZE)
        write(ax, (HIDDEN - 4.5, y), rf"$\mathbf{{h}}^a_{index}$")
        write(ax, (HIDDEN + 4.5, y), rf"$\mathbf{{h}}^s_{index}$")
        kink = (HIDDEN, y - 0.9)
        across = [kink[0] - 1.4, kink[0], kink[0] + 1.2]
        ax.plot(across, [kink[1], kink[1], y + 1.2], color=FORWARD, lw=1)


def _draw_outputs(ax: Axes) -> None:
    """Draw the softmax between its inputs and outputs, and arrows on to the loss."""
    box(ax, (SOFTMAX, MIDDLE), SOFTMAX_SIZE)
    write(ax, (SOFTMAX, MIDDLE), "softmax", FORWARD, turn=90)
    half, before_the_loss = SOFTMAX_SIZE[0] / 2, LOSS - 2.4
    for index, y in zip("12m", THREE_UNITS, strict=True):
        unit(ax, (SCORE, y), rf"$\mathbf{{o}}^a_{index}$")
        line(ax, (SCORE + RADIUS, y), (SOFTMAX - half, y), arrow=True)
        line(ax, (SOFTMAX + half, y), (OUTPUT - RADIUS, y), arrow=True)
        unit(ax, (OUTPUT, y), rf"$\mathbf{{o}}^s_{index}$")
        line(ax, (OUTPUT + RADIUS, y), (before_the_loss, MIDDLE), arrow=True)


def _draw_loss(ax: Axes) -> None:
    """Draw the loss, and the class that enters it from below."""
    box(ax, (LOSS, MIDDLE), LOSS_SIZE)
    write(ax, (LOSS, MIDDLE), "$L$")
    line(ax, (LOSS, 30), (LOSS, 36.7), arrow=True)
    write(ax, (LOSS, 28), "$y$")


def _draw_gaps(ax: Axes) -> None:
    """Put dots where units are left out."""
    for gap in ((INPUT, 35.5), (HIDDEN, 31), (SCORE, 35.5), (OUTPUT, 35.5)):
        write(ax, gap, r"$\vdots$")


def _label_weights(ax: Axes) -> None:
    """Write parameters and their shapes above the lines."""
    for layer, x, rows, columns in ((1, 19.0, "d_h", "d"), (2, 53.0, "m", "d_h")):
        weights = rf"$\mathbf{{W}}^{{({layer})}}$: ${rows}\times {columns}$"
        biases = rf"$\mathbf{{b}}^{{({layer})}}$: ${rows}\times 1$"
        write(ax, (x, 60), f"{weights},  {biases}")


def _label_layers(ax: Axes) -> None:
    """Write symbol and shape below each layer, and its formulas below these, in two rows."""
    for x, shape in (
        (INPUT, r"$\mathbf{x}$: $d\times 1$"),
        (HIDDEN, r"$\mathbf{h}^a$, $\mathbf{h}^s$: $d_h\times 1$"),
        (SCORE, r"$\mathbf{o}^a$: $m\times 1$"),
        (OUTPUT, r"$\mathbf{o}^s$: $m\times 1$"),
        (LOSS, r"$L$: scalar"),
    ):
        write(ax, (x, 9), shape)
    upper, lower = 4, -1
    for place, formula in (
        ((34, upper), r"$\mathbf{h}^a = \mathbf{W}^{(1)}\mathbf{x} + \mathbf{b}^{(1)}$"),
        ((34, lower), r"$\mathbf{h}^s = \mathrm{rect}(\mathbf{h}^a)$"),
        ((63, upper), r"$\mathbf{o}^a = \mathbf{W}^{(2)}\mathbf{h}^s + \mathbf{b}^{(2)}$"),
        ((OUTPUT, lower), r"$\mathbf{o}^s = \mathrm{softmax}(\mathbf{o}^a)$"),
        ((91.5, upper), r"$L = -\log(\mathbf{o}^s_y)$"),
    ):
        write(ax, place, formula, FORWARD)


# --- the flow of gradients -------------------------------------------------------------------


class Quantity(NamedTuple):
    """A quantity of the forward pass: where it stands, its symbol, and a factor of its gradient."""

    x: float
    symbol: str
    factor: str  # what the gradient needs beside that of the quantity on its right


CHAIN = (  # from right to left; the gradient at the softmax's output is not needed
    Quantity(96.5, "L", ""),
    Quantity(67.5, r"\mathbf{o}^a", r"$\mathbf{o}^s$, $y$"),
    Quantity(45.5, r"\mathbf{h}^s", r"$\mathbf{W}^{(2)}$"),
    Quantity(25.5, r"\mathbf{h}^a", r"$\mathbf{h}^a$"),
    Quantity(5.5, r"\mathbf{x}", r"$\mathbf{W}^{(1)}$"),
)
OUTPUTS = Quantity(82.5, r"\mathbf{o}^s", "")
LAYERS = ((2, CHAIN[1].x, r"$\mathbf{h}^s$"), (1, CHAIN[3].x, r"$\mathbf{x}$"))
VALUES, GRADIENTS, PARAMETERS = 36, 22, 5  # heights of the three rows
GRADIENT_SIZE = (9.2, 7.6)


def backward() -> Figure:
    """Which gradient is computed from which, right to left; above it the forward pass."""
    figure, ax = canvas(39.5)
    forward = sorted((*CHAIN, OUTPUTS))
    for quantity in forward:
        unit(ax, (quantity.x, VALUES), f"${quantity.symbol}$")
    for left, right in itertools.pairwise(forward):
        line(ax, (left.x + 2.8, VALUES), (right.x - 2.8, VALUES), FORWARD, arrow=True)
    for quantity in CHAIN[1:]:
        _gradient(ax, (quantity.x, GRADIENTS), quantity.symbol)
    for right, left in itertools.pairwise(CHAIN):
        _draw_step(ax, right, left)
    for layer, x, factor in LAYERS:
        _draw_branches(ax, layer, x, factor)
    return figure


def _draw_step(ax: Axes, right: Quantity, left: Quantity) -> None:
    """Draw the arrow back, from right to left, with its factor."""
    beside = GRADIENT_SIZE[0] / 2 + 0.2  # from the middle of a gradient to where arrows end
    if right is CHAIN[0]:  # from the loss itself down to the first gradient
        start, end = (right.x - 2, VALUES - 2), (left.x + beside, GRADIENTS + 1)
        factor = (left.x + 19.5, 26.8)
    else:
        start, end = (right.x - beside, GRADIENTS), (left.x + beside, GRADIENTS)
        factor = ((left.x + right.x) / 2, GRADIENTS + 2.6)
    line(ax, start, end, BACKWARD, arrow=True)
    write(ax, factor, left.factor)


def _draw_branches(ax: Axes, layer: int, x: float, factor: str) -> None:
    """Draw the gradients of weights and biases below the one that they are computed from."""
    for letter, aside in (("W", -7), ("b", 7)):
        below = (x + aside, PARAMETERS)
        start, end = (x + aside / 3, GRADIENTS - 3.9), (x + aside, PARAMETERS + 4)
        line(ax, start, end, BACKWARD, arrow=True)
        _gradient(ax, below, rf"\mathbf{{{letter}}}^{{({layer})}}", strong=True)
    write(ax, (x - 7.5, 14), factor)


def _gradient(ax: Axes, centre: Point, symbol: str, strong: bool = False) -> None:
    """Write ∂L/∂symbol in a box, a coloured one if `strong`."""
    box(ax, centre, GRADIENT_SIZE, BACKWARD if strong else GREY)
    write(ax, centre, rf"$\frac{{\partial L}}{{\partial {symbol}}}$", size=FRACTION)
