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
    best_epoch: int  # the first epoch with the lowest validation error so far
    best_error: float
    best: Params  # the parameters of that epoch


def evaluate(params: Params, data: Dataset) -> tuple[float, float]:
    """Error (proportion misclassified) and average loss of `data`, rows (n, d)."""
    oa = fprop(params, data.X.T).oa
    error = np.mean(oa.argmax(axis=0) != data.y)
    return float(error), float(loss(oa, data.y).mean(dtype=np.float64))


def step(
    params: Params, x: Array, y: Array, eta: float, lambdas: Lambdas
) -> tuple[Params, Array, Array]:
    """One step of gradient descent on the minibatch x, (d, K), with classes y, (K,).

    Returns the new θ, and of the old one each example's loss and whether it was misclassified.
    """
    act = fprop(params, x)
    grad = zip(params, bprop(params, act, y), grad_penalty(params, lambdas), strict=True)
    theta = Params(*(p - eta * (g + r) for p, g, r in grad))  # @eq-update
    return theta, loss(act.oa, y), act.oa.argmax(axis=0) != y


def start(settings: Settings, d: int, m: int, dtype: Any = np.float64) -> State:
    """The state before the first epoch, drawn from the seed."""
    params = init(np.random.default_rng(settings.seed), d, settings.d_h, m, dtype)
    return State(0, params, 0, math.inf, params)


def fit(
    splits: Splits,
    settings: Settings,
    state: State | None = None,
    tick: Callable[[], object] = lambda: None,
) -> Iterator[tuple[Record, State]]:
    """Train, and yield the record and the state after each epoch.

    Goes on from `state` where one is given: each epoch has a generator of its own, seeded by the
    seed and the epoch's number, so the continuation is the run that was never interrupted.
    `tick` is called after each minibatch. The validation error alone chooses the best epoch and,
    after `patience` epochs without a better one, ends the run. Raises DivergedError.
    """
    train, valid, test = splits
    n, d = train.X.shape
    if state is None:
        state = start(settings, d, 1 + int(max(part.y.max() for part in splits)), train.X.dtype)
    while state.epoch < settings.epochs and state.epoch - state.best_epoch < settings.patience:
        epoch = state.epoch + 1
        order = np.random.default_rng([settings.seed, epoch]).permutation(n)
        params, wrong, total = state.params, 0, 0.0
        for first in range(0, n, settings.K):
            batch = order[first : first + settings.K]
            x, y = train.X[batch].T, train.y[batch]
            params, losses, misclassified = step(params, x, y, settings.eta, settings.lambdas)
            wrong += int(misclassified.sum())
            total += float(losses.sum(dtype=np.float64))
            if not math.isfinite(total):
                raise DivergedError(
                    f"the loss is {total} in epoch {epoch}, minibatch {first // settings.K + 1}, "
                    f"with eta {settings.eta}; try a smaller eta"
                )
            tick()
        record = Record(
            epoch, wrong / n, total / n, *evaluate(params, valid), *evaluate(params, test)
        )
        better = record.valid_error < state.best_error
        state = State(
            epoch,
            params,
            epoch if better else state.best_epoch,
            record.valid_error if better else state.best_error,
            params if better else state.best,
        )
        yield record, state
