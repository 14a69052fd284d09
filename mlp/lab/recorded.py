"""What is recorded: runs, averages and searches, each with what verifies it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from mlp import log
from mlp.lab import compare, ensemble, evidence, experiment, search, space, store, summary
from mlp.lab.again import Again, Job
from mlp.lab.compare import Line, Pair
from mlp.lab.ensemble import Average
from mlp.lab.evidence import same
from mlp.lab.experiment import Experiment
from mlp.lab.search import Final, Row
from mlp.lab.space import Search
from mlp.messages import shown
from mlp.settings import SettingsError

WHOLE = 2**31  # epochs: more than any run has


class Recorded(Protocol):
    """Results of one file of settings."""

    def faults(self) -> list[str]:
        """What is wrong with them as they stand; see `evidence`."""

    def described(self) -> dict[Path, dict[str, Any]]:
        """What settings.yml should say, by folder."""

    def jobs(self, epochs: int) -> list[Job]:
        """What to run again in order to verify so many first epochs."""

    def part(self, seconds: float) -> list[Job]:
        """What to run again in so many seconds, where these do not suffice for all."""

    def lines(self, jobs: Sequence[Job], again: Mapping[Job, Again]) -> list[Line]:
        """What these jobs gave, held against what is recorded."""


def cost(jobs: Iterable[Job]) -> float:
    """The seconds that jobs should take, one after the other."""
    return sum(job.epochs * job.seconds for job in jobs)


def _fit(seconds: float, jobs: Sequence[Job]) -> int:
    """How many times these jobs fit into so many seconds, once at least."""
    return max(1, int(seconds / max(cost(jobs), 1e-3)))


def names(experiments: Path) -> list[str]:
    """The names of all experiments, averages and searches: paths of files without their ending."""
    paths = sorted(experiments.rglob("*.yml"))
    return [path.relative_to(experiments).with_suffix("").as_posix() for path in paths]


def load(name: str, experiments: Path, results: Path) -> Recorded:
    """What belongs to the file of this name. Raises SettingsError."""
    if name not in names(experiments):
        known = ", ".join(names(experiments))
        raise SettingsError(f"{shown(name)} is none of the experiments; choose among {known}")
    path, folder = experiments / f"{name}.yml", results / name
    if name.startswith("searches/"):
        return Trials(space.load(path), folder)
    of = ensemble.load(path)
    return Mean(of, results) if isinstance(of, Average) else Runs(of, folder)


class Runs(NamedTuple):
    """The runs of an experiment."""

    of: Experiment
    folder: Path

    def faults(self) -> list[str]:
        """What is wrong with them as they stand."""
        return evidence.of_experiment(self.of, self.folder.parent, self.of.splits())

    def described(self) -> dict[Path, dict[str, Any]]:
        """What settings.yml should say of each run."""
        by_seed = experiment.described(self.of, self.of.splits())
        return {self.folder / f"seed-{seed}": about for seed, about in by_seed.items()}

    def jobs(self, epochs: int) -> list[Job]:
        """The first epochs of each run, as far as it went."""
        jobs = []
        for seed in self.of.seeds:
            trained, each = summary.pace(self.folder / f"seed-{seed}")
            jobs.append(Job(self.of, seed, min(epochs, trained), each))
        return jobs

    def part(self, seconds: float) -> list[Job]:
        """As many epochs of each run as fit, but one at least."""
        return self.jobs(_fit(seconds, self.jobs(1)))

    def lines(self, jobs: Sequence[Job], again: Mapping[Job, Again]) -> list[Line]:
        """The figures of the logs, and the predictions of whole runs."""
        pairs, whole, alike = [], True, True
        for job in jobs:
            folder, came = self.folder / f"seed-{job.seed}", again[job]
            records, first = log.read(folder / "log.csv"), summary.first_losses(folder)
            pairs.append(Pair(job.seed, records[: job.epochs], first, came))
            whole = whole and job.epochs >= len(records)
            alike = alike and np.array_equal(store.read_predictions(folder), came.predictions)
        if not compare.rounded_alike(self.folder / f"seed-{job.seed}" for job in jobs):
            return compare.within_bounds(pairs, self.of.settings.patience, whole=whole)
        lines = compare.bit_for_bit(pairs)
        return [*lines, compare.whether("predictions", alike=alike)] if whole else lines


class Mean(NamedTuple):
    """The average of an experiment's networks, which have to be trained again for it."""

    of: Average
    results: Path

    @property
    def folder(self) -> Path:
        """Where the average is recorded."""
        return self.results / self.of.name

    def faults(self) -> list[str]:
        """What is wrong with it as it stands."""
        return evidence.of_average(self.of, self.results, self.of.of.splits())

    def described(self) -> dict[Path, dict[str, Any]]:
        """What its settings.yml should say."""
        return {self.folder: ensemble.described(self.of, self.results)}

    def jobs(self, epochs: int) -> list[Job]:
        """All epochs of all networks: the average of others is another one."""
        runs = Runs(self.of.of, self.results / self.of.of.name)
        return runs.jobs(WHOLE) if epochs == WHOLE else []

    def part(self, seconds: float) -> list[Job]:
        """Nothing."""
        return []

    def lines(self, jobs: Sequence[Job], again: Mapping[Job, Again]) -> list[Line]:
        """The figures of the average of the first so many networks."""
        nets = [net for job in jobs if (net := again[job].net)]
        if len(nets) < len(jobs):
            return [Line("networks", False, "not all came out")]
        if not nets:
            return []
        splits, recorded = self.of.of.splits(), ensemble.read(self.folder / "log.csv")
        came, oa = ensemble.averages(nets, splits, self.of.of.settings.mirrored)
        figures = ensemble.Record._fields[1:]
        columns = {
            name: tuple([getattr(record, name) for record in of] for of in (recorded, came))
            for name in figures
        }
        if not compare.rounded_alike([self.folder]):
            return [compare.mean(name, a[-1:], b[-1:]) for name, (a, b) in columns.items()]
        predictions = store.read_predictions(self.folder)
        return [
            *(compare.whether(name, alike=same(a, b)) for name, (a, b) in columns.items()),
            compare.whether("predictions", alike=np.array_equal(predictions, oa.argmax(axis=0))),
        ]


class Trials(NamedTuple):
    """The trials of a search."""

    of: Search
    folder: Path

    def faults(self) -> list[str]:
        """What is wrong with them as they stand."""
        return evidence.of_search(self.of, self.folder.parent, search.as_read(self.of))

    def described(self) -> dict[Path, dict[str, Any]]:
        """What the search's settings.yml should say."""
        return {self.folder: search.describe(self.of, search.as_read(self.of))}

    def jobs(self, epochs: int) -> list[Job]:
        """The trials up to the last round, and the finals, that end after so many epochs at most.

        The first round is always there; the trials that came furthest are the first.
        """
        _, each = summary.pace(self.folder)
        last: dict[int, Row] = {}
        for row in sorted(self._rows()):
            if row.round == 1 or row.epochs <= epochs:
                last[row.trial] = row
        in_order = sorted(last.values(), key=lambda row: (-row.round, row.valid_error, row.trial))
        ends = [search.seeded(self.of, row) for row in in_order]
        ends += [final for final in self._other_finals() if final.epochs <= epochs]
        return [Job(self.of.trials[end.trial], end.seed, end.epochs, each) for end in ends]

    def part(self, seconds: float) -> list[Job]:
        """As many trials in their first round as fit, but one at least."""
        first = self.jobs(1)
        return first[: _fit(seconds, first[:1])]

    def lines(self, jobs: Sequence[Job], again: Mapping[Job, Again]) -> list[Line]:
        """The rows of both tables."""
        rows = [search.seeded(self.of, row) for row in self._rows()] + self._other_finals()
        was, came = [], []
        for job in jobs:
            for row in rows:
                run = self.of.trials[row.trial], row.seed
                if run == (job.of, job.seed) and row.epochs <= job.epochs:
                    was.append(row)
                    came.append(_row_of(row, again[job], job.of.settings.patience))
        alike = compare.rounded_alike([self.folder])
        return [_column(name, was, came, alike) for name in ("valid_error", "valid_loss")]

    def _rows(self) -> list[Row]:
        rows: list[Row] = search.read(self.folder / "trials.csv", Row, self.of.open)
        return rows

    def _other_finals(self) -> list[Final]:
        """The rows of finals.csv but for those that stand in trials.csv, too."""
        if len(self.of.seeds) == 1:
            return []
        finals: list[Final] = search.read(self.folder / "finals.csv", Final, self.of.open)
        return [final for final in finals if final.seed != self.of.seeds[0]]


def _row_of(row: Final, again: Again, patience: int) -> Final:
    """What the row of a table would say by what came out again."""
    records = again.records[: row.epochs]
    if len(records) < row.epochs:  # it diverged
        return row._replace(best_epoch=0, valid_error=math.nan, valid_loss=math.nan)
    chosen = summary.stopped(records, patience)
    return row._replace(
        best_epoch=chosen.epoch, valid_error=chosen.valid_error, valid_loss=chosen.valid_loss
    )


def _column(name: str, was: Sequence[Final], came: Sequence[Final], alike: bool) -> Line:
    """Whether a column of rows is the same; where rounding differs, its mean."""
    pairs = [(getattr(old, name), getattr(new, name)) for old, new in zip(was, came, strict=True)]
    if not alike:
        finite = [pair for pair in pairs if math.isfinite(sum(pair))]
        return compare.mean(name, [old for old, _ in finite], [new for _, new in finite])
    for row, (old, new) in zip(was, pairs, strict=True):
        if not same(old, new):
            where = f"trial {row.trial}, seed {row.seed}, {row.epochs} epochs"
            return Line(name, False, f"{new} instead of {old}, {where}")
    return compare.whether(name, alike=True)
