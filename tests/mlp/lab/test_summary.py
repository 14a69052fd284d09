import dataclasses
import math

import numpy as np
import pytest
import yaml

from mlp import train
from mlp.lab import experiment, summary
from mlp.log import Log
from mlp.settings import SettingsError
from mlp.train import Record
from tests.conftest import changed


def run(*valid_errors):
    """The records of a run with these validation errors."""
    return [Record(i, 0.5, 1.0, error, 1.0, 0.5, 1.0) for i, error in enumerate(valid_errors, 1)]


def test_a_summary_is_read_with_the_figures_of_the_chosen_epoch(tmp_path):
    said = {"seconds": 3.5, "chosen": {"epoch": 2, "test_error": 0.25}}
    (tmp_path / "summary.yml").write_text(yaml.safe_dump(said))
    assert summary.read(tmp_path) == said
    assert summary.at_chosen(tmp_path) == said["chosen"]


@pytest.mark.parametrize("damage", [b"\xff", b"", b"a: [", b"chosen: 3", b"a: 1", b"- a"])
def test_a_damaged_summary_is_named_with_the_remedy(tmp_path, damage):
    (tmp_path / "summary.yml").write_bytes(damage)
    with pytest.raises(SettingsError, match=r"summary\.yml: damaged summary .*; restore it or"):
        summary.at_chosen(tmp_path)


def test_logs_come_in_the_order_of_the_seeds_as_numbers(tmp_path):
    for seed in (10, 9, 2):
        (tmp_path / f"seed-{seed}").mkdir()
        with Log(tmp_path / f"seed-{seed}" / "log.csv", Record._fields) as log:
            log.write(run(seed / 100)[0])
    logs = summary.read_logs(tmp_path)
    assert [[record.valid_error for record in records] for records in logs] == [
        [0.02],
        [0.09],
        [0.1],
    ]


@pytest.mark.parametrize(
    ("patience", "chosen"),
    [(1, 2), (2, 2), (3, 5), (4, 9), (100, 9)],
)
def test_a_shorter_patience_chooses_the_best_epoch_up_to_where_it_ends(patience, chosen):
    records = run(0.5, 0.3, 0.4, 0.3, 0.2, 0.3, 0.4, 0.2, 0.1)
    assert summary.stopped(records, patience).epoch == chosen


def test_stopped_tells_what_a_run_with_that_patience_does_choose():
    small = experiment.parse(changed(seeds=[3], eta=2.0, K=10, epochs=30), "small")
    splits = small.splits()

    def train_with(patience):
        settings = dataclasses.replace(small.settings, patience=patience)
        return list(train.fit(splits, settings))

    records = [record for record, _ in train_with(30)]
    lengths = set()
    for patience in range(1, 8):
        outcome = train_with(patience)
        lengths.add(len(outcome))
        assert summary.stopped(records, patience) == outcome[-1][1].chosen
    assert len(lengths) > 2  # some of the runs did end early


def test_without_validation_examples_the_last_epoch_is_chosen():
    assert summary.stopped(run(math.nan, math.nan, math.nan), 1).epoch == 3


def test_figures_over_runs_are_means_and_standard_deviations():
    first, second = run(0.1)[0], run(0.4)[0]._replace(epoch=4)
    over = summary.over_runs([first._asdict(), second._asdict()])
    assert over["runs"] == 2
    assert list(over)[1:] == list(Record._fields)
    assert over["valid_error"] == {
        "mean": pytest.approx(0.25), "std": pytest.approx(0.3 / math.sqrt(2))
    }  # fmt: skip
    assert over["epoch"]["mean"] == 2.5


@pytest.mark.parametrize(
    ("errors", "median"),
    [((0.3, 0.1, 0.2), "seed-3"), ((0.4, 0.1, 0.3, 0.2), "seed-4"), ((0.1, 0.1, 0.1), "seed-2")],
)
def test_the_median_run_is_the_one_in_the_middle_by_validation_error(tmp_path, errors, median):
    for seed, error in enumerate(errors, 1):
        (tmp_path / f"seed-{seed}").mkdir()
        said = yaml.safe_dump({"chosen": run(error)[0]._asdict()})
        (tmp_path / f"seed-{seed}" / "summary.yml").write_text(said)
    assert summary.median_run(tmp_path).name == median


def test_the_interval_holds_the_true_rate_in_95_of_100_samples():
    rng = np.random.default_rng(0)
    errors = rng.binomial(10_000, 0.1, size=2000) / 10_000
    covered = [abs(error - 0.1) <= summary.half_width(error, 10_000) for error in errors]
    assert 0.935 < np.mean(covered) < 0.965


def test_the_standard_error_is_that_of_a_counted_proportion():
    assert summary.standard_error(0.5, 100) == pytest.approx(0.05)
    assert summary.half_width(0.1, 900) == pytest.approx(0.0196)
