"""Minibatch gradient descent with early stopping: a pure generator, one record an epoch."""

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from mlp.data import Dataset, Splits
from mlp.functions import Array
from mlp.log import Record
from mlp.model import Params, bprop, fprop, init, loss
from mlp.penalty import Lambdas, grad_penalty


class SettingsError(ValueError):
    """A setting that cannot be used; the message names it, its value and what would be right."""


class DivergedError(ArithmeticError):
    """The loss is no longer finite; the message says in which epoch and minibatch."""


def _whole(low: int) -> dict[str, Any]:
    return {"ok": lambda v: type(v) is int and v >= low, "right": f"a whole number >= {low}"}


def _real(right: str, ok: Callable[[float], bool]) -> dict[str, Any]:
    def check(value: object) -> bool:
        return type(value) in (int, float) and math.isfinite(value) and ok(value)  # type: ignore[arg-type]

    return {"ok": check, "right": right}


_AT_LEAST_ZERO = _real("a finite number >= 0", lambda v: v >= 0)


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a run depends on, beside its data. Raises SettingsError for values out of range."""

    d_h: int = dataclasses.field(metadata=_whole(1))
    eta: float = dataclasses.field(metadata=_real("a finite number > 0", lambda v: v > 0))
    epochs: int = dataclasses.field(metadata=_whole(1))
    K: int = dataclasses.field(default=100, metadata=_whole(1))
    momentum: float = dataclasses.field(
        default=0.0, metadata=_real("a number >= 0 and < 1", lambda v: 0 <= v < 1)
    )
    l11: float = dataclasses.field(default=0.0, metadata=_AT_LEAST_ZERO)
    l12: float = dataclasses.field(default=0.0, metadata=_AT_LEAST_ZERO)
    l21: float = dataclasses.field(default=0.0, metadata=_AT_LEAST_ZERO)
    l22: float = dataclasses.field(default=0.0, metadata=_AT_LEAST_ZERO)
    patience: int = dataclasses.field(default=1_000_000, metadata=_whole(1))
    seed: int = dataclasses.field(default=0, metadata=_whole(0))

    def __post_init__(self) -> None:
        """Check every field against the rule that stands beside it."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not field.metadata["ok"](value):
                right = field.metadata["right"]
                raise SettingsError(f"{field.name} is {value!r}; it must be {right}")

    @property
    def lambdas(self) -> Lambdas:
        """The four strengths of the elastic net."""
        return Lambdas(self.l11, self.l12, self.l21, self.l22)


class State(NamedTuple):
    """What a run goes on from: everything that an epoch leaves behind."""

    epoch: int  # epochs done
    params: Params
    velocity: Params  # what the last step subtracted, divided by η
    chosen: Record  # of the first epoch with the lowest validation error so far
    best: Params  # the parameters of that epoch


def evaluate(params: Params, data: Dataset) -> tuple[float, float]:
    """Error (proportion misclassified) and average loss of `data`, rows (n, d)."""
    oa = fprop(params, data.X.T).oa
    error = np.mean(oa.argmax(axis=0) != data.y)
    return float(error), float(loss(oa, data.y).mean(dtype=np.float64))


def update(params: Params, velocity: Params, eta: float) -> Params:
    """One step of gradient descent; without momentum, the velocity is the gradient. Source: b.6."""
    return Params(*(p - eta * v for p, v in zip(params, velocity, strict=True)))  # @eq-update


def step(
    params: Params, velocity: Params, x: Array, y: Array, eta: float, settings: Settings
) -> tuple[Params, Params, Array]:
    """One step on the minibatch x, (d, K), with classes y, (K,).

    Returns the new θ and velocity, and the preactivations oa, (m, K), under the old θ.
    """
    act = fprop(params, x)
    gradients = bprop(params, act, y), grad_penalty(params, settings.lambdas)
    mu = settings.momentum
    velocity = Params(*(mu * v + g + r for v, g, r in zip(velocity, *gradients, strict=True)))
    return update(params, velocity, eta), velocity, act.oa


def start(settings: Settings, d: int, m: int, dtype: Any = np.float64) -> State:
    """The state before the first epoch, drawn from the seed."""
    params = init(np.random.default_rng(settings.seed), d, settings.d_h, m, dtype)
    rest = Params(*(np.zeros_like(p) for p in params))
    return State(0, params, rest, Record(0, *[math.inf] * 6), params)


def fit(
    splits: Splits,
    settings: Settings,
    state: State | None = None,
    tick: Callable[[], object] = lambda: None,
) -> Iterator[tuple[Record, State]]:
    """Train, and yield the record and the state after each epoch.

    Goes on from `state` where one is given, as the run that was never interrupted. The validation
    error alone chooses the best epoch and, after `patience` epochs without a better one, ends the
    run. `tick` is called after each minibatch. Raises DivergedError.
    """
    if state is None:
        m = 1 + max(int(part.y.max()) for part in splits)
        state = start(settings, splits.train.X.shape[1], m, splits.train.X.dtype)
    while state.epoch < settings.epochs and state.epoch - state.chosen.epoch < settings.patience:
        record, state = run_epoch(splits, settings, state, tick)
        yield record, state


@np.errstate(over="ignore", invalid="ignore")  # reported as DivergedError, not by warnings
def run_epoch(
    splits: Splits, settings: Settings, state: State, tick: Callable[[], object]
) -> tuple[Record, State]:
    """One pass through the training set in random order, and its six figures.

    The order comes from a generator of the epoch's own, seeded by the run's seed and the epoch's
    number, so that a state needs no more than these to go on. Source: b.6, in minibatches.
    """
    train, valid, test = splits
    epoch, n, K = state.epoch + 1, len(train.y), settings.K
    order = np.random.default_rng([settings.seed, epoch]).permutation(n)
    params, velocity, wrong, total = state.params, state.velocity, 0, 0.0
    for number, first in enumerate(range(0, n, K), start=1):
        batch = order[first : first + K]
        x, y = train.X[batch].T, train.y[batch]
        params, velocity, oa = step(params, velocity, x, y, settings.eta, settings)
        wrong += int(np.count_nonzero(oa.argmax(axis=0) != y))
        total += float(loss(oa, y).sum(dtype=np.float64))
        if not math.isfinite(total):
            raise DivergedError(
                f"the loss is {total} in epoch {epoch}, minibatch {number}, with eta "
                f"{settings.eta}; try a smaller eta"
            )
        tick()
    record = Record(epoch, wrong / n, total / n, *evaluate(params, valid), *evaluate(params, test))
    if not math.isfinite(record.valid_loss):
        raise DivergedError(
            f"the validation loss is {record.valid_loss} after epoch {epoch}, with eta "
            f"{settings.eta}; try a smaller eta"
        )
    better = record.valid_error < state.chosen.valid_error
    chosen, best = (record, params) if better else (state.chosen, state.best)
    return record, State(epoch, params, velocity, chosen, best)
