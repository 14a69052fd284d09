"""What keeps one hidden layer from learning by heart: label smoothing, dropout, moved images.

Each is a small change to a line of `model`: smoothing to the target in the loss, dropout to the
hidden layer, flips and shifts to the input. With s = 0 and r = 1, everything here is `model`.
"""

import numpy as np

from mlp.functions import Array, logsumexp, onehot, rect, rect_prime, softmax
from mlp.model import Activations, Params


def target(m: int, y: Array, s: float) -> Array:
    """Classes (K,) as probabilities, (m, K): 1 - s on the class, and s spread evenly over all."""
    t = (1 - s) * onehot(m, y).astype(float) + s / m  # @eq-t
    return t


def loss(oa: Array, t: Array) -> Array:
    """Cross-entropy of each column against the target t: (m, K), (m, K) -> (K,)."""
    smoothed_L = logsumexp(oa)[0] - (t * oa).sum(axis=0)  # @eq-smoothed-L
    return smoothed_L


def mask(rng: np.random.Generator, p: float, d_h: int, K: int) -> Array:
    """Draw which hidden units stay, (d_h, K): 0 with probability p, else 1/(1 - p), in float32.

    Its mean is 1, so that without dropout nothing needs correction (Srivastava et al., 2014).
    """
    return (rng.random((K, d_h), np.float32) >= p).T * np.float32(1 / (1 - p))


def fprop(params: Params, x: Array, r: Array) -> Activations:
    """Forward propagation of the columns of x, (d, K), with hidden units masked by r, (d_h, K)."""
    W1, b1, W2, b2 = params
    ha = W1 @ x + b1
    dropped_hs = rect(ha) * r  # @eq-dropped-hs
    oa = W2 @ dropped_hs + b2
    return Activations(x, ha, dropped_hs, oa, softmax(oa))


def bprop(params: Params, act: Activations, t: Array, r: Array) -> Params:
    """Gradient of the mean smoothed loss over K columns; `act` is what `fprop` returned for r."""
    W2, K = params.W2, t.shape[1]
    smoothed_grad_oa = (act.os - t) / K  # @eq-smoothed-grad-oa
    grad_b2 = smoothed_grad_oa.sum(axis=1, keepdims=True)
    grad_W2 = smoothed_grad_oa @ act.hs.T
    grad_hs = W2.T @ smoothed_grad_oa
    dropped_grad_ha = grad_hs * r * rect_prime(act.ha)  # @eq-dropped-grad-ha
    grad_b1 = dropped_grad_ha.sum(axis=1, keepdims=True)
    grad_W1 = dropped_grad_ha @ act.x.T
    return Params(grad_W1, grad_b1, grad_W2, grad_b2)


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
