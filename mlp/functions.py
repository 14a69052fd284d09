"""The basic functions of part a and their derivatives; softmax, log-sum-exp and onehot.

Every function acts elementwise on arrays of any shape unless it says otherwise. All of them accept
complex arguments and branch on the real part, so that the complex step differentiates through them.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


def sigmoid(x: ArrayLike) -> Array:
    """Logistic sigmoid, every digit right at both ends. Source: @eq-sigmoid.

    >>> sigmoid([-1000.0, 0.0, 1000.0])
    array([0. , 0.5, 1. ])
    """
    x = np.asarray(x)
    return np.exp(-rect(-x)) / (1 + np.exp(np.minimum(x, -x)))  # @eq-sigmoid


def sigmoid_prime(x: ArrayLike) -> Array:
    """Derivative of the sigmoid, every digit right at both ends. Source: @eq-sigmoid-prime."""
    x = np.asarray(x)
    return sigmoid(x) * sigmoid(-x)  # @eq-sigmoid-prime


def tanh_prime(x: ArrayLike) -> Array:
    """Derivative of the hyperbolic tangent. Source: @eq-tanh-prime."""
    return 1 - np.tanh(x) ** 2  # @eq-tanh-prime


def softplus(x: ArrayLike) -> Array:
    """Softplus, ln(1 + exp x), as the log-sum-exp of x and 0. Source: @eq-softplus.

    Here -|x| is min(x, -x), of which the complex step at 0 takes one branch, as it does of rect:
    so it finds the slope 1/2 there, too, where abs_ has none.

    >>> softplus([-1000.0, 1000.0])
    array([   0., 1000.])
    """
    x = np.asarray(x)
    return rect(x) + np.log1p(np.exp(np.minimum(x, -x)))  # @eq-softplus


def softplus_prime(x: ArrayLike) -> Array:
    """Derivative of softplus. Source: @eq-softplus-prime."""
    return sigmoid(x)  # @eq-softplus-prime


def sign(x: ArrayLike) -> Array:
    """Sign of the real part: +1, -1, and 0 at 0. Source: @eq-sign.

    >>> sign([-2.0, 0.0, 3.0])
    array([-1.,  0.,  1.])
    """
    x = np.real(np.asarray(x))
    return np.subtract(x > 0, x < 0, dtype=x.dtype)  # @eq-sign


def abs_(x: ArrayLike) -> Array:
    """Absolute value; not numpy's, which is the modulus of a complex number. Source: @eq-abs."""
    return np.asarray(x) * sign(x)  # @eq-abs


def abs_prime(x: ArrayLike) -> Array:
    """Derivative of the absolute value, 0 at the kink. Source: @eq-abs-prime."""
    return sign(x)  # @eq-abs-prime


def rect(x: ArrayLike) -> Array:
    """Rectifier: the positive part. Source: @eq-rect.

    >>> rect([-2.0, 0.0, 3.0])
    array([0., 0., 3.])
    """
    return np.maximum(0, x)  # @eq-rect


def rect_prime(x: ArrayLike) -> Array:
    """Derivative of the rectifier as a boolean mask, False at the kink. Source: @eq-rect-prime.

    >>> rect_prime([-2.0, 0.0, 3.0])
    array([False, False,  True])
    """
    return np.real(x) > 0  # @eq-rect-prime


def l2_squared(x: ArrayLike) -> Array:
    """Squared L2 norm of all entries of x, a scalar. Source: @eq-l2-squared."""
    return np.sum(np.square(x))  # @eq-l2-squared


def grad_l2_squared(x: ArrayLike) -> Array:
    """Gradient of the squared L2 norm, shape of x. Source: @eq-grad-l2-squared.

    >>> grad_l2_squared([1.0, -2.0, 0.0])
    array([ 2., -4.,  0.])
    """
    return np.multiply(2, x)  # @eq-grad-l2-squared


def l1(x: ArrayLike) -> Array:
    """L1 norm of all entries of x, a scalar. Source: @eq-l1."""
    return np.sum(abs_(x))  # @eq-l1


def grad_l1(x: ArrayLike) -> Array:
    """Subgradient of the L1 norm, 0 where an entry is 0; shape of x. Source: @eq-grad-l1.

    >>> grad_l1([1.0, -2.0, 0.0])
    array([ 1., -1.,  0.])
    """
    return sign(x)  # @eq-grad-l1


def logsumexp(a: Array) -> Array:
    """Log of the sum of exponentials of each column: (m, K) -> (1, K). Source: @eq-logsumexp.

    The largest entry is taken out first, so that no logit, however large, overflows.

    >>> logsumexp(np.array([[1000.0], [1000.0]])) - 1000
    array([[0.69314718]])
    """
    c = a.real.max(axis=0, keepdims=True)
    return c + np.log(np.sum(np.exp(a - c), axis=0, keepdims=True))  # @eq-logsumexp


def softmax(a: Array) -> Array:
    """Softmax of each column: (m, K) -> (m, K), positive, columns sum to 1. Source: @eq-softmax.

    The largest entry is subtracted first: it cancels in the quotient, and nothing overflows.

    >>> softmax(np.array([[0.0, 1000.0], [0.0, 0.0]]))
    array([[0.5, 1. ],
           [0.5, 0. ]])
    """
    e = np.exp(a - a.real.max(axis=0, keepdims=True))
    return e / np.sum(e, axis=0, keepdims=True)  # @eq-softmax


def onehot(m: int, y: ArrayLike) -> Array:
    """Indicator columns of the classes y in 0..m-1: (K,) -> (m, K) of 0.0 and 1.0.

    In float32, which holds them exactly and keeps the precision of what they meet.
    Source: @eq-onehot.

    >>> onehot(3, [2, 0])
    array([[0., 1.],
           [0., 0.],
           [1., 0.]], dtype=float32)
    """
    return np.equal(np.arange(m)[:, None], y).astype(np.float32)  # @eq-onehot
