"""A recorded experiment: YAML settings -> runs -> results/NAME/seed-S/.

Each run leaves three small files, the evidence that the report plots: log.csv (six figures an
epoch), summary.yml (settings, chosen epoch and its figures, how long, on what), predictions.npy
(the classes predicted for the test examples at the chosen epoch). checkpoint.npz is for going on.
"""

import dataclasses
import os
import platform
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import yaml
from tqdm import tqdm

from mlp import data, train
from mlp.log import Log, Record, read
from mlp.model import Params, predict
from mlp.train import Settings, SettingsError, State


@dataclasses.dataclass(frozen=True)
class Experiment:
    """What a file experiments/NAME.yml says."""

    name: str
    data: str
    valid: int  # validation examples
    seeds: tuple[int, ...]
    settings: Settings

    def run_settings(self, seed: int) -> Settings:
        """The settings of the run with this seed."""
        return dataclasses.replace(self.settings, seed=seed)


def parse(text: str, name: str) -> Experiment:
    """Read YAML text: keys data, valid, seeds, and those of train.Settings except seed.

    Raises SettingsError, naming key, value and remedy.
    """
    try:
        keys = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SettingsError(f"not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(keys, dict):
        raise SettingsError("not a list of `key: value` lines")
    known = [f.name for f in dataclasses.fields(Settings) if f.name != "seed"]
    own = ["data", "valid", "seeds"]
    for key in keys:
        if key not in known + own:
            raise SettingsError(f"unknown key {key!r}; known are {', '.join(own + known)}")
    for key in [*own, "d_h", "eta", "epochs"]:
        if key not in keys:
            raise SettingsError(f"key {key!r} is missing")
    source, valid, seeds = (keys.pop(key) for key in own)
    if source not in ("circles", "fashion-mnist"):
        raise SettingsError(f"data is {source!r}; it must be circles or fashion-mnist")
    if type(valid) is not int or valid < 1:
        raise SettingsError(f"valid is {valid!r}; it must be a whole number >= 1")
    if not isinstance(seeds, list) or not seeds or len(set(map(str, seeds))) < len(seeds):
        raise SettingsError(f"seeds is {seeds!r}; it must be a list of different whole numbers")
    for seed in seeds:
        Settings(**keys, seed=seed)
    return Experiment(name, source, valid, tuple(seeds), Settings(**keys))


def load(path: Path) -> Experiment:
    """Read an experiment file. Raises SettingsError, naming file, key, value and remedy."""
    try:
        return parse(path.read_text(), path.stem)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read ({error})") from error
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error


def run(experiment: Experiment, results: Path) -> list[Path]:
    """Train once per seed, into results/NAME/seed-S/, going on where a run was interrupted.

    Returns the folders. A finished run of the same settings is left as it is. Raises
    SettingsError if the folder holds a run of other settings, or is in use by another process.
    """
    splits = data.load(experiment.data, valid=experiment.valid, seed=0)
    folders = []
    for seed in experiment.seeds:
        folder = results / experiment.name / f"seed-{seed}"
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / ".lock")
        try:
            with lock.acquire(blocking=False):
                _run_one(experiment, experiment.run_settings(seed), splits, folder)
        except filelock.Timeout as error:
            raise SettingsError(f"{folder}: another process trains here; let it end") from error
        folders.append(folder)
    return folders


def _run_one(experiment: Experiment, settings: Settings, splits: data.Splits, folder: Path) -> None:
    described = {
        "data": experiment.data,
        "examples": {name: len(part.y) for name, part in splits._asdict().items()},
        "settings": dataclasses.asdict(settings),
    }
    _claim(folder, described)
    if (folder / "summary.yml").exists():
        return
    checkpoint = folder / "checkpoint.npz"
    state, seconds = restore(checkpoint) if checkpoint.exists() else (None, 0.0)
    done = state.epoch if state else 0
    n_batches = -(-len(splits.train.y) // settings.K)
    with (
        Log(folder / "log.csv", keep=done) as log,
        tqdm(
            total=settings.epochs * n_batches,
            initial=done * n_batches,
            desc=f"{experiment.name}, seed {settings.seed}",
            unit="batch",
            mininterval=0.5,
        ) as bar,
        _interrupts_between_batches() as interrupted,
    ):

        def tick() -> None:
            bar.update()
            if interrupted():
                raise KeyboardInterrupt

        begun = time.perf_counter()
        for record, reached in train.fit(splits, settings, state, tick):
            log.write(record)
            now = time.perf_counter()
            seconds, begun = seconds + now - begun, now
            state = reached
            save(checkpoint, state, seconds)
            bar.set_postfix_str(_figures(record))
    assert state is not None
    _finish(folder, described, state, seconds, splits)
    checkpoint.unlink(missing_ok=True)


def _figures(record: Record) -> str:
    return ", ".join(
        f"{part} {getattr(record, part + '_error'):.2%}" for part in ("train", "valid", "test")
    )


def _claim(folder: Path, described: dict[str, Any]) -> None:
    """Write settings.yml, or check that the one there says the same."""
    path, text = folder / "settings.yml", yaml.safe_dump(described, sort_keys=False)
    if path.exists() and path.read_text() != text:
        raise SettingsError(
            f"{folder}: holds a run with other settings (settings.yml); "
            "delete the folder or rename the experiment"
        )
    write_atomically(path, text.encode())


def _finish(
    folder: Path, described: dict[str, Any], state: State, seconds: float, splits: data.Splits
) -> None:
    predictions = predict(state.best, splits.test.X.T).astype(np.uint8)
    with (folder / "predictions.tmp").open("wb") as file:
        np.save(file, predictions)
    (folder / "predictions.tmp").replace(folder / "predictions.npy")
    chosen = read(folder / "log.csv")[state.best_epoch - 1]
    summary = {
        "chosen": chosen._asdict(),
        "epochs": state.epoch,
        "seconds": round(seconds, 1),
        "machine": machine(),
    }
    write_atomically(
        folder / "summary.yml", yaml.safe_dump(described | summary, sort_keys=False).encode()
    )


def describe(folder: Path) -> str:
    """One line on a finished run."""
    chosen = yaml.safe_load((folder / "summary.yml").read_text())["chosen"]
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
    """Write a checkpoint atomically."""
    arrays: dict[str, Any] = {
        "epoch": state.epoch,
        "best_epoch": state.best_epoch,
        "best_error": state.best_error,
        "seconds": seconds,
    }
    for prefix, params in (("params", state.params), ("best", state.best)):
        arrays |= {f"{prefix}_{name}": array for name, array in params._asdict().items()}
    temporary = path.with_name(path.stem + ".tmp.npz")
    np.savez(temporary, **arrays)
    temporary.replace(path)


def restore(path: Path) -> tuple[State, float]:
    """Read a checkpoint. Raises SettingsError if the file is damaged."""
    try:
        with np.load(path) as saved:
            params, best = (
                Params(*(saved[f"{prefix}_{name}"] for name in Params._fields))
                for prefix in ("params", "best")
            )
            state = State(
                int(saved["epoch"]),
                params,
                int(saved["best_epoch"]),
                float(saved["best_error"]),
                best,
            )
            return state, float(saved["seconds"])
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise SettingsError(f"{path}: damaged checkpoint ({error}); delete its folder") from error


@contextmanager
def _interrupts_between_batches() -> Iterator[Any]:
    """Hold Ctrl-C back until asked: inside, call the yielded function to learn of one."""
    pressed: list[int] = []
    previous = signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, previous)
