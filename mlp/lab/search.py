"""Runs a search over settings by validation error: trials -> results/searches/NAME/.

A search leaves trials.csv (a line for each trial and round), with several seeds finals.csv (a line
for each finalist and seed), best.yml (the best settings as an experiment) and summary.yml. Test
examples have no part in it: nothing is evaluated on them.

Trials are values: a worker gets settings and a state, and gives back the state reached. So the
same search runs in processes (joblib's "loky") or on a cluster whose backend joblib knows.
"""

import dataclasses
import functools
import importlib
import itertools
import math
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from mlp import data, fast, files, processes, train
from mlp.data import Dataset, Splits
from mlp.lab import experiment, origin, space, store, summary
from mlp.lab.experiment import Experiment
from mlp.lab.space import Point, Search
from mlp.log import Log, LogError, read_rows
from mlp.mapping import MappingError, parse
from mlp.messages import SHORT, line, shown
from mlp.processes import LostError
from mlp.settings import SettingsError
from mlp.train import DivergedError, State

# --- its tables ----------------------------------------------------------------------------------


class Row(NamedTuple):
    """One trial at the end of one round; `valid_error` is its lowest so far, nan if it diverged."""

    round: int
    trial: int
    epochs: int
    best_epoch: int
    valid_error: float
    valid_loss: float


class Final(NamedTuple):
    """One finalist with one seed, as in the row of its last round."""

    trial: int
    seed: int
    epochs: int
    best_epoch: int
    valid_error: float
    valid_loss: float


class Mean(NamedTuple):
    """Mean and standard deviation over seeds of a finalist's validation error."""

    trial: int
    valid_error: float
    deviation: float  # nan for one seed


def read(path: Path, kind: Any, open_settings: tuple[str, ...]) -> list[Any]:
    """Read a table of `kind`s but for the settings, which the trial's number implies.

    Raises LogError.
    """
    return read_rows(path, kind, open_settings)


def table(folder: Path, until: float = math.inf) -> list[dict[str, float | str]]:
    """Settings and figures of each trial after its last round up to round `until`, best first."""
    described = _described(folder)
    rows: list[Row] = _of_trials(folder / "trials.csv", Row, described)
    last = {row.trial: row for row in sorted(rows) if row.round <= until}
    in_order = sorted(last.values(), key=lambda row: (-row.round, row.valid_error, row.trial))
    return [described[row.trial] | row._asdict() for row in in_order]


def finalists(folder: Path) -> list[dict[str, float | str]]:
    """Settings of each finalist, with the mean of its validation error over seeds, best first."""
    described = _described(folder)
    finals: list[Final] = _of_trials(folder / "finals.csv", Final, described)
    return [described[mean.trial] | mean._asdict() for mean in means(finals)]


def _described(folder: Path) -> list[Point]:
    """The open settings of each trial. Raises SettingsError if settings.yml is damaged."""
    path = folder / "settings.yml"
    try:
        trials = parse(files.text(path, store.MOST_YAML)).get("trials")
    except (UnicodeDecodeError, MappingError) as error:
        raise SettingsError(f"{path}: {error}; restore it or delete {folder}") from error
    if not isinstance(trials, list) or not all(isinstance(of, dict) for of in trials) or not trials:
        raise SettingsError(f"{path}: says no trials; restore it or delete {folder}")
    return trials


def _of_trials(path: Path, kind: Any, trials: Sequence[Point]) -> list[Any]:
    """Read a table of these trials, by their open settings. Raises LogError."""
    rows = read(path, kind, tuple(trials[0]))
    for row in rows:
        if not 0 <= row.trial < len(trials):
            raise LogError(f"{path}: trial {shown(row.trial)} is none of this search; remove it")
    return rows


def means(finals: Iterable[Final]) -> list[Mean]:
    """The finalists by mean validation error, best first; ties go to the earlier trial.

    One that diverged with any seed is left out.
    """
    errors: dict[int, list[float]] = {}
    for final in finals:
        errors.setdefault(final.trial, []).append(final.valid_error)
    found = [
        Mean(trial, float(np.mean(of)), float(np.std(of, ddof=1)) if len(of) > 1 else math.nan)
        for trial, of in errors.items()
        if np.isfinite(of).all()
    ]
    return sorted(found, key=lambda mean: (mean.valid_error, mean.trial))


# --- running it ----------------------------------------------------------------------------------


class Task(NamedTuple):
    """What a worker does: let a trial with a seed go on from a state until an epoch."""

    trial: int
    seed: int
    state: State | None
    until: int


class Done(NamedTuple):
    """What a worker gives back: the state reached, or None if the loss is no longer finite."""

    trial: int
    seed: int
    state: State | None
    seconds: float


def run(search: Search, results: Path) -> Path:
    """Run what is left of a search; returns the folder results/NAME/ with its tables.

    Each trial is logged in trials.csv as it ends a round, its state kept beside it until the search
    ends; interrupted anywhere, the same call goes on and ends with the same tables. Trials run one
    after the other, but for what `workers` says. Raises DataError, DivergedError if no trial is
    left, and SettingsError if the folder holds another search or is in use by another process.
    """
    folder, splits = results / search.name, as_read(search)  # first, as data may be missing
    for trial in search.trials:
        experiment.require_room(trial.settings, splits)
    described = describe(search, splits)
    if store.finished(folder, described) and not any(folder.glob("checkpoint-*.npz")):
        return folder
    with store.claimed(folder, described):
        if not (folder / "summary.yml").exists():
            _run(search, folder, described)
        for checkpoint in folder.glob("checkpoint-*.npz"):
            checkpoint.unlink()
    return folder


def as_read(search: Search) -> Splits:
    """The data of a search, before any trial standardizes them, without the test examples."""
    return _splits(search.trials[0].data, search.trials[0].valid, False)


def describe(search: Search, splits: Splits | None) -> dict[str, Any]:
    """What settings.yml says: the search, and digests of the code and the data it depends on.

    Where the data, `as_read`, are not at hand, what is said of them is left out.
    """
    arrays = {"arrays": origin.arrays(splits)} if splits else {}
    return {**space.describe(search), **arrays, "code": origin.code(origin.TRAINING)}


def _run(search: Search, folder: Path, described: dict[str, Any]) -> None:
    """Run rounds and finals, and record what they led to."""
    with tqdm(desc=search.name, unit="epoch", mininterval=0.5) as bar:
        rows = _run_rounds(search, folder, bar)
        finals = firsts(search, rows)
        if len(search.seeds) > 1:
            finals = _run_finals(search, folder, finals, bar)
    best = chosen(search, finals)
    over = f", the mean over {len(search.seeds)} seeds" if len(search.seeds) > 1 else ""
    note = f"Lowest validation error of the search {search.name}: {best.valid_error:.2%}{over}"
    store.write_yaml(folder / "best.yml", space.file(search, best.trial), note)
    seconds = sum(store.restore(path)[1] for path in folder.glob("checkpoint-*.npz"))
    reached = {
        "chosen": best._asdict(),
        "epochs": trained(search, rows, finals),
        "seconds": round(seconds, 3),
        "machine": store.machine(),
    }
    summary.write(folder, described | reached)


def seeded(search: Search, row: Row) -> Final:
    """A row of a round with its seed."""
    figures = row.epochs, row.best_epoch, row.valid_error, row.valid_loss
    return Final(row.trial, search.seeds[0], *figures)


def firsts(search: Search, rows: Iterable[Row]) -> list[Final]:
    """The trials that came through the last round, each with the seed of the rounds."""
    last = [row for row in rows if row.round == len(search.rounds)]
    return [seeded(search, row) for row in last if math.isfinite(row.valid_error)]


def chosen(search: Search, finals: Iterable[Final]) -> Mean:
    """The best finalist. Raises DivergedError if none is left."""
    in_order = means(finals)
    if not in_order:
        raise DivergedError(f"all trials diverged; lower eta in {search.name}.yml")
    return in_order[0]


def trained(search: Search, rows: Iterable[Row], finals: Iterable[Final]) -> int:
    """The epochs that a search has trained in all."""
    reached = {row.trial: row.epochs for row in sorted(rows)}
    others = [final.epochs for final in finals if final.seed != search.seeds[0]]
    return sum(reached.values()) + sum(others)


def _run_rounds(search: Search, folder: Path, bar: Any) -> list[Row]:
    """Run round after round, with log and progress bar; returns all rows of the table, sorted."""
    rows: list[Row] = _recorded(search, folder / "trials.csv", Row)
    trials = list(range(len(search.trials)))
    with _begin(search, folder / "trials.csv", Row, rows) as table:
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
    rows.sort()  # whatever the order in which trials ended
    with _begin(search, folder / "trials.csv", Row, rows):
        pass
    return rows


def _run_round(search: Search, folder: Path, number: int, trials: list[int]) -> Iterator[Row]:
    """Let these trials go on to the end of a round; yield the row of each as it ends.

    Its state is on disk by then, so that a row in the table has a state to go on from.
    """
    _, until = search.span(number)
    seed = search.seeds[0]
    states = (_state(search, folder, trial, until) if number > 1 else None for trial in trials)
    tasks = (Task(trial, seed, state, until) for trial, state in zip(trials, states, strict=True))
    for done in _parallel(search, tasks):
        yield Row(number, done.trial, *_figures(folder, done, until))


def _run_finals(search: Search, folder: Path, first: list[Final], bar: Any) -> list[Final]:
    """Run the finalists with the other seeds, too; returns all rows of finals.csv, sorted."""
    recorded: list[Final] = _recorded(search, folder / "finals.csv", Final)
    finals = [*first, *(final for final in recorded if final.seed != search.seeds[0])]
    done = {(final.trial, final.seed) for final in finals}
    until, others = search.rounds[-1], search.seeds[1:]
    waiting = [(final.trial, seed) for final in first for seed in others]
    bar.update((len(finals) - len(first)) * until)
    tasks = (Task(*pair, None, until) for pair in waiting if pair not in done)
    with _begin(search, folder / "finals.csv", Final, finals) as table:
        for task in _parallel(search, tasks):
            final = Final(task.trial, task.seed, *_figures(folder, task, until))
            finals.append(final)
            table.write(_line(search, final))
            bar.update(until)
    finals.sort()
    with _begin(search, folder / "finals.csv", Final, finals):
        pass
    return finals


def _figures(folder: Path, done: Done, until: int) -> tuple[int, int, float, float]:
    """What a table says of a trial that has come to an end, whose state is kept on disk."""
    if done.state is None:
        return until, 0, math.nan, math.nan
    path, seconds = _checkpoint(folder, done.trial, done.seed), done.seconds
    if path.exists():
        seconds += store.restore(path)[1]
    store.save(path, done.state, seconds)
    chosen = done.state.chosen
    return done.state.epoch, chosen.epoch, chosen.valid_error, chosen.valid_loss


def _state(search: Search, folder: Path, trial: int, until: int) -> State:
    """The state of a trial that is to be trained until an epoch. Raises SettingsError."""
    seed = search.seeds[0]
    settings = dataclasses.replace(search.trials[trial].run_settings(seed), epochs=until)
    return experiment.resumed(_checkpoint(folder, trial, seed), settings, as_read(search))[0]


def _checkpoint(folder: Path, trial: int, seed: int) -> Path:
    return folder / f"checkpoint-{trial}-seed-{seed}.npz"


def _begin(search: Search, path: Path, kind: Any, rows: Iterable[Any]) -> Log:
    """A table of `kind`s, begun anew with these rows."""
    return Log(path, (*kind._fields, *search.open), [_line(search, row) for row in rows])


def _line(search: Search, row: Row | Final) -> tuple[Any, ...]:
    return (*row, *search.opened(row.trial).values())


def _recorded(search: Search, path: Path, kind: Any) -> list[Any]:
    """The rows that an interrupted search has left. Raises LogError."""
    trials = [search.opened(trial) for trial in range(len(search.trials))]
    return _of_trials(path, kind, trials) if path.exists() else []


def _parallel(search: Search, tasks: Iterable[Task]) -> Iterator[Done]:
    """Do the tasks, and yield what came of each, in the order in which they end."""
    calls = (joblib.delayed(advance)(search.trials[task.trial], task) for task in tasks)
    try:
        yield from joblib.Parallel(return_as="generator_unordered")(calls)
    except Exception as error:
        of_cluster = type(error).__module__.partition(".")[0] in CLUSTERS
        if not of_cluster and not isinstance(error, BrokenExecutor):
            raise
        raise LostError(
            "a worker ended before its trial, as where memory runs out; the same command goes on, "
            "with fewer --jobs in less memory"
        ) from error


CLUSTERS = ("distributed", "ray")


def advance(trial: Experiment, task: Task) -> Done:
    """Train a trial until an epoch, with one BLAS thread; what a worker does."""
    state, settings = task.state, trial.run_settings(task.seed)
    begun = time.perf_counter()
    with threadpool_limits(1):
        splits = _splits(trial.data, trial.valid, trial.standardize)
        epochs = train.fit(splits, settings, state, engine=fast.Steps)
        try:
            for _, reached in itertools.islice(epochs, task.until - (state.epoch if state else 0)):
                state = reached
        except DivergedError:
            state = None
    return Done(task.trial, task.seed, state, time.perf_counter() - begun)


@functools.lru_cache(maxsize=2)  # as they are, and standardized
def _splits(name: str, valid: int, standardize: bool) -> Splits:
    """The data of a trial, without the test examples: a search does not look at them."""
    splits = data.load(name, valid=valid, seed=0)
    none = Dataset(np.empty_like(splits.test.X[:0]), splits.test.y[:0].copy())
    splits = splits._replace(test=none)
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
        finalists, alive = alive, math.ceil(alive / search.factor)
    return total + finalists * (len(search.seeds) - 1) * search.rounds[-1]


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
            own: dict[str, Any] = {}
            if backend == "loky":  # elsewhere, workers are not children of this process
                own = {"initializer": processes.follow, "initargs": (os.getpid(),)}
            stack.enter_context(joblib.parallel_config(backend, n_jobs=jobs, **own))
            if not joblib.parallel.get_active_backend()[0].supports_return_generator:
                raise ValueError("it does not give results one by one")
        except (ImportError, OSError, ValueError) as error:
            raise SettingsError(
                f"backend is {shown(backend)}, which cannot be used here "
                f"({line(str(error), SHORT)}); loky always can, dask and ray where they are "
                "installed and reachable"
            ) from error
        yield


def _best_so_far(search: Search, rows: list[Row]) -> str:
    """What the progress bar says."""
    finite = [row for row in rows if math.isfinite(row.valid_error)]
    if not finite:
        return "all diverged so far"
    best = min(finite, key=lambda row: row.valid_error)
    settings = ", ".join(f"{name} {value}" for name, value in search.opened(best.trial).items())
    return f"best so far: valid {best.valid_error:.2%} ({settings})"
