"""What each symbol of the report stands for: the one table that the checker has to be told.

A name is written as in LaTeX, without the braces. A leaf is drawn at random; every other quantity
is what the package `mlp` computes from the leaves, never a copy of a formula of the report. Sizes
all differ, so that a wrong transpose or index does not fit.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from derivations.latex import Names
from mlp import functions, regularize
from mlp.functions import Array
from mlp.model import Activations, Params, bprop, count, fprop, loss
from mlp.penalty import Lambdas, grad_regularized_risk, penalty
from mlp.settings import Settings
from mlp.train import accelerate, average, step_sizes, update

Leaves = Mapping[str, Any]

SIZES = {"d": 3, "d_h": 5, "m": 4, "K": 6, "n": 7, "N": 8}
INDICES = "ijklpqr"
PARAMETERS = {  # in the order of Params
    r"\mathbf W^(1)": ("d_h", "d"),
    r"\mathbf b^(1)": ("d_h", ""),
    r"\mathbf W^(2)": ("m", "d_h"),
    r"\mathbf b^(2)": ("m", ""),
}
INPUT = r"\mathbf x"
LAMBDAS = [r"\lambda_11", r"\lambda_12", r"\lambda_21", r"\lambda_22"]
SCALARS = ["x", "z", "c"]
POSITIVE = [*LAMBDAS, r"\eta", r"\mu", "s", r"\varepsilon"]
SCALAR_POINTS = [1.3, -0.7, 0.0, -2.1, 0.4, 2.6]  # both signs, and the kink


def params(p: Leaves) -> Params:
    """The parameters among the leaves."""
    return Params(*(p[name] for name in PARAMETERS))


def stack(values: Params) -> Array:
    """All parameters in one column, in the order of Params."""
    return np.concatenate([v.reshape(-1, 1) for v in values])


def split(theta: Array) -> dict[str, Array]:
    """The parameters of one column, by name."""
    shapes = [(SIZES[rows], SIZES.get(cols, 1)) for rows, cols in PARAMETERS.values()]
    parts = np.split(theta, np.cumsum([a * b for a, b in shapes])[:-1])
    return {name: v.reshape(s) for name, v, s in zip(PARAMETERS, parts, shapes, strict=True)}


def _classes(y: Any) -> Array:
    """Classes 1…m of the mathematics as the 0…m-1 of the code, (K,)."""
    return np.asarray(y).reshape(-1) - 1


def _forward(p: Leaves) -> Activations:
    return fprop(params(p), p[INPUT])


def _whitening(p: Leaves) -> regularize.Whitening:
    return regularize.whitening(p["data x"].T, p[r"\varepsilon"])


def _smoothed(p: Leaves) -> Array:
    return regularize.loss(_forward(p).oa, _target(p))


def _target(p: Leaves) -> Array:
    return regularize.target(p["m"], _classes(p["y"]), p["s"])


def _step_size(p: Leaves) -> Any:
    settings = Settings(d_h=1, eta=p[r"\eta"], epochs=p["T"], schedule="cosine")
    return step_sizes(settings, p["t"] + 1, n_batches=1)[0]


def _losses(p: Leaves, data: bool = False) -> Array:
    x, y = (p["data x"], p["data y"]) if data else (p[INPUT], p["y"])
    return loss(fprop(params(p), x).oa, _classes(y))


def _penalty(p: Leaves) -> Array:
    return penalty(params(p), Lambdas(*(p[name] for name in LAMBDAS)))


def direction(p: Leaves, data: bool = False, penalised: bool = True) -> Params:
    """The gradient that a step of training follows, on the minibatch or on the data set."""
    x, y = (p["data x"], p["data y"]) if data else (p[INPUT], p["y"])
    risk = bprop(params(p), fprop(params(p), x), _classes(y))
    lambdas = Lambdas(*(p[name] for name in LAMBDAS)) if penalised else Lambdas()
    return grad_regularized_risk(params(p), risk, lambdas)


def trained(p: Leaves, data: bool, penalised: bool) -> dict[str, Array]:
    """What a step of `mlp.train` in that direction makes of θ, its parts, and the velocity."""
    grad, velocity = direction(p, data, penalised), direction(p)
    theta = update(params(p), grad, p[r"\eta"])
    velocity = accelerate(velocity, grad, p[r"\mu"])
    parts = dict(zip(PARAMETERS, theta, strict=True))
    return parts | {r"\theta": stack(theta), r"\mathbf v": stack(velocity)}


QUANTITIES: dict[str, Callable[[Leaves], Any]] = {
    r"\mathbf h^a": lambda p: _forward(p).ha,
    r"\mathbf h^s": lambda p: _forward(p).hs,
    r"\mathbf o^a": lambda p: _forward(p).oa,
    r"\mathbf o^s": lambda p: _forward(p).os,
    "L": lambda p: _losses(p)[None],
    r"\hat R": lambda p: _losses(p, data=True).mean(),
    r"\hat R_K": lambda p: _losses(p).mean(),
    r"\mathcal L": _penalty,
    r"\tilde R": lambda p: _losses(p, data=True).mean() + _penalty(p),
    r"\mathbf v": lambda p: stack(direction(p)),
    r"\theta": lambda p: stack(params(p)),
    r"n_\theta": lambda p: count(params(p)),
    r"\mathbf y": lambda p: p["y"],
    r"\eta_t": _step_size,
    r"\mathbf t": _target,
    r"\mathbf P": lambda p: _whitening(p).P,
    r"\tilde \mathbf{W}^(1)": lambda p: _whitening(p).absorb(params(p)).W1,
    r"\tilde \mathbf{b}^(1)": lambda p: _whitening(p).absorb(params(p)).b1,
    r"\mathbf a": lambda p: average(np.split(p[r"\mathbf A"], SIZES["N"], axis=1)),
    "L_s": lambda p: _smoothed(p)[None],
    r"\hat R_s": lambda p: _smoothed(p).mean(),
}
COLUMNS = {INPUT, "y", r"\mathbf h^a", r"\mathbf h^s", r"\mathbf o^a", r"\mathbf o^s", "L"} | {
    r"\mathbf t",
    "L_s",
}
OF_A_BATCH = {"K", r"\mathbf 1_K", r"\hat R_K", r"\hat R_s", r"\mathbf y", r"\mathbf v"}
ARGUMENTS = {  # what a quantity may be a function of
    r"\mathbf o^a": [INPUT],
    r"\mathbf o^s": [INPUT],
    "L": [INPUT, "y"],
    r"\hat R": [r"\theta"],
    r"\mathcal L": [r"\theta"],
    r"\tilde R": [r"\theta"],
}


def _max(*args: Array) -> Array:
    if len(args) == 1:
        return np.take_along_axis(args[0], args[0].real.argmax(axis=0, keepdims=True), 0)
    a, b = args
    return np.where(np.real(a) > np.real(b), a, b)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "cos": np.cos,
    "max": _max,
    "sigmoid": functions.sigmoid,
    "softplus": functions.softplus,
    "sign": functions.sign,
    "rect": functions.rect,
    "abs": functions.abs_,
    "softmax": functions.softmax,
    "logsumexp": functions.logsumexp,
    "onehot": lambda m, y: functions.onehot(int(m), _classes(y)),
}
AT_KINK: dict[str, Callable[[Array], Array]] = {  # derivatives at 0, where complex steps branch
    "abs": functions.abs_prime,
    "rect": functions.rect_prime,
    "softplus": functions.softplus_prime,
}
NORMS: dict[str, Callable[[Array], Any]] = {
    "1": functions.l1,
    "2": lambda a: np.sqrt(functions.l2_squared(a)),
}
NAMES = Names(
    symbols=frozenset([*SIZES, *PARAMETERS, *LAMBDAS, *QUANTITIES, r"\mathbf 1_K", r"\mathbf 1_m"]),
    functions=frozenset(FUNCTIONS),
    applied=frozenset(ARGUMENTS),
)


def draw(seed: int, batch: bool) -> dict[str, Any]:
    """The leaves at one random point: one example, or a minibatch of K in columns."""
    rng = np.random.default_rng(seed)
    d, _, m, K, n, N = SIZES.values()
    n_theta = sum(SIZES[rows] * SIZES.get(cols, 1) for rows, cols in PARAMETERS.values())
    leaves: dict[str, Any] = {
        **split(rng.normal(size=(n_theta, 1))),
        INPUT: rng.normal(size=(d, K if batch else 1)),
        "y": rng.integers(1, m + 1, (1, K)) if batch else 1 + seed % m,
        "data x": rng.normal(size=(d, n)),
        "data y": rng.integers(1, m + 1, (1, n)),
        **{name: rng.uniform(0.1, 0.9) for name in POSITIVE},
        **dict.fromkeys(SCALARS, SCALAR_POINTS[seed % len(SCALAR_POINTS)]),
        **SIZES,
        r"\mathbf 1_K": np.ones((K, 1)),
        r"\mathbf 1_m": np.ones((m, 1)),
        r"\mathbf A": rng.normal(size=(m, N)),
        r"\pi": np.pi,
        "t": 5 + seed,
        "T": 13,
    }
    variances, U = np.linalg.eigh(np.cov(leaves["data x"], bias=True))
    leaves |= {r"\mathbf U": U, r"\mathbf \Lambda": np.diag(variances), r"\mathbf I": np.eye(d)}
    return leaves | {r"\mathbf \mu": leaves["data x"].mean(axis=1, keepdims=True)}


DRAWN = frozenset(draw(0, batch=True))
