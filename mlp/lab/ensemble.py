"""An average of several nets: the mean of the probabilities of an experiment's runs, one a seed.

A file experiments/NAME.yml with the single key `average` names the experiment; the result stands in
results/NAME/ like that of a run, with a log that has a line for each number of nets.
"""

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

from mlp import train
from mlp.data import Splits
from mlp.functions import Array
from mlp.lab import experiment, origin, store, summary
from mlp.lab.experiment import Experiment
from mlp.log import Log, read_rows
from mlp.messages import shown
from mlp.model import Params
from mlp.settings import Settings, SettingsError


class Record(NamedTuple):
    """Figures of the average of the first so many nets."""

    nets: int
    valid_error: float
    valid_loss: float
    test_error: float
    test_loss: float


@dataclasses.dataclass(frozen=True)
class Average:
    """What such a file says."""

    name: str
    of: Experiment


def load(path: Path) -> Average | Experiment:
    """Read a file of either kind. Raises SettingsError, naming file, key, value and remedy."""

    def parse(text: str, name: str) -> Average | Experiment:
        keys = experiment.mapping(text)
        if "average" not in keys:
            return experiment.from_mapping(keys, name)
        of = keys["average"]
        if set(keys) != {"average"} or not isinstance(of, str):
            raise SettingsError(
                f"average is {shown(of)}, with {len(keys) - 1} other keys; it must be the name of "
                "an experiment, and the only key"
            )
        file = path.parent / f"{experiment.require_plain(of)}.yml"
        return Average(name, experiment.load(file))

    return experiment.read_file(path, parse)


def run(average: Average, results: Path) -> Path:
    """Run the experiment where it is not finished, average its nets, and return results/NAME/."""
    of = average.of
    runs = experiment.run(of, results)
    folder = results / average.name
    about = described(average, results)
    if store.finished(folder, about):
        return folder
    with store.claimed(folder, about):
        if not (folder / "summary.yml").exists():
            splits = of.splits()
            pairs = zip(of.seeds, runs, strict=True)
            nets = [_net(run, of.run_settings(seed), splits) for seed, run in pairs]
            _run(of, nets, splits, folder, about)
    return folder


def described(average: Average, results: Path) -> dict[str, Any]:
    """What settings.yml says of an average: the runs, each with the digest of its log, and code."""
    of = average.of
    logs = {seed: (results / of.name / f"seed-{seed}" / "log.csv") for seed in of.seeds}
    return {
        "average": of.name,
        "logs": {seed: origin.digest(path.read_bytes()) for seed, path in logs.items()},
        "code": origin.code(origin.TRAINING),
    }


def _net(folder: Path, settings: Settings, splits: Splits) -> Params:
    """The net of a finished run."""
    checkpoint = folder / "checkpoint.npz"
    if not checkpoint.exists():
        raise SettingsError(
            f"{checkpoint}: not there, as nets are not kept in git; delete {folder} to train again"
        )
    return experiment.resumed(checkpoint, settings, splits)[0].best


def _run(
    of: Experiment, nets: list[Params], splits: Splits, folder: Path, about: dict[str, Any]
) -> None:
    """Average the first net, the first two, …; log each average, and record that of all."""
    records, test_oa = averages(nets, splits, of.settings.mirrored)
    with Log(folder / "log.csv", Record._fields) as log:
        for record in records:
            log.write(record)
    store.write_predictions(folder, test_oa, splits.test.y)
    reached = {"chosen": records[-1]._asdict(), "machine": store.machine()}
    summary.write(folder, about | reached)


def averages(nets: list[Params], splits: Splits, mirrored: bool) -> tuple[list[Record], Array]:
    """The figures of the first net, of the average of the first two, …; outputs of the last.

    The outputs are preactivations for the test examples, (m, n).
    """
    _, valid, test = splits
    on_valid = [train.outputs(net, valid.X, mirrored) for net in nets]
    on_test = [train.outputs(net, test.X, mirrored) for net in nets]
    records = []
    for n in range(1, len(nets) + 1):
        valid_oa, test_oa = train.average(on_valid[:n]), train.average(on_test[:n])
        figures = *train.judge(valid_oa, valid.y), *train.judge(test_oa, test.y)
        records.append(Record(n, *figures))
    return records, test_oa


def read(path: Path) -> list[Record]:
    """Read the log of an average. Raises LogError."""
    return read_rows(path, Record)


def describe(folder: Path) -> str:
    """One line on a finished average."""
    figures = summary.at_chosen(folder)
    chosen = Record(*(figures[name] for name in Record._fields))
    errors = f"valid {chosen.valid_error:.2%}, test {chosen.test_error:.2%}"
    return f"{folder}: {chosen.nets} nets; {errors}"
