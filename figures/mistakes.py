"""Common mistakes, made on purpose: what each does to the numbers, and how the checks notice it.

Those of the network are made on the worked one, alone or with three more examples in a minibatch.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from figures.tables import table
from figures.worked import ETA, THETA, X, Y, short, worked
from mlp import functions, gradcheck, model, penalty
from mlp.functions import Array
from mlp.model import Params
from mlp.penalty import Lambdas

FOUR = np.array([[2.0, -1.0, 0.5, 1.0], [1.0, 1.0, -2.0, -1.0]])  # the first one is X
CLASSES = np.array([0, 1, 1, 0])
LAMBDAS = Lambdas(0.1, 0.2, 0.3, 0.4)
FAR, LARGE = -800.0, 1000.0  # where a probability is rounded to 0


class Mistake(NamedTuple):
    """A mistake, the number that it spoils, right and wrong, and what a check says of it."""

    what: str
    number: str
    right: str
    wrong: str
    noticed: str


def mistakes_table(mistakes: Sequence[Mistake]) -> str:
    """A row for each mistake."""
    head = ["mistake", "number", "right", "wrong", "how the checks notice it"]
    return table(head, mistakes, "llrrl")


def basic() -> list[Mistake]:
    """Of part a."""
    x = -2.0
    modulus = float(np.abs(x + 1e-30j) - np.abs(x)) / 1e-30  # a complex step has no effect on it
    with np.errstate(divide="ignore"):
        logarithm = float(np.log(functions.sigmoid(FAR)))
    slope = float(functions.grad_l2_squared(x))
    return [
        Mistake(
            "an indicator that includes 0, $\\ind{x \\geq 0}$",
            "$\\sign(0)$",
            _number(float(functions.sign(0.0))),
            _number(float(0.0 >= 0) - float(0.0 < 0)),
            "a test on the kink itself",
        ),
        Mistake(
            "the 2 of the square forgotten",
            "$\\partial \\normtwo{\\x} / \\partial \\x_q$ at $-2$",
            _number(slope),
            _number(x),
            f"ratio {_number(x / slope)}",
        ),
        Mistake(
            "the logarithm of a rounded sigmoid",
            f"$\\log(\\sigmoid({FAR:.0f}))$",
            _number(-float(functions.softplus(-FAR))),
            _number(logarithm),
            "not finite",
        ),
        Mistake(
            "`np.abs` in a complex step: it is the modulus",
            "$\\abs'(-2)$",
            _number(float(functions.abs_prime(x))),
            _number(modulus),
            "the central difference disagrees",
        ),
    ]


def forward() -> list[Mistake]:
    """Of the forward pass and the loss."""
    scores = np.array([[LARGE], [0.0]])
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        e = np.exp(scores)
        overflown = e / e.sum(axis=0)
        rounded = -np.log(functions.softmax(scores)[1, 0])
    e = np.exp(model.fprop(THETA, FOUR).oa)
    by_rows = e / e.sum(axis=1, keepdims=True)
    flat = THETA.W1 @ X + THETA.b1.ravel()
    return [
        Mistake(
            "no largest score subtracted",
            "$\\os_1$ for $\\oa = (1000, 0)$",
            _number(functions.softmax(scores)[0, 0]),
            _number(overflown[0, 0]),
            "a warning, in tests an error",
        ),
        Mistake(
            "the logarithm of a rounded softmax",
            "$\\loss$ for $\\oa = (1000, 0)$, $y = 2$",
            _number(model.loss(scores, np.array([1]))[0]),
            _number(rounded),
            "not finite",
        ),
        Mistake(
            "`axis=1` in the softmax",
            "sum of the first column of $\\os$",
            _number(functions.softmax(model.fprop(THETA, FOUR).oa)[:, 0].sum()),
            _number(by_rows[:, 0].sum()),
            "a sum other than 1",
        ),
        Mistake(
            "a bias without second axis",
            "shape of $\\ha$",
            _shape(worked().act.ha),
            _shape(flat),
            "shapes, read off a run",
        ),
    ]


def backward() -> list[Mistake]:
    """Of back-propagation for one example."""
    w = worked()
    right, m = w.gradient, THETA.b2.size
    unmasked = right._replace(b1=w.grad_hs, W1=w.grad_hs @ X.T)
    shifted = model.bprop_from(THETA, w.act, w.act.os - functions.onehot(m, Y + 1))
    too_early = THETA._replace(W2=THETA.W2 - ETA * right.W2)
    early = model.bprop_from(too_early, w.act, w.grad_oa)

    def loss(params: Params) -> Array:
        return model.risk(params, X, Y)

    return [
        Mistake(
            "transpose forgotten, `W2 @ grad_oa`",
            "$\\partial \\loss / \\partial \\hs$",
            _shape(w.grad_hs),
            "none",
            _refusal(lambda: THETA.W2 @ w.grad_oa),
        ),
        _of_a_gradient("mask forgotten: `grad_ha = grad_hs`", "b1", 1, right, unmasked, loss),
        _of_a_gradient("classes counted from 1 in the code", "b2", 0, right, shifted, loss),
        _of_a_gradient("`W2` updated before `grad_hs` is there", "b1", 0, right, early, loss),
    ]


def minibatch() -> list[Mistake]:
    """Of the minibatch and of the penalty."""
    act, K = model.fprop(THETA, FOUR), CLASSES.size
    risk_gradient = model.bprop(THETA, act, CLASSES)
    penalty_gradient = penalty.grad_penalty(THETA, LAMBDAS)
    both = risk_gradient.map(np.add, penalty_gradient)
    averaged = risk_gradient.map(lambda r, p: r + p / K, penalty_gradient)
    half = penalty.grad_penalty(THETA, LAMBDAS._replace(l12=LAMBDAS.l12 / 2, l22=LAMBDAS.l22 / 2))
    without_the_2 = risk_gradient.map(np.add, half)

    def risk(params: Params) -> Array:
        return model.risk(params, FOUR, CLASSES)

    def regularised(params: Params) -> Array:
        return penalty.regularized_risk(params, risk(params), LAMBDAS)

    never, twice = risk_gradient.map(lambda g: g * K), risk_gradient.map(lambda g: g / K)
    flat = THETA.b1 - ETA * risk_gradient.b1.sum(axis=1)
    return [
        _of_a_gradient("$1/K$ never", "b2", 0, risk_gradient, never, risk),
        _of_a_gradient("$1/K$ twice", "b2", 0, risk_gradient, twice, risk),
        _of_a_gradient("the penalty averaged, too", "W1", 0, both, averaged, regularised),
        _of_a_gradient(
            "$\\lambda \\mathbf{W}$ for $2 \\lambda \\mathbf{W}$",
            "W1",
            0,
            both,
            without_the_2,
            regularised,
        ),
        Mistake(
            "`sum(axis=1)` without `keepdims`",
            "shape of $\\bias{1}$ after a step",
            _shape(THETA.b1),
            _shape(flat),
            "shapes, or the next forward pass",
        ),
    ]


def _of_a_gradient(
    what: str,
    array: str,
    unit: int,
    right: Params,
    wrong: Params,
    f: Callable[[Params], Array],
) -> Mistake:
    """A mistake in a gradient of f, shown at the first entry of a unit, found by `compare`."""
    rows = [row for row in gradcheck.compare(f, wrong, THETA) if not row.passed]
    ratios = [row.ratio for row in rows]
    letter, layer = array[0], array[1]
    index = unit + 1 if letter == "b" else f"{unit + 1}1"
    symbol = rf"\mathbf{{{letter}}}^{{({layer})}}_{{{index}}}"
    return Mistake(
        what,
        rf"gradient of ${symbol}$",
        _number(getattr(right, array)[unit, 0]),
        _number(getattr(wrong, array)[unit, 0]),
        f"{_range(ratios)} in {len(rows)} of {model.count(THETA)} places",
    )


def _range(ratios: Sequence[float]) -> str:
    """The ratios of gradient and estimate, from the least to the largest."""
    least, most = _number(min(ratios)), _number(max(ratios))
    return f"ratio {least}" if least == most else f"ratios {least} to {most}"


def _number(value: float) -> str:
    """A number in LaTeX, as short as can be."""
    if np.isnan(value):
        return "not a number"
    return f"${short(value)}$".replace("inf", r"\infty")


def _shape(array: Array) -> str:
    return "$" + r" \times ".join(map(str, array.shape)) + "$"


def _refusal(product: Callable[[], Array]) -> str:
    """What becomes of a product whose shapes do not fit."""
    try:
        product()
    except ValueError as error:
        return f"numpy refuses: `{type(error).__name__}`"
    return "not at all"
