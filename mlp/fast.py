"""The fast twin of `train.Steps`: the same steps in preallocated buffers; a test holds them equal.

Its tricks, each measured by `make bench` as a whole and justified where it stands:

* *Buffers.* Whatever has the size of a layer is written into memory made once (`out=`).
* *Gathering* a minibatch by `take(…, mode="clip")`: the default mode fills a copy first.
* *One scale.* η/K enters with the gradient at the output; all products after it come out scaled.
* *One mask.* h > 0 is computed once, for the rectifier and for its derivative.
* *Figures together.* Losses and errors are those of many minibatches at once, from the kept oa.
* *Strips.* Where a step passes over W1 more than once, it does so in strips that stay in cache.
* *Shared products.* The two large products of a small minibatch hardly cost less than those of a
  larger one, as W1 has to be read and written all the same. So a block of consecutive minibatches
  shares them, exactly: see `_share`.

Examples are columns, as in `model`: the lines of `_upper` are its equations. In memory, an example
of the data is contiguous, so that x is the transpose of rows.
"""

import math

import numpy as np

from mlp.functions import Array, logsumexp
from mlp.model import Params
from mlp.regularize import target
from mlp.settings import Settings

CALL = 2000  # examples that a call of `run` should get at once
SHARED = 10  # √d_h times this many examples share their products, see `_share`
SMALL = 10**6  # multiplications up to which OpenBLAS multiplies without copying its operands first
STRIP = 2**15  # numbers of W1 that are updated at once


class Trainer:
    """Consecutive minibatches in place; see `train.Steps`."""

    def __init__(self, params: Params, velocity: Params, settings: Settings) -> None:
        (d_h, d), dtype, K = params.W1.shape, params.W1.dtype, settings.K
        self.settings = settings
        self._theta = Params(*(p.copy() for p in params))
        self._velocity = Params(*(v.copy() for v in velocity))
        folds = not settings.momentum and not settings.l11 and settings.eta * settings.l12 < 0.25
        block = min(SHARED * math.isqrt(d_h), SMALL // (K * d_h))  # examples
        self._shared = max(1, block // K) if folds else 1
        self.block = self._shared * math.ceil(CALL / (self._shared * K))
        n = self._shared * K
        self._x = np.empty((n, d), dtype)
        self._C = np.empty((n, n), dtype)
        self._h, self._grad_ha = np.empty(n * d_h, dtype), np.empty(n * d_h, dtype)
        self._active = np.empty(K * d_h, bool)
        self._grad = Params(*(np.empty_like(p) for p in params))
        self._spare = Params(*(np.empty_like(p) for p in params))
        several_passes = settings.momentum or settings.l11 or settings.l12
        height = max(1, STRIP // d) if several_passes else d_h
        self._strips = [slice(i, i + height) for i in range(0, d_h, height)]

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
        K, y = self.settings.K, y[order]
        t = target(self._theta.b2.size, y, self.settings.smoothing).astype(self._x.dtype)
        oa = np.empty_like(t)
        for first in range(0, len(eta), self._shared):
            here = slice(first * K, (first + self._shared) * K)
            x = self._x[: len(y[here])]
            X.take(order[here], 0, x, "clip")
            etas = eta[first : first + self._shared].tolist()
            if len(etas) > 1:
                self._share(x.T, t[:, here], oa[:, here], etas)
            else:
                self._step(x.T, t[:, here], oa[:, here], *etas)
        losses = logsumexp(oa)[0] - oa[y, np.arange(len(y))]
        sums = np.add.reduceat(losses, np.arange(0, len(y), K), dtype=np.float64)
        return int(np.count_nonzero(oa.argmax(axis=0) != y)), sums

    def _step(self, x: Array, t: Array, oa: Array, eta: float) -> None:
        """One step on the minibatch x, (d, K), with targets t, (m, K); fills in oa, (m, K)."""
        (W1, b1, _, _), (d_h, K), s = self._theta, (self._theta.b1.size, t.shape[1]), self.settings
        h, grad_ha = (a[: d_h * K].reshape(d_h, K) for a in (self._h, self._grad_ha))
        np.matmul(W1, x, out=h)
        np.add(h, b1, out=h)
        self._upper(h, grad_ha, t, oa, eta)
        np.matmul(grad_ha, x.T, out=self._grad.W1)
        np.add.reduce(grad_ha, axis=1, keepdims=True, out=self._grad.b1)
        for strip in self._strips:
            self._descend(0, eta, s.l11, s.l12, strip)
        self._descend(1, eta)

    def _share(self, x: Array, t: Array, oa: Array, etas: list[float]) -> None:
        """Step through the minibatches of the block x, (d, n), with the large products in common.

        Step j finds W1 shrunk by the L2 penalty to ρ_j W1, ρ_j being the product of the earlier
        1 - 2 η_i λ₁₂, and less the earlier gradients D_i x_iᵀ, shrunk since by ρ_j/ρ_{i+1}. Its
        preactivations thus are ρ_j W1 x_j + b1 - Σ_i D_i (ρ_j/ρ_{i+1} x_iᵀ x_j + 1), the last 1
        for b1: the products W1 x and xᵀ x of the whole block are all that is needed. Per example,
        xᵀ x costs in proportion to n, passing over W1 in proportion to d_h / n; hence n ~ √d_h.
        """
        (W1, b1, _, _), n, K, l12 = self._theta, t.shape[1], self.settings.K, self.settings.l12
        h, D = (a[: n * b1.size].reshape(n, b1.size).T for a in (self._h, self._grad_ha))
        C = self._C[:n, :n]
        np.matmul(x.T, W1.T, out=h.T)
        np.matmul(x.T, x, out=C)
        if l12:
            rho = np.cumprod([1.0] + [1 - 2 * eta * l12 for eta in etas])
            before, after = (np.repeat(r, K)[:n].astype(C.dtype) for r in (rho[:-1], rho[1:]))
            np.multiply(h, before, out=h)
            np.multiply(C, before[:, None] / after, out=C)
        np.add(h, b1, out=h)
        np.add(C, 1, out=C)
        for j, eta in enumerate(etas):
            here, earlier = slice(j * K, min(n, j * K + K)), slice(0, j * K)
            h_j, D_j = h[:, here], D[:, here]
            if j:
                np.matmul(C[here, earlier], D[:, earlier].T, out=D_j.T)
                np.subtract(h_j, D_j, out=h_j)
            self._upper(h_j, D_j, t[:, here], oa[:, here], eta)
        np.subtract(b1, np.add.reduce(D, axis=1, keepdims=True), out=b1)
        if l12:
            np.multiply(D, after[-1] / after, out=D)
            np.multiply(W1, after[-1], out=W1)
        np.matmul(D, x.T, out=self._grad.W1)
        np.subtract(W1, self._grad.W1, out=W1)

    def _upper(self, h: Array, grad_ha: Array, t: Array, oa: Array, eta: float) -> None:
        """All but the first layer: from the preactivations h, (d_h, K), to the gradient there.

        Makes h the outputs, fills in oa and the gradient, scaled, and lets W2 and b2 descend.
        """
        _, _, W2, b2 = self._theta
        active = self._active[: h.size].reshape(h.shape, order="A" if h.flags.c_contiguous else "F")
        np.greater(h, 0, out=active)
        np.multiply(h, active, out=h)
        s = np.matmul(W2, h)
        np.add(s, b2, out=s)
        oa[...] = s
        np.subtract(s, np.maximum.reduce(s, axis=0), out=s)
        np.exp(s, out=s)
        np.divide(s, np.add.reduce(s, axis=0), out=s)
        np.subtract(s, t, out=s)
        np.multiply(s, (1 if self.settings.momentum else eta) / t.shape[1], out=s)
        np.matmul(W2.T, s, out=grad_ha)
        np.multiply(grad_ha, active, out=grad_ha)
        np.matmul(s, h.T, out=self._grad.W2)
        np.add.reduce(s, axis=1, keepdims=True, out=self._grad.b2)
        self._descend(2, eta, self.settings.l21, self.settings.l22)
        self._descend(3, eta)

    def _descend(
        self, which: int, eta: float, l1: float = 0, l2: float = 0, rows: slice = slice(None)
    ) -> None:
        """Take a step with (rows of) a parameter array, whose scaled gradient is there."""
        mu = self.settings.momentum
        W, g, spare = self._theta[which][rows], self._grad[which][rows], self._spare[which][rows]
        if l1:
            np.sign(W, out=spare)
            np.multiply(spare, l1 if mu else eta * l1, out=spare)
            np.add(g, spare, out=g)
        if l2:
            np.multiply(W, 2 * l2 if mu else 2 * eta * l2, out=spare)
            np.add(g, spare, out=g)
        if mu:
            v = self._velocity[which][rows]
            np.multiply(v, mu, out=v)
            np.add(v, g, out=v)
            np.multiply(v, eta, out=g)
        np.subtract(W, g, out=W)
