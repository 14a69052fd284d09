"""What each trick of the fast twin saves: a part of a step the plain way, and with the trick."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from mlp import fast, train
from mlp.functions import Array, logsumexp
from mlp.model import Params
from mlp.settings import Settings

N, D, M = 20_000, 784, 10
ETA, L1 = 0.01, 1e-6
SHAPES = ((10, 32), (10, 1024), (100, 128), (100, 1024))  # K, d_h
CALLED = 200  # examples that the engines step through in one call


class Saving(NamedTuple):
    """Microseconds that one repetition took for a minibatch, the plain way and with the trick."""

    trick: str
    K: int
    d_h: int
    repetition: int
    plain: float
    twin: float


class Single(fast.Steps):
    """The fast twin without shared products."""

    SHARED = 10**12


class Whole(Single):
    """The fast twin without strips, either."""

    STRIP = 10**12


def arrays(K: int, d_h: int) -> SimpleNamespace:
    """What a step has at hand, under the names of `model`; `_` marks a buffer to write into."""
    rng, f = np.random.default_rng(0), np.float32
    a = SimpleNamespace(K=K, X=rng.random((N, D), f), y=rng.integers(0, M, N))
    a.order, a.eta = rng.permutation(N)[:CALLED], np.full(CALLED // K, ETA)
    a.batch, a.x, a.x_ = a.order[:K], a.X[:K].T, a.X[:K].copy()
    a.W1, a.W2, a.b2 = (rng.standard_normal(s, f) for s in ((d_h, D), (M, d_h), (M, 1)))
    a.W1_, a.grad_W1, a.W2_b2 = a.W1.copy(), a.W1 / 7, np.hstack([a.W2, a.b2])
    a.ha, a.s = (rng.standard_normal(s, f) for s in ((d_h, K), (M, K)))
    a.grad_hs, a.hs_, a.grad_ha_, a.s_ = a.W2.T @ a.s, a.ha.copy(), a.ha.copy(), a.s.copy()
    a.hs_1 = np.vstack([a.ha, np.ones((1, K), f)])
    a.oa = rng.standard_normal((M, CALLED), f)
    settings = Settings(d_h=d_h, eta=ETA, epochs=1, K=K)
    state = train.start(settings, D, M, f)
    a.whole, a.single, a.trainer = (
        kind(state.params, state.velocity, settings) for kind in (Whole, Single, fast.Steps)
    )
    return a


def _replaced(a: SimpleNamespace) -> Array:
    a.W1 = a.W1 - a.grad_W1
    return np.asarray(a.W1)


def _scaled(a: SimpleNamespace, scale: float) -> Array:
    np.matmul(a.W2.T, np.multiply(a.s, scale, out=a.s_), out=a.hs_)
    return np.matmul(a.hs_, a.x.T, out=a.W1_)


def _masked(a: SimpleNamespace) -> tuple[Array, Array]:
    active = np.greater(a.ha, 0)
    return np.multiply(a.ha, active, out=a.hs_), np.multiply(a.grad_hs, active, out=a.grad_ha_)


def _clipped(a: SimpleNamespace) -> Array:
    np.multiply(a.W1, fast.Steps.HUGE, out=a.W1_)
    return a.W1_.clip(-ETA * L1, ETA * L1, out=a.W1_)


def _run(engine: Any, a: SimpleNamespace) -> Array:
    losses: Array = engine.run(a.X, a.y, a.order, a.eta)[1]
    return losses


def used(trick: str, K: int, d_h: int) -> bool:
    """Whether the twin's work at this shape differs with the trick; with most it always does."""
    if trick == "strips":
        return _plan(Whole, K, d_h) != _plan(Single, K, d_h)
    return trick != "shared products" or _plan(Single, K, d_h) != _plan(fast.Steps, K, d_h)


def _plan(kind: type[fast.Steps], K: int, d_h: int) -> tuple[int, int, bool]:
    shapes = ((d_h, D), (d_h, 1), (M, d_h), (M, 1))
    blank = Params(*(np.empty(shape, np.float32) for shape in shapes))
    engine = kind(blank, blank, Settings(d_h=d_h, eta=ETA, epochs=1, K=K))
    return len(engine._products), engine._strip, engine._shares and engine._chunk > K


Way = Callable[[SimpleNamespace], Any]
PLAIN_AND_TWIN: dict[str, tuple[Way, Way]] = {
    "buffers": (
        _replaced,
        lambda a: np.subtract(a.W1, a.grad_W1, out=a.W1),
    ),
    "gathering": (
        lambda a: a.X[a.batch],
        lambda a: a.X.take(a.batch, 0, a.x_, "clip"),
    ),
    "one scale": (
        lambda a: np.multiply(_scaled(a, 1 / a.K), ETA, out=a.W1_),
        lambda a: _scaled(a, ETA / a.K),
    ),
    "one mask": (
        lambda a: (
            np.maximum(a.ha, 0, out=a.hs_),
            np.multiply(a.grad_hs, np.greater(a.ha, 0), out=a.grad_ha_),
        ),
        _masked,
    ),
    "biases in the products": (
        lambda a: (
            np.add(a.W2 @ a.ha, a.b2, out=a.s_),
            a.W2 - a.s @ a.ha.T,
            a.b2 - np.add.reduce(a.s, axis=1, keepdims=True),
        ),
        lambda a: (np.matmul(a.W2_b2, a.hs_1, out=a.s_), a.W2_b2 - a.s @ a.hs_1.T),
    ),
    "signs by clipping": (
        lambda a: np.multiply(np.sign(a.W1, out=a.W1_), ETA * L1, out=a.W1_),
        _clipped,
    ),
    "figures together": (
        lambda a: np.hstack([logsumexp(a.oa[:, i : i + a.K])[0] for i in range(0, CALLED, a.K)]),
        lambda a: logsumexp(a.oa)[0],
    ),
    "strips": (lambda a: _run(a.whole, a), lambda a: _run(a.single, a)),
    "shared products": (lambda a: _run(a.single, a), lambda a: _run(a.trainer, a)),
}
WHOLE_CALLS = ("figures together", "strips", "shared products")  # several minibatches at once


def measure(repetitions: int, seconds: float = 0.02) -> Iterator[Saving]:
    """Time every trick in every shape, both ways in turn, each repetition for some `seconds`."""
    train.keep_freed_memory()
    for K, d_h in SHAPES:
        a = arrays(K, d_h)
        for trick, ways in PLAIN_AND_TWIN.items():
            minibatches = CALLED // K if trick in WHOLE_CALLS else 1
            n = max(1, round(seconds / max(_seconds(way, a, 3) for way in ways)))
            for repetition in range(1, repetitions + 1):
                times = [_seconds(way, a, n) / minibatches * 1e6 for way in ways]
                yield Saving(trick, K, d_h, repetition, *times)


def _seconds(way: Way, a: SimpleNamespace, n: int) -> float:
    begun = time.perf_counter()
    for _ in range(n):
        way(a)
    return (time.perf_counter() - begun) / n


if __name__ == "__main__":
    print(json.dumps(list(measure(int(sys.argv[1])))))
