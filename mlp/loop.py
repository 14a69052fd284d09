"""The same gradient one example at a time: the assignment's first version, the slow twin."""

import numpy as np

from mlp.functions import Array, onehot, rect_prime
from mlp.model import Activations, Params, fprop


def bprop_one(params: Params, act: Activations, y: int) -> tuple[Params, Array]:
    """Gradient of the loss of one example, with respect to θ and to the input x, (d, 1).

    `act` is what `fprop` returned for this example's column. Source: b.7 to b.17.
    """
    W1, _, W2, b2 = params
    m = b2.size
    grad_oa = act.os - onehot(m, y)  # @eq-grad-oa
    grad_b2 = grad_oa  # @eq-grad-b2
    grad_W2 = grad_oa @ act.hs.T  # @eq-grad-W2
    grad_hs = W2.T @ grad_oa  # @eq-grad-hs
    grad_ha = grad_hs * rect_prime(act.ha)  # @eq-grad-ha
    grad_b1 = grad_ha  # @eq-grad-b1
    grad_W1 = grad_ha @ act.x.T  # @eq-grad-W1
    grad_x = W1.T @ grad_ha  # @eq-grad-x
    return Params(grad_W1, grad_b1, grad_W2, grad_b2), grad_x


def bprop(params: Params, x: Array, y: Array) -> Params:
    """Gradient of the mean loss over the K columns of x, (d, K), classes y, (K,), by a loop.

    Source: b.7, @eq-grad-theta.

    >>> from mlp import model
    >>> rng = np.random.default_rng(0)
    >>> theta = model.init(rng, d=5, d_h=4, m=3)
    >>> x, y = rng.normal(size=(5, 7)), rng.integers(0, 3, 7)
    >>> matrix = model.bprop(theta, fprop(theta, x), y)
    >>> [np.allclose(a, b) for a, b in zip(bprop(theta, x, y), matrix, strict=True)]
    [True, True, True, True]
    """
    K = y.size
    total = params.map(np.zeros_like)
    for i in range(K):
        act = fprop(params, x[:, i : i + 1])
        grad, _ = bprop_one(params, act, y[i])
        total = total.map(np.add, grad)
    grad_theta = total.map(lambda t: t / K)  # @eq-grad-theta
    return grad_theta
