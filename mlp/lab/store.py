"""A folder of results: claimed by one process, its files written whole or not at all."""

import io
import os
import platform
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import yaml
from threadpoolctl import threadpool_info

from mlp.functions import Array
from mlp.log import TEMPORARY, temporary_name
from mlp.model import Params
from mlp.settings import SettingsError
from mlp.train import Record, State

KEPT = ("checkpoint*.npz", "summary.yml", "best.yml")  # what shows that a folder holds results


@contextmanager
def claimed(folder: Path, described: dict[str, Any]) -> Iterator[None]:
    """Keep the folder for this process, with settings.yml in it, or raise SettingsError.

    The folder may be in use by another process, or hold what other settings gave. A run that never
    came to a checkpoint gave nothing: once its settings are corrected, the same command starts it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        lock = filelock.FileLock(folder / ".lock").acquire(blocking=False)
    except filelock.Timeout as error:
        raise SettingsError(f"{folder}: another process writes here; let it end") from error
    with lock:
        _tidy(folder)
        path, content = folder / "settings.yml", as_yaml(described)
        if path.exists() and path.read_bytes() != content:
            _forget(folder, others(_mapping(path), described))
        write_atomically(path, content)
        yield


def _tidy(folder: Path) -> None:
    """Remove what a killed process was writing."""
    for unfinished in folder.glob(f"*{TEMPORARY}"):
        unfinished.unlink()


def _forget(folder: Path, other: list[str]) -> None:
    """Remove the tables of a run that gave no results; raise SettingsError if there are any."""
    for kept in KEPT:
        if any(folder.glob(kept)):
            raise SettingsError(
                f"{folder}: holds results of other settings, code or data ({', '.join(other)}); "
                "delete the folder or rename the file of settings"
            )
    for table in folder.glob("*.csv"):
        table.unlink()


def _mapping(path: Path) -> dict[str, Any]:
    """What a file of settings says; nothing where it is damaged."""
    try:
        return dict(yaml.safe_load(path.read_text()))
    except (yaml.YAMLError, ValueError, TypeError):
        return {}


def others(recorded: Mapping[str, Any], described: Mapping[str, Any]) -> list[str]:
    """The keys that are described otherwise than recorded; those below a key after a dot."""
    found = []
    for key in {**recorded, **described}:
        old, new = recorded.get(key), described.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found += [f"{key}.{below}" for below in others(old, new)]
        elif old != new:
            found.append(key)
    return found


def write_atomically(path: Path, content: bytes) -> None:
    """Write under a temporary name and rename: readers see the old file or the new one."""
    temporary = temporary_name(path)
    try:
        with temporary.open("xb") as file:  # x: never through a link that was put there
            file.write(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_yaml(path: Path, keys: dict[str, Any], note: str = "") -> None:
    """Write keys and values atomically, in their order, below a comment where there is one."""
    write_atomically(path, as_yaml(keys, note))


def as_yaml(keys: dict[str, Any], note: str = "") -> bytes:
    """Keys and values as YAML, in their order, below a comment where there is one."""
    comment = f"# {note}\n" if note else ""
    return (comment + yaml.safe_dump(keys, sort_keys=False)).encode()


def write_predictions(folder: Path, oa: Array, y: Array) -> None:
    """Write the predicted classes, (n,), and the confusion counts, (m, m), true class by row.

    `oa` are the preactivations at the output, (m, n), of the examples whose classes are y, (n,).
    """
    predictions = oa.argmax(axis=0).astype(np.uint8)
    counts = confusion(predictions, y, len(oa))
    table = "".join(",".join(map(str, row)) + "\n" for row in counts)
    write_atomically(folder / "confusion.csv", table.encode())
    buffer = io.BytesIO()
    np.save(buffer, predictions)
    write_atomically(folder / "predictions.npy", buffer.getvalue())


def confusion(predictions: Array, y: Array, m: int) -> Array:
    """How often each of m classes, in rows, was predicted as each, in columns: (n,), (n,)."""
    counts = np.zeros((m, m), int)
    np.add.at(counts, (y, predictions), 1)
    return counts


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
    """Read a checkpoint: the state, and the seconds of training behind it.

    Raises SettingsError if the file is damaged.
    """
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


def machine() -> dict[str, str | int]:
    """The hardware and the versions that a measurement depends on."""
    blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": _joined(f"{pool['internal_api']} {pool['version']}" for pool in blas),
        "kernel": _joined(pool.get("architecture") for pool in blas),
    }


def arithmetic(machine: Mapping[str, Any]) -> tuple[Any, ...]:
    """What of a machine decides how products of matrices are rounded."""
    return tuple(machine.get(key) for key in ("numpy", "blas", "kernel"))


def _joined(words: Iterable[str | None]) -> str:
    return ", ".join(sorted({word for word in words if word})) or "unknown"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if "model name" in line:
                return line.split(":")[1].strip()
    return platform.processor() or platform.machine()
