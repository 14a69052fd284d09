"""The recorded run of a submission: its log, its first epochs trained again, its test error."""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from grading import gather, logs
from grading.document import Document
from grading.items import Finding, absent
from grading.limits import Runner
from grading.rubric import Run
from mlp import data
from mlp.functions import Array
from mlp.log import LogError
from mlp.train import Record

FAR = 0.03  # relative, how far figures of the first epochs may differ where rounding does
SECTION = "sec-p10"  # which says what the test error is
NOT_ASKED = "as was asked for, results are taken as they are recorded"
NOT_HERE = "Fashion-MNIST is not on this machine (`make data` fetches it)"


def findings(
    names: Sequence[str], folder: Path, document: Document, run: Run, runner: Runner
) -> dict[str, Finding]:
    """What was found of each check of CHECKS that is named."""
    try:
        logged = logs.runs(folder, run.results)
    except LogError as error:
        broken = absent(str(error)) if "no seed-S" in str(error) else Finding(0.0, str(error))
        return dict.fromkeys(names, broken)
    found = {}
    for name in names:
        if name == "log":
            found[name] = _log(logged)
        elif name == "again":
            found[name] = _again(logged, folder, run, runner)
        else:
            found[name] = _error(logged, document, run)
    return found


def not_again(run: Run) -> str:
    """Why no run is trained again; empty if one is."""
    if run.epochs == 0:
        return NOT_ASKED
    return "" if all(map(data.find, data.FASHION_MNIST)) else NOT_HERE


def _log(logged: Mapping[int, list[Record]]) -> Finding:
    """Six figures in each epoch of each run."""
    for seed, records in logged.items():
        for record in records:
            errors, losses = np.array(record[1::2]), np.array(record[2::2])
            if not (errors >= 0).all() or not (errors <= 1).all():
                return Finding(0.0, f"seed {seed}, epoch {record.epoch}: an error is no proportion")
            if not (losses > 0).all() or not np.isfinite(losses).all():
                return Finding(
                    0.0, f"seed {seed}, epoch {record.epoch}: a loss is no positive number"
                )
    epochs = [len(records) for records in logged.values()]
    return Finding(1.0, f"six figures in each of {max(epochs)} epochs, {len(epochs)} runs")


def _again(logged: Mapping[int, list[Record]], folder: Path, run: Run, runner: Runner) -> Finding:
    """The first epochs of the first run, by the submission's own code."""
    if why := not_again(run):
        return Finding(1.0, f"not trained again: {why}")
    paths = [path for name in data.FASHION_MNIST if (path := data.find(name))]
    seed, records = next(iter(logged.items()))
    step = {"experiment": run.experiment, "seed": seed, "epochs": min(run.epochs, len(records))}
    (given,) = gather.run("train", [step], folder, runner, files=paths)
    if given.error:
        return absent(given.error)
    return compared(records[: run.epochs], given.value("records"))


def compared(recorded: Sequence[Record], again: Array | None) -> Finding:
    """Whether the figures of epochs are those that came out again."""
    was = np.array(recorded, float)
    if again is None or again.shape != was.shape:
        return Finding(0.0, "training again gives no such epochs")
    if np.array_equal(was, again):
        return Finding(1.0, f"{len(was)} epochs trained again: the same bit for bit")
    far = np.abs(again - was) / np.abs(was)
    epoch, column = np.unravel_index(far.argmax(), far.shape)
    worst = float(far[epoch, column])
    name = Record._fields[column].replace("_", " ")
    says = (
        f"{name} of epoch {epoch + 1} is {again[epoch, column]:.4f}, not {was[epoch, column]:.4f}"
    )
    if not worst <= FAR:
        return Finding(0.0, f"trained again, {says}")
    return Finding(1.0, f"{len(was)} epochs trained again: within {worst:.1%}")


def _error(logged: Mapping[int, list[Record]], document: Document, run: Run) -> Finding:
    """The test error at the lowest validation error, and whether the report says it."""
    chosen = [
        min(records, key=lambda record: record.valid_error).test_error
        for records in logged.values()
    ]
    mean = 100 * math.fsum(chosen) / len(chosen)
    if not mean < 100 * run.below:
        return Finding(0.0, f"the test error is {mean:.2f} %, not below {100 * run.below:g} %")
    said = re.findall(r"\d+\.\d\d", document.inline.get(SECTION, ""))
    if not any(
        abs(float(number) - error) < 0.0051
        for number in said
        for error in (mean, *(100 * e for e in chosen))
    ):
        return Finding(0.0, f"{SECTION} does not say the test error, {mean:.2f} %")
    return Finding(1.0, f"test error {mean:.2f} %, by the lowest validation error")


CHECKS = ("log", "again", "error")
