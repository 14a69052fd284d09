"""A recorded experiment: YAML settings -> runs -> results/NAME/seed-S/.

Each run leaves small files, the evidence that the report plots: log.csv (six figures an epoch),
settings.yml (settings, and digests of the code and the data that the run depends on), summary.yml
(the same, chosen epoch and its figures, how long, on what) and, of the test examples at the chosen
epoch, predictions.npy (classes) and confusion.csv (counts, true class by predicted). checkpoint.npz
is for going on.
"""

import contextlib
import dataclasses
import math
import re
import time
from collections.abc import Callable
from dataclasses import MISSING
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from tqdm import tqdm

from mlp import data, fast, files, log, processes, regularize, train
from mlp.data import Dataset, Splits
from mlp.functions import Array
from mlp.lab import origin, store, summary
from mlp.log import Log
from mlp.mapping import MappingError
from mlp.mapping import parse as parse_yaml
from mlp.messages import line, shown
from mlp.settings import Settings, SettingsError
from mlp.train import DivergedError, Record, State

T = TypeVar("T")

# --- what a file says ----------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Experiment:
    """What a file experiments/NAME.yml says."""

    name: str
    data: str
    valid: int  # validation examples
    standardize: bool  # to mean 0 and standard deviation 1 over all values of the training part
    refit: bool  # train on the validation examples, too, once they have chosen the settings
    seeds: tuple[int, ...]
    settings: Settings

    def run_settings(self, seed: int) -> Settings:
        """The settings of the run with this seed."""
        return dataclasses.replace(self.settings, seed=seed)

    def splits(self) -> Splits:
        """The data, prepared."""
        splits = data.load(self.data, valid=self.valid, seed=0)
        return prepared(splits, standardize=self.standardize, refit=self.refit)


def prepared(splits: Splits, *, standardize: bool, refit: bool) -> Splits:
    """Standardize, in place, by the training part's mean; move the validation part into it."""
    if refit:
        train, valid, test = splits
        joined = Dataset(np.concatenate([train.X, valid.X]), np.concatenate([train.y, valid.y]))
        splits = Splits(joined, Dataset(valid.X[:0], valid.y[:0]), test)
    if standardize:
        standard = regularize.standardizing(splits.train.X)
        for part in splits:
            standard.apply(part.X, out=part.X)  # in place, to hold the data once
    return splits


class Rule(NamedTuple):
    """What a key means, and what its value must be; without a default, it must be there."""

    means: str
    right: str
    ok: Callable[[Any], bool]
    default: Any = MISSING


def _is_positive(value: object) -> bool:
    return type(value) is int and 1 <= value < 2**31


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _are_different(seeds: object) -> bool:
    if not isinstance(seeds, list) or not 1 <= len(seeds) <= MOST_SEEDS:
        return False
    return all(type(seed) is int for seed in seeds) and len(set(seeds)) == len(seeds)


MOST_SEEDS = 1000
DATA = ("circles", "fashion-mnist")  # the names that data.load knows
IMAGES_ONLY = ("flips", "shifts", "cutout", "mirrored")
RULES = {  # for the keys beside those of Settings
    "data": Rule("the data set", " or ".join(DATA), lambda value: value in DATA),
    "valid": Rule("examples kept for validation", "a whole number >= 1 and < 2^31", _is_positive),
    "seeds": Rule(
        "one run for each", f"a list of 1 to {MOST_SEEDS} different whole numbers", _are_different
    ),
    "standardize": Rule("inputs of mean 0 and deviation 1", "true or false", _is_flag, False),
    "refit": Rule("train on the validation examples, too", "true or false", _is_flag, False),
}


def from_mapping(keys: dict[str, Any], name: str) -> Experiment:
    """Check the keys data, valid, seeds, standardize, refit, and those of Settings except seed.

    Raises SettingsError, naming key, value and remedy.
    """
    _check_names(keys)
    own = {key: keys.get(key, rule.default) for key, rule in RULES.items()}
    for key, rule in RULES.items():
        if not rule.ok(own[key]):
            raise SettingsError(f"{key} is {shown(own[key])}; it must be {rule.right}")
    shared = {key: value for key, value in keys.items() if key not in RULES}
    of_runs = [Settings(**shared, seed=seed) for seed in own["seeds"]]  # which checks every seed
    for key in IMAGES_ONLY:
        if own["data"] == "circles" and keys.get(key):
            raise SettingsError(f"{key} is {keys[key]}; circles are no images: leave {key} out")
    own["seeds"] = tuple(own["seeds"])
    return Experiment(name=name, settings=of_runs[0], **own)


def _check_names(keys: dict[str, Any]) -> None:
    """Refuse keys that are unknown, and a mapping that lacks a key without default."""
    fields = [field for field in dataclasses.fields(Settings) if field.name != "seed"]
    known = [*RULES, *(field.name for field in fields)]
    needed = [key for key, rule in RULES.items() if rule.default is MISSING]
    needed += [field.name for field in fields if field.default is MISSING]
    for key in keys:
        if key not in known:
            raise SettingsError(f"unknown key {shown(key)}; known are {', '.join(known)}")
    for key in needed:
        if key not in keys:
            raise SettingsError(f"key {key!r} is missing; add a line `{key}: …`")


def mapping(text: str) -> dict[str, Any]:
    """YAML text as keys and values. Raises SettingsError if it is something else."""
    try:
        return parse_yaml(text)
    except MappingError as error:
        raise SettingsError(str(error)) from error


def parse(text: str, name: str) -> Experiment:
    """Read YAML text. Raises SettingsError."""
    return from_mapping(mapping(text), name)


MOST_BYTES = 100_000  # of a file of settings
PLAIN_NAME = re.compile(r"\w[\w .+-]{0,99}")


def require_plain(name: str) -> str:
    """The name itself. Raises SettingsError if it could lead out of the folder of results."""
    if not PLAIN_NAME.fullmatch(name):
        raise SettingsError(
            f"the name is {shown(name)}; results need one of at most 100 letters, digits and "
            "_ - . + or spaces that begins with a letter or a digit"
        )
    return name


def read_file(path: Path, parser: Callable[[str, str], T]) -> T:
    """Apply a parser to a file's text and name. Raises SettingsError, which names the file."""
    try:
        return parser(files.text(path, MOST_BYTES), require_plain(path.stem))
    except (OSError, UnicodeDecodeError) as error:
        why = line(str(error.strerror if isinstance(error, OSError) else error))
        raise SettingsError(f"{path}: cannot be read ({why}); name a file of settings") from error
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error


def load(path: Path) -> Experiment:
    """Read an experiment file. Raises SettingsError, naming file, key, value and remedy."""
    return read_file(path, parse)


# --- running it ----------------------------------------------------------------------------------


def run(experiment: Experiment, results: Path) -> list[Path]:
    """Train once per seed, into results/NAME/seed-S/, going on where a run was interrupted.

    Returns the folders. A finished run of the same settings, code and data is left as it is. Raises
    DataError, DivergedError, and SettingsError if a folder holds another run or is in use by
    another process.
    """
    splits = experiment.splits()
    require_room(experiment.settings, splits)
    folder = results / experiment.name
    runs = []
    for seed, about in described(experiment, splits).items():
        _run_seed(experiment, seed, splits, about, folder / f"seed-{seed}")
        runs.append(folder / f"seed-{seed}")
    if len(runs) > 1:
        over = summary.over_runs([summary.at_chosen(run) for run in runs])
        store.update_yaml(folder / "summary.yml", over)
    return runs


MOST_NUMBERS = 10**8  # in a layer of weights, and what it makes of a minibatch: some gigabytes


def require_room(settings: Settings, splits: Splits) -> None:
    """Raise SettingsError if settings go beyond the data, or beyond what memory may hold."""
    (n, d), K, d_h = splits.train.X.shape, settings.K, settings.d_h
    if n < K:
        raise SettingsError(f"K is {K}; it must be at most {n}, as there are no more examples")
    if d_h * (d + K) > MOST_NUMBERS:
        raise SettingsError(
            f"d_h is {d_h}, and K {K}: with {d} inputs, that takes too much memory; choose less"
        )
    if settings.shifts > math.isqrt(d):
        raise SettingsError(f"shifts is {settings.shifts}; it must be at most {math.isqrt(d)}")


def described(experiment: Experiment, splits: Splits | None) -> dict[int, dict[str, Any]]:
    """What settings.yml says of the run with each seed: all that it depends on, but the machine.

    Where the data are not at hand, what is said of them is left out.
    """
    shared: dict[str, Any] = {"data": experiment.data}
    if splits:
        shared["examples"] = {name: len(part.y) for name, part in splits._asdict().items()}
        shared["arrays"] = origin.arrays(splits)
    shared["standardize"] = experiment.standardize
    shared["refit"] = experiment.refit
    shared["code"] = origin.code(origin.TRAINING)
    return {
        seed: shared | {"settings": dataclasses.asdict(experiment.run_settings(seed))}
        for seed in experiment.seeds
    }


def _run_seed(
    experiment: Experiment, seed: int, splits: Splits, about: dict[str, Any], folder: Path
) -> None:
    """Finish the run with this seed, unless its summary says that it is finished."""
    if store.finished(folder, about):
        return
    settings = experiment.run_settings(seed)
    with store.claimed(folder, about):
        if (folder / "summary.yml").exists():
            return
        try:
            state, seconds = _train(experiment.name, settings, splits, folder)
        except DivergedError as error:
            raise DivergedError(f"{folder}: {error}") from error
        oa = train.outputs(state.best, splits.test.X, settings.mirrored)
        store.write_predictions(folder, oa, splits.test.y)
        reached = {
            "first_losses": first_losses(splits, settings),
            "chosen": state.chosen._asdict(),
            "epochs": state.epoch,
            "seconds": round(seconds, 3),
            "machine": store.machine(),
        }
        summary.write(folder, about | reached)


def _train(name: str, settings: Settings, splits: Splits, folder: Path) -> tuple[State, float]:
    """Train from where the folder stands to the end, with log, checkpoints and a progress bar.

    Returns the last state and the seconds of training behind it. After Ctrl-C or SIGTERM the batch
    is finished, then KeyboardInterrupt raised.
    """
    state, seconds, records = _begun(folder, settings, splits)
    n_batches = math.ceil(len(splits.train.y) / settings.K)
    with (
        Log(folder / "log.csv", Record._fields, records) as table,
        tqdm(
            total=settings.epochs * n_batches,
            initial=len(records) * n_batches,
            desc=f"{name}, seed {settings.seed}",
            unit="batch",
            mininterval=0.5,
        ) as bar,
        processes.held_back() as stop_if_asked,
    ):

        def tick(batches: int) -> None:
            bar.update(batches)
            stop_if_asked()

        before, start = seconds, time.perf_counter()
        epochs = train.fit(splits, settings, state, tick, fast.Steps)
        for record, state in epochs:
            table.write(record)
            seconds = before + time.perf_counter() - start
            store.save(folder / "checkpoint.npz", state, seconds)
            bar.set_postfix_str(_errors(record))
        stop_if_asked()
    assert state is not None
    return state, seconds


FIRST = 10  # minibatches, before kernels of BLAS, which round differently, drift apart


class _EnoughError(Exception):
    """The first minibatches are done."""


def first_losses(splits: Splits, settings: Settings) -> list[float]:
    """The average loss of each of a run's first minibatches, before its step.

    Wherever the same code trains on the same data, they are the same to a relative 1e-5; later,
    training magnifies what rounding does.
    """
    losses: list[float] = []

    class Watched(fast.Steps):
        def run(self, X: Array, y: Array, order: Array, eta: Array) -> tuple[int, Array]:
            wrong, sums = super().run(X, y, order, eta)
            starts = range(0, len(order), settings.K)
            sizes = [min(settings.K, len(order) - start) for start in starts]
            losses.extend((sums / sizes).tolist())
            return wrong, sums

    def tick(_: int) -> None:
        if len(losses) >= FIRST:
            raise _EnoughError

    with contextlib.suppress(_EnoughError):
        next(train.fit(splits, settings, None, tick, Watched))
    return losses[:FIRST]


class Begun(NamedTuple):
    """Where a run stands."""

    state: State | None
    seconds: float  # of training
    records: list[Record]  # of the epochs that led to the state


def _begun(folder: Path, settings: Settings, splits: Splits) -> Begun:
    """Where the run in this folder stands. Raises SettingsError if log and checkpoint disagree."""
    if not (folder / "checkpoint.npz").exists():
        return Begun(None, 0.0, [])
    state, seconds = resumed(folder / "checkpoint.npz", settings, splits)
    records = log.read(folder / "log.csv")[: state.epoch]  # a killed run may have logged one more
    if len(records) < state.epoch:
        raise SettingsError(f"{folder}: log.csv lacks epochs of checkpoint.npz; delete the folder")
    if repr(summary.stopped(records, settings.patience)) != repr(state.chosen):  # as nan is nan
        raise SettingsError(
            f"{folder}: log.csv and checkpoint.npz are of different runs; delete the folder"
        )
    return Begun(state, seconds, records)


def resumed(path: Path, settings: Settings, splits: Splits) -> tuple[State, float]:
    """The state of a checkpoint of such a run, and the seconds of training behind it.

    Raises SettingsError if it is damaged, or of another network or data.
    """
    state, seconds = store.restore(path)
    X, m = splits.train.X, 1 + max(int(part.y.max(initial=0)) for part in splits)
    (d_h, d), dtype = state.params.W1.shape, state.params.W1.dtype
    said = f"{d_h} hidden units, {d} inputs, {len(state.params.W2)} classes, {dtype}"
    right = f"{settings.d_h} hidden units, {X.shape[1]} inputs, {m} classes, {X.dtype}"
    if said != right:
        raise SettingsError(f"{path}: a network of {said}; it must have {right}: delete it")
    if state.epoch > settings.epochs:
        raise SettingsError(
            f"{path}: reached epoch {state.epoch}; it must be at most {settings.epochs}: delete it"
        )
    return state, seconds


def describe(folder: Path) -> str:
    """One line on a finished run."""
    figures = summary.at_chosen(folder)
    chosen = Record(*(figures[name] for name in Record._fields))
    return f"{folder}: epoch {chosen.epoch} chosen; {_errors(chosen)}"


def _errors(record: Record) -> str:
    return (
        f"train {record.train_error:.2%}, valid {record.valid_error:.2%}, "
        f"test {record.test_error:.2%}"
    )
