"""Capacity on two circles: networks of several sizes, penalties and epochs, each from five seeds.

They are trained in stacks, in seconds, so that a report trains them anew whenever it is rendered.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from mlp import data, stack
from mlp.data import Dataset
from mlp.functions import Array
from mlp.model import Params
from mlp.settings import Settings

SEEDS = range(5)
LOOK = 10  # epochs


class Points(NamedTuple):
    """What is trained on, and judged by."""

    clean: Dataset
    noisy: Dataset  # few of these, some of them with the wrong class
    flipped: Array  # bool, which
    valid: Dataset  # clean, too


class Trained(NamedTuple):
    """Networks with equal settings but for the seed, and their errors, (S,), after training."""

    networks: list[Params]
    train_errors: Array
    valid_errors: Array


class Course(NamedTuple):
    """How such networks go on, looked at after the first epoch and then every `LOOK` epochs."""

    epochs: Array  # (looks,)
    train_errors: Array  # (looks, S)
    valid_errors: Array  # (looks, S)
    networks: list[Params]  # that of the first seed at each look


class Study(NamedTuple):
    """All that was trained, by what was varied."""

    points: Points
    clean_units: dict[int, Trained]
    units: dict[int, Trained]
    l2: dict[float, Trained]
    l1: dict[float, Trained]
    course: Course


def points() -> Points:
    """Training and validation points of the two circles, in single precision."""
    circles = data.circles()
    circles = circles._replace(X=circles.X.astype(np.float32))
    clean, valid, _ = data.split(circles, (600, 250, 250), seed=0)
    few = Dataset(clean.X[:100], clean.y[:100])
    noisy = data.flip_labels(few, 0.15, np.random.default_rng(3))
    return Points(clean, noisy, noisy.y != few.y, valid)


def study() -> Study:
    """Train all networks; the outcome is the same each time."""
    clean, noisy, _, valid = given = points()
    simple = {"K": 50, "eta": 0.5, "epochs": 200}
    hard = {"K": 100, "eta": 0.3, "epochs": 4000}
    large = {"d_h": 48, **hard}
    strengths = (0.0003, 0.001, 0.003, 0.01)
    course, free = followed(noisy, valid, large)
    return Study(
        given,
        clean_units=varied(clean, valid, simple, ("d_h",), (1, 2, 3, 4, 6, 12, 24)),
        units=varied(noisy, valid, hard, ("d_h",), (2, 3, 4, 6, 12, 24)) | {48: free},
        l2={0.0: free} | varied(noisy, valid, large, ("l12", "l22"), strengths),
        l1={0.0: free} | varied(noisy, valid, large, ("l11", "l21"), strengths),
        course=course,
    )


def varied(
    train: Dataset, valid: Dataset, common: Mapping[str, Any], names: Iterable[str], values: Any
) -> dict[Any, Trained]:
    """Train from every seed with each of the values for the settings of these names."""
    settings = [
        Settings(**common, **dict.fromkeys(names, v), seed=s) for v in values for s in SEEDS
    ]
    for networks in stack.fit(train, settings):
        last = networks
    every = stack.unstacked(last, settings)
    errors = [stack.evaluate(last, part)[0] for part in (train, valid)]
    S = len(SEEDS)
    return {
        value: Trained(every[i : i + S], *(error[i : i + S] for error in errors))
        for value, i in zip(values, range(0, len(every), S), strict=True)
    }


def followed(train: Dataset, valid: Dataset, common: Mapping[str, Any]) -> tuple[Course, Trained]:
    """Train from every seed, and look at the networks now and then."""
    settings = [Settings(**common, seed=s) for s in SEEDS]
    epochs, errors, first = [], [], []
    for epoch, networks in enumerate(stack.fit(train, settings), start=1):
        if epoch == 1 or epoch % LOOK == 0:
            epochs.append(epoch)
            errors.append([stack.evaluate(networks, part)[0] for part in (train, valid)])
            first.append(stack.unstacked(networks, settings)[0])
    of_train, of_valid = np.swapaxes(errors, 0, 1)
    end = Trained(stack.unstacked(networks, settings), of_train[-1], of_valid[-1])
    return Course(np.array(epochs), of_train, of_valid, first), end
