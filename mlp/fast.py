"""The fast twin of `train.Steps`: the same steps in preallocated buffers; a test holds them equal.

Its tricks; `make bench` measures each against what it replaces:

* *Buffers.* Whatever has the size of a layer is written into memory made once (`out=`).
* *Gathering* minibatches by `take(…, mode="clip")`: the default mode fills a copy first.
* *One scale.* η/K enters with the gradient at the output; all products after it come out scaled.
* *One mask.* h > 0 is computed once, for the rectifier and for its derivative.
* *Biases in the products.* b2 is a last column of W2, under a row of ones below h.
* *Signs by clipping.* η λ sign(W) is clip(10³⁰ W, -η λ, η λ), as numpy's sign is slow.
* *Figures together.* Losses and errors are those of many minibatches at once, from the kept oa.
* *Strips.* Products with a small minibatch, and what passes over W1 several times, do so in strips
  of rows: OpenBLAS need not copy these before it multiplies, and they stay in cache.
* *Shared products.* Where W1 is large, even reading and writing it takes long; so consecutive small
  minibatches share their two large products, exactly: see `_share`.

Examples are columns, as in `model`: the lines of `_upper` are its equations. In memory, an example
of the data is contiguous, so that x is the transpose of rows.
"""

import math

import numpy as np

from mlp.functions import Array, logsumexp
from mlp.model import Params
from mlp.regularize import target
from mlp.settings import Settings


class Steps:
    """Consecutive minibatches in place; the readable form is `train.Steps`."""

    CALL = 2000  # examples that a call of `run` should get at once
    CHUNK = 100  # examples that are gathered at once, where minibatches are smaller
    SHARED = 2**16  # numbers of W1 from which on the minibatches of a chunk share their products
    SMALL = 10**6  # multiplications up to which OpenBLAS multiplies without copying its operands
    STRIP = 2**15  # numbers of W1 that stay in cache, with as many of its gradient and of others
    HUGE = 1e30  # takes any weight but 0 beyond the step of its penalty

    def __init__(self, params: Params, velocity: Params, settings: Settings) -> None:
        (d_h, d), dtype, K = params.W1.shape, params.W1.dtype, settings.K
        self.settings = settings
        self._theta, self._velocity = _join(params), _join(velocity)
        folds = not settings.momentum and not settings.l11 and settings.eta * settings.l12 < 0.25
        self._shares = folds and d * d_h >= self.SHARED
        chunk = max(1, self.CHUNK // K)  # minibatches
        self.block = chunk * math.ceil(self.CALL / (chunk * K))
        n = self._chunk = chunk * K
        self._x = np.empty((n, d), dtype)
        self._C = np.empty((n, n), dtype) if self._shares else self._x
        self._h, self._grad_ha = np.empty(n * (d_h + 1), dtype), np.empty(n * d_h, dtype)
        self._ones = np.ones((n, 1), dtype)
        strip = min(d_h, max(1, self.STRIP // d))
        rows = strip if strip * d * K <= self.SMALL and not self._shares else d_h
        self._products = [slice(i, i + rows) for i in range(0, d_h, rows)]
        several_passes = settings.momentum or settings.l11 or settings.l12
        self._strip = strip if several_passes else d_h
        self._grad_W1 = np.empty((min(rows, d_h), d), dtype)
        self._grad_b1, self._grad_W2 = np.empty_like(params.b1), np.empty_like(self._theta[2])
        self._spare = np.empty(max(strip * d, params.W2.size), dtype)

    @property
    def params(self) -> Params:
        """A copy of the parameters."""
        return _parts(self._theta)

    @property
    def velocity(self) -> Params:
        """A copy of the velocity."""
        return _parts(self._velocity)

    def run(self, X: Array, y: Array, order: Array, eta: Array) -> tuple[int, Array]:
        """Step through the rows `order` of X, (n, d), with one η for each minibatch of K rows.

        Returns the number misclassified and each minibatch's sum of losses, before its step.
        """
        K, y = self.settings.K, y[order]
        t = target(len(self._theta[2]), y, self.settings.smoothing).astype(self._x.dtype)
        oa = np.empty_like(t)
        for first in range(0, len(y), self._chunk):
            here = slice(first, first + self._chunk)
            x = self._x[: len(y[here])]
            X.take(order[here], 0, x, "clip")
            etas = eta[first // K :][: self._chunk // K].tolist()
            if self._shares and len(etas) > 1:
                self._share(x.T, t[:, here], oa[:, here], etas)
                continue
            for i, eta_i in zip(range(0, len(x), K), etas, strict=True):
                batch = slice(first + i, first + i + K)
                self._step(x[i : i + K].T, t[:, batch], oa[:, batch], eta_i)
        losses = logsumexp(oa)[0] - oa[y, np.arange(len(y))]
        sums = np.add.reduceat(losses, np.arange(0, len(y), K), dtype=np.float64)
        return int(np.count_nonzero(oa.argmax(axis=0) != y)), sums

    def _step(self, x: Array, t: Array, oa: Array, eta: float) -> None:
        """One step on the minibatch x, (d, K), with targets t, (m, K); fills in oa, (m, K)."""
        W1, b1, _ = self._theta
        d_h, K, s = len(W1), t.shape[1], self.settings
        h = self._h[: (d_h + 1) * K].reshape(d_h + 1, K)
        grad_ha = self._grad_ha[: d_h * K].reshape(d_h, K)
        for rows in self._products:
            np.matmul(W1[rows], x, out=h[:-1][rows])
        np.add(h[:-1], b1, out=h[:-1])
        self._upper(h, grad_ha, t, oa, eta)
        for rows in self._products:
            W, v, D = W1[rows], self._velocity[0][rows], grad_ha[rows]
            g = np.matmul(D, x.T, out=self._grad_W1[: len(D)])
            for i in range(0, len(D), self._strip):
                strip = slice(i, i + self._strip)
                self._penalize(W[strip], g[strip], eta, s.l11, s.l12)
                self._descend(W[strip], g[strip], v[strip], eta)
        np.matmul(grad_ha, self._ones[:K], out=self._grad_b1)
        self._descend(b1, self._grad_b1, self._velocity[1], eta)

    def _share(self, x: Array, t: Array, oa: Array, etas: list[float]) -> None:
        """Step through the minibatches of the block x, (d, n), with the large products in common.

        Step j finds W1 shrunk by the L2 penalty to ρ_j W1, ρ_j being the product of the earlier
        1 - 2 η_i λ₁₂, and less the earlier gradients D_i x_iᵀ, shrunk since by ρ_j/ρ_{i+1}. Its
        preactivations thus are ρ_j W1 x_j + b1 - Σ_i D_i (ρ_j/ρ_{i+1} x_iᵀ x_j + 1), the last 1
        for b1: the products W1 x and xᵀ x of the whole block are all that is needed.
        """
        (W1, b1, _), n, K, l12 = self._theta, t.shape[1], self.settings.K, self.settings.l12
        h1 = self._h[: n * (len(W1) + 1)].reshape(n, -1).T
        h, D = h1[:-1], self._grad_ha[: n * len(W1)].reshape(n, -1).T
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
            self._upper(h1[:, here], D_j, t[:, here], oa[:, here], eta)
        np.subtract(b1, np.matmul(D, self._ones[:n]), out=b1)
        if l12:
            np.multiply(D, after[-1] / after, out=D)
            np.multiply(W1, after[-1], out=W1)
        np.matmul(D, x.T, out=self._grad_W1)
        np.subtract(W1, self._grad_W1, out=W1)

    def _upper(self, h: Array, grad_ha: Array, t: Array, oa: Array, eta: float) -> None:
        """All but the first layer: from the preactivations h, above a row for the ones, to grad_ha.

        Makes h the outputs, fills in oa and the gradient, scaled, and lets W2 and b2 descend.
        """
        W2, s = self._theta[2], self.settings
        ha = h[:-1]
        active = np.greater(ha, 0)
        np.multiply(ha, active, out=ha)
        h[-1] = 1
        np.matmul(W2, h, out=oa)
        grad_oa = np.subtract(oa, np.maximum.reduce(oa, axis=0))
        np.exp(grad_oa, out=grad_oa)
        np.divide(grad_oa, np.add.reduce(grad_oa, axis=0), out=grad_oa)
        np.subtract(grad_oa, t, out=grad_oa)
        np.multiply(grad_oa, (1 if s.momentum else eta) / t.shape[1], out=grad_oa)
        np.matmul(W2[:, :-1].T, grad_oa, out=grad_ha)
        np.multiply(grad_ha, active, out=grad_ha)
        np.matmul(grad_oa, h.T, out=self._grad_W2)
        self._penalize(W2[:, :-1], self._grad_W2[:, :-1], eta, s.l21, s.l22)
        self._descend(W2, self._grad_W2, self._velocity[2], eta)

    def _penalize(self, W: Array, g: Array, eta: float, l1: float, l2: float) -> None:
        """Add the penalty's share of a step to the scaled gradient g of the weights W."""
        scale = 1 if self.settings.momentum else eta
        if l1:
            spare = self._spare[: W.size].reshape(W.shape)
            np.multiply(W, self.HUGE, out=spare)
            spare.clip(-scale * l1, scale * l1, out=spare)
            np.add(g, spare, out=g)
        if l2 and self.settings.momentum:
            np.add(g, np.multiply(W, 2 * l2, out=self._spare[: W.size].reshape(W.shape)), out=g)
        elif l2:
            np.multiply(W, 1 - 2 * eta * l2, out=W)

    def _descend(self, W: Array, g: Array, v: Array, eta: float) -> None:
        """Take a step with W, whose scaled gradient is g and whose velocity is v."""
        if mu := self.settings.momentum:
            np.multiply(v, mu, out=v)
            np.add(v, g, out=v)
            np.multiply(v, eta, out=g)
        np.subtract(W, g, out=W)


def _join(params: Params) -> tuple[Array, Array, Array]:
    """Copies of W1, b1 and of W2 with b2 as its last column."""
    return params.W1.copy(), params.b1.copy(), np.hstack([params.W2, params.b2])


def _parts(joined: tuple[Array, Array, Array]) -> Params:
    """Copies of the parameters that were joined."""
    W1, b1, W2 = joined
    return Params(W1.copy(), b1.copy(), W2[:, :-1].copy(), W2[:, -1:].copy())
