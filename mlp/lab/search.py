"""Runs a search over settings by validation error: trials -> results/searches/NAME/.

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
from mlp.lab.space import Search
from mlp.log import Log, LogError, read_rows
from mlp.settings import Settings, SettingsError
from mlp.train import DivergedError, State

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
    with store.claimed(folder, space.describe(search)):
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
    keys = space.data_keys(search) | {"seeds": [seed]} | settings
    name, error = search.experiment.name, winner.valid_error
    note = f"Lowest validation error of the search {name}: {error:.2%}"
    store.write_yaml(folder / "best.yml", keys, note)
