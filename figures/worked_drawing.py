"""The worked network, drawn: a number at every unit and on every line, forward and backward."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.moving import Step
from figures.strokes import BACKWARD, FORWARD, Point, box, canvas, cell, line, unit, write
from figures.worked import THETA, Worked, short
from mlp.functions import Array
from mlp.model import Params

# Columns from left to right, and the heights of their units, from the first to the last.
INPUT, HIDDEN, OUTPUT, LOSS = 6.0, 38.0, 72.0, 94.0
TWO_UNITS, THREE_UNITS = (17.5, 5.5), (21.0, 11.5, 2.0)
MIDDLE, HEADS, HEIGHT = 11.5, 26.5, 28.0
PAIR, LOSS_SIZE = (17.0, 4.6), (9.0, 4.6)  # boxes with two numbers, or one
ALONG = 0.27  # of a line, from its left end, stands its number
NUMBER = 8.5  # points

# What each step brings, from column to column.
FORWARD_STEPS = (
    Step("the input", INPUT + 1),
    Step("what each hidden unit adds up", HIDDEN + 1, "eq-ha"),
    Step("what each hidden unit passes on", HIDDEN + PAIR[0] / 2, "eq-hs"),
    Step("the scores", OUTPUT + 1, "eq-oa"),
    Step("the probabilities", OUTPUT + PAIR[0] / 2, "eq-os"),
    Step("the loss", LOSS + 1, "eq-L"),
)
BACKWARD_STEPS = (
    Step("the loss", LOSS - 1),
    Step("the derivative by the scores", OUTPUT - 1, "eq-grad-oa"),
    Step("the derivative by the output weights", HIDDEN + PAIR[0] / 2, "eq-grad-W2"),
    Step("the derivative by what each hidden unit passes on", HIDDEN - 1, "eq-grad-hs"),
    Step("the derivative by what each hidden unit adds up", HIDDEN - PAIR[0] / 2, "eq-grad-ha"),
    Step("the derivative by the hidden weights", INPUT + 1, "eq-grad-W1"),
    Step("the derivative by the input", INPUT - 1, "eq-grad-x"),
)


def forward(w: Worked) -> Figure:
    """Inputs, weights, biases, preactivations, outputs and loss."""
    figure, ax = canvas(HEIGHT)
    _connections(ax, THETA, FORWARD, back=False)
    for y, x in zip(TWO_UNITS, w.act.x.flat, strict=True):
        unit(ax, (INPUT, y), "")
        _number(ax, (INPUT, y), short(x))
    _pairs(ax, HIDDEN, THREE_UNITS, (w.act.ha, w.act.hs), FORWARD)
    _pairs(ax, OUTPUT, TWO_UNITS, (w.act.oa, w.act.os), FORWARD)
    for x, units, biases in ((HIDDEN, THREE_UNITS, THETA.b1), (OUTPUT, TWO_UNITS, THETA.b2)):
        for y, bias in zip(units, biases.flat, strict=True):
            _number(ax, (x, y + 3.4), f"bias {short(bias)}", FORWARD)
    _loss(ax, short(w.loss), FORWARD)
    _heads(
        ax,
        r"$\mathbf{x}$",
        r"$\mathbf{W}^{(1)}$",
        r"$\mathbf{h}^a$       $\mathbf{h}^s$",
        r"$\mathbf{W}^{(2)}$",
        r"$\mathbf{o}^a$       $\mathbf{o}^s$",
        "$L$",
    )
    return figure


def backward(w: Worked) -> Figure:
    """The gradient of each of these, where the quantity itself stands in `forward`."""
    figure, ax = canvas(HEIGHT)
    _connections(ax, w.gradient, BACKWARD, back=True)
    for y, slope in zip(TWO_UNITS, w.grad_x.flat, strict=True):
        box(ax, (INPUT, y), LOSS_SIZE, BACKWARD)
        _number(ax, (INPUT, y), short(slope))
    _pairs(ax, HIDDEN, THREE_UNITS, (w.grad_ha, w.grad_hs), BACKWARD)
    for y, slope in zip(TWO_UNITS, w.grad_oa.flat, strict=True):
        box(ax, (OUTPUT, y), LOSS_SIZE, BACKWARD)
        _number(ax, (OUTPUT, y), short(slope))
    _loss(ax, "$L$", BACKWARD)
    _heads(
        ax,
        r"$\partial L/\partial\mathbf{x}$",
        r"$\partial L/\partial\mathbf{W}^{(1)}$",
        r"$\partial L/\partial\mathbf{h}^a$   $\partial L/\partial\mathbf{h}^s$",
        r"$\partial L/\partial\mathbf{W}^{(2)}$",
        r"$\partial L/\partial\mathbf{o}^a$",
        "",
    )
    return figure


CELL = (6.6, 3.9)  # of a grid of numbers, width and height
GRIDS, AXIS = 19.0, 8.0  # the height of the drawing of two products, and of their middle
GAP, BETWEEN = 2.0, 4.0  # after a grid, and between the two products


class Factor(NamedTuple):
    """A matrix of a product: its symbol, its shape, its numbers."""

    symbol: str
    shape: str
    numbers: Array


def shapes(w: Worked) -> Figure:
    """The outer product and the product with a transpose: grids of cells, with their numbers."""
    grad_oa = Factor(r"$\partial L/\partial\mathbf{o}^a$", r"$m\times 1$", w.grad_oa)
    outer = (
        grad_oa,
        Factor(r"$\mathbf{h}^{s\top}$", r"$1\times d_h$", w.act.hs.T),
        Factor(r"$\partial L/\partial\mathbf{W}^{(2)}$", r"$m\times d_h$", w.gradient.W2),
    )
    transposed = (
        Factor(r"$\mathbf{W}^{(2)\top}$", r"$d_h\times m$", THETA.W2.T),
        grad_oa,
        Factor(r"$\partial L/\partial\mathbf{h}^s$", r"$d_h\times 1$", w.grad_hs),
    )
    figure, ax = canvas(GRIDS)
    _product(ax, _product(ax, 2.0, *outer) + BETWEEN, *transposed)
    return figure


def _product(ax: Axes, at: float, left: Factor, right: Factor, result: Factor) -> float:
    """Draw that two factors make a third; return where it ends."""
    at = _grid(ax, _grid(ax, at, left), right)
    _number(ax, (at + 0.5, AXIS), "=")
    return _grid(ax, at + 2.5, result)


def _grid(ax: Axes, left: float, factor: Factor) -> float:
    """Draw a matrix, its symbol above and its shape below; return where the next one begins."""
    (rows, columns), (width, height) = factor.numbers.shape, CELL
    for (row, column), value in np.ndenumerate(factor.numbers):
        at = (left + (column + 0.5) * width, AXIS - (row - (rows - 1) / 2) * height)
        cell(ax, at, CELL)
        _number(ax, at, short(value))
    middle = left + columns * width / 2
    write(ax, (middle, AXIS + rows * height / 2 + 2.2), factor.symbol, size=NUMBER + 2)
    write(ax, (middle, AXIS - rows * height / 2 - 2.0), factor.shape, size=NUMBER + 2)
    return left + columns * width + GAP


def _connections(ax: Axes, numbers: Params, colour: str, back: bool) -> None:
    """Draw the lines between layers, each with the entry of its weight."""
    half = PAIR[0] / 2
    end = LOSS_SIZE[0] / 2 if back else half
    start = LOSS_SIZE[0] / 2 if back else 2.6
    _lines(ax, (INPUT + start, HIDDEN - half), TWO_UNITS, THREE_UNITS, numbers.W1, colour, back)
    _lines(ax, (HIDDEN + half, OUTPUT - end), THREE_UNITS, TWO_UNITS, numbers.W2, colour, back)
    right = OUTPUT + (LOSS_SIZE[0] / 2 if back else half)
    for y in TWO_UNITS:
        _arrow(ax, (right, y), (LOSS - LOSS_SIZE[0] / 2, MIDDLE), colour, back)


def _arrow(ax: Axes, left: Point, right: Point, colour: str, back: bool) -> None:
    start, end = (right, left) if back else (left, right)
    line(ax, start, end, colour, arrow=True)


def _lines(
    ax: Axes,
    across: Point,
    left: Sequence[float],
    right: Sequence[float],
    numbers: Array,
    colour: str,
    back: bool,
) -> None:
    """Draw an arrow from each unit to each, with the number of row `to` and column `from`."""
    x_0, x_1 = across
    for (start, y_0), (end, y_1) in itertools.product(enumerate(left), enumerate(right)):
        _arrow(ax, (x_0, y_0), (x_1, y_1), colour, back)
        at = (x_0 + ALONG * (x_1 - x_0), y_0 + ALONG * (y_1 - y_0))
        _number(ax, at, short(numbers[end, start]), colour, on_a_line=True)


def _pairs(
    ax: Axes, x: float, units: Sequence[float], pair: tuple[Array, Array], colour: str
) -> None:
    """Draw the units of a layer, with a number on the left and one on the right."""
    for y, left, right in zip(units, pair[0].flat, pair[1].flat, strict=True):
        box(ax, (x, y), PAIR, colour)
        _number(ax, (x - PAIR[0] / 4, y), short(left))
        _number(ax, (x + PAIR[0] / 4, y), short(right))


def _loss(ax: Axes, text: str, colour: str) -> None:
    box(ax, (LOSS, MIDDLE), LOSS_SIZE, colour)
    _number(ax, (LOSS, MIDDLE), text)


def _heads(ax: Axes, *texts: str) -> None:
    """Write above each column what its numbers are."""
    for x, text in zip((INPUT, 20, HIDDEN, 57, OUTPUT, LOSS), texts, strict=True):
        write(ax, (x, HEADS), text)


def _number(ax: Axes, at: Point, text: str, colour: str = "black", on_a_line: bool = False) -> None:
    """Write a number with a true minus sign; on a line, the line gives way to it."""
    write(ax, at, text.replace("-", "$-$"), colour, NUMBER)
    if on_a_line:
        ax.texts[-1].set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.6})
