"""Minibatch gradient descent with early stopping: a pure generator, one record an epoch."""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np

from mlp import regularize
from mlp.data import Dataset, Splits
from mlp.functions import Array, logsumexp
from mlp.model import Params, bprop, fprop, init, loss
from mlp.penalty import grad_regularized_risk
from mlp.regularize import Whitening, mirror
from mlp.settings import Settings


class DivergedError(ArithmeticError):
    """The loss is no longer finite; the message says in which epoch and minibatch."""


class Record(NamedTuple):
    """One epoch: training figures accumulated during it, the others measured at its end."""

    epoch: int
    train_error: float
    train_loss: float
    valid_error: float
    valid_loss: float
    test_error: float
    test_loss: float


class State(NamedTuple):
    """What a run goes on from: everything that an epoch leaves behind."""

    epoch: int  # epochs done
    params: Params
    velocity: Params  # stays 0 without momentum
    chosen: Record  # of the first epoch with the lowest validation error so far
    best: Params  # the network of that epoch; it takes inputs that are not whitened


def outputs(params: Params, X: Array, mirrored: bool = False) -> Array:
    """Output preactivations oa, (m, n), of rows X, (n, d), a thousand at a time to spare memory.

    If `mirrored`, X are square images, and each is averaged with its mirror image.
    """
    parts = [fprop(params, X[i : i + 1000].T).oa for i in range(0, len(X) or 1, 1000)]
    oa = np.concatenate(parts, axis=1)
    return average([oa, outputs(params, mirror(X))]) if mirrored else oa


def average(several: list[Array]) -> Array:
    """Preactivations, (m, n), whose softmax is the mean of the softmax of several such arrays."""
    log_os = np.stack([oa - logsumexp(oa) for oa in several])
    return logsumexp(log_os)[0] - np.log(len(several))  # @eq-average


def judge(oa: Array, y: Array) -> tuple[float, float]:
    """Error (proportion misclassified) and average loss of oa, (m, n); nan where n = 0."""
    if not y.size:
        return math.nan, math.nan
    error = np.mean(oa.argmax(axis=0) != y)
    return float(error), float(loss(oa, y).mean(dtype=np.float64))


def evaluate(params: Params, data: Dataset, mirrored: bool = False) -> tuple[float, float]:
    """Error and average loss of `data`, rows (n, d); nan where there are no rows."""
    if not data.y.size:
        return math.nan, math.nan
    return judge(outputs(params, data.X, mirrored), data.y)


def update(params: Params, velocity: Params, eta: float) -> Params:
    """One step of gradient descent; without momentum, the velocity is the gradient. Source: b.6."""
    return params.map(lambda p, v: p - eta * v, velocity)  # @eq-update


def accelerate(previous: Params, grad: Params, mu: float) -> Params:
    """The velocity with momentum μ: gradients that agree add up. Source: @eq-velocity."""
    velocity = previous.map(lambda v, g: mu * v + g, grad)  # @eq-velocity
    return velocity


def step(
    params: Params, velocity: Params, x: Array, y: Array, eta: float, settings: Settings
) -> tuple[Params, Params, Array]:
    """One step on the minibatch x, (d, K), with classes y, (K,).

    Returns the new θ and velocity, and the preactivations oa, (m, K), under the old θ.
    """
    act = fprop(params, x)
    if settings.smoothing:
        t = regularize.target(len(act.oa), y, settings.smoothing).astype(act.oa.dtype)
        grad = regularize.bprop(params, act, t)
    else:
        grad = bprop(params, act, y)
    if any(settings.lambdas):
        grad = grad_regularized_risk(params, grad, settings.lambdas)
    if not settings.momentum:
        return update(params, grad, eta), velocity, act.oa
    velocity = accelerate(velocity, grad, settings.momentum)
    return update(params, velocity, eta), velocity, act.oa


class Engine(Protocol):
    """What carries out the steps: `Steps`, or `fast.Steps`."""

    block: int  # minibatches that a call of `run` should get at once

    @property
    def params(self) -> Params: ...  # noqa: D102

    @property
    def velocity(self) -> Params: ...  # noqa: D102

    def run(self, X: Array, y: Array, order: Array, eta: Array) -> tuple[int, Array]: ...  # noqa: D102


class Steps:
    """Consecutive minibatches the readable way; `fast.Steps` takes the same in less time."""

    block = 1

    def __init__(self, params: Params, velocity: Params, settings: Settings) -> None:
        self.params, self.velocity, self.settings = params, velocity, settings

    def run(self, X: Array, y: Array, order: Array, eta: Array) -> tuple[int, Array]:
        """Step through the rows `order` of X, (n, d), with one η for each minibatch of K rows.

        Returns the number misclassified and each minibatch's sum of losses, before its step.
        """
        wrong, losses = 0, np.zeros(len(eta))
        for i in range(len(eta)):
            batch = order[i * self.settings.K : (i + 1) * self.settings.K]
            x, eta_i = X[batch].T, float(eta[i])
            self.params, self.velocity, oa = step(
                self.params, self.velocity, x, y[batch], eta_i, self.settings
            )
            wrong += int(np.count_nonzero(oa.argmax(axis=0) != y[batch]))
            losses[i] = loss(oa, y[batch]).sum()
        return wrong, losses


def start(settings: Settings, d: int, m: int, dtype: Any = np.float64) -> State:
    """The state before the first epoch, drawn from the seed."""
    params = init(np.random.default_rng(settings.seed), d, settings.d_h, m, dtype)
    return State(0, params, params.map(np.zeros_like), Record(0, *[math.inf] * 6), params)


def step_sizes(settings: Settings, epoch: int, n_batches: int) -> Array:
    """The step size η of each minibatch of an epoch: constant, or falling to 0 along a cosine."""
    if settings.schedule == "constant":
        return np.full(n_batches, settings.eta)
    t, T = np.arange(n_batches) + (epoch - 1) * n_batches, settings.epochs * n_batches
    eta_t = settings.eta * (1 + np.cos(np.pi * t / T)) / 2  # @eq-eta-t
    return eta_t


def improves(record: Record, chosen: Record) -> bool:
    """Whether an epoch takes the place of the chosen one, which is the first with the lowest error.

    Validation error, that is; where it is nan, for want of validation examples, the last epoch.
    """
    return not record.valid_error >= chosen.valid_error


def patient(epoch: int, chosen: Record, patience: int) -> bool:
    """Whether a run goes on after this epoch: the chosen one is less than `patience` epochs ago."""
    return epoch - chosen.epoch < patience


def keep_freed_memory() -> None:
    """Let the process keep the memory that a step frees, for the next step.

    Once a block of up to 32 MiB was freed, glibc keeps up to twice its size. Else each step hands
    its arrays back to the system and has new pages mapped, at the price of the arithmetic.
    """
    block = np.empty(24 * 2**20, np.uint8)
    del block


def fit(
    splits: Splits,
    settings: Settings,
    state: State | None = None,
    tick: Callable[[int], object] = lambda batches: None,
    engine: Callable[[Params, Params, Settings], Engine] = Steps,
) -> Iterator[tuple[Record, State]]:
    """Train, and yield the record and the state after each epoch.

    Goes on from `state` where one is given, as the run that was never interrupted. The validation
    error alone chooses the best epoch and, after `patience` epochs without a better one, ends the
    run; without validation examples, the last epoch is the chosen one. `tick` is called now and
    then with the number of minibatches done since. Flips, shifts, cutout and mirrored need square
    images. Raises DivergedError.
    """
    keep_freed_memory()
    if state is None:
        d, m = splits.train.X.shape[1], 1 + max(int(part.y.max(initial=0)) for part in splits)
        state = start(settings, d, m, splits.train.X.dtype)
    white = regularize.whitening(splits.train.X, settings.whiten) if settings.whiten else None
    while state.epoch < settings.epochs and patient(state.epoch, state.chosen, settings.patience):
        record, state = run_epoch(splits, settings, state, tick, engine, white)
        yield record, state


@np.errstate(over="ignore", invalid="ignore")  # not warnings, but DivergedError
def run_epoch(
    splits: Splits,
    settings: Settings,
    state: State,
    tick: Callable[[int], object],
    engine: Callable[[Params, Params, Settings], Engine],
    white: Whitening | None,
) -> tuple[Record, State]:
    """One pass through the training set in random order, and its six figures.

    All that is random comes from a generator of the epoch's own, seeded by the run's seed and the
    epoch's number, so that a state needs no more than these to go on. Source: b.6, in minibatches.
    """
    train, valid, test = splits
    epoch, n, K = state.epoch + 1, len(train.y), settings.K
    rng = np.random.default_rng([settings.seed, epoch])
    order = rng.permutation(n)
    eta = step_sizes(settings, epoch, math.ceil(n / K))
    steps = engine(state.params, state.velocity, settings)
    wrong, total = 0, 0.0
    for X, y, batch, first in pieces(train, order, steps.block * K, settings, rng):
        piece = eta[first // K : first // K + math.ceil(len(batch) / K)]
        if white:
            X, y, batch = white.apply(X[batch]), y[batch], np.arange(len(batch))
        misclassified, losses = steps.run(X, y, batch, piece)
        wrong, total = wrong + misclassified, total + float(losses.sum())
        if not math.isfinite(total):
            number = first // K + int(np.argmin(np.isfinite(losses)))
            raise DivergedError(
                f"the loss is {total} in epoch {epoch}, minibatch {number + 1}, with eta "
                f"{float(eta[number]):.4g}; try a smaller eta"
            )
        tick(len(piece))
    net = white.absorb(steps.params) if white else steps.params
    at_end = [evaluate(net, part, settings.mirrored) for part in (valid, test)]
    record = Record(epoch, wrong / n, total / n, *at_end[0], *at_end[1])
    for part, (_, last) in zip((valid, test), at_end, strict=True):
        if len(part.y) and not math.isfinite(last):
            raise DivergedError(
                f"the loss is {last} after epoch {epoch}, with eta {settings.eta}; "
                "try a smaller eta"
            )
    reached = epoch, steps.params, steps.velocity
    if improves(record, state.chosen):
        return record, State(*reached, record, net)
    return record, State(*reached, state.chosen, state.best)


def pieces(
    train: Dataset, order: Array, size: int, settings: Settings, rng: np.random.Generator
) -> Iterator[tuple[Array, Array, Array, int]]:
    """Cut an epoch's order into pieces: yield rows X, classes y, which of them, how many before.

    Where images are to be flipped, shifted or cut, the piece's own rows, so changed, take the
    place of X.
    """
    n = len(order)
    parts = [(first, slice(first, first + size)) for first in range(0, n, size)]
    if not (settings.flips or settings.shifts or settings.cutout):
        yield from ((train.X, train.y, order[part], first) for first, part in parts)
        return
    flips = rng.random(n) < settings.flips / 2
    shifts = rng.integers(-settings.shifts, settings.shifts, (n, 2), endpoint=True)
    centres = rng.integers(int(train.X.shape[1] ** 0.5), size=(n, 2))
    black = train.X.min()
    for first, part in parts:
        X = regularize.move(train.X[order[part]], flips[part], shifts[part], black)
        if settings.cutout:
            X = regularize.cut_out(X, centres[part], settings.cutout, black)
        yield X, train.y[order[part]], np.arange(len(X)), first
