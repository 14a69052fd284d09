"""The network: parameters, forward propagation, back-propagation by matrix calculus.

One hidden layer of rectifiers, softmax on top, cross-entropy loss. Examples are columns, so every
line below is the equation of the report, for one example (K = 1) and for a minibatch.
"""

from collections.abc import Callable
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import DTypeLike

from mlp.functions import Array, logsumexp, onehot, rect, rect_prime, softmax


class Params(NamedTuple):
    """The set θ of parameters; a gradient with respect to θ has this type, too."""

    W1: Array  # (d_h, d)
    b1: Array  # (d_h, 1)
    W2: Array  # (m, d_h)
    b2: Array  # (m, 1)

    def map(self, f: Callable[..., Array], *others: Self) -> Self:
        """Apply f array by array: the W1 of θ.map(f, φ) is f(θ.W1, φ.W1), and so on."""
        return type(self)(*(f(*arrays) for arrays in zip(self, *others, strict=True)))


class Activations(NamedTuple):
    """What forward propagation computes, layer by layer, for K examples in columns."""

    x: Array  # (d, K)
    ha: Array  # (d_h, K)
    hs: Array  # (d_h, K)
    oa: Array  # (m, K)
    os: Array  # (m, K)


def init(
    rng: np.random.Generator, d: int, d_h: int, m: int, dtype: DTypeLike = np.float64
) -> Params:
    """Draw weights uniformly from ±1/√n_c, n_c being the layer's number of inputs; zero biases.

    Source: the assignment's practical part, "Parameter initialization".

    >>> theta = init(np.random.default_rng(0), d=2, d_h=3, m=4)
    >>> [p.shape for p in theta]
    [(3, 2), (3, 1), (4, 3), (4, 1)]
    """

    def uniform(n_out: int, n_c: int) -> Array:
        bound = 1 / np.sqrt(n_c)
        return rng.uniform(-bound, bound, (n_out, n_c)).astype(dtype)

    return Params(
        W1=uniform(d_h, d),
        b1=np.zeros((d_h, 1), dtype),
        W2=uniform(m, d_h),
        b2=np.zeros((m, 1), dtype),
    )


def fprop(params: Params, x: Array) -> Activations:
    """Forward propagation of the columns of x, (d, K), from input to output. Source: b.1 to b.3.

    >>> theta = Params(W1=np.eye(2), b1=np.zeros((2, 1)), W2=np.eye(2), b2=np.zeros((2, 1)))
    >>> fprop(theta, np.array([[1.0], [-1.0]])).hs
    array([[1.],
           [0.]])
    """
    W1, b1, W2, b2 = params
    ha = W1 @ x + b1  # @eq-ha
    hs = rect(ha)  # @eq-hs
    oa = W2 @ hs + b2  # @eq-oa
    os = softmax(oa)  # @eq-os
    return Activations(x, ha, hs, oa, os)


def loss(oa: Array, y: Array) -> Array:
    """Cross-entropy loss of each column: (m, K), classes (K,) in 0..m-1 -> (K,). Source: b.4.

    Taken from the preactivations, so that a vanishing probability gives a finite loss.

    >>> loss(np.zeros((3, 1)), np.array([2]))  # ln 3
    array([1.09861229])
    """
    L = logsumexp(oa)[0] - oa[y, np.arange(y.size)]  # @eq-L
    return L


def risk(params: Params, x: Array, y: Array) -> Array:
    """The empirical risk R̂, a scalar: the mean loss over the K columns of x. Source: b.5."""
    return loss(fprop(params, x).oa, y).mean()


def predict(params: Params, x: Array) -> Array:
    """The most probable class of each column of x: (d, K) -> (K,) ints in 0..m-1."""
    return fprop(params, x).oa.argmax(axis=0)


def bprop(params: Params, act: Activations, y: Array) -> Params:
    """Gradient of the mean loss over the K columns, from the cost back to the input layer.

    `act` is what `fprop` returned, y the classes, (K,). The factor 1/K enters once, here;
    everything after it is a sum over columns. Source: b.7, minibatch form.

    >>> theta = init(np.random.default_rng(0), d=2, d_h=3, m=4).map(np.zeros_like)
    >>> bprop(theta, fprop(theta, np.ones((2, 1))), np.array([0])).b2
    array([[-0.75],
           [ 0.25],
           [ 0.25],
           [ 0.25]])
    """
    m, K = act.oa.shape
    grad_oa = (act.os - onehot(m, y)) / K  # @eq-batch-grad-oa
    return bprop_from(params, act, grad_oa)


def bprop_from(params: Params, act: Activations, grad_oa: Array) -> Params:
    """The backward pass from the gradient at the output preactivations, (m, K), to every parameter.

    It does not depend on what the loss is. Source: b.8 to b.16, minibatch form.
    """
    W2 = params.W2
    grad_b2 = grad_oa.sum(axis=1, keepdims=True)  # @eq-batch-grad-b2
    grad_W2 = grad_oa @ act.hs.T  # @eq-batch-grad-W2
    grad_hs = W2.T @ grad_oa  # @eq-batch-grad-hs
    grad_ha = grad_hs * rect_prime(act.ha)  # @eq-batch-grad-ha
    grad_b1 = grad_ha.sum(axis=1, keepdims=True)  # @eq-batch-grad-b1
    grad_W1 = grad_ha @ act.x.T  # @eq-batch-grad-W1
    return Params(grad_W1, grad_b1, grad_W2, grad_b2)


def count(params: Params) -> int:
    """The number n_θ of scalar parameters. Source: b.5.

    >>> count(init(np.random.default_rng(0), d=2, d_h=3, m=4))
    25
    """
    W1, b1, W2, b2 = params
    n_theta = W1.size + b1.size + W2.size + b2.size  # @eq-n-theta
    return n_theta
