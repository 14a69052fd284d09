"""Search over settings: validation error chooses, test data are not looked at.

A search file is an experiment file in which some settings are open: a list, one of which is taken,
or a range {low, high, log}. `search` says how: {method: grid}, or {method: random, trials: 30,
seed: 0}; with `first: 3, factor: 3` by successive halving (Jamieson and Talwalkar, 2016): all
trials train 3 epochs, the best third of them 9, the best third of those 27, up to `epochs`.

Trials are values: a worker gets settings and a state, and gives back the state reached. So the
same search runs in processes (joblib's "loky") or on a cluster whose backend joblib knows.
"""

import dataclasses
import functools
import importlib
import itertools
import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import yaml
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from mlp import data, fast, train
from mlp.data import Splits
from mlp.lab import experiment
from mlp.lab.experiment import Experiment, write_atomically
from mlp.log import Log, LogError, read_rows
from mlp.settings import Settings, SettingsError
from mlp.train import DivergedError, State


@dataclasses.dataclass(frozen=True)
class Search:
    """What a search file says; trials are numbered in the order of `trials`."""

    experiment: Experiment  # its name, data and what is not searched over
    open: tuple[str, ...]  # names of the settings searched over
    trials: tuple[Settings, ...]
    rounds: tuple[int, ...]  # epochs reached at the end of each round
    factor: int  # after a round, one trial in `factor` goes on


class Row(NamedTuple):
    """One trial at the end of one round; `valid_error` is its lowest so far, nan if it diverged."""

    round: int
    trial: int
    epochs: int
    best_epoch: int
    valid_error: float
    valid_loss: float


def parse(text: str, name: str) -> Search:
    """Read YAML text. Raises SettingsError, naming key, value and remedy."""
    keys = experiment.mapping(text)
    how = keys.pop("search", None)
    if not isinstance(how, dict) or how.get("method") not in ("grid", "random"):
        raise SettingsError(
            f"search is {how!r}; it must be {{method: grid}} or {{method: random, trials: …}}"
        )
    known = {"method", "first", "factor"} | (
        {"trials", "seed"} if how["method"] == "random" else set()
    )
    for key, value in how.items():
        if key not in known:
            raise SettingsError(
                f"search has the unknown key {key!r}; known are {', '.join(sorted(known))}"
            )
        low = {"seed": 0, "factor": 2}.get(key, 1)
        if key != "method" and (type(value) is not int or value < low):
            raise SettingsError(f"search: {key} is {value!r}; it must be a whole number >= {low}")
    if how["method"] == "random" and "trials" not in how:
        raise SettingsError("search: trials is missing; say how many to draw")
    choices = {k: v for k, v in keys.items() if isinstance(v, list | dict) and k != "seeds"}
    if not choices:
        raise SettingsError("no setting is open; give one a list of values or a range")
    points = list(_points(how, choices))
    trials = [experiment.from_mapping(keys | point, name) for point in points]
    epochs = trials[0].settings.epochs
    if any(trial.settings.epochs != epochs for trial in trials):
        raise SettingsError("epochs is open; give one number, and search: {first: …} to end early")
    if trials[0].refit:
        raise SettingsError("refit is True; it must be false, as validation examples choose")
    return Search(
        trials[0],
        tuple(choices),
        tuple(trial.run_settings(trial.seeds[0]) for trial in trials),
        tuple(_rounds(how.get("first", epochs), how.get("factor", 3), epochs)),
        how.get("factor", 3),
    )


def _points(how: dict[str, Any], choices: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The settings of each trial, by the names of the open ones."""
    for name, choice in choices.items():
        _check_choice(name, choice, how["method"])
    if how["method"] == "grid":
        for values in itertools.product(*choices.values()):
            yield dict(zip(choices, values, strict=True))
        return
    for trial in range(how["trials"]):
        rng = np.random.default_rng([how.get("seed", 0), trial])
        yield {name: _draw(rng, choice) for name, choice in choices.items()}


def _check_choice(name: str, choice: Any, method: str) -> None:
    if isinstance(choice, list) and choice:
        return
    if isinstance(choice, dict) and method == "random":
        low, high, log = (choice.get(key) for key in ("low", "high", "log"))
        if (
            set(choice) <= {"low", "high", "log"}
            and isinstance(low, int | float)
            and isinstance(high, int | float)
            and low < high
            and (low > 0 or not log)
        ):
            return
    ranges = " or {low: …, high: …, log: true}, 0 < low < high" if method == "random" else ""
    raise SettingsError(f"{name} is {choice!r}; a {method} search needs a list{ranges}")


def _draw(rng: np.random.Generator, choice: Any) -> Any:
    """One of a list, or a number of a range, to three digits; whole where both ends are."""
    if isinstance(choice, list):
        return choice[rng.integers(len(choice))]
    low, high = choice["low"], choice["high"]
    u = rng.random()
    value = low * (high / low) ** u if choice.get("log") else low + (high - low) * u
    return round(value) if type(low) is type(high) is int else float(f"{value:.3g}")


def _rounds(first: int, factor: int, epochs: int) -> Iterator[int]:
    """Epochs at the ends of the rounds: first, first × factor, …, epochs."""
    while first < epochs:
        yield first
        first *= factor
    yield epochs


def load(path: Path) -> Search:
    """Read a search file. Raises SettingsError, naming file, key, value and remedy."""
    return experiment.read_file(path, parse)


@functools.lru_cache(maxsize=1)
def _splits(name: str, valid: int, standardize: bool) -> Splits:
    splits = data.load(name, valid=valid, seed=0)
    return experiment.prepared(splits, standardize=standardize, refit=False)


def advance(of: Experiment, settings: Settings, state: State | None, until: int) -> State | str:
    """Train one trial until this epoch, with one BLAS thread; what a worker does.

    Returns the state reached, or the reason if the loss is no longer finite.
    """
    begun = state.epoch if state else 0
    with threadpool_limits(1):
        splits = _splits(of.data, of.valid, of.standardize)
        epochs = train.fit(splits, settings, state, engine=fast.Steps)
        try:
            for reached in itertools.islice(epochs, until - begun):
                state = reached[1]
        except DivergedError as error:
            return str(error)
    assert state is not None
    return state


def survivors(rows: list[Row], factor: int) -> list[int]:
    """The best one in `factor` of a round's trials by validation error; ties go to the earlier."""
    alive = sorted((row.valid_error, row.trial) for row in rows if math.isfinite(row.valid_error))
    return sorted(trial for _, trial in alive[: math.ceil(len(rows) / factor)])


@contextmanager
def workers(backend: str, jobs: int, address: str | None = None) -> Iterator[None]:
    """Let joblib use a backend by name, with so many trials at a time.

    "dask" and "ray" need their packages; `address` is that of Dask's scheduler. Raises
    SettingsError.
    """
    with ExitStack() as stack:
        try:
            if backend == "dask":
                distributed = importlib.import_module("distributed")
                stack.enter_context(distributed.Client(address, timeout=10))
            if backend == "ray":
                importlib.import_module("ray.util.joblib").register_ray()
            stack.enter_context(joblib.parallel_config(backend, n_jobs=jobs))
        except (ImportError, OSError, ValueError) as error:
            raise SettingsError(
                f"backend is {backend!r}, which cannot be used here ({error}); "
                "loky always can, dask and ray where they are installed and reachable"
            ) from error
        yield


def run(search: Search, results: Path) -> Path:
    """Run what is left of a search; returns the folder results/NAME/ with its table.

    Each trial is logged in trials.csv as it ends a round, its state kept beside it until the search
    ends; interrupted anywhere, the same call goes on and ends with the same table. Trials run one
    after the other, but for what `workers` says. Raises DataError, DivergedError if no trial is
    left, and SettingsError if the folder holds another search or is in use by another process.
    """
    of, folder = search.experiment, results / search.experiment.name
    _splits(of.data, of.valid, of.standardize)  # faults and downloads come before all else
    with experiment.claimed(folder, describe(search)):
        if not (folder / "best.yml").exists():
            _run(search, folder)
    return folder


def data_keys(search: Search) -> dict[str, Any]:
    """The keys of an experiment file that say on which data."""
    return {key: getattr(search.experiment, key) for key in ("data", "valid", "standardize")}


def describe(search: Search) -> dict[str, Any]:
    """The search as written to settings.yml."""
    fixed = dataclasses.asdict(search.trials[0])
    return {
        **data_keys(search),
        "rounds": list(search.rounds),
        "factor": search.factor,
        "fixed": {k: v for k, v in fixed.items() if k not in search.open},
        "trials": [{k: getattr(t, k) for k in search.open} for t in search.trials],
    }


def _run(search: Search, folder: Path) -> None:
    header = (*Row._fields, *search.open)
    table, name = folder / "trials.csv", search.experiment.name
    rows = read(table, search.open) if table.exists() else []
    if unknown := {row.trial for row in rows} - set(range(len(search.trials))):
        raise LogError(f"{table}: trial {min(unknown)} is none of this search; remove its line")

    def line(row: Row) -> tuple[Any, ...]:
        return (*row, *(getattr(search.trials[row.trial], name) for name in search.open))

    def checkpoint(trial: int) -> Path:
        return folder / f"checkpoint-{trial}.npz"

    chosen = list(range(len(search.trials)))
    with (
        Log(table, header, map(line, rows)) as log,
        tqdm(desc=search.experiment.name, unit="epoch", mininterval=0.5) as bar,
    ):
        for number, until in enumerate(search.rounds, start=1):
            begun = 0 if number == 1 else search.rounds[number - 2]
            bar.total = bar.n + _left(search, number - 1, len(chosen))
            done = {row.trial for row in rows if row.round == number}
            bar.update(len(done) * (until - begun))
            waiting = [trial for trial in chosen if trial not in done]
            states = (
                experiment.restore(checkpoint(trial))[0] if number > 1 else None
                for trial in waiting
            )
            for trial, reached in _parallel(search, waiting, states, until):
                if isinstance(reached, State):
                    at = reached.chosen
                    row = Row(number, trial, reached.epoch, at.epoch, at.valid_error, at.valid_loss)
                    experiment.save(checkpoint(trial), reached, 0.0)
                else:
                    row = Row(number, trial, until, 0, math.nan, math.nan)
                rows.append(row)
                log.write(line(row))
                bar.update(until - begun)
                bar.set_postfix_str(_best_so_far(search, rows))
            chosen = survivors([row for row in rows if row.round == number], search.factor)
            if not chosen:
                raise DivergedError(
                    f"all trials diverged; lower eta in {search.experiment.name}.yml"
                )
    with Log(table, header, map(line, sorted(rows))):
        pass
    winner = best(rows)
    settings = dataclasses.asdict(search.trials[winner.trial])
    seed = settings.pop("seed")
    keys = data_keys(search) | {"seeds": [seed]} | settings
    note = f"# Lowest validation error of the search {name}: {winner.valid_error:.2%}\n"
    write_atomically(folder / "best.yml", (note + yaml.safe_dump(keys, sort_keys=False)).encode())
    for trial in range(len(search.trials)):
        checkpoint(trial).unlink(missing_ok=True)


def read(path: Path, open_settings: tuple[str, ...]) -> list[Row]:
    """Read a table of trials but for the settings, which the trial's number implies.

    Raises LogError.
    """
    return read_rows(path, Row, open_settings)


def table(folder: Path, until: float = math.inf) -> list[dict[str, float | str]]:
    """Settings and figures of each trial after its last round up to round `until`, best first."""
    described = yaml.safe_load((folder / "settings.yml").read_text())
    rows = read(folder / "trials.csv", tuple(described["trials"][0]))
    last = {row.trial: row for row in sorted(rows) if row.round <= until}
    in_order = sorted(last.values(), key=lambda row: (-row.round, row.valid_error, row.trial))
    return [described["trials"][row.trial] | row._asdict() for row in in_order]


def best(rows: list[Row]) -> Row:
    """The row with the lowest validation error; ties go to the earlier trial."""
    return min(
        (row for row in rows if math.isfinite(row.valid_error)),
        key=lambda row: (row.valid_error, row.trial, row.round),
    )


def _best_so_far(search: Search, rows: list[Row]) -> str:
    finite = [row for row in rows if math.isfinite(row.valid_error)]
    if not finite:
        return "all diverged so far"
    row = best(finite)
    settings = ", ".join(f"{n} {getattr(search.trials[row.trial], n)}" for n in search.open)
    return f"best so far: valid {row.valid_error:.2%} ({settings})"


def _left(search: Search, index: int, alive: int) -> int:
    """Epochs still to train from the round with this index on, with so many trials in it."""
    total = 0
    for before, until in itertools.pairwise((0, *search.rounds)):
        if until >= search.rounds[index]:
            total += alive * (until - before)
            alive = math.ceil(alive / search.factor)
    return total


def _parallel(
    search: Search, trials: list[int], states: Iterator[State | None], until: int
) -> Iterator[tuple[int, State | str]]:
    """Yield each trial with what `advance` returned for it, in the order in which they end."""
    calls = (
        joblib.delayed(_numbered)(trial, search.experiment, search.trials[trial], s, until)
        for trial, s in zip(trials, states, strict=True)
    )
    yield from joblib.Parallel(return_as="generator_unordered")(calls)


def _numbered(trial: int, *arguments: Any) -> tuple[int, State | str]:
    return trial, advance(*arguments)
