"""The fast twin of `train.Steps`: the same steps in preallocated buffers, a test holds them equal.

Its tricks, each worth its lines:

* Every product and every elementwise operation writes into a buffer made once (`out=`).
* A minibatch is gathered by `take(…, mode="clip")`; the default mode first fills a copy.
* η/K enters once, with the targets and the softmax: all products after that come out scaled.
* Logged figures are computed for all minibatches of a call at once, from the kept preactivations.
* Where W1 is touched more than once a step, that is done in strips that stay in cache.
* Several small minibatches *share* their two large products. With A = X W1ᵀ and the Gram matrix
  S = X Xᵀ of a block of minibatches, step j finds its preactivations by correction instead of
  through a new W1: without penalty, W1 after steps 0..j-1 is W1 - Σᵢ Dᵢᵀ Xᵢ (Dᵢ is the scaled
  gradient at the hidden layer), so that A_j - Σᵢ S_ji Dᵢ is what is needed. W1 itself is written
  once a block. The L2 penalty only shrinks W1 by a factor ρ a step; the code below keeps it in
  the scalar `shrunk`. L1 and momentum do not fold in, so that with them minibatches are not shared.

Examples are rows in here, (K, d) and (K, d_h), so that a minibatch is one contiguous piece of a
block; outputs are columns, (m, K), so that sums over classes run along contiguous memory.
"""

import math

import numpy as np

from mlp.functions import Array, logsumexp
from mlp.model import Params
from mlp.regularize import target
from mlp.settings import Settings

SHARED = 128  # examples whose products are shared
CALL = 500  # examples that a call of `run` should get at once
STRIP = 2**15  # numbers of W1 that are updated at once
ALL = slice(None)


class Trainer:
    """Consecutive minibatches in place; see `train.Steps`."""

    def __init__(self, params: Params, velocity: Params, settings: Settings) -> None:
        (d_h, d), dtype, K = params.W1.shape, params.W1.dtype, settings.K
        self.settings = settings
        self._theta = Params(*(p.copy() for p in params))
        self._velocity = Params(*(v.copy() for v in velocity))
        shrinks_little = 2 * settings.eta * settings.l12 <= 0.01
        self._folds = not settings.momentum and not settings.l11 and shrinks_little
        self._share = max(1, SHARED // K) if self._folds else 1
        self.block = self._share * math.ceil(CALL / (self._share * K))
        n = self._share * K
        self._x = np.empty((n, d), dtype)
        self._gram = np.empty((n, n), dtype)
        self._h = np.empty((n, d_h), dtype)  # preactivations, then outputs, of hidden units
        self._d = np.empty((n, d_h), dtype)  # gradient there, scaled
        self._active = np.empty((K, d_h), bool)
        self._grad = Params(*(np.empty_like(p) for p in params))
        self._spare = Params(*(np.empty_like(p) for p in params))
        self._strips = [slice(i, i + max(1, STRIP // d)) for i in range(0, d_h, max(1, STRIP // d))]

    @property
    def params(self) -> Params:
        """A copy of the parameters."""
        return Params(*(p.copy() for p in self._theta))

    @property
    def velocity(self) -> Params:
        """A copy of the velocity."""
        return Params(*(v.copy() for v in self._velocity))

    def run(self, X: Array, y: Array, order: Array, eta: Array) -> tuple[int, Array]:
        """Step through the rows `order` of X, (n, d), with one η for each minibatch of K rows.

        Returns the number misclassified and each minibatch's sum of losses, before its step.
        """
        K, m, dtype = self.settings.K, self._theta.b2.size, self._x.dtype
        y = y[order]
        t = target(m, y, self.settings.smoothing).astype(dtype)
        oa = np.empty((m, len(y)), dtype)
        for first in range(0, len(eta), self._share):
            rows = slice(first * K, (first + self._share) * K)
            X.take(order[rows], 0, self._x[: len(order[rows])], "clip")
            self._block(t[:, rows], oa[:, rows], eta[first : first + self._share].tolist())
        losses = logsumexp(oa)[0] - oa[y, np.arange(len(y))]
        sums = np.add.reduceat(losses, np.arange(0, len(y), K), dtype=np.float64)
        return int(np.count_nonzero(oa.argmax(axis=0) != y)), sums

    def _block(self, t: Array, oa: Array, eta: list[float]) -> None:
        """Step through the minibatches gathered in `_x`; fills in oa, (m, n), before each step."""
        W1, b1, W2, b2 = self._theta
        K, n, shrunk = self.settings.K, t.shape[1], 1.0
        x, h, d = self._x[:n], self._h[:n], self._d[:n]
        np.matmul(x, W1.T, out=h)
        if n > K:
            np.matmul(x, x.T, out=self._gram[:n, :n])
        for i, eta_i in enumerate(eta):
            here, before = slice(i * K, min(n, i * K + K)), slice(0, i * K)
            h_i, d_i = h[here], d[here]
            if i:
                np.matmul(self._gram[here, before], d[before], out=d_i)
                np.subtract(h_i, d_i, out=h_i)
                np.multiply(h_i, shrunk, out=h_i)
            np.add(h_i, b1.T, out=h_i)
            np.maximum(h_i, 0, out=h_i)
            oa_i = np.matmul(W2, h_i.T)
            np.add(oa_i, b2, out=oa_i)
            oa[:, here] = oa_i
            s = self._scaled_grad_oa(oa_i, t[:, here], eta_i)
            np.matmul(s.T, W2, out=d_i)
            active = np.greater(h_i, 0, out=self._active[: len(h_i)])
            np.multiply(d_i, active, out=d_i)
            np.matmul(s, h_i, out=self._grad.W2)
            np.add.reduce(s, axis=1, keepdims=True, out=self._grad.b2)
            np.add.reduce(d_i, axis=0, keepdims=True, out=self._grad.b1.T)
            self._descend("b1", eta_i)
            self._descend("W2", eta_i, self.settings.l21, self.settings.l22)
            self._descend("b2", eta_i)
            if self._folds and self.settings.l12:
                shrunk *= 1 - 2 * eta_i * self.settings.l12
                np.multiply(d_i, 1 / shrunk, out=d_i)
        np.matmul(d.T, x, out=self._grad.W1)
        for strip in self._strips:
            if not self._folds:
                self._descend("W1", eta[-1], self.settings.l11, self.settings.l12, strip)
                continue
            W = W1[strip]
            np.subtract(W, self._grad.W1[strip], out=W)
            if shrunk != 1:
                np.multiply(W, shrunk, out=W)

    def _scaled_grad_oa(self, oa: Array, t: Array, eta: float) -> Array:
        """(softmax(oa) - t) / K, (m, K); without momentum, times η, as all that follows from it."""
        s = np.subtract(oa, np.maximum.reduce(oa, axis=0))
        np.exp(s, out=s)
        np.divide(s, np.add.reduce(s, axis=0), out=s)
        np.subtract(s, t, out=s)
        return np.multiply(s, (1 if self.settings.momentum else eta) / oa.shape[1], out=s)

    def _descend(
        self, name: str, eta: float, l1: float = 0, l2: float = 0, rows: slice = ALL
    ) -> None:
        """Take a step with (rows of) the parameter array `name`, whose scaled gradient is there."""
        mu = self.settings.momentum
        scale = 1 if mu else eta
        W, g, spare = (getattr(p, name)[rows] for p in (self._theta, self._grad, self._spare))
        if l1:
            np.sign(W, out=spare)
            np.multiply(spare, scale * l1, out=spare)
            np.add(g, spare, out=g)
        if l2:
            np.multiply(W, 2 * scale * l2, out=spare)
            np.add(g, spare, out=g)
        if mu:
            v = getattr(self._velocity, name)[rows]
            np.multiply(v, mu, out=v)
            np.add(v, g, out=v)
            np.multiply(v, eta, out=g)
        np.subtract(W, g, out=W)
