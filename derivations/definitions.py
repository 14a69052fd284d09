r"""What the assignment defines, and what the report adds to it, in numpy: the source of all values.

Nothing here comes from the package, nor from a formula of the report that is to be checked. Each
function is written down as it is defined, not as one would compute it. All take complex arguments
and branch on the real part, so that a derivative is the complex step of the definition itself; at
a kink, that gives the value which the assignment asks for: abs'(0) = rect'(0) = 0.

A quantity is a function of `get`, which gives the values of the names that it is defined from.
Examples are columns: the same lines serve one example and a minibatch.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Get = Callable[[str], Any]

# Functions of one variable, elementwise.


def sigmoid(x: Any) -> Any:
    """Logistic sigmoid."""
    return 1 / (1 + np.exp(-x))


def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))


def softplus(x: Any) -> Any:
    """Logarithm of 1 + exp(x)."""
    return np.log(1 + np.exp(x))


def sign(x: Any) -> Any:
    """+1 if the argument is positive, -1 if it is negative, and 0 if it is 0."""
    return np.where(np.real(x) > 0, 1.0, np.where(np.real(x) < 0, -1.0, 0.0))


def rect(x: Any) -> Any:
    """The positive part."""
    return x * (np.real(x) > 0)


def absolute(x: Any) -> Any:
    """The argument if it is positive, minus the argument if it is negative."""
    return np.where(np.real(x) > 0, x, np.where(np.real(x) < 0, -np.asarray(x), 0 * np.real(x)))


# Functions of a vector; of a matrix, each column is one.


def softmax(a: Array) -> Array:
    """Exponentials divided by their sum: (m, K) -> (m, K)."""
    return np.exp(a) / np.sum(np.exp(a), axis=0, keepdims=True)


def logsumexp(a: Array) -> Array:
    """Logarithm of the sum of exponentials: (m, K) -> (1, K)."""
    return np.log(np.sum(np.exp(a), axis=0, keepdims=True))


def largest(*args: Any) -> Any:
    """The largest component of each column, (m, K) -> (1, K); or the larger one of two numbers."""
    if len(args) == 2:
        a, b = args
        return np.where(np.real(a) > np.real(b), a, b)
    (a,) = args
    return np.take_along_axis(a, np.real(a).argmax(axis=0, keepdims=True), 0)


def onehot(m: int, y: Any) -> Array:
    """Column i has a 1 in row y_i and 0 elsewhere; classes count from 1: (1, K) -> (m, K)."""
    return (np.arange(1, m + 1)[:, None] == np.reshape(y, (1, -1))).astype(float)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": np.exp,
    "log": np.log,
    "cos": np.cos,
    "tanh": tanh,
    "sigmoid": sigmoid,
    "softplus": softplus,
    "sign": sign,
    "rect": rect,
    "abs": absolute,
    "softmax": softmax,
    "logsumexp": logsumexp,
    "max": largest,
    "onehot": onehot,
}
NORMS: dict[str, Callable[[Array], Any]] = {
    "1": lambda a: np.sum(absolute(a)),
    "2": lambda a: np.sqrt(np.sum(a * a)),
}

# The network, its risk and its penalty.

X, W1, B1 = r"\mathbf x", r"\mathbf W^(1)", r"\mathbf b^(1)"
HA, HS = r"\mathbf h^a", r"\mathbf h^s"
W2, B2 = r"\mathbf W^(2)", r"\mathbf b^(2)"
OA, OS = r"\mathbf o^a", r"\mathbf o^s"
PARAMETERS = (W1, B1, W2, B2)


def stacked(get: Get) -> Array:
    """All parameters in one column, in the order of the report."""
    return np.concatenate([np.reshape(get(name), (-1, 1)) for name in PARAMETERS])


def chosen(probabilities: Array, y: Any) -> Any:
    """The probability of the class of each column: (m, K) -> (1, K)."""
    classes = np.reshape(y, -1) - 1
    return probabilities[classes, np.arange(classes.size)][None]


def loss(get: Get) -> Any:
    """Minus the logarithm of the probability of the class: a number, or a row of K."""
    values = -np.log(chosen(get(OS), get("y")))
    return values if np.ndim(get("y")) else values[0, 0]


def risk(get: Get) -> Any:
    """The mean loss over the data set."""
    hs = rect(get(W1) @ get("data x") + get(B1))
    os = softmax(get(W2) @ hs + get(B2))
    return np.mean(-np.log(chosen(os, get("data y"))))


def penalty(get: Get) -> Any:
    """The elastic net: both norms of the weights of each layer, no biases."""
    return (
        get(r"\lambda_11") * np.sum(absolute(get(W1)))
        + get(r"\lambda_12") * np.sum(get(W1) * get(W1))
        + get(r"\lambda_21") * np.sum(absolute(get(W2)))
        + get(r"\lambda_22") * np.sum(get(W2) * get(W2))
    )


# What the report adds: a schedule, smoothed labels, whitened inputs, the average of networks.


def step_size(get: Get) -> Any:
    """From η at t = 0 to 0 at t = T, along half a cosine."""
    return get(r"\eta") / 2 * (1 + np.cos(np.pi * get("t") / get("T")))


def target(get: Get) -> Array:
    """Probability 1 - s on the class, and s in equal shares on all m classes."""
    m, s = get("m"), get("s")
    return np.where(onehot(m, get("y")) == 1, 1 - s + s / m, s / m)


def smoothed_loss(get: Get) -> Any:
    """The cross-entropy of the outputs against the target: a number, or a row of K."""
    values = -np.sum(get(r"\mathbf t") * np.log(get(OS)), axis=0, keepdims=True)
    return values if np.ndim(get("y")) else values[0, 0]


def whitening(get: Get) -> Array:
    """The symmetric P that makes the covariance U Λ/(Λ + ε) Uᵀ, scaled to the mean variance 1."""
    x, epsilon = get("data x"), get(r"\varepsilon")
    centred = x - x.mean(axis=1, keepdims=True)
    variances, directions = np.linalg.eigh(centred @ centred.T / x.shape[1])
    P = sum(
        np.outer(u, u) / np.sqrt(variance + epsilon)
        for u, variance in zip(directions.T, variances, strict=True)
    )
    covariance = P @ centred @ (P @ centred).T / x.shape[1]
    return P / np.sqrt(np.trace(covariance) / len(x))


def absorbed(get: Get, x: Array) -> Array:
    """The preactivation of the first layer for the raw input x, which is whitened first."""
    mean = get("data x").mean(axis=1, keepdims=True)
    return get(W1) @ (get(r"\mathbf P") @ (x - mean)) + get(B1)


def absorbed_bias(get: Get) -> Array:
    """What that preactivation is at the input 0."""
    return absorbed(get, np.zeros((get("d"), 1)))


def absorbed_weights(get: Get) -> Array:
    """How much it changes from 0 to each unit input."""
    return absorbed(get, np.eye(get("d"))) - absorbed_bias(get)


def averaged(get: Get) -> Array:
    """Logarithms of the mean of the softmax of the columns of A; their own softmax is that mean."""
    return np.log(np.mean(softmax(get(r"\mathbf A")), axis=1, keepdims=True))


QUANTITIES: Mapping[str, Callable[[Get], Any]] = {
    HA: lambda get: get(W1) @ get(X) + get(B1),
    HS: lambda get: rect(get(HA)),
    OA: lambda get: get(W2) @ get(HS) + get(B2),
    OS: lambda get: softmax(get(OA)),
    "L": loss,
    r"\hat R": risk,
    r"\hat R_K": lambda get: np.mean(get("L")),
    r"\mathcal L": penalty,
    r"\tilde R": lambda get: get(r"\hat R") + get(r"\mathcal L"),
    r"\theta": stacked,
    r"n_\theta": lambda get: stacked(get).size,
    r"\mathbf y": lambda get: get("y"),
    r"\eta_t": step_size,
    r"\mathbf t": target,
    "L_s": smoothed_loss,
    r"\hat R_s": lambda get: np.mean(get("L_s")),
    r"\mathbf P": whitening,
    r"\tilde \mathbf{W}^(1)": absorbed_weights,
    r"\tilde \mathbf{b}^(1)": absorbed_bias,
    r"\mathbf a": averaged,
}
