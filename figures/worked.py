"""The worked network: d = 2, d_h = 3, m = 2, and numbers that one can follow with a pencil.

One hidden unit is off, and the network prefers the wrong class: with scores 1.1 apart, it gives
the classes probabilities that are 1/4 and 3/4 to two decimals.
"""

from typing import NamedTuple

import numpy as np

from mlp import loop, model, train
from mlp.functions import Array
from mlp.model import Activations, Params

THETA = Params(
    W1=np.array([[1.0, -2.0], [-2.0, 1.0], [1.0, 1.0]]),
    b1=np.array([[1.0], [2.0], [-1.0]]),
    W2=np.array([[2.0, 1.0, -1.0], [1.0, -1.0, 1.0]]),
    b2=np.array([[0.9], [-1.0]]),
)
X = np.array([[2.0], [1.0]])  # one example, a column
Y = np.array([0])  # its class: the first, which counts from 0 in the code
ETA = 0.2


class Worked(NamedTuple):
    """All numbers of one example: forward, backward, one step, and the loss after it."""

    act: Activations
    loss: float
    grad_oa: Array  # (2, 1)
    grad_hs: Array  # (3, 1)
    grad_ha: Array  # (3, 1)
    grad_x: Array  # (2, 1)
    gradient: Params
    stepped: Params
    loss_after: float


def worked() -> Worked:
    """The worked network's numbers, as the program computes them."""
    act = model.fprop(THETA, X)
    gradient, grad_x = loop.bprop_one(THETA, act, Y[0])
    grad_oa, grad_ha = gradient.b2, gradient.b1  # for one example, those of the biases
    stepped = train.update(THETA, gradient, ETA)
    return Worked(
        act=act,
        loss=float(model.risk(THETA, X, Y)),
        grad_oa=grad_oa,
        grad_hs=THETA.W2.T @ grad_oa,
        grad_ha=grad_ha,
        grad_x=grad_x,
        gradient=gradient,
        stepped=stepped,
        loss_after=float(model.risk(stepped, X, Y)),
    )


def short(value: float) -> str:
    """A number to two decimals at most, without zeros at its end."""
    return f"{round(float(value), 2) + 0.0:.2f}".rstrip("0").rstrip(".")  # + 0.0: no minus zero


def column(values: Array) -> str:
    """A column, (n, 1), in LaTeX, on one line: its numbers with commas between, transposed."""
    return rf"\left( {', '.join(map(short, values.flat))} \right)^{{\top}}"


def matrix(values: Array) -> str:
    """A matrix in LaTeX, row by row."""
    rows = r" \\ ".join(" & ".join(map(short, row)) for row in values)
    return rf"\begin{{pmatrix}} {rows} \end{{pmatrix}}"


def step(w: Worked) -> str:
    """A display with the parameters after one step, for Markdown."""
    symbols = (r"\W{1}", r"\bias{1}", r"\W{2}", r"\bias{2}")
    pairs = zip(symbols, w.stepped, strict=True)
    arrays = r" ,\quad ".join(f"{symbol} = {matrix(p)}" for symbol, p in pairs)
    return f"$$\n{arrays} .\n$$\n"
