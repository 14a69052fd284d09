"""Is the gradient right? Numerical derivatives, tables that compare, and what rounding explains.

Three estimates of ∂f/∂θ_k, each from values of f alone: the assignment's forward difference, the
central difference, and the complex step, which has no cancellation and is exact to rounding.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from mlp.functions import Array, onehot
from mlp.model import Params, bprop_from, fprop

Function = Callable[[Params], Array]  # parameters -> scalar, real or complex
TINY = 1e-30  # a complex step, so small that its square is lost in rounding


def perturbed(params: Params, step: complex) -> Iterator[tuple[Params, str, tuple[int, ...]]]:
    """Yield θ with `step` added to one scalar at a time, that scalar's array name and index."""
    for name, array in params._asdict().items():
        for index in np.ndindex(array.shape):
            moved = array.astype(np.result_type(array, type(step)))
            moved[index] += step
            yield params._replace(**{name: moved}), name, index


def forward_difference(f: Function, params: Params, epsilon: float = 1e-5) -> Params:
    """The assignment's estimate (f(θ + ε) - f(θ))/ε for each scalar of θ; error of order ε."""
    f_0 = f(params)
    return _collect(params, [(f(p) - f_0) / epsilon for p, *_ in perturbed(params, epsilon)])


def central_difference(f: Function, params: Params, epsilon: float = 1e-5) -> Params:
    """(f(θ + ε) - f(θ - ε))/2ε for each scalar of θ; error of order ε²."""
    up = [f(p) for p, *_ in perturbed(params, epsilon)]
    down = [f(p) for p, *_ in perturbed(params, -epsilon)]
    return _collect(params, [(u - d) / (2 * epsilon) for u, d in zip(up, down, strict=True)])


def complex_step(f: Function, params: Params, epsilon: float = TINY) -> Params:
    """Im f(θ + iε)/ε for each scalar of θ: nothing is subtracted, exact to rounding."""
    return _collect(params, [f(p).imag / epsilon for p, *_ in perturbed(params, epsilon * 1j)])


def _collect(params: Params, values: list[Array]) -> Params:
    """Arrange one value per scalar in the shapes of θ."""
    flat, arrays = iter(values), []
    for array in params:
        arrays.append(np.array([next(flat) for _ in range(array.size)]).reshape(array.shape))
    return Params(*arrays)


def ratio(gradient: Array, estimate: Array) -> Array:
    """The assignment's ratio of gradient to estimate, elementwise.

    Zero on both sides is agreement, 1; zero against anything else is 0 or infinite, never hidden.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((gradient == 0) & (estimate == 0), 1.0, np.divide(gradient, estimate))


def relative_error(gradient: Array, estimate: Array) -> Array:
    """|g - e| / max(|g|, |e|), elementwise; 0 where both are 0, 1 where only one is."""
    return _relative(np.abs(gradient - estimate), gradient, estimate)


def _relative(difference: Array, gradient: Array, estimate: Array) -> Array:
    scale = np.maximum(np.abs(gradient), np.abs(estimate))
    return difference / np.where(scale == 0, 1.0, scale)


class Row(NamedTuple):
    """The comparison for one scalar parameter."""

    name: str  # as in W1[2, 1], 1-based as in the mathematics
    gradient: float
    forward: float
    ratio: float
    central: float
    central_error: float
    closer: float  # central difference, with a tenth of the step
    complex_step: float
    complex_error: float
    allowed: float = 1e-9  # the most that complex_error may be

    @property
    def passed(self) -> bool:
        """The assignment's rule, 0.99 < ratio < 1.01, and the sharper one of the complex step.

        Where difference quotients differ by more than half of what the first rule allows, they
        cannot judge: there is a kink on one side, or on both sides, or little but rounding. Then
        the other rule alone does; but zero against non-zero always fails.
        """
        quotients = self.forward, self.closer
        unsure = any(abs(q - self.central) > 0.005 * abs(self.central) for q in quotients)
        near = 0.99 < self.ratio < 1.01 or (unsure and 0 < abs(self.ratio) < np.inf)
        return near and self.complex_error <= self.allowed


def compare(
    f: Function,
    gradient: Params,
    params: Params,
    epsilon: float = 1e-5,
    bound: Params | None = None,
) -> list[Row]:
    """A row for each scalar parameter: `gradient` against the three estimates for f at θ.

    `bound` is how far rounding may part gradient and complex step, where that is more than a
    billionth of them; see `rounding`.

    >>> from mlp import model
    >>> rng = np.random.default_rng(0)
    >>> theta = model.init(rng, d=5, d_h=4, m=3)
    >>> x, y = rng.normal(size=(5, 7)), rng.integers(0, 3, 7)
    >>> gradient = model.bprop(theta, fprop(theta, x), y)
    >>> all(row.passed for row in compare(lambda p: model.risk(p, x, y), gradient, theta))
    True
    """
    forward = forward_difference(f, params, epsilon)
    central = central_difference(f, params, epsilon)
    closer = central_difference(f, params, epsilon / 10)
    stepped = complex_step(f, params)
    rounded = bound or params.map(np.zeros_like)
    rows = []
    for name in Params._fields:
        g, fd, cd, closer_cd, cs, r = (
            getattr(p, name) for p in (gradient, forward, central, closer, stepped, rounded)
        )
        values = {
            "gradient": g,
            "forward": fd,
            "ratio": ratio(g, fd),
            "central": cd,
            "central_error": relative_error(g, cd),
            "closer": closer_cd,
            "complex_step": cs,
            "complex_error": relative_error(g, cs),
            "allowed": np.maximum(1e-9, _relative(r, g, cs)),
        }
        for index in np.ndindex(g.shape):
            label = f"{name}[{', '.join(str(i + 1) for i in index)}]"
            rows.append(Row(label, **{key: float(v[index]) for key, v in values.items()}))
    return rows


def rounding(params: Params, x: Array, y: Array) -> Params:
    """The most by which rounding can part two right gradients of the risk, entry by entry.

    Every entry is a sum of products over K examples. In whatever order it is added up, its error is
    at most n units of rounding of the sum of the terms' magnitudes, n being the number of roundings
    on the way from the input to the entry (Higham 2002, chapters 3 and 4). The magnitudes are those
    of a network of magnitudes, with os + onehot in place of os - onehot. Since a lost example is a
    K-th of the sum, rounding does not hide it. Not covered: a preactivation that rounding carries
    across the kink.
    """
    d, K = x.shape
    m, d_h = params.W2.shape
    precision = np.finfo(params.W1.dtype)
    magnitudes = params.map(np.abs)
    most = fprop(magnitudes, np.abs(x))
    n_oa = d + d_h + 4  # up to oa, and to its distance from the largest one
    n_os = 2 * n_oa * most.oa.max() + m + 16  # numerator and denominator; 16: their exponentials
    n = n_os + d + m + K + 4
    sums = bprop_from(magnitudes, most, (fprop(params, x).os + onehot(m, y)) / K)
    return sums.map(lambda s: 2 * n * (precision.eps / 2) * s + precision.tiny)


def disagreements(one: Params, other: Params, bound: Params) -> int:
    """The number of entries in which two gradients differ by more than the bound; nan differs."""
    parted = one.map(lambda a, b, most: ~(np.abs(a - b) <= most), other, bound)
    return sum(int(np.count_nonzero(p)) for p in parted)


def distance_to_kink(params: Params, x: Array) -> float:
    """The smallest |hᵃ| over units and examples: where it is small, differences cross a kink."""
    return float(np.abs(fprop(params, x).ha).min())


class DerivativeErrors(NamedTuple):
    """The largest relative error between a derivative and each of two numerical ones."""

    complex_step: float
    central: float


def derivative_errors(
    f: Callable[[Array], Array],
    f_prime: Callable[[Array], Array],
    x: Array,
    epsilon: float = 1e-5,
) -> DerivativeErrors:
    """The relative errors between f_prime(x) and numerical derivatives of f at x, (n,), at worst.

    Either f acts elementwise, or it is a scalar function of x, of which f_prime is the gradient.

    >>> derivative_errors(np.sin, np.cos, np.linspace(0, 1, 5)).complex_step < 1e-15
    True
    """

    def stepped(direction: Array) -> Array:
        return f(x + TINY * 1j * direction).imag / TINY

    def central(direction: Array) -> Array:
        return (f(x + epsilon * direction) - f(x - epsilon * direction)) / (2 * epsilon)

    found = []
    for derivative in (stepped, central):
        if np.ndim(f(x)):
            estimate = derivative(np.ones_like(x))  # all components at once: none sees another
        else:
            estimate = np.array([derivative(direction) for direction in np.eye(x.size)])
        found.append(float(relative_error(f_prime(x), estimate).max()))
    return DerivativeErrors(*found)
