"""Random points at which statements are tried: several sets of sizes, and kinks.

Within a set all sizes differ, so that a wrong transpose or index does not fit; between sets each
size differs, so that no number can stand for a size. Weights and inputs are multiples of 1/16:
their sums of products are exact, and a preactivation that is to be 0 is 0.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from derivations import definitions as of

SIZES = (
    {"d": 3, "d_h": 5, "m": 4, "K": 6, "n": 7, "N": 2},
    {"d": 5, "d_h": 2, "m": 3, "K": 4, "n": 6, "N": 8},
    {"d": 2, "d_h": 4, "m": 6, "K": 3, "n": 5, "N": 7},
)
SHAPES = {of.W1: ("d_h", "d"), of.B1: ("d_h", ""), of.W2: ("m", "d_h"), of.B2: ("m", "")}
SCALARS = ("x", "z", "h", "c")
SCALAR_VALUES = (1.3, -0.7, 0.0, -2.1, 0.4, 2.6, -0.3, 0.9, -1.4)  # both signs, and the kink
LAMBDAS = (r"\lambda_11", r"\lambda_12", r"\lambda_21", r"\lambda_22")
POSITIVE = (*LAMBDAS, r"\eta", r"\mu", "s", r"\varepsilon")
POINTS = 9  # three for each set of sizes; at each another class is the right one

Leaves = Mapping[str, Any]


def draw(number: int, batch: bool) -> dict[str, Any]:
    """The leaves at point `number`: one example, or a minibatch of K in columns."""
    rng = np.random.default_rng(number)
    sizes = SIZES[number % len(SIZES)]
    d, _, m, K, n, N = sizes.values()

    def exact(*shape: int) -> Any:
        return rng.choice([-1, 1], shape) * rng.integers(1, 24, shape) / 16

    leaves: dict[str, Any] = {
        **sizes,
        **{name: exact(sizes[rows], sizes.get(cols, 1)) for name, (rows, cols) in SHAPES.items()},
        of.X: exact(d, K if batch else 1),
        "y": rng.integers(1, m + 1, (1, K)) if batch else 1 + (number + number // 3) % m,
        "data x": exact(d, n),
        "data y": rng.integers(1, m + 1, (1, n)),
        **{name: rng.uniform(0.1, 0.9) for name in POSITIVE},
        **dict.fromkeys(SCALARS, SCALAR_VALUES[number % len(SCALAR_VALUES)]),
        r"\mathbf 1_K": np.ones((K, 1)),
        r"\mathbf 1_m": np.ones((m, 1)),
        r"\mathbf A": exact(m, N),
        r"\mathbf p": rng.dirichlet(np.ones(m))[:, None],
        r"\pi": np.pi,
        "t": 2 + number,
        "T": 13 + 2 * number,
    }
    size = of.stacked(leaves.__getitem__).size
    leaves |= {r"\mathbf v": exact(size, 1), r"\mathbf g": exact(size, 1)}
    return _at_kinks(leaves) | _spread(leaves["data x"])


def _at_kinks(leaves: Leaves) -> dict[str, Any]:
    """The leaves moved so that a preactivation, an input and weights are 0, and two scores tie."""
    moved = {name: np.array(leaves[name]) for name in (of.X, *of.PARAMETERS)}
    moved[of.X][0, -1] = moved[of.W1][0, -1] = moved[of.W2][-1, 0] = 0
    for example in range(min(2, moved[of.X].shape[1])):
        unit = slice(example, example + 1)
        moved[of.B1][unit] = -moved[of.W1][unit] @ moved[of.X][:, example : example + 1]
    hs = of.rect(moved[of.W1] @ moved[of.X] + moved[of.B1])
    scores = (moved[of.W2] @ hs + moved[of.B2])[:, :1]
    moved[of.B2][:2] += scores.max() - scores[:2]
    return {**leaves, **moved}


def _spread(x: Any) -> dict[str, Any]:
    """The mean of the data, and their covariance as U Λ Uᵀ."""
    variances, directions = np.linalg.eigh(np.cov(x, bias=True))
    return {
        r"\mathbf \mu": x.mean(axis=1, keepdims=True),
        r"\mathbf U": directions,
        r"\mathbf \Lambda": np.diag(variances),
        r"\mathbf I": np.eye(len(x)),
    }
