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
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import MISSING
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import yaml
from tqdm import tqdm

from mlp import data, fast, log, regularize, train
from mlp.data import Dataset, Splits
from mlp.functions import Array
from mlp.lab import origin, store, summary
from mlp.log import Log
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
    return type(value) is int and value >= 1


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _are_different(seeds: object) -> bool:
    if not isinstance(seeds, list) or not seeds:
        return False
    return len({str(seed) for seed in seeds}) == len(seeds)


DATA = ("circles", "fashion-mnist")  # the names that data.load knows
IMAGES_ONLY = ("flips", "shifts", "cutout", "mirrored")
RULES = {  # for the keys beside those of Settings
    "data": Rule("the data set", " or ".join(DATA), lambda value: value in DATA),
    "valid": Rule("examples kept for validation", "a whole number >= 1", _is_positive),
    "seeds": Rule("one run for each", "a list of different whole numbers", _are_different),
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
            raise SettingsError(f"{key} is {own[key]!r}; it must be {rule.right}")
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
            raise SettingsError(f"unknown key {key!r}; known are {', '.join(known)}")
    for key in needed:
        if key not in keys:
            raise SettingsError(f"key {key!r} is missing; add a line `{key}: …`")


def mapping(text: str) -> dict[str, Any]:
    """YAML text as keys and values. Raises SettingsError if it is something else."""
    try:
        keys = yaml.safe_load(text)
        node = yaml.compose(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that does not exist
        raise SettingsError(f"not YAML: {' '.join(str(error).split())}; mend it") from error
    if not isinstance(keys, dict) or not isinstance(node, yaml.MappingNode):
        raise SettingsError("holds no settings; write lines of the form `key: value`")
    names = [key.value for key, _ in node.value]
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"key {name!r} is given twice; keep one of them")
    return keys


def parse(text: str, name: str) -> Experiment:
    """Read YAML text. Raises SettingsError."""
    return from_mapping(mapping(text), name)


def read_file(path: Path, parser: Callable[[str, str], T]) -> T:
    """Apply a parser to a file's text and name. Raises SettingsError, which names the file."""
    try:
        return parser(path.read_text(), path.stem)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
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
    folder = results / experiment.name
    runs = []
    for seed, about in described(experiment, splits).items():
        _run_seed(experiment, seed, splits, about, folder / f"seed-{seed}")
        runs.append(folder / f"seed-{seed}")
    if len(runs) > 1:
        over = summary.over_runs([summary.at_chosen(run) for run in runs])
        store.write_yaml(folder / "summary.yml", over)
    return runs


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

    Returns the last state and the seconds of training behind it. After Ctrl-C the batch is
    finished, then KeyboardInterrupt raised.
    """
    state, seconds, records = _begun(folder)
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
        _ctrl_c_held_back() as stop_if_pressed,
    ):

        def tick(batches: int) -> None:
            bar.update(batches)
            stop_if_pressed()

        before, start = seconds, time.perf_counter()
        epochs = train.fit(splits, settings, state, tick, fast.Steps)
        for record, state in epochs:
            table.write(record)
            seconds = before + time.perf_counter() - start
            store.save(folder / "checkpoint.npz", state, seconds)
            bar.set_postfix_str(_errors(record))
        stop_if_pressed()
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


def _begun(folder: Path) -> Begun:
    """Where the run in this folder stands. Raises SettingsError if the log lacks an epoch."""
    if not (folder / "checkpoint.npz").exists():
        return Begun(None, 0.0, [])
    state, seconds = store.restore(folder / "checkpoint.npz")
    records = log.read(folder / "log.csv")[: state.epoch]  # a killed run may have logged one more
    if len(records) < state.epoch:
        raise SettingsError(f"{folder}: log.csv lacks epochs of checkpoint.npz; delete the folder")
    return Begun(state, seconds, records)


@contextlib.contextmanager
def _ctrl_c_held_back() -> Iterator[Callable[[], None]]:
    """Hold Ctrl-C back: inside, the yielded function raises KeyboardInterrupt if one came."""
    pressed: list[int] = []

    def stop_if_pressed() -> None:
        if pressed:
            raise KeyboardInterrupt

    previous = signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    try:
        yield stop_if_pressed
    finally:
        signal.signal(signal.SIGINT, previous)


def describe(folder: Path) -> str:
    """One line on a finished run."""
    chosen = Record(**summary.at_chosen(folder))
    return f"{folder}: epoch {chosen.epoch} chosen; {_errors(chosen)}"


def _errors(record: Record) -> str:
    return (
        f"train {record.train_error:.2%}, valid {record.valid_error:.2%}, "
        f"test {record.test_error:.2%}"
    )
