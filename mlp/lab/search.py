"""Search over settings by validation error: YAML -> trials -> results/searches/NAME/.

A search file is an experiment file in which some settings are open: a list of values, or a range
{low, high, log}. `search` says how: {method: grid}, or {method: random, trials: 30,
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
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import yaml
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from mlp import data, fast, train
from mlp.data import Splits
from mlp.lab import experiment, space, store
from mlp.lab.experiment import Experiment
from mlp.log import Log, LogError, read_rows
from mlp.settings import Settings, SettingsError
from mlp.train import DivergedError, State

# --- what a file says ----------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Search:
    """What a search file says; trials are numbered in the order of `trials`."""

    experiment: Experiment  # its name, data and what is not searched over
    open: tuple[str, ...]  # names of the settings searched over
    trials: tuple[Settings, ...]
    rounds: tuple[int, ...]  # epochs reached at the end of each round
    factor: int  # after a round, one trial in `factor` goes on

    def span(self, number: int) -> tuple[int, int]:
        """The epochs reached before and after a round; the first round has the number 1."""
        before = self.rounds[number - 2] if number > 1 else 0
        return before, self.rounds[number - 1]

    def opened(self, trial: int) -> dict[str, Any]:
        """The values that the open settings have in a trial."""
        return {name: getattr(self.trials[trial], name) for name in self.open}


METHODS = {  # the keys of `search` beside method
    "grid": ("first", "factor"),
    "random": ("trials", "seed", "first", "factor"),
}
LOWEST = {"trials": 1, "seed": 0, "first": 1, "factor": 2}


def load(path: Path) -> Search:
    """Read a search file. Raises SettingsError, naming file, key, value and remedy."""
    return experiment.read_file(path, parse)


def parse(text: str, name: str) -> Search:
    """Read YAML text. Raises SettingsError, naming key, value and remedy."""
    keys = experiment.mapping(text)
    how = keys.pop("search", None)
    _check(how)
    choices = {key: value for key, value in keys.items() if _is_open(key, value)}
    if not choices:
        raise SettingsError("no setting is open; give one a list of values or a range")
    trials = [experiment.from_mapping(keys | point, name) for point in _points(how, choices)]
    first = trials[0]
    epochs = first.settings.epochs
    if any(trial.settings.epochs != epochs for trial in trials):
        raise SettingsError("epochs is open; give one number, and search: {first: …} to end early")
    if first.refit:
        raise SettingsError("refit is True; it must be false, as validation examples choose")
    factor = how.get("factor", 3)
    return Search(
        experiment=first,
        open=tuple(choices),
        trials=tuple(trial.run_settings(trial.seeds[0]) for trial in trials),
        rounds=tuple(_rounds(how.get("first", epochs), factor, epochs)),
        factor=factor,
    )


def _check(how: Any) -> None:
    """Raise SettingsError unless this can be the value of the key `search`."""
    if not isinstance(how, dict) or how.get("method") not in tuple(METHODS):
        raise SettingsError(
            f"search is {how!r}; it must be {{method: grid}} or {{method: random, trials: …}}"
        )
    known = METHODS[how["method"]]
    for key, value in how.items():
        if key == "method":
            continue
        if key not in known:
            raise SettingsError(
                f"search has the unknown key {key!r}; known are method, {', '.join(known)}"
            )
        if type(value) is not int or value < LOWEST[key]:
            raise SettingsError(
                f"search: {key} is {value!r}; it must be a whole number >= {LOWEST[key]}"
            )
    if how["method"] == "random" and "trials" not in how:
        raise SettingsError("search: trials is missing; say how many to draw")


def _is_open(key: str, value: Any) -> bool:
    return isinstance(value, list | dict) and key != "seeds"


def _points(how: dict[str, Any], choices: dict[str, Any]) -> Iterator[space.Point]:
    """The open settings of each trial."""
    if how["method"] == "grid":
        return space.grid(choices)
    return space.drawn(choices, how["trials"], how.get("seed", 0))


def _rounds(first: int, factor: int, epochs: int) -> Iterator[int]:
    """Epochs at the ends of the rounds: first, first × factor, …, epochs."""
    while first < epochs:
        yield first
        first *= factor
    yield epochs


def describe(search: Search) -> dict[str, Any]:
    """The search as written to settings.yml."""
    fixed = dataclasses.asdict(search.trials[0])
    return {
        **data_keys(search),
        "rounds": list(search.rounds),
        "factor": search.factor,
        "fixed": {key: value for key, value in fixed.items() if key not in search.open},
        "trials": [search.opened(trial) for trial in range(len(search.trials))],
    }


def data_keys(search: Search) -> dict[str, Any]:
    """The keys of an experiment file that say on which data."""
    of = search.experiment
    return {"data": of.data, "valid": of.valid, "standardize": of.standardize}


# --- its table -----------------------------------------------------------------------------------


class Row(NamedTuple):
    """One trial at the end of one round; `valid_error` is its lowest so far, nan if it diverged."""

    round: int
    trial: int
    epochs: int
    best_epoch: int
    valid_error: float
    valid_loss: float


def _table(search: Search, folder: Path, rows: Iterable[Row]) -> Log:
    """The table trials.csv, begun anew with these rows."""
    lines = [_line(search, row) for row in rows]
    return Log(folder / "trials.csv", (*Row._fields, *search.open), lines)


def _line(search: Search, row: Row) -> tuple[Any, ...]:
    return (*row, *search.opened(row.trial).values())


def _recorded(search: Search, folder: Path) -> list[Row]:
    """The rows that an interrupted search has left. Raises LogError."""
    path = folder / "trials.csv"
    rows = read(path, search.open) if path.exists() else []
    for row in rows:
        if not 0 <= row.trial < len(search.trials):
            raise LogError(f"{path}: trial {row.trial} is none of this search; remove its line")
    return rows


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


def best(rows: Iterable[Row]) -> Row:
    """The row with the lowest validation error; ties go to the earlier trial."""
    finite = [row for row in rows if math.isfinite(row.valid_error)]
    return min(finite, key=lambda row: (row.valid_error, row.trial, row.round))


# --- running it ----------------------------------------------------------------------------------


def run(search: Search, results: Path) -> Path:
    """Run what is left of a search; returns the folder results/NAME/ with its table.

    Each trial is logged in trials.csv as it ends a round, its state kept beside it until the search
    ends; interrupted anywhere, the same call goes on and ends with the same table. Trials run one
    after the other, but for what `workers` says. Raises DataError, DivergedError if no trial is
    left, and SettingsError if the folder holds another search or is in use by another process.
    """
    of, folder = search.experiment, results / search.experiment.name
    _splits(of.data, of.valid, of.standardize)  # faults and downloads come before all else
    with store.claimed(folder, describe(search)):
        if not (folder / "best.yml").exists():
            rows = _run_rounds(search, folder)
            _record_best(search, folder, rows)
        for trial in range(len(search.trials)):
            _checkpoint(folder, trial).unlink(missing_ok=True)
    return folder


def _run_rounds(search: Search, folder: Path) -> list[Row]:
    """Run round after round, with log and progress bar; returns all rows of the table, sorted."""
    rows = _recorded(search, folder)
    trials = list(range(len(search.trials)))
    with (
        _table(search, folder, rows) as table,
        tqdm(desc=search.experiment.name, unit="epoch", mininterval=0.5) as bar,
    ):
        for number in range(1, 1 + len(search.rounds)):
            before, until = search.span(number)
            done = {row.trial for row in rows if row.round == number}
            waiting = [trial for trial in trials if trial not in done]
            bar.total = bar.n + _epochs_left(search, number, len(trials))
            bar.update(len(done) * (until - before))
            for row in _run_round(search, folder, number, waiting):
                rows.append(row)
                table.write(_line(search, row))
                bar.update(until - before)
                bar.set_postfix_str(_best_so_far(search, rows))
            trials = survivors([row for row in rows if row.round == number], search.factor)
            if not trials:
                raise DivergedError(
                    f"all trials diverged; lower eta in {search.experiment.name}.yml"
                )
    rows.sort()  # whatever the order in which trials ended
    with _table(search, folder, rows):
        pass
    return rows


def _run_round(search: Search, folder: Path, number: int, trials: list[int]) -> Iterator[Row]:
    """Let these trials go on to the end of a round; yield the row of each as it ends.

    Its state is on disk by then, so that a row in the table has a state to go on from.
    """
    _, until = search.span(number)
    states = (_state(folder, trial) if number > 1 else None for trial in trials)
    for trial, reached in _parallel(search, trials, states, until):
        if isinstance(reached, State):
            store.save(_checkpoint(folder, trial), reached, seconds=0.0)
            chosen = reached.chosen
            figures = chosen.epoch, chosen.valid_error, chosen.valid_loss
            yield Row(number, trial, reached.epoch, *figures)
        else:
            yield Row(number, trial, until, 0, math.nan, math.nan)


def _state(folder: Path, trial: int) -> State:
    return store.restore(_checkpoint(folder, trial))[0]


def _checkpoint(folder: Path, trial: int) -> Path:
    return folder / f"checkpoint-{trial}.npz"


def _parallel(
    search: Search, trials: Iterable[int], states: Iterable[State | None], until: int
) -> Iterator[tuple[int, State | str]]:
    """Yield each trial with what `advance` returned for it, in the order in which they end."""
    calls = (
        joblib.delayed(_numbered)(trial, search.experiment, search.trials[trial], state, until)
        for trial, state in zip(trials, states, strict=True)
    )
    yield from joblib.Parallel(return_as="generator_unordered")(calls)


def _numbered(trial: int, *arguments: Any) -> tuple[int, State | str]:
    return trial, advance(*arguments)


def advance(of: Experiment, settings: Settings, state: State | None, until: int) -> State | str:
    """Train one trial until this epoch, with one BLAS thread; what a worker does.

    Returns the state reached, or the reason if the loss is no longer finite.
    """
    begun = state.epoch if state else 0
    with threadpool_limits(1):
        splits = _splits(of.data, of.valid, of.standardize)
        epochs = train.fit(splits, settings, state, engine=fast.Steps)
        try:
            for _, reached in itertools.islice(epochs, until - begun):
                state = reached
        except DivergedError as error:
            return str(error)
    assert state is not None
    return state


@functools.lru_cache(maxsize=1)
def _splits(name: str, valid: int, standardize: bool) -> Splits:
    splits = data.load(name, valid=valid, seed=0)
    return experiment.prepared(splits, standardize=standardize, refit=False)


def survivors(rows: list[Row], factor: int) -> list[int]:
    """The best one in `factor` of a round's trials by validation error; ties go to the earlier."""
    alive = sorted((row.valid_error, row.trial) for row in rows if math.isfinite(row.valid_error))
    going_on = alive[: math.ceil(len(rows) / factor)]
    return sorted(trial for _, trial in going_on)


def _epochs_left(search: Search, number: int, alive: int) -> int:
    """Epochs to train from the round with this number on, with so many trials in it."""
    total = 0
    for later in range(number, 1 + len(search.rounds)):
        before, until = search.span(later)
        total += alive * (until - before)
        alive = math.ceil(alive / search.factor)
    return total


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


def _best_so_far(search: Search, rows: list[Row]) -> str:
    """What the progress bar says."""
    if not any(math.isfinite(row.valid_error) for row in rows):
        return "all diverged so far"
    row = best(rows)
    settings = ", ".join(f"{name} {value}" for name, value in search.opened(row.trial).items())
    return f"best so far: valid {row.valid_error:.2%} ({settings})"


def _record_best(search: Search, folder: Path, rows: list[Row]) -> None:
    """Write best.yml, an experiment with the best trial's settings; the search then is finished."""
    winner = best(rows)
    settings = dataclasses.asdict(search.trials[winner.trial])
    seed = settings.pop("seed")
    keys = data_keys(search) | {"seeds": [seed]} | settings
    name, error = search.experiment.name, winner.valid_error
    note = f"Lowest validation error of the search {name}: {error:.2%}"
    store.write_yaml(folder / "best.yml", keys, note)
