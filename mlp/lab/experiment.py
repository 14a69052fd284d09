"""A recorded experiment: YAML settings -> runs -> results/NAME/seed-S/.

Each run leaves small files, the evidence that the report plots: log.csv (six figures an epoch),
summary.yml (settings, chosen epoch and its figures, how long, on what) and, of the test examples at
the chosen epoch, predictions.npy (classes) and confusion.csv (counts, true class by predicted).
checkpoint.npz is for going on.
"""

import dataclasses
import io
import os
import platform
import signal
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import filelock
import numpy as np
import yaml
from tqdm import tqdm

from mlp import data, fast, regularize, train
from mlp.data import Dataset, Splits
from mlp.functions import Array
from mlp.log import Log, read
from mlp.model import Params
from mlp.settings import Settings, SettingsError
from mlp.train import DivergedError, Record, State

T = TypeVar("T")
DATA = ("circles", "fashion-mnist")  # the names that data.load knows
KEPT = ("checkpoint*.npz", "summary.yml", "best.yml")  # what shows that a folder holds results
OWN = ("data", "valid", "seeds", "standardize", "refit")  # the keys beside those of Settings


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
        joined = Dataset(*(np.concatenate(pair) for pair in zip(train, valid, strict=True)))
        splits = Splits(joined, Dataset(valid.X[:0], valid.y[:0]), test)
    if standardize:
        standard = regularize.standardizing(splits.train.X)
        for part in splits:
            standard.apply(part.X, out=part.X)  # in place, to hold the data once
    return splits


def mapping(text: str) -> dict[str, Any]:
    """YAML text as keys and values. Raises SettingsError if it is something else."""
    try:
        keys = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that does not exist
        raise SettingsError(f"not YAML: {' '.join(str(error).split())}; mend it") from error
    if not isinstance(keys, dict):
        raise SettingsError("holds no settings; write lines of the form `key: value`")
    node = yaml.compose(text)
    names = [key.value for key, _ in node.value] if isinstance(node, yaml.MappingNode) else []
    if twice := [name for name in names if names.count(name) > 1]:
        raise SettingsError(f"key {twice[0]!r} is given twice; keep one of them")
    return keys


def from_mapping(keys: dict[str, Any], name: str) -> Experiment:
    """Check the keys data, valid, seeds, standardize, refit, and those of Settings except seed.

    Raises SettingsError, naming key, value and remedy.
    """
    fields = [f for f in dataclasses.fields(Settings) if f.name != "seed"]
    known = [*OWN, *(f.name for f in fields)]
    needed = list(OWN[:3]) + [f.name for f in fields if f.default is dataclasses.MISSING]
    for key in keys:
        if key not in known:
            raise SettingsError(f"unknown key {key!r}; known are {', '.join(known)}")
    for key in needed:
        if key not in keys:
            raise SettingsError(f"key {key!r} is missing; add a line `{key}: …`")
    if keys["data"] not in DATA:
        raise SettingsError(f"data is {keys['data']!r}; it must be {' or '.join(DATA)}")
    if type(keys["valid"]) is not int or keys["valid"] < 1:
        raise SettingsError(f"valid is {keys['valid']!r}; it must be a whole number >= 1")
    flags = {key: keys.get(key, False) for key in ("standardize", "refit")}
    for key, value in flags.items():
        if type(value) is not bool:
            raise SettingsError(f"{key} is {value!r}; it must be true or false")
    seeds = keys["seeds"]
    if not isinstance(seeds, list) or not seeds or len(set(map(str, seeds))) < len(seeds):
        raise SettingsError(f"seeds is {seeds!r}; it must be a list of different whole numbers")
    settings = [Settings(**{k: keys[k] for k in keys if k not in OWN}, seed=s) for s in seeds]
    for key in ("flips", "shifts", "mirrored"):
        if keys["data"] == "circles" and keys.get(key):
            raise SettingsError(f"{key} is {keys[key]}; circles are no images: leave {key} out")
    return Experiment(
        name, keys["data"], keys["valid"], seeds=tuple(seeds), settings=settings[0], **flags
    )


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


def run(experiment: Experiment, results: Path) -> list[Path]:
    """Train once per seed, into results/NAME/seed-S/, going on where a run was interrupted.

    Returns the folders. A finished run of the same settings is left as it is. Raises DataError,
    DivergedError, and SettingsError if a folder holds a run of other settings or is in use by
    another process.
    """
    splits = experiment.splits()
    folders = []
    for seed in experiment.seeds:
        folder = results / experiment.name / f"seed-{seed}"
        settings = experiment.run_settings(seed)
        described = {
            "data": experiment.data,
            "examples": {name: len(part.y) for name, part in splits._asdict().items()},
            "standardize": experiment.standardize,
            "refit": experiment.refit,
            "settings": dataclasses.asdict(settings),
        }
        with claimed(folder, described):
            if not (folder / "summary.yml").exists():
                try:
                    _run_one(experiment.name, settings, described, splits, folder)
                except DivergedError as error:
                    raise DivergedError(f"{folder}: {error}") from error
        folders.append(folder)
    if len(folders) > 1:
        summary = yaml.safe_dump(over_seeds(folders), sort_keys=False)
        write_atomically(results / experiment.name / "summary.yml", summary.encode())
    return folders


def over_seeds(folders: list[Path]) -> dict[str, Any]:
    """Mean and standard deviation over runs of what they have at their chosen epochs."""
    chosen = [at_chosen(folder) for folder in folders]
    columns = {name: np.array([record[name] for record in chosen]) for name in Record._fields}
    return {"runs": len(folders)} | {
        name: {"mean": float(values.mean()), "std": float(values.std(ddof=1))}
        for name, values in columns.items()
    }


def at_chosen(folder: Path) -> dict[str, Any]:
    """What summary.yml has of a run's chosen epoch. Raises SettingsError if it is damaged."""
    path = folder / "summary.yml"
    try:
        return dict(yaml.safe_load(path.read_text())["chosen"])
    except (yaml.YAMLError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{path}: damaged summary; restore it or delete {folder}") from error


@contextmanager
def claimed(folder: Path, described: dict[str, Any]) -> Iterator[None]:
    """Keep the folder for this process, with settings.yml in it, or raise SettingsError.

    The folder may be in use by another process, or hold what other settings gave. A run that never
    came to a checkpoint gave nothing: once its settings are corrected, the same command starts it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / ".lock")
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout as error:
        raise SettingsError(f"{folder}: another process writes here; let it end") from error
    try:
        path, text = folder / "settings.yml", yaml.safe_dump(described, sort_keys=False)
        if path.exists() and path.read_bytes() != text.encode():
            if any(found for kept in KEPT for found in folder.glob(kept)):
                raise SettingsError(
                    f"{folder}: holds results of other settings (settings.yml); "
                    "delete the folder or rename the file of settings"
                )
            for table in folder.glob("*.csv"):
                table.unlink()
        write_atomically(path, text.encode())
        yield
    finally:
        lock.release()


def _run_one(
    name: str, settings: Settings, described: dict[str, Any], splits: Splits, folder: Path
) -> None:
    checkpoint = folder / "checkpoint.npz"
    state, seconds = restore(checkpoint) if checkpoint.exists() else (None, 0.0)
    done = state.epoch if state else 0
    kept = read(folder / "log.csv")[:done] if done else []
    if len(kept) < done:
        raise SettingsError(f"{folder}: log.csv lacks epochs of checkpoint.npz; delete the folder")
    n_batches = -(-len(splits.train.y) // settings.K)
    with (
        Log(folder / "log.csv", Record._fields, kept) as log,
        tqdm(
            total=settings.epochs * n_batches,
            initial=done * n_batches,
            desc=f"{name}, seed {settings.seed}",
            unit="batch",
            mininterval=0.5,
        ) as bar,
        _interrupts_between_batches() as interrupted,
    ):

        def tick(batches: int) -> None:
            bar.update(batches)
            if interrupted():
                raise KeyboardInterrupt

        begun = time.perf_counter()
        epochs = train.fit(splits, settings, state, tick, fast.Steps)
        for record, state in epochs:
            log.write(record)
            now = time.perf_counter()
            seconds, begun = seconds + now - begun, now
            save(checkpoint, state, seconds)
            bar.set_postfix_str(_figures(record))
        if interrupted():
            raise KeyboardInterrupt
    assert state is not None
    _finish(folder, described, state, seconds, splits)


def _figures(record: Record) -> str:
    return ", ".join(
        f"{part} {getattr(record, part + '_error'):.2%}" for part in ("train", "valid", "test")
    )


def _finish(
    folder: Path, described: dict[str, Any], state: State, seconds: float, splits: Splits
) -> None:
    oa = train.outputs(state.best, splits.test.X, described["settings"]["mirrored"])
    write_predictions(folder, oa, splits.test.y)
    summary = {
        "chosen": state.chosen._asdict(),
        "epochs": state.epoch,
        "seconds": round(seconds, 1),
        "machine": machine(),
    }
    write_atomically(
        folder / "summary.yml", yaml.safe_dump(described | summary, sort_keys=False).encode()
    )


def write_predictions(folder: Path, oa: Array, y: Array) -> None:
    """Write the predicted classes, (n,), and the confusion counts, (m, m), true class by row."""
    predictions = oa.argmax(axis=0).astype(np.uint8)
    counts = np.zeros((len(oa), len(oa)), int)
    np.add.at(counts, (y, predictions), 1)
    table = "".join(",".join(map(str, row)) + "\n" for row in counts)
    write_atomically(folder / "confusion.csv", table.encode())
    buffer = io.BytesIO()
    np.save(buffer, predictions)
    write_atomically(folder / "predictions.npy", buffer.getvalue())


def describe(folder: Path) -> str:
    """One line on a finished run."""
    chosen = at_chosen(folder)
    return f"{folder}: epoch {chosen['epoch']} chosen; {_figures(Record(**chosen))}"


def machine() -> dict[str, str | int]:
    """The hardware and the versions that a measurement depends on."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            s.split(":")[1].strip() for s in cpuinfo.read_text().splitlines() if "model name" in s
        ]
        processor = names[0] if names else processor
    return {
        "processor": processor,
        "cores": os.cpu_count() or 1,
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def write_atomically(path: Path, content: bytes) -> None:
    """Write under a temporary name and rename: readers see the old file or the new one."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(content)
    temporary.replace(path)


def save(path: Path, state: State, seconds: float) -> None:
    """Write a checkpoint atomically: parameters, velocity, epoch, and what was chosen so far.

    The state of the random generator is in it, too: each epoch draws from a generator of its own,
    which the run's seed and the epoch determine.
    """
    arrays: dict[str, Any] = {"epoch": state.epoch, "chosen": state.chosen, "seconds": seconds}
    for group in ("params", "velocity", "best"):
        for name, array in getattr(state, group)._asdict().items():
            arrays[f"{group}_{name}"] = array
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    write_atomically(path, buffer.getvalue())


def restore(path: Path) -> tuple[State, float]:
    """Read a checkpoint. Raises SettingsError if the file is damaged."""
    try:
        with path.open("rb") as file, np.load(file) as saved:
            params, velocity, best = (
                Params(*(saved[f"{group}_{name}"] for name in Params._fields))
                for group in ("params", "velocity", "best")
            )
            epoch, *figures = saved["chosen"].tolist()
            chosen = Record(int(epoch), *figures)
            state = State(int(saved["epoch"]), params, velocity, chosen, best)
            return state, float(saved["seconds"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise SettingsError(f"{path}: damaged checkpoint ({error}); delete it") from error


@contextmanager
def _interrupts_between_batches() -> Iterator[Any]:
    """Hold Ctrl-C back until asked: inside, call the yielded function to learn of one."""
    pressed: list[int] = []
    previous = signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, previous)
