"""The elastic net: the penalty on the weights, the regularised risk, their gradients (b.18)."""

from typing import NamedTuple

import numpy as np

from mlp.functions import Array, grad_l1, grad_l2_squared, l1, l2_squared
from mlp.model import Params


class Lambdas(NamedTuple):
    """The four strengths: λ₁₁ and λ₁₂ weigh L1 and L2 on W1, λ₂₁ and λ₂₂ on W2."""

    l11: float = 0.0
    l12: float = 0.0
    l21: float = 0.0
    l22: float = 0.0


def penalty(params: Params, lambdas: Lambdas) -> Array:
    """The scalar 𝓛(θ), added once to the empirical risk, never averaged. Source: b.18.

    >>> W1, W2, b = np.array([[1.0, -2.0]]), np.array([[3.0]]), np.ones((1, 1))
    >>> float(penalty(Params(W1, b, W2, b), Lambdas(l11=1, l12=10, l21=100, l22=1000)))
    9353.0
    """
    W1, _, W2, _ = params
    l11, l12, l21, l22 = lambdas
    return (  # @eq-penalty
        l11 * l1(W1) + l12 * l2_squared(W1) + l21 * l1(W2) + l22 * l2_squared(W2)
    )


def grad_penalty(params: Params, lambdas: Lambdas) -> Params:
    """Subgradient of 𝓛(θ): 0 for a weight that is 0, and for the biases. Source: b.18.

    >>> W1, W2, b = np.array([[1.0, -2.0]]), np.array([[3.0]]), np.ones((1, 1))
    >>> grad_penalty(Params(W1, b, W2, b), Lambdas(l11=1, l12=10, l21=100, l22=1000)).W1
    array([[ 21., -41.]])
    """
    W1, b1, W2, b2 = params
    l11, l12, l21, l22 = lambdas
    grad_W1 = l11 * grad_l1(W1) + l12 * grad_l2_squared(W1)  # @eq-penalty-grad-W1
    grad_W2 = l21 * grad_l1(W2) + l22 * grad_l2_squared(W2)  # @eq-penalty-grad-W2
    return Params(grad_W1, np.zeros_like(b1), grad_W2, np.zeros_like(b2))


def regularized_risk(params: Params, risk: Array, lambdas: Lambdas) -> Array:
    """The scalar R̃(θ) = R̂(θ) + 𝓛(θ), given the risk R̂(θ). Source: b.18."""
    return risk + penalty(params, lambdas)


def grad_regularized_risk(params: Params, grad_risk: Params, lambdas: Lambdas) -> Params:
    """Subgradient of R̃(θ), given the gradient of the risk R̂(θ). Source: b.18."""
    return grad_risk.map(np.add, grad_penalty(params, lambdas))
