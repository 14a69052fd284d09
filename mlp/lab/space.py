"""What a search is over: a search file, and the trials and rounds that it asks for.

A search file is an experiment file in which some settings are open: a list of values, or a range
{low, high, log}. `search` says how: {method: grid}, or {method: random, trials: 30,
seed: 0}; with `first: 3, factor: 3` by successive halving (Jamieson and Talwalkar, 2016): all
trials train 3 epochs, the best third of them 9, the best third of those 27, up to `epochs`. With
several `seeds`, all this is done with the first; those that reach the last round are then run with
the others, too, and the best mean is chosen.
"""

import dataclasses
import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mlp.lab import experiment
from mlp.lab.experiment import Experiment
from mlp.messages import shown
from mlp.settings import Settings, SettingsError, is_number

Point = dict[str, Any]  # a value for each open setting, by name

# --- what a file says ----------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Search:
    """What a search file says; trials are numbered in the order of `trials`."""

    open: tuple[str, ...]  # names of the settings searched over
    trials: tuple[Experiment, ...]  # each with the name and the seeds of the search
    rounds: tuple[int, ...]  # epochs reached at the end of each round
    factor: int  # after a round, one trial in `factor` goes on

    def span(self, number: int) -> tuple[int, int]:
        """The epochs reached before and after a round; the first round has the number 1."""
        before = self.rounds[number - 2] if number > 1 else 0
        return before, self.rounds[number - 1]

    @property
    def name(self) -> str:
        """The name of the search."""
        return self.trials[0].name

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seed of the rounds, and those with which finalists are run besides."""
        return self.trials[0].seeds

    def opened(self, trial: int) -> dict[str, Any]:
        """The values that the open settings have in a trial."""
        values = keys(self.trials[trial])
        return {name: values[name] for name in self.open}


METHODS = {  # the keys of `search` beside method
    "grid": ("first", "factor"),
    "random": ("trials", "seed", "first", "factor"),
}
SHARED = ("data", "valid", "refit", "epochs")  # what trials cannot differ in
LOWEST = {"trials": 1, "seed": 0, "first": 1, "factor": 2}
MOST_TRIALS = 10_000


def load(path: Path) -> Search:
    """Read a search file. Raises SettingsError, naming file, key, value and remedy."""
    return experiment.read_file(path, parse)


def parse(text: str, name: str) -> Search:
    """Read YAML text. Raises SettingsError, naming key, value and remedy."""
    said = experiment.mapping(text)
    how = said.pop("search", None)
    _check(how)
    choices = {key: value for key, value in said.items() if _is_open(key, value)}
    if not choices:
        raise SettingsError("no setting is open; give one a list of values or a range")
    trials = [experiment.from_mapping(said | point, name) for point in _points(how, choices)]
    first = trials[0]
    for key in SHARED:
        if key in choices:
            raise SettingsError(f"{key} is open; give one value, the same for all trials")
    if first.refit:
        raise SettingsError("refit is True; it must be false, as validation examples choose")
    factor, epochs = how.get("factor", 3), first.settings.epochs
    return Search(
        open=tuple(choices),
        trials=tuple(trials),
        rounds=tuple(_rounds(how.get("first", epochs), factor, epochs)),
        factor=factor,
    )


def _check(how: Any) -> None:
    """Raise SettingsError unless this can be the value of the key `search`."""
    if not isinstance(how, dict) or how.get("method") not in tuple(METHODS):
        raise SettingsError(
            f"search is {shown(how)}; it must be {{method: grid}} or {{method: random, trials: …}}"
        )
    known = METHODS[how["method"]]
    for key, value in how.items():
        if key == "method":
            continue
        if key not in known:
            raise SettingsError(
                f"search has the unknown key {shown(key)}; known are method, {', '.join(known)}"
            )
        most = MOST_TRIALS if key == "trials" else 2**31 - 1
        if type(value) is not int or not LOWEST[key] <= value <= most:
            raise SettingsError(
                f"search: {key} is {shown(value)}; it must be a whole number >= {LOWEST[key]} "
                f"and <= {most}"
            )
    if how["method"] == "random" and "trials" not in how:
        raise SettingsError("search: trials is missing; say how many to draw")


def _is_open(key: str, value: Any) -> bool:
    return isinstance(value, list | dict) and key != "seeds"


def _points(how: dict[str, Any], choices: dict[str, Any]) -> Iterator[Point]:
    """The open settings of each trial."""
    if how["method"] == "grid":
        return grid(choices)
    return drawn(choices, how["trials"], how.get("seed", 0))


def _rounds(first: int, factor: int, epochs: int) -> Iterator[int]:
    """Epochs at the ends of the rounds: first, first × factor, …, epochs."""
    while first < epochs:
        yield first
        first *= factor
    yield epochs


def describe(search: Search) -> dict[str, Any]:
    """The search as written to settings.yml."""
    shared = keys(search.trials[0]).items()
    return {
        "fixed": {key: value for key, value in shared if key not in search.open},
        "rounds": list(search.rounds),
        "factor": search.factor,
        "trials": [search.opened(trial) for trial in range(len(search.trials))],
    }


def file(search: Search, trial: int) -> dict[str, Any]:
    """A trial as an experiment file would have it: without what stays at its default, if not open.

    With the seeds of the search.
    """
    defaults = {field.name: field.default for field in dataclasses.fields(Settings)}
    return {
        key: value
        for key, value in keys(search.trials[trial]).items()
        if key in search.open or value != defaults.get(key, dataclasses.MISSING)
    }


def keys(trial: Experiment) -> dict[str, Any]:
    """A trial as the keys of an experiment file."""
    settings = dataclasses.asdict(trial.settings)
    del settings["seed"]
    own = {"data": trial.data, "valid": trial.valid, "standardize": trial.standardize}
    return own | {"seeds": list(trial.seeds)} | settings


# --- points --------------------------------------------------------------------------------------


def grid(choices: dict[str, Any]) -> Iterator[Point]:
    """Every combination of the values listed for each open setting. Raises SettingsError."""
    for name, choice in choices.items():
        if not _is_list(choice):
            raise SettingsError(f"{name} is {shown(choice)}; a grid search needs a list")
    trials = math.prod(len(choice) for choice in choices.values())
    if trials > MOST_TRIALS:
        raise SettingsError(f"the grid has {trials} points; it must have at most {MOST_TRIALS}")
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
                f"{name} is {shown(choice)}; a random search needs a list or "
                "{low: …, high: …, log: true}, 0 < low < high"
            )
    for trial in range(trials):
        rng = np.random.default_rng([seed, trial])
        yield {name: _draw(rng, choice) for name, choice in choices.items()}


def _is_list(choice: Any) -> bool:
    return isinstance(choice, list) and len(choice) > 0


LARGEST = 1e100  # the end of a range: between far larger ones, numbers overflow


def _is_range(choice: Any) -> bool:
    if not isinstance(choice, dict) or not {"low", "high"} <= set(choice) <= {"low", "high", "log"}:
        return False
    low, high = choice["low"], choice["high"]
    if not is_number(low) or not is_number(high):
        return False
    least = 0 if choice.get("log") else -LARGEST
    return least < low < high < LARGEST


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
