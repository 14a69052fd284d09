"""A folder of results: claimed by one process, its files written whole or not at all."""

import io
import math
import os
import platform
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import filelock
import numpy as np
import yaml
from threadpoolctl import threadpool_info

from mlp import files
from mlp.functions import Array
from mlp.mapping import MappingError, parse
from mlp.messages import SHORT, line
from mlp.model import Params
from mlp.settings import SettingsError
from mlp.train import Record, State

KEPT = ("checkpoint*.npz", "summary.yml", "best.yml")  # what shows that a folder holds results
TABLES = "*.csv"
MOST_YAML = 5_000_000  # bytes of settings.yml or summary.yml
MOST_PREDICTIONS = 10_000_000  # bytes of predictions.npy
MOST_ARRAYS = 4_000_000_000  # bytes of a checkpoint


def finished(folder: Path, described: dict[str, Any]) -> bool:
    """Whether the folder holds all results of what is described so; it need not be claimed then."""
    try:
        settings = files.content(folder / "settings.yml", MOST_YAML)
    except OSError:
        return False
    return settings == as_yaml(described) and (folder / "summary.yml").exists()


@contextmanager
def claimed(folder: Path, described: dict[str, Any]) -> Iterator[None]:
    """Keep the folder for this process, with settings.yml in it, or raise SettingsError.

    The folder may be in use by another process, or hold what other settings gave, or nobody knows
    which. A run that never came to a checkpoint gave nothing: once its settings are corrected, the
    same command starts it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        lock = filelock.FileLock(folder / ".lock").acquire(blocking=False)
    except filelock.Timeout as error:
        raise SettingsError(f"{folder}: another process writes here; let it end") from error
    with lock:
        _tidy(folder)
        path, content = folder / "settings.yml", as_yaml(described)
        if not path.exists():
            _refuse_foreign(folder)
        elif files.content(path, MOST_YAML) != content:
            _forget(folder, others(_mapping(path), described))
        files.write_atomically(path, content)
        yield


def _tidy(folder: Path) -> None:
    """Remove what a killed process was writing."""
    for unfinished in folder.glob(f"*{files.TEMPORARY}"):
        unfinished.unlink()


def _refuse_foreign(folder: Path) -> None:
    """Raise SettingsError if results lie here of which nothing says what they are of."""
    for pattern in (*KEPT, TABLES):
        for path in folder.glob(pattern):
            raise SettingsError(
                f"{folder}: holds {path.name}, but no settings.yml that says of what; restore it "
                "or delete the folder"
            )


def _forget(folder: Path, other: list[str]) -> None:
    """Remove the tables of a run that gave no results; raise SettingsError if there are any."""
    for kept in KEPT:
        if any(folder.glob(kept)):
            raise SettingsError(
                f"{folder}: holds results of other settings, code or data ({', '.join(other)}); "
                "delete the folder or rename the file of settings"
            )
    for table in folder.glob(TABLES):
        table.unlink()


def _mapping(path: Path) -> dict[str, Any]:
    """What a file of settings says; nothing where it is damaged."""
    try:
        return parse(files.text(path, MOST_YAML))
    except (OSError, UnicodeDecodeError, MappingError):
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


def write_yaml(path: Path, keys: dict[str, Any], note: str = "") -> None:
    """Write keys and values atomically, in their order, below a comment where there is one."""
    files.write_atomically(path, as_yaml(keys, note))


def update_yaml(path: Path, keys: dict[str, Any]) -> None:
    """Write keys and values unless the file says them already: it may be where none can write."""
    if not path.exists() or path.read_bytes() != as_yaml(keys):
        write_yaml(path, keys)


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
    files.write_atomically(folder / "confusion.csv", table.encode())
    buffer = io.BytesIO()
    np.save(buffer, predictions)
    files.write_atomically(folder / "predictions.npy", buffer.getvalue())


def read_predictions(folder: Path) -> Array:
    """Read the predicted classes, (n,). Raises OSError, and ValueError if the file is damaged."""
    path = folder / "predictions.npy"
    try:
        with warnings.catch_warnings(action="error"):
            predictions = np.load(io.BytesIO(files.content(path, MOST_PREDICTIONS)))
    except OSError:
        raise
    except Exception as error:  # numpy raises of any kind where a file is damaged
        raise ValueError(line(f"{path}: {error}", SHORT)) from error
    if not isinstance(predictions, np.ndarray) or predictions.dtype != np.uint8:
        raise ValueError(f"{path}: no classes of bytes")
    if predictions.ndim != 1 or not predictions.size:
        raise ValueError(f"{path}: of shape {predictions.shape}; it must be (n,)")
    return predictions


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
    files.write_atomically(path, buffer.getvalue())


def restore(path: Path) -> tuple[State, float]:
    """Read a checkpoint: the state, and the seconds of training behind it.

    Raises SettingsError if the file is damaged, or holds no state that training can leave behind.
    """
    try:
        with warnings.catch_warnings(action="error"), files.opened(path) as file:
            _refuse_packed(file)
            with np.load(file) as saved:
                state, seconds = _state(saved), float(saved["seconds"])
        _check(state)
        if not 0 <= seconds < math.inf:
            raise ValueError(f"{seconds} seconds of training")
    except Exception as error:  # numpy and zipfile raise of any kind where a file is damaged
        why = line(str(error), SHORT)
        raise SettingsError(f"{path}: damaged checkpoint ({why}); delete it") from error
    return state, seconds


def _refuse_packed(file: BinaryIO) -> None:
    """Raise ValueError if more would come out of an archive than its size; nothing is packed."""
    size = file.seek(0, os.SEEK_END)
    if size > MOST_ARRAYS:
        raise ValueError(f"more than {MOST_ARRAYS:,} bytes")
    with zipfile.ZipFile(file) as archive:
        if sum(member.file_size for member in archive.infolist()) > size:
            raise ValueError("it says that more is in it than its size")
    file.seek(0)


def _state(saved: Mapping[str, Array]) -> State:
    """The arrays of a checkpoint as a state."""
    params, velocity, best = (
        Params(*(saved[f"{group}_{name}"] for name in Params._fields))
        for group in ("params", "velocity", "best")
    )
    epoch, *figures = saved["chosen"].tolist()
    return State(_whole(saved["epoch"]), params, velocity, Record(_whole(epoch), *figures), best)


def _whole(number: Any) -> int:
    """A number as an int. Raises ValueError unless it is whole."""
    if float(number) != int(number):
        raise ValueError(f"{number} is no number of epochs")
    return int(number)


def _check(state: State) -> None:
    """Raise ValueError unless training can have come to this state."""
    if not 1 <= state.chosen.epoch <= state.epoch < 2**31:
        raise ValueError(f"epoch {state.chosen.epoch} chosen of {state.epoch}")
    for name, figure in state.chosen._asdict().items():
        if math.isinf(figure) or figure < 0:
            raise ValueError(f"{name} is {figure}")
    (d_h, d), m = state.params.W1.shape, len(state.params.W2)
    shapes = (d_h, d), (d_h, 1), (m, d_h), (m, 1)
    for group in ("params", "velocity", "best"):
        for name, array, shape in zip(Params._fields, getattr(state, group), shapes, strict=True):
            if array.shape != shape or array.dtype != state.params.W1.dtype:
                raise ValueError(f"{group} {name} is of shape {array.shape}, {array.dtype}")
            if array.dtype not in (np.float32, np.float64) or not np.isfinite(array).all():
                raise ValueError(f"{group} {name} holds what is no finite number")


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
        for row in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if "model name" in row:
                return row.split(":")[1].strip()
    return platform.processor() or platform.machine()
