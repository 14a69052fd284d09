"""Is the gradient right? Numerical derivatives, and tables that compare.

Three estimates of ∂f/∂θ_k, each from values of f alone: the assignment's forward difference, the
central difference, and the complex step, which has no cancellation and is exact to rounding.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from mlp.functions import Array
from mlp.model import Params, fprop

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
    scale = np.maximum(np.abs(gradient), np.abs(estimate))
    return np.abs(gradient - estimate) / np.where(scale == 0, 1.0, scale)


class Row(NamedTuple):
    """The comparison for one scalar parameter."""

    name: str  # as in W1[2, 1], 1-based as in the mathematics
    gradient: float
    forward: float
    ratio: float
    central: float
    central_error: float
    complex_step: float
    complex_error: float

    @property
    def passed(self) -> bool:
        """The assignment's rule, 0.99 < ratio < 1.01, and the sharper one of the complex step.

        Where forward and central difference differ by more than half of what the first rule allows,
        it cannot judge, and the other one alone does; but zero against non-zero always fails.
        """
        unsure = abs(self.forward - self.central) > 0.005 * abs(self.central)
        near = 0.99 < self.ratio < 1.01 or (unsure and 0 < abs(self.ratio) < np.inf)
        return near and self.complex_error <= 1e-9


def compare(f: Function, gradient: Params, params: Params, epsilon: float = 1e-5) -> list[Row]:
    """A row for each scalar parameter: `gradient` against the three estimates for f at θ."""
    forward = forward_difference(f, params, epsilon)
    central = central_difference(f, params, epsilon)
    stepped = complex_step(f, params)
    rows = []
    for name in Params._fields:
        g, fd, cd, cs = (getattr(p, name) for p in (gradient, forward, central, stepped))
        for index in np.ndindex(g.shape):
            label = f"{name}[{', '.join(str(i + 1) for i in index)}]"
            values = (g, fd, ratio(g, fd), cd, relative_error(g, cd), cs, relative_error(g, cs))
            rows.append(Row(label, *(float(v[index]) for v in values)))
    return rows


def distance_to_kink(params: Params, x: Array) -> float:
    """The smallest |hᵃ| over units and examples: where it is small, differences cross a kink."""
    return float(np.abs(fprop(params, x).ha).min())


class Differences(NamedTuple):
    """The largest difference of a derivative from each of two numerical ones."""

    complex_step: float
    central: float


def differences(
    f: Callable[[Array], Array],
    f_prime: Callable[[Array], Array],
    x: Array,
    epsilon: float = 1e-5,
) -> Differences:
    """How far f_prime(x) is from numerical derivatives of f at x, (n,), at worst.

    Either f acts elementwise, or it is a scalar function of x, of which f_prime is the gradient.
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
        found.append(float(np.abs(f_prime(x) - estimate).max()))
    return Differences(*found)
