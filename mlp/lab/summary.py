"""What recorded runs say in short: summaries, logs, means over seeds, and how sure they are."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mlp import files, log, train
from mlp.lab import store
from mlp.lab.origin import digest
from mlp.mapping import MappingError, parse
from mlp.settings import SettingsError
from mlp.train import Record

EVIDENCE = ("settings.yml", "*.csv", "*.npy", "best.yml")
SEAL = b"seal: "


def write(folder: Path, keys: Mapping[str, Any]) -> None:
    """Write summary.yml: these keys, a digest of each file of evidence beside it, and a seal.

    The seal is a digest of all that stands above it: it shows if a line is changed later.
    """
    beside = sorted(path for pattern in EVIDENCE for path in folder.glob(pattern))
    digests = {path.name: digest(path.read_bytes()) for path in beside}
    content = store.as_yaml({**keys, "files": digests})
    files.write_atomically(folder / "summary.yml", content + _sealed(content))


def _sealed(content: bytes) -> bytes:
    """The line that seals this content."""
    return SEAL + f"'{digest(content)}'\n".encode()  # in quotes: never a number


def edited(folder: Path) -> list[str]:
    """The files of a result that are not as they were recorded, summary.yml among them."""
    content = (folder / "summary.yml").read_bytes()
    above = content[: content.rfind(SEAL)]
    changed = [] if content == above + _sealed(above) else ["summary.yml"]
    recorded_files = read(folder).get("files", {})
    if not isinstance(recorded_files, dict):
        return ["summary.yml"]
    for name, recorded in recorded_files.items():
        path = folder / name
        if not path.exists() or digest(path.read_bytes()) != recorded:
            changed.append(name)
    return changed


class Said(dict[str, Any]):
    """What a summary says by key. Raises SettingsError for a key that it lacks."""

    def __init__(self, folder: Path, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.folder = folder

    def __missing__(self, key: str) -> Any:
        raise _damaged(self.folder, f"it lacks {key}")


def read(folder: Path) -> Said:
    """What summary.yml of a run, an experiment or an average says.

    Raises SettingsError if it is damaged, and OSError if it is not there.
    """
    try:
        return Said(folder, parse(files.text(folder / "summary.yml", store.MOST_YAML)))
    except (UnicodeDecodeError, MappingError) as error:
        raise _damaged(folder, str(error)) from error


def at_chosen(folder: Path) -> Said:
    """The figures of the chosen epoch of a run. Raises SettingsError if they are damaged."""
    chosen = read(folder)["chosen"]
    if not isinstance(chosen, dict):
        raise _damaged(folder, "chosen has no figures")
    for name, figure in chosen.items():
        if type(figure) not in (int, float):
            raise _damaged(folder, f"{name} is no number")
    return Said(folder, chosen)


def machine(folder: Path) -> dict[str, Any]:
    """The machine that results were recorded on, as `store.machine` tells it; else nothing."""
    found = read(folder).get("machine")
    return found if isinstance(found, dict) else {}


def first_losses(folder: Path) -> list[float]:
    """The losses of a run's first minibatches, where they are recorded."""
    found = read(folder).get("first_losses")
    if not isinstance(found, list) or not all(isinstance(loss, float) for loss in found):
        return []
    return found


def pace(folder: Path) -> tuple[int, float]:
    """The epochs that a run or a search has trained, and how many seconds each of them took.

    Raises SettingsError if they are damaged.
    """
    said = read(folder)
    epochs, seconds = said["epochs"], said["seconds"]
    if type(epochs) is not int or epochs < 1 or type(seconds) not in (int, float):
        raise _damaged(folder, "epochs or seconds are no numbers")
    return epochs, seconds / epochs


def _damaged(folder: Path, why: str) -> SettingsError:
    path = folder / "summary.yml"
    return SettingsError(f"{path}: damaged summary ({why}); restore it or delete {folder}")


def read_logs(folder: Path) -> list[list[Record]]:
    """The logs of all runs of an experiment, results/NAME/seed-S/log.csv, by seed.

    Raises LogError.
    """
    runs = sorted(folder.glob("seed-*"), key=lambda run: int(run.name.removeprefix("seed-")))
    return [log.read(run / "log.csv") for run in runs]


def stopped(records: Sequence[Record], patience: int) -> Record:
    """The record that a run with this patience, of the epochs `records`, would have chosen.

    By the rule of `train.fit`.
    """
    chosen = records[0]
    for record in records:
        if train.improves(record, chosen):
            chosen = record
        if not train.patient(record.epoch, chosen, patience):
            break
    return chosen


def over_runs(runs: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Mean and standard deviation over runs, two at least, of the figures at chosen epochs."""
    summary: dict[str, Any] = {"runs": len(runs)}
    for name in Record._fields:
        values = np.array([run[name] for run in runs])
        summary[name] = {"mean": float(values.mean()), "std": float(values.std(ddof=1))}
    return summary


def median_run(folder: Path) -> Path:
    """The run of results/NAME/ whose chosen epoch has the median validation error.

    Of an even number of runs the better of the two in the middle, of equal ones the lower seed.
    """
    runs = sorted(folder.glob("seed-*"), key=lambda run: int(run.name.removeprefix("seed-")))
    in_order = sorted(runs, key=lambda run: float(at_chosen(run)["valid_error"]))
    return in_order[(len(runs) - 1) // 2]


def standard_error(error: float, n: int) -> float:
    """The standard error of an error rate, a proportion, that was counted on n examples."""
    return float(np.sqrt(error * (1 - error) / n))


def half_width(error: float, n: int) -> float:
    """Half the width of the 95 % interval of an error rate that was counted on n examples.

    By the normal approximation to the binomial distribution.
    """
    return 1.96 * standard_error(error, n)
