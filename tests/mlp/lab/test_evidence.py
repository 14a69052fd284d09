import dataclasses
import shutil

import numpy as np
import pytest
import yaml

from mlp.lab import ensemble, evidence, experiment, origin, summary
from tests.conftest import changed

SMALL = changed(
    epochs=30, patience=3, eta=0.6, K=10, d_h=8
)  # patience ends its runs before epoch 30


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The results of a small experiment and of its average."""
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "small.yml").write_text(SMALL)
    (folder / "mean.yml").write_text("average: small\n")
    ensemble.run(ensemble.load(folder / "mean.yml"), folder / "results")
    return folder


@pytest.fixture
def recorded(whole, tmp_path):
    """A copy of them, to be forged."""
    shutil.copytree(whole, tmp_path / "copy")
    return tmp_path / "copy"


def faults(recorded):
    """The faults of the experiment and of its average."""
    average = ensemble.load(recorded / "mean.yml")
    splits, results = average.of.splits(), recorded / "results"
    return [
        *evidence.of_experiment(average.of, results, splits),
        *(f"mean: {fault}" for fault in evidence.of_average(average, results, splits)),
    ]


def forge(path, old, new):
    text = path.read_text()
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1))


def reseal(folder):
    """What a forger does who knows how summaries are sealed."""
    keys = summary.read(folder)
    for key in ("files", "seal"):
        del keys[key]
    summary.write(folder, keys)


def test_what_was_recorded_has_no_faults(recorded):
    assert faults(recorded) == []


def test_figures_that_were_not_measured_are_no_fault(tmp_path):
    of = experiment.parse(changed(refit=True), "refit")
    experiment.run(of, tmp_path)
    assert evidence.of_experiment(of, tmp_path, of.splits()) == []


def test_without_the_data_the_rest_is_checked(recorded):
    of = experiment.load(recorded / "small.yml")
    assert evidence.of_experiment(of, recorded / "results", None) == []
    forge(recorded / "small.yml", "eta: 0.6", "eta: 0.5")
    of = experiment.load(recorded / "small.yml")
    assert evidence.of_experiment(of, recorded / "results", None) == [
        "seed-3: settings.eta differs", "seed-4: settings.eta differs"
    ]  # fmt: skip


def test_a_result_of_other_code_names_the_module(recorded, monkeypatch):
    now = origin.code(origin.TRAINING)
    monkeypatch.setattr(origin, "code", lambda roots: now | {"mlp.fast": "0" * 16})
    assert faults(recorded) == [
        "seed-3: code.mlp.fast differs",
        "seed-4: code.mlp.fast differs",
        "mean: mean: code.mlp.fast differs",
    ]


def test_a_result_of_other_data_names_the_part(recorded):
    of = experiment.load(recorded / "small.yml")
    splits = of.splits()
    splits.valid.X[0, 0] += 1e-9
    assert evidence.of_experiment(of, recorded / "results", splits) == [
        "seed-3: arrays.valid differs", "seed-4: arrays.valid differs"
    ]  # fmt: skip


def test_exchanged_settings_are_named(recorded):
    path = recorded / "small.yml"
    forge(path, "K: 10", "K: 20")
    assert "seed-3: settings.K differs" in faults(recorded)
    shutil.copy(recorded / "results" / "small" / "seed-4" / "settings.yml",
                recorded / "results" / "small" / "seed-3" / "settings.yml")  # fmt: skip
    assert "seed-3: settings.yml: edited" in faults(recorded)


def test_a_digit_in_any_epoch_of_a_log_is_noticed(recorded):
    path = recorded / "results" / "small" / "seed-3" / "log.csv"
    lines = path.read_text().splitlines()
    for number in range(1, len(lines)):
        for digit in range(10):
            line = lines[number][:-1] + str(digit)
            if line != lines[number]:
                forged = [*lines[:number], line, *lines[number + 1 :]]
                path.write_text("\n".join(forged) + "\n")
                assert "log.csv: edited" in evidence.run_faults(path.parent)


@pytest.mark.parametrize("sealed", [False, True])
def test_a_row_deleted_from_a_log_is_noticed_though_the_summary_be_sealed_again(recorded, sealed):
    folder = recorded / "results" / "small" / "seed-3"
    lines = (folder / "log.csv").read_text().splitlines(keepends=True)
    (folder / "log.csv").write_text("".join(lines[:-1]))
    if sealed:
        reseal(folder)
    found = evidence.run_faults(folder)
    assert ("log.csv: edited" in found) != sealed
    assert f"log.csv: {len(lines) - 2} epochs, not {len(lines) - 1}" in found
    assert f"log.csv: stops at epoch {len(lines) - 2}, with patience left" in found


def test_a_row_deleted_within_a_log_is_named(recorded):
    folder = recorded / "results" / "small" / "seed-3"
    lines = (folder / "log.csv").read_text().splitlines(keepends=True)
    (folder / "log.csv").write_text("".join([*lines[:2], *lines[3:]]))
    edited, named = evidence.run_faults(folder)
    assert edited == "log.csv: edited"
    assert named.endswith("log.csv: line 3 is epoch 3; it must be 2")


def test_epochs_after_patience_had_ended_are_noticed(recorded):
    folder = recorded / "results" / "small" / "seed-3"
    lines = (folder / "log.csv").read_text().splitlines()
    number, rest = lines[-1].split(",", 1)
    (folder / "log.csv").write_text("\n".join([*lines, f"{int(number) + 1},{rest}"]) + "\n")
    reseal(folder)
    last = int(number) + 1
    assert f"log.csv: goes on to epoch {last}, when patience had ended" in evidence.run_faults(
        folder
    )


def test_an_edited_summary_is_noticed(recorded):
    folder = recorded / "results" / "small" / "seed-3"
    keys = summary.read(folder)
    forge(folder / "summary.yml", f"seconds: {keys['seconds']}", "seconds: 0.123")
    assert evidence.run_faults(folder) == ["summary.yml: edited"]


@pytest.mark.parametrize("figure", ["test_error", "valid_loss"])
def test_a_figure_of_the_chosen_epoch_that_the_log_does_not_have_is_noticed(recorded, figure):
    folder = recorded / "results" / "small" / "seed-3"
    keys = summary.read(folder)
    keys["chosen"][figure] += 0.01
    (folder / "summary.yml").write_text(yaml.safe_dump(dict(keys)))
    reseal(folder)
    found = [*evidence.run_faults(folder), *evidence.prediction_faults(folder, None)]
    assert "summary.yml: not the figures of the epoch that log.csv chooses" in found
    assert ("confusion.csv: does not count the test error" in found) == (figure == "test_error")


def test_predictions_and_confusion_counts_are_held_against_each_other_and_the_data(recorded):
    of = experiment.load(recorded / "small.yml")
    folder, splits = recorded / "results" / "small" / "seed-3", of.splits()
    predictions = np.load(folder / "predictions.npy")
    np.save(folder / "predictions.npy", 1 - predictions)
    assert evidence.prediction_faults(folder, None) == [
        "confusion.csv: does not count predictions.npy"
    ]
    swapped = predictions.copy()
    swapped[[np.argmin(predictions), np.argmax(predictions)]] = 1, 0
    np.save(folder / "predictions.npy", swapped)
    assert evidence.prediction_faults(folder, None) == []
    assert evidence.prediction_faults(folder, splits) == [
        "confusion.csv: does not count the test examples"
    ]
    (folder / "confusion.csv").write_text("1,2\n3\n")
    assert "cannot be read" in evidence.prediction_faults(folder, None)[0]


def test_means_that_are_not_those_of_the_runs_are_noticed(recorded):
    path = recorded / "results" / "small" / "summary.yml"
    mean = yaml.safe_load(path.read_text())["test_error"]["mean"]
    forge(path, f"mean: {mean!r}", "mean: 0.001")
    assert faults(recorded) == ["summary.yml: not the means of the runs"]


def test_a_run_that_was_never_recorded_is_named(recorded):
    shutil.rmtree(recorded / "results" / "small" / "seed-4")
    of = experiment.load(recorded / "small.yml")
    assert evidence.of_experiment(of, recorded / "results", None) == ["seed-4: not recorded"]
    average = dataclasses.replace(ensemble.load(recorded / "mean.yml"), name="other")
    (recorded / "results" / "small" / "seed-4").mkdir()
    assert evidence.of_average(average, recorded / "results", None) == ["other: not recorded"]


def test_an_average_of_runs_that_were_recorded_again_is_noticed(recorded):
    path = recorded / "results" / "small" / "seed-4" / "log.csv"
    forge(path, "0.", "0.0")
    assert "mean: mean: logs.4 differs" in faults(recorded)


def test_an_average_whose_figures_contradict_each_other_is_noticed(recorded):
    folder = recorded / "results" / "mean"
    path = folder / "log.csv"
    one, first, last = path.read_text().splitlines()
    cells = first.split(",")
    path.write_text("\n".join([one, ",".join([*cells[:3], "0.5", cells[4]]), last]) + "\n")
    reseal(folder)
    assert faults(recorded) == [
        "mean: log.csv: the test_error of the first net alone is not that of its run"
    ]
    path.write_text("\n".join([one, first, last.replace(",", ",0", 1)[:-1]]) + "\n")
    reseal(folder)
    assert faults(recorded) == ["mean: summary.yml: not the figures of log.csv"]
    path.write_text("\n".join([one, first]) + "\n")
    reseal(folder)
    assert faults(recorded) == ["mean: log.csv: not a line for each number of nets"]
