"""Answers to the exercises: the lines of back-propagation that change, and the proof of each.

An answer is proven by the complex step, at a random network with sizes that all differ.
"""

from collections.abc import Callable

import numpy as np

from mlp import gradcheck, loop, model
from mlp.functions import Array, onehot, rect, rect_prime, softmax
from mlp.model import Activations, Params, bprop_from, fprop

D, D_H, M, BELOW = 4, 5, 3, 6  # BELOW: the units of a further layer
RNG = np.random.default_rng(0)
THETA = model.init(RNG, D, D_H, M).map(lambda p: p + 0.1 * RNG.normal(size=p.shape))
X, Y = RNG.normal(size=(D, 1)), np.array([1])
MASK = np.array([[1.0], [0.0], [1.0], [1.0], [0.0]]) / 0.6  # two of five units are dropped
W0, X0 = RNG.normal(size=(D, BELOW)), RNG.normal(size=(BELOW, 1))

# The answers, as the report quotes them.


def tanh_grad_ha(act: Activations, grad_hs: Array) -> Array:
    """∂L/∂hᵃ of tanh units, (d_h, K)."""
    return grad_hs * (1 - act.hs**2)


def squared_grad_oa(act: Activations, y: Array) -> Array:
    """∂L/∂oᵃ of half the squared distance from softmax to onehot, (m, K)."""
    grad_os = act.os - onehot(len(act.os), y)
    return act.os * (grad_os - np.sum(act.os * grad_os, axis=0, keepdims=True))


def dropout_grad_ha(act: Activations, grad_hs: Array, mask: Array) -> Array:
    """∂L/∂hᵃ of rectifiers whose outputs are multiplied by a mask, (d_h, K)."""
    return grad_hs * mask * rect_prime(act.ha)


def below_grad_W0(W0: Array, x: Array, params: Params, y: int) -> Array:
    """∂L/∂W⁽⁰⁾ of a further layer of rectifiers, without biases, below a network."""
    h0a = W0 @ x
    _, grad_h0s = loop.bprop_one(params, fprop(params, rect(h0a)), y)
    return (grad_h0s * rect_prime(h0a)) @ x.T


# The largest relative error of each against the complex step.


def tanh_error() -> float:
    """Of the gradient of a network with tanh units."""

    def forward(params: Params) -> Activations:
        ha = params.W1 @ X + params.b1
        return _output(params, ha, np.tanh(ha))

    return _of_a_hidden_layer(forward, tanh_grad_ha)


def dropout_error() -> float:
    """Of the gradient of a network two of whose units are dropped."""

    def forward(params: Params) -> Activations:
        ha = params.W1 @ X + params.b1
        return _output(params, ha, MASK * rect(ha))

    def grad_ha(act: Activations, grad_hs: Array) -> Array:
        return dropout_grad_ha(act, grad_hs, MASK)

    return _of_a_hidden_layer(forward, grad_ha)


def squared_error() -> float:
    """Of the gradient of the squared loss."""

    def loss(params: Params) -> Array:
        return np.sum((fprop(params, X).os - onehot(M, Y)) ** 2) / 2

    act = fprop(THETA, X)
    return _largest(loss, bprop_from(THETA, act, squared_grad_oa(act, Y)))


def below_error() -> float:
    """Of the gradient of the weights of a further layer."""

    def loss(weights: Array) -> Array:
        return model.risk(THETA, rect(weights.reshape(W0.shape) @ X0), Y)

    def gradient(weights: Array) -> Array:
        return below_grad_W0(weights.reshape(W0.shape), X0, THETA, Y[0]).ravel()

    return gradcheck.derivative_errors(loss, gradient, W0.ravel()).complex_step


def _output(params: Params, ha: Array, hs: Array) -> Activations:
    """The activations of a network with any hidden layer."""
    oa = params.W2 @ hs + params.b2
    return Activations(X, ha, hs, oa, softmax(oa))


def _of_a_hidden_layer(
    forward: Callable[[Params], Activations], to_grad_ha: Callable[[Activations, Array], Array]
) -> float:
    """The error of a gradient in which only the step through the hidden units is another."""
    act = forward(THETA)
    grad_oa = act.os - onehot(M, Y)
    grad_ha = to_grad_ha(act, THETA.W2.T @ grad_oa)
    gradient = Params(grad_ha @ X.T, grad_ha, grad_oa @ act.hs.T, grad_oa)
    return _largest(lambda params: model.loss(forward(params).oa, Y)[0], gradient)


def _largest(f: Callable[[Params], Array], gradient: Params) -> float:
    return max(row.complex_error for row in gradcheck.compare(f, gradient, THETA))
