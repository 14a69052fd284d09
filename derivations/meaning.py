"""What each symbol of the report stands for: the one table that the checker has to be told.

A name is written as in LaTeX, without the braces. A leaf is drawn at random; every other quantity is
what the package `mlp` computes from the leaves, never a copy of a formula of the report. Sizes all
differ, so that a wrong transpose or index does not fit.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from derivations.latex import LATEX_FUNCTIONS, Names
from mlp import functions
from mlp.functions import Array
from mlp.model import Params, bprop, count, fprop, loss
from mlp.penalty import Lambdas, grad_penalty, penalty
from mlp.train import update

Leaves = Mapping[str, Any]

SIZES = {"d": 3, "d_h": 5, "m": 4, "K": 6, "n": 7}
PARAMETERS = {  # in the order of Params
    r"\mathbf W^(1)": ("d_h", "d"),
    r"\mathbf b^(1)": ("d_h", None),
    r"\mathbf W^(2)": ("m", "d_h"),
    r"\mathbf b^(2)": ("m", None),
}
INPUT, CLASS = r"\mathbf x", "y"
LAMBDAS = [r"\lambda_11", r"\lambda_12", r"\lambda_21", r"\lambda_22"]
POSITIVE = [*LAMBDAS, r"\eta"]
SCALARS = ["x", "z", "c"]
SCALAR_POINTS = [1.3, -0.7, 0.0, -2.1, 0.4, 2.6]  # both signs, and the kink


def params(p: Leaves) -> Params:
    """The parameters among the leaves."""
    return Params(*(p[name] for name in PARAMETERS))


def lambdas(p: Leaves) -> Lambdas:
    """The strengths of the penalty among the leaves."""
    return Lambdas(*(p[name] for name in LAMBDAS))


def classes(y: Any) -> Array:
    """Classes 1…m of the mathematics as the 0…m-1 of the code, (K,)."""
    return np.asarray(y).reshape(-1) - 1


def _loss(p: Leaves) -> Array:
    losses = loss(fprop(params(p), p[INPUT]).oa, classes(p[CLASS]))
    return losses if losses.size == 1 else losses[None]


def _risk(p: Leaves) -> Array:
    return loss(fprop(params(p), p["data x"]).oa, classes(p["data y"])).mean()


def _batch_risk(p: Leaves) -> Array:
    return _loss(p).mean()


def stack(values: Params) -> Array:
    """All parameters in one column, in the order of Params."""
    return np.concatenate([v.reshape(-1, 1) for v in values])


def _direction(p: Leaves, penalised: bool = True) -> Params:
    """The gradient that training follows."""
    risk = bprop(params(p), fprop(params(p), p[INPUT]), classes(p[CLASS]))
    penalty = grad_penalty(params(p), lambdas(p) if penalised else Lambdas())
    return Params(*(g + h for g, h in zip(risk, penalty, strict=True)))


def _penalty(p: Leaves) -> Array:
    return penalty(params(p), lambdas(p))


QUANTITIES: dict[str, Callable[[Leaves], Any]] = {
    r"\mathbf h^a": lambda p: fprop(params(p), p[INPUT]).ha,
    r"\mathbf h^s": lambda p: fprop(params(p), p[INPUT]).hs,
    r"\mathbf o^a": lambda p: fprop(params(p), p[INPUT]).oa,
    r"\mathbf o^s": lambda p: fprop(params(p), p[INPUT]).os,
    "L": _loss,
    r"\hat R": _risk,
    r"\hat R_K": _batch_risk,
    r"\mathcal L": _penalty,
    r"\tilde R": lambda p: _risk(p) + _penalty(p),
    r"\tilde R_K": lambda p: _batch_risk(p) + _penalty(p),
    r"\theta": lambda p: stack(params(p)),
    r"n_\theta": lambda p: count(params(p)),
    r"\mathbf v": lambda p: stack(_direction(p)),
    r"\mathbf y": lambda p: p[CLASS],
}
COLUMNS = [INPUT, CLASS, r"\mathbf h^a", r"\mathbf h^s", r"\mathbf o^a", r"\mathbf o^s", "L"]
BATCH_ONLY = {"K", r"\mathbf 1_K", r"\hat R_K", r"\tilde R_K", r"\mathbf y", r"\mathbf v"}
ARGUMENTS = {name: ([INPUT, CLASS], [INPUT]) for name in COLUMNS[2:]}
ARGUMENTS |= {name: ([r"\theta"], list(PARAMETERS)) for name in QUANTITIES if name[-1] in "RK"}
ARGUMENTS |= {r"\mathcal L": ([r"\theta"], list(PARAMETERS))}


def _column_max(a: Array) -> Array:
    return np.take_along_axis(a, a.real.argmax(axis=0, keepdims=True), 0)


def _extreme(greater: bool) -> Callable[..., Array]:
    def extreme(*args: Array) -> Array:
        if len(args) == 1:
            return _column_max(args[0]) if greater else -_column_max(-args[0])
        a, b = args
        return np.where((np.real(a) > np.real(b)) == greater, a, b)

    return extreme


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "max": _extreme(True),
    "min": _extreme(False),
    "diag": lambda v: np.diag(v[:, 0]),
    "sigmoid": functions.sigmoid,
    "softplus": functions.softplus,
    "sign": functions.sign,
    "rect": functions.rect,
    "abs": functions.abs_,
    "softmax": functions.softmax,
    "logsumexp": functions.logsumexp,
    "onehot": lambda m, y: functions.onehot(int(m), classes(y)),
}
AT_KINK = {  # derivatives at 0, where the complex step meets a branch
    "abs": functions.abs_prime,
    "rect": functions.rect_prime,
    "softplus": functions.softplus_prime,
}
NORMS = {"1": functions.l1, "2": lambda a: np.sqrt(functions.l2_squared(a))}

NAMES = Names(
    symbols=frozenset([*SIZES, *PARAMETERS, *POSITIVE, *QUANTITIES])
    | {rf"\mathbf 1_{size}" for size in SIZES},
    functions=frozenset(FUNCTIONS),
    applied=frozenset(ARGUMENTS),
)
assert all(name.lstrip("\\") in FUNCTIONS for name in LATEX_FUNCTIONS)


def draw(seed: int, batch: bool) -> dict[str, Any]:
    """The leaves at one random point: one example, or a minibatch of K in columns."""
    rng = np.random.default_rng(seed)
    sizes = SIZES
    p: dict[str, Any] = {name: sizes[r] for name, r in zip(sizes, sizes, strict=True)}
    for name, (rows, cols) in PARAMETERS.items():
        p[name] = rng.normal(size=(sizes[rows], sizes[cols] if cols else 1))
    m, examples = sizes["m"], sizes["K"] if batch else 1
    p[INPUT] = rng.normal(size=(sizes["d"], examples))
    p[CLASS] = rng.integers(1, m + 1, (1, examples)) if batch else 1 + seed % m
    p["data x"] = rng.normal(size=(sizes["d"], sizes["n"]))
    p["data y"] = rng.integers(1, m + 1, (1, sizes["n"]))
    p |= {name: rng.uniform(0.5, 1.5) for name in POSITIVE}
    p |= {name: SCALAR_POINTS[seed % len(SCALAR_POINTS)] for name in SCALARS}
    p |= {rf"\mathbf 1_{size}": np.ones((value, 1)) for size, value in sizes.items()}
    return p


def after_update(p: Leaves, data: bool, penalised: bool) -> Params:
    """θ after the update of `mlp.train`, down the risk of the data set or of the minibatch."""
    x, y = (p["data x"], p["data y"]) if data else (p[INPUT], p[CLASS])
    velocity = _direction({**p, INPUT: x, CLASS: y}, penalised)
    return update(params(p), velocity, p[r"\eta"])
