"""Many small networks trained at once: the equations of `model` with one more axis in front.

What a small network costs is mostly calls, and a stack of them takes as many calls as one. W1 is
(S, d_h, d) for S networks, x is (S, d, K), and so on. Networks of several sizes share a stack: to
the smaller ones, units are added whose weights and biases are all zero. They stay zero, as they add
nothing to the output and rect′(0) = 0.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from mlp import train
from mlp.data import Dataset
from mlp.functions import Array, logsumexp, onehot, rect, sign, softmax
from mlp.model import Params
from mlp.settings import Settings

EACH = ("d_h", "eta", "l11", "l12", "l21", "l22", "seed")  # settings in which networks may differ


def fit(data: Dataset, settings: Sequence[Settings]) -> Iterator[Params]:
    """Train one network for each of the settings, and yield the stack of them after each epoch.

    They take the steps of `train.fit` without validation examples, but for rounding. The settings
    may differ in what `EACH` names, and use no more than plain gradient descent and the elastic
    net. Raises ValueError for others, DivergedError.
    """
    shared = _shared(settings)
    d, m, n, K = data.X.shape[1], 1 + int(data.y.max()), len(data.y), shared.K
    train.keep_freed_memory()
    params = stacked([train.start(s, d, m, data.X.dtype).params for s in settings])
    eta, *lambdas = (
        np.array([getattr(s, name) for s in settings], data.X.dtype)[:, None, None]
        for name in ("eta", "l11", "l12", "l21", "l22")
    )
    targets = onehot(m, data.y).T
    for epoch in range(1, shared.epochs + 1):
        order = _orders(settings, epoch, n) if n > K else np.arange(n)[None]  # a sum has no order
        for i in range(0, n, K):
            batch = order[:, i : i + K]
            params = step(params, data.X[batch].mT, targets[batch].mT, eta, lambdas)
        if not all(np.isfinite(array).all() for array in params):
            raise train.DivergedError(f"weights are not finite in epoch {epoch}; try a smaller eta")
        yield params


@np.errstate(over="ignore", invalid="ignore")  # not warnings, but DivergedError
def step(params: Params, x: Array, t: Array, eta: Array, lambdas: Sequence[Array]) -> Params:
    """One step of each network on its minibatch x, (S, d, K), with onehot targets t, (S, m, K).

    η and the four λ are (S, 1, 1). Source: b.6 to b.18, in minibatches.
    """
    W1, b1, W2, b2 = params
    l11, l12, l21, l22 = lambdas
    ha = W1 @ x + b1
    active = np.greater(ha, 0, out=np.empty_like(ha))  # as numbers, which multiply faster
    hs = ha * active
    os = _by_class(softmax, W2 @ hs + b2)
    grad_oa = (os - t) / t.shape[2]
    grad_ha = (W2.mT @ grad_oa) * active
    ones = np.ones((x.shape[2], 1), x.dtype)  # a product with it adds up faster than `sum`
    grad = Params(
        W1=grad_ha @ x.mT + l11 * sign(W1) + 2 * l12 * W1,
        b1=grad_ha @ ones,
        W2=grad_oa @ hs.mT + l21 * sign(W2) + 2 * l22 * W2,
        b2=grad_oa @ ones,
    )
    return params.map(lambda p, g: p - eta * g, grad)


def evaluate(params: Params, data: Dataset) -> tuple[Array, Array]:
    """Error and average loss of each network of a stack, (S,) both, on rows X, (n, d)."""
    W1, b1, W2, b2 = params
    oa = W2 @ rect(W1 @ data.X.T + b1) + b2
    losses = _by_class(logsumexp, oa)[:, 0] - oa[:, data.y, np.arange(len(data.y))]
    return np.mean(oa.argmax(axis=1) != data.y, axis=1), losses.mean(axis=1)


def stacked(networks: Sequence[Params]) -> Params:
    """Networks as one stack, the smaller ones filled up with units that are all zero."""
    d_h = max(len(net.W1) for net in networks)
    filled = []
    for W1, b1, W2, b2 in networks:
        none, more = (0, 0), (0, d_h - len(W1))
        filled.append(
            (np.pad(W1, (more, none)), np.pad(b1, (more, none)), np.pad(W2, (none, more)), b2)
        )
    return Params(*map(np.stack, zip(*filled, strict=True)))


def unstacked(params: Params, settings: Sequence[Settings]) -> list[Params]:
    """The networks of a stack, each without the units that filled it up."""
    networks = zip(*params, strict=True)
    return [
        Params(W1[: s.d_h], b1[: s.d_h], W2[:, : s.d_h], b2)
        for (W1, b1, W2, b2), s in zip(networks, settings, strict=True)
    ]


def _shared(settings: Sequence[Settings]) -> Settings:
    """What the settings have in common, with the first one's values where they may differ."""
    first = settings[0]
    plain = Settings(first.d_h, first.eta, first.epochs, first.K)
    for s in settings:
        same = dataclasses.replace(s, **{name: getattr(plain, name) for name in EACH})
        if same != plain:
            raise ValueError(f"{s} has what a stack cannot have: beside {plain}, choose {EACH}")
    return first


def _orders(settings: Sequence[Settings], epoch: int, n: int) -> Array:
    """The order, (S, n), in which each network sees the examples in this epoch."""
    orders = {
        seed: np.random.default_rng([seed, epoch]).permutation(n)
        for seed in {s.seed for s in settings}
    }
    return np.stack([orders[s.seed] for s in settings])


def _by_class(function: Callable[[Array], Array], oa: Array) -> Array:
    """Apply a function that has the classes in the first axis to a stack, (S, m, K)."""
    return function(oa.swapaxes(0, 1)).swapaxes(0, 1)
