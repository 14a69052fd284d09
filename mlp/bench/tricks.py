"""The tricks of the fast twin: a part of a step the plain way, and with the trick.

Each function below is a trick: it makes the arrays that its part of a step has at hand, under the
names of `model` (`…_out` marks a buffer to write into), and returns both ways to do it, which give
the same numbers. A further trick is one more function.
"""

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from mlp import fast, train
from mlp.bench.case import D, M
from mlp.functions import Array, logsumexp
from mlp.model import Params
from mlp.settings import Settings

N = 20_000  # examples that minibatches are gathered from: more than fit into a cache
CALLED = 200  # examples that the engines step through in one call
SHAPES = ((10, 32), (10, 1024), (100, 128), (100, 1024))  # K, d_h
ETA, L1 = 0.01, 1e-6


class Ways(NamedTuple):
    """Two ways to do a part of a step; a call does it for so many minibatches."""

    plain: Callable[[], Any]
    twin: Callable[[], Any]
    minibatches: int = 1


class Trick(NamedTuple):
    """How to prepare a trick, and whether the twin's work at a shape differs with it."""

    prepare: Callable[[int, int], Ways]  # K, d_h
    used: Callable[[int, int], bool]  # K, d_h


TRICKS: dict[str, Trick] = {}


def always(K: int, d_h: int) -> bool:
    """Most tricks are used at every shape."""
    return True


def trick(
    name: str, used: Callable[[int, int], bool] = always
) -> Callable[[Callable[[int, int], Ways]], Callable[[int, int], Ways]]:
    """Enter the function below among the tricks, under this name."""

    def enter(prepare: Callable[[int, int], Ways]) -> Callable[[int, int], Ways]:
        TRICKS[name] = Trick(prepare, used)
        return prepare

    return enter


def normal(rng: np.random.Generator, *shape: int) -> Array:
    """Random numbers in single precision."""
    return rng.standard_normal(shape, np.float32)


@functools.lru_cache
def images() -> Array:
    """Examples in rows, (N, D), for the tricks that need many; not to be written into."""
    return np.random.default_rng(0).random((N, D), np.float32)


# --- tricks in a part of a step ----------------------------------------------------------------


@trick("buffers")
def buffers(K: int, d_h: int) -> Ways:
    """The step of W1, written into memory made once."""
    rng = np.random.default_rng(0)
    W1, grad_W1 = normal(rng, d_h, D), normal(rng, d_h, D)

    def plain() -> Array:
        nonlocal W1
        W1 = W1 - grad_W1
        return W1

    def twin() -> Array:
        return np.subtract(W1, grad_W1, out=W1)

    return Ways(plain, twin)


@trick("gathering")
def gathering(K: int, d_h: int) -> Ways:
    """The examples of a minibatch, taken out of all of them."""
    X, x_out = images(), np.empty((K, D), np.float32)
    batch = np.random.default_rng(0).permutation(N)[:K]

    def plain() -> Array:
        return X[batch]

    def twin() -> Array:
        return X.take(batch, 0, x_out, "clip")

    return Ways(plain, twin)


@trick("one scale")
def one_scale(K: int, d_h: int) -> Ways:
    """The factor η/K, which enters once, where the gradient is smallest."""
    rng = np.random.default_rng(0)
    W2, grad_oa, x = normal(rng, M, d_h), normal(rng, M, K), normal(rng, K, D).T
    grad_oa_out, grad_ha = np.empty_like(grad_oa), np.empty((d_h, K), np.float32)
    grad_W1 = np.empty((d_h, D), np.float32)

    def scaled(scale: float) -> Array:
        np.multiply(grad_oa, scale, out=grad_oa_out)
        np.matmul(W2.T, grad_oa_out, out=grad_ha)
        return np.matmul(grad_ha, x.T, out=grad_W1)

    def plain() -> Array:
        return np.multiply(scaled(1 / K), ETA, out=grad_W1)

    def twin() -> Array:
        return scaled(ETA / K)

    return Ways(plain, twin)


@trick("one mask")
def one_mask(K: int, d_h: int) -> Ways:
    """The rectifier, and the product with its derivative."""
    rng = np.random.default_rng(0)
    ha, grad_hs = normal(rng, d_h, K), normal(rng, d_h, K)
    hs, grad_ha = np.empty_like(ha), np.empty_like(ha)

    def plain() -> tuple[Array, Array]:
        np.maximum(ha, 0, out=hs)
        np.multiply(grad_hs, np.greater(ha, 0), out=grad_ha)
        return hs, grad_ha

    def twin() -> tuple[Array, Array]:
        active = np.greater(ha, 0)
        np.multiply(ha, active, out=hs)
        np.multiply(grad_hs, active, out=grad_ha)
        return hs, grad_ha

    return Ways(plain, twin)


@trick("biases in the products")
def biases(K: int, d_h: int) -> Ways:
    """The output layer, forward and its step, with b2 as a last column of W2."""
    rng = np.random.default_rng(0)
    W2, b2 = normal(rng, M, d_h), normal(rng, M, 1)
    hs, grad_oa = normal(rng, d_h, K), normal(rng, M, K)
    W2_b2, hs_1 = np.hstack([W2, b2]), np.vstack([hs, np.ones((1, K), np.float32)])
    oa = np.empty((M, K), np.float32)

    def plain() -> tuple[Array, Array, Array]:
        np.add(W2 @ hs, b2, out=oa)
        return oa, W2 - grad_oa @ hs.T, b2 - np.add.reduce(grad_oa, axis=1, keepdims=True)

    def twin() -> tuple[Array, Array]:
        np.matmul(W2_b2, hs_1, out=oa)
        return oa, W2_b2 - grad_oa @ hs_1.T

    return Ways(plain, twin)


@trick("signs by clipping")
def signs(K: int, d_h: int) -> Ways:
    """The step of the L1 penalty, η λ sign(W1)."""
    W1 = normal(np.random.default_rng(0), d_h, D)
    signs_out = np.empty_like(W1)

    def plain() -> Array:
        np.sign(W1, out=signs_out)
        return np.multiply(signs_out, ETA * L1, out=signs_out)

    def twin() -> Array:
        np.multiply(W1, fast.Steps.HUGE, out=signs_out)
        return signs_out.clip(-ETA * L1, ETA * L1, out=signs_out)

    return Ways(plain, twin)


@trick("figures together")
def figures_together(K: int, d_h: int) -> Ways:
    """The log-sum-exp in the losses of many minibatches."""
    oa = normal(np.random.default_rng(0), M, CALLED)

    def plain() -> Array:
        return np.hstack([logsumexp(oa[:, i : i + K])[0] for i in range(0, CALLED, K)])

    def twin() -> Array:
        return logsumexp(oa)[0]

    return Ways(plain, twin, minibatches=math.ceil(CALLED / K))


# --- tricks of the whole engine ----------------------------------------------------------------


class Unshared(fast.Steps):
    """The fast twin without shared products."""

    SHARED = 10**12


class Unstripped(Unshared):
    """The fast twin without strips, either."""

    STRIP = 10**12


def engines(plain: type[fast.Steps], twin: type[fast.Steps], K: int, d_h: int) -> Ways:
    """Consecutive steps by two engines, from the same start; they return the losses."""
    rng = np.random.default_rng(0)
    X, y = images(), rng.integers(0, M, N)
    order, eta = rng.permutation(N)[:CALLED], np.full(math.ceil(CALLED / K), ETA)
    settings = Settings(d_h=d_h, eta=ETA, epochs=1, K=K)
    start = train.start(settings, D, M, np.float32)

    def way(engine: type[fast.Steps]) -> Callable[[], Array]:
        steps = engine(start.params, start.velocity, settings)

        def losses() -> Array:
            return steps.run(X, y, order, eta)[1]

        return losses

    return Ways(way(plain), way(twin), minibatches=len(eta))


def plan(engine: type[fast.Steps], K: int, d_h: int) -> tuple[int, int, bool]:
    """What an engine does at a shape: strips of products, rows a strip, whether it shares."""
    blank = Params(
        W1=np.empty((d_h, D), np.float32),
        b1=np.empty((d_h, 1), np.float32),
        W2=np.empty((M, d_h), np.float32),
        b2=np.empty((M, 1), np.float32),
    )
    steps = engine(blank, blank, Settings(d_h=d_h, eta=ETA, epochs=1, K=K))
    return len(steps._products), steps._strip, steps._shares and steps._chunk > K


def strips_differ(K: int, d_h: int) -> bool:
    """Whether the twin does in strips what it would do at once."""
    return plan(Unstripped, K, d_h) != plan(Unshared, K, d_h)


def sharing_differs(K: int, d_h: int) -> bool:
    """Whether the twin's minibatches share products."""
    return plan(Unshared, K, d_h) != plan(fast.Steps, K, d_h)


@trick("strips", used=strips_differ)
def strips(K: int, d_h: int) -> Ways:
    """Products and passes over W1 in strips of rows."""
    return engines(Unstripped, Unshared, K, d_h)


@trick("shared products", used=sharing_differs)
def shared_products(K: int, d_h: int) -> Ways:
    """The two large products of several minibatches at once."""
    return engines(Unshared, fast.Steps, K, d_h)


# --- what they save ----------------------------------------------------------------------------


def used(name: str, K: int, d_h: int) -> bool:
    """Whether the twin's work at this shape differs with the trick; with most it always does."""
    return TRICKS[name].used(K, d_h)


def at_work(savings: Mapping[str, Mapping[tuple[int, int], list[float]]]) -> list[list[float]]:
    """What the repetitions saved, for each trick and shape at which the twin uses the trick."""
    return [
        saved
        for name, by_shape in savings.items()
        for (K, d_h), saved in by_shape.items()
        if used(name, K, d_h)
    ]
