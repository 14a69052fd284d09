"""Whether results belong to this code, its data and their settings, and agree with themselves.

Nothing is trained here: that is the work of `verify`. Faults are phrases that name the file.
"""

import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mlp import files, log, train
from mlp.data import Splits
from mlp.functions import Array
from mlp.lab import ensemble, experiment, search, space, store, summary
from mlp.lab.ensemble import Average
from mlp.lab.experiment import Experiment
from mlp.lab.search import Final, Row
from mlp.lab.space import Search
from mlp.log import LogError
from mlp.mapping import MappingError, parse
from mlp.messages import SHORT, line, shown
from mlp.settings import Settings, SettingsError
from mlp.train import Record


def stale(folder: Path, described: Mapping[str, Any]) -> list[str]:
    """What of a result is not what would be computed now, and is `described` so.

    The description may leave out what is not known here, such as digests of data.
    """
    recorded = summary.read(folder)
    if "code" not in recorded:
        return [f"{folder.name}: recorded before results named their code"]
    known = {key: recorded.get(key) for key in described}
    return [f"{folder.name}: {key} differs" for key in store.others(known, described)]


def of_experiment(of: Experiment, results: Path, splits: Splits | None) -> list[str]:
    """The faults of an experiment's results; without its data, as far as these are not needed."""
    folder, faults = results / of.name, []
    for seed, described in experiment.described(of, splits).items():
        run = folder / f"seed-{seed}"
        if not (run / "summary.yml").exists():
            faults.append(f"{run.name}: not recorded")
            continue
        faults += stale(run, described)
        faults += [f"{run.name}: {fault}" for fault in run_faults(run)]
        faults += [f"{run.name}: {fault}" for fault in prediction_faults(run, splits)]
    if not faults and len(of.seeds) > 1:
        runs = [summary.at_chosen(folder / f"seed-{seed}") for seed in of.seeds]
        if not same(summary.read(folder), summary.over_runs(runs)):
            faults.append("summary.yml: not the means of the runs")
    return faults


def of_average(of: Average, results: Path, splits: Splits | None) -> list[str]:
    """The faults of an average, but for those of the runs that it averages."""
    folder = results / of.name
    if not (folder / "summary.yml").exists():
        return [f"{folder.name}: not recorded"]
    faults = stale(folder, ensemble.described(of, results))
    faults += [f"{name}: edited" for name in summary.edited(folder)]
    records = ensemble.read(folder / "log.csv")
    if [record.nets for record in records] != list(range(1, 1 + len(of.of.seeds))):
        return [*faults, "log.csv: not a line for each number of nets"]
    if not same(records[-1]._asdict(), summary.at_chosen(folder)):
        faults.append("summary.yml: not the figures of log.csv")
    first = summary.at_chosen(results / of.of.name / f"seed-{of.of.seeds[0]}")
    for error in ("valid_error", "test_error"):
        if not same(getattr(records[0], error), first[error]):
            faults.append(f"log.csv: the {error} of the first net alone is not that of its run")
    return faults + prediction_faults(folder, splits)


def of_search(of: Search, results: Path, splits: Splits | None) -> list[str]:
    """The faults of a search in results/NAME/; `splits` are its data, `search.as_read`."""
    folder = results / of.name
    if not (folder / "summary.yml").exists():
        return ["summary.yml: not recorded"]
    faults = stale(folder, search.describe(of, splits))
    faults += [f"{name}: edited" for name in summary.edited(folder)]
    try:
        rows: list[Row] = search.read(folder / "trials.csv", Row, of.open)
        finals = search.firsts(of, rows)
        if len(of.seeds) > 1:
            finals = search.read(folder / "finals.csv", Final, of.open)
    except LogError as error:
        return [*faults, str(error)]
    return [*faults, *_round_faults(of, rows), *_final_faults(of, rows, finals, folder)]


def _round_faults(of: Search, rows: Sequence[Row]) -> list[str]:
    """Whether each round was run by the best of the round before."""
    trials = list(range(len(of.trials)))
    for number in range(1, 1 + len(of.rounds)):
        in_round = [row for row in rows if row.round == number]
        if [row.trial for row in in_round] != trials:
            return [f"trials.csv: round {number} is not of the trials that came so far"]
        trials = search.survivors(in_round, of.factor)
    return []


def _final_faults(
    of: Search, rows: Sequence[Row], finals: Sequence[Final], folder: Path
) -> list[str]:
    """Whether the finals are those of the last round, and the best one was chosen."""
    firsts, faults = search.firsts(of, rows), []
    pairs = [(final.trial, seed) for final in firsts for seed in sorted(of.seeds)]
    seeded = [final for final in finals if final.seed == of.seeds[0]]
    if [final[:2] for final in finals] != pairs or not same(seeded, firsts):
        return ["finals.csv: not the trials of the last round with every seed"]
    means = search.means(finals)
    if not means:
        return ["finals.csv: every trial diverged"]
    best = means[0]
    if not same(best._asdict(), summary.at_chosen(folder)):
        faults.append("summary.yml: not the best mean of the finals")
    try:
        said = parse(files.text(folder / "best.yml", store.MOST_YAML))
    except (OSError, UnicodeDecodeError, MappingError) as error:
        return [*faults, f"best.yml: cannot be read ({line(str(error), SHORT)})"]
    if said != space.file(of, best.trial):
        faults.append("best.yml: not the settings of the best trial")
    return faults


def run_faults(folder: Path) -> list[str]:
    """What contradicts itself in the log and the summary of a run."""
    faults = [f"{name}: edited" for name in summary.edited(folder)]
    recorded = summary.read(folder)
    epochs = recorded["epochs"]
    try:
        settings = Settings(**recorded["settings"])
    except (TypeError, SettingsError) as error:
        return [*faults, f"summary.yml: no settings of a run ({line(str(error), SHORT)})"]
    try:
        records = log.read(folder / "log.csv")
    except LogError as error:
        return [*faults, str(error)]
    if not records:
        return [*faults, "log.csv: no epochs"]
    if not same(summary.stopped(records, settings.patience)._asdict(), recorded["chosen"]):
        faults.append("summary.yml: not the figures of the epoch that log.csv chooses")
    if len(records) != epochs:
        faults.append(f"log.csv: {len(records)} epochs, not {shown(epochs)}")
    if not _ends(records, settings):
        faults.append(f"log.csv: stops at epoch {len(records)}, with patience left")
    if len(records) > 1 and _ends(records[:-1], settings):
        faults.append(f"log.csv: goes on to epoch {len(records)}, when patience had ended")
    return faults


def _ends(records: Sequence[Record], settings: Settings) -> bool:
    """Whether a run ends after these epochs."""
    chosen = summary.stopped(records, settings.patience)
    patient = train.patient(len(records), chosen, settings.patience)
    return len(records) >= settings.epochs or not patient


def prediction_faults(folder: Path, splits: Splits | None) -> list[str]:
    """What contradicts itself in predictions.npy, confusion.csv and the test error of a summary."""
    try:
        counts, predictions = _counts(folder), store.read_predictions(folder)
    except (OSError, ValueError) as error:
        why = line(str(error), SHORT)
        return [f"confusion.csv or predictions.npy: cannot be read ({why})"]
    if predictions.max() >= len(counts):
        return ["predictions.npy: classes that confusion.csv does not count"]
    faults = []
    wrong = int(counts.sum() - np.trace(counts))
    if not same(wrong / len(predictions), summary.at_chosen(folder)["test_error"]):
        faults.append("confusion.csv: does not count the test error")
    if counts.sum(axis=0).tolist() != np.bincount(predictions, minlength=len(counts)).tolist():
        faults.append("confusion.csv: does not count predictions.npy")
    if splits and len(splits.test.y) != len(predictions):
        faults.append("predictions.npy: not one for each test example")
    elif splits:
        expected = store.confusion(predictions, splits.test.y, len(counts))
        if not np.array_equal(counts, expected):
            faults.append("confusion.csv: does not count the test examples")
    return faults


def _counts(folder: Path) -> Array:
    """The confusion counts, (m, m). Raises OSError, ValueError."""
    text = files.text(folder / "confusion.csv", log.MOST)
    with warnings.catch_warnings(action="ignore"):  # of an empty file: it is no square
        counts = np.loadtxt(io.StringIO(text), delimiter=",", dtype=int, ndmin=2)
    if counts.shape[0] != counts.shape[1]:
        raise ValueError(f"counts of shape {counts.shape}")
    return counts


def same(a: object, b: object) -> bool:
    """Whether figures are the same bit for bit; nan is nan."""
    return repr(a) == repr(b)
