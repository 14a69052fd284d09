"""What helps one hidden layer beyond the plain form: smoothed labels, and other inputs.

Smoothing changes one line of `model`, the gradient at the output; with s = 0, it is `model`.
Standardised or whitened inputs, images mirrored, moved or cut leave the network as it is.
"""

from typing import NamedTuple

import numpy as np

from mlp.functions import Array, logsumexp, onehot
from mlp.model import Activations, Params, bprop_from


def target(m: int, y: Array, s: float) -> Array:
    """Classes (K,) as probabilities, (m, K): 1 - s on the class, and s spread evenly over all.

    >>> target(4, np.array([1]), s=0.2).ravel()
    array([0.05, 0.85, 0.05, 0.05])
    """
    t = (1 - s) * onehot(m, y).astype(float) + s / m  # @eq-t
    return t


def loss(oa: Array, t: Array) -> Array:
    """Cross-entropy of each column against the target t: (m, K), (m, K) -> (K,)."""
    smoothed_L = logsumexp(oa)[0] - (t * oa).sum(axis=0)  # @eq-smoothed-L
    return smoothed_L


def bprop(params: Params, act: Activations, t: Array) -> Params:
    """Gradient of the mean smoothed loss over K columns; `act` is what `model.fprop` returned."""
    K = t.shape[1]
    smoothed_grad_oa = (act.os - t) / K  # @eq-smoothed-grad-oa
    return bprop_from(params, act, smoothed_grad_oa)


class Standardizing(NamedTuple):
    """The map x -> (x - μ)/σ that brings inputs to one scale, the same for every component."""

    mean: Array  # scalar
    deviation: Array  # scalar

    def apply(self, X: Array, out: Array | None = None) -> Array:
        """Standardised rows, (n, d), written into `out` where it is given."""
        centred = np.subtract(X, self.mean, out=out)
        return np.divide(centred, self.deviation, out=centred)


def standardizing(X: Array) -> Standardizing:
    """Standardising for rows X, (n, d): mean 0 and standard deviation 1 over all their values."""
    pieces = np.array_split(X, 1 + X.size // 2**20)  # to spare memory
    mean = sum(piece.sum(dtype=np.float64) for piece in pieces) / X.size
    variance = sum(np.square(piece - mean).sum(dtype=np.float64) for piece in pieces) / X.size
    return Standardizing(X.dtype.type(mean), X.dtype.type(np.sqrt(variance)))


class Whitening(NamedTuple):
    """The linear map x -> P (x - μ) that makes the directions of the data alike."""

    mean: Array  # (d,)
    P: Array  # (d, d), symmetric

    def apply(self, X: Array) -> Array:
        """Whitened rows, (n, d)."""
        return (X - self.mean) @ self.P

    def absorb(self, params: Params) -> Params:
        """The network that does with x what `params` do with whitened x."""
        whitened_W1 = params.W1 @ self.P  # @eq-whitened-W1
        whitened_b1 = params.b1 - whitened_W1 @ self.mean[:, None]  # @eq-whitened-b1
        return params._replace(W1=whitened_W1, b1=whitened_b1)


def whitening(X: Array, epsilon: float) -> Whitening:
    """Whitening for rows X, (n, d), of covariance U Λ Uᵀ, damped by ε where the variance is small.

    P = c U (Λ + ε)^(-1/2) Uᵀ, the scale c such that variances are 1 on average.
    """
    mean = X.mean(axis=0, dtype=np.float64)
    covariance = np.zeros((mean.size, mean.size))
    for i in range(0, len(X), 5000):  # in pieces, to spare memory
        centred = X[i : i + 5000] - mean
        covariance += centred.T @ centred / len(X)
    variances, U = np.linalg.eigh(covariance)
    c = 1 / np.sqrt(np.mean(variances / (variances + epsilon)))
    P = c * (U / np.sqrt(variances + epsilon)) @ U.T  # @eq-P
    return Whitening(mean.astype(X.dtype), P.astype(X.dtype))


def mirror(X: Array) -> Array:
    """Square images in rows, (n, side²), flipped left to right."""
    side = int(X.shape[1] ** 0.5)
    return X.reshape(len(X), side, side)[:, :, ::-1].reshape(X.shape)


def move(X: Array, flips: Array, shifts: Array, fill: float) -> Array:
    """Square images in rows, (n, side²), each flipped or not and shifted on a ground of `fill`.

    `flips`, (n,), are booleans, `shifts`, (n, 2), whole pixels downwards and to the right.
    """
    n, side, reach = len(X), int(X.shape[1] ** 0.5), int(np.abs(shifts).max(initial=0))
    images = np.where(flips[:, None], mirror(X), X).reshape(n, side, side)
    padded = np.pad(images, ((0, 0), (reach, reach), (reach, reach)), constant_values=fill)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(1, 2))
    down, right = (reach - shifts).T
    return windows[np.arange(n), down, right].reshape(X.shape)


def cut_out(X: Array, centres: Array, side: int, fill: float) -> Array:
    """Square images in rows, (n, width²), in each a square of side `side` filled with `fill`.

    `centres`, (n, 2), are row and column of a pixel; what lies outside the image is lost. A square
    of even side has one pixel more above and to the left of it.
    """
    n, width = len(X), int(X.shape[1] ** 0.5)
    distance = np.arange(width) - (centres[:, :, None] - side // 2)
    rows, columns = np.moveaxis((distance >= 0) & (distance < side), 1, 0)
    cut = rows[:, :, None] & columns[:, None, :]
    return np.where(cut.reshape(n, -1), X.dtype.type(fill), X)
