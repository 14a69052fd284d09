"""What a search is over: the points of a grid, or points drawn at random from lists and ranges."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from mlp.settings import SettingsError

Point = dict[str, Any]  # a value for each open setting, by name


def grid(choices: dict[str, Any]) -> Iterator[Point]:
    """Every combination of the values listed for each open setting. Raises SettingsError."""
    for name, choice in choices.items():
        if not _is_list(choice):
            raise SettingsError(f"{name} is {choice!r}; a grid search needs a list")
    for values in itertools.product(*choices.values()):
        yield dict(zip(choices, values, strict=True))


def drawn(choices: dict[str, Any], trials: int, seed: int) -> Iterator[Point]:
    """So many random points, each value from a list or a range {low, high, log}.

    Each point has a generator of its own, so that more trials begin with the same ones.
    Raises SettingsError.
    """
    for name, choice in choices.items():
        if not (_is_list(choice) or _is_range(choice)):
            raise SettingsError(
                f"{name} is {choice!r}; a random search needs a list or "
                "{low: …, high: …, log: true}, 0 < low < high"
            )
    for trial in range(trials):
        rng = np.random.default_rng([seed, trial])
        yield {name: _draw(rng, choice) for name, choice in choices.items()}


def _is_list(choice: Any) -> bool:
    return isinstance(choice, list) and len(choice) > 0


def _is_range(choice: Any) -> bool:
    if not isinstance(choice, dict) or not set(choice) <= {"low", "high", "log"}:
        return False
    low, high = choice.get("low"), choice.get("high")
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return False
    return low < high and (low > 0 or not choice.get("log"))


def _draw(rng: np.random.Generator, choice: Any) -> Any:
    """One of a list, or a number of a range, to three digits; whole where both ends are."""
    if isinstance(choice, list):
        return choice[rng.integers(len(choice))]
    low, high = choice["low"], choice["high"]
    u = rng.random()
    value = low * (high / low) ** u if choice.get("log") else low + (high - low) * u
    if type(low) is int and type(high) is int:
        return round(value)
    return float(f"{value:.3g}")
