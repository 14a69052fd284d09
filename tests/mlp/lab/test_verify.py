import dataclasses
import math
import os
import platform
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import yaml
from threadpoolctl import threadpool_limits

from mlp import data
from mlp.__main__ import main
from mlp.data import ROOT, DataError
from mlp.lab import (
    again,
    compare,
    ensemble,
    experiment,
    origin,
    recorded,
    search,
    space,
    summary,
    verify,
)
from mlp.lab.again import Again, Job
from mlp.lab.compare import SAME, Pair
from mlp.train import Record
from tests.conftest import changed
from tests.mlp.lab.conftest import altered

SMALL = changed(epochs=12, seeds=[3, 4, 5], standardize=True)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A small experiment, its average and a search, as files and as results."""
    folder = tmp_path_factory.mktemp("recorded")
    searches = folder / "experiments" / "searches"
    searches.mkdir(parents=True)
    (searches / "halving.yml").write_text(altered(seeds=[0, 1], standardize=[False, True]))
    (folder / "experiments" / "small.yml").write_text(SMALL)
    (folder / "experiments" / "mean.yml").write_text("average: small\n")
    ensemble.run(ensemble.load(folder / "experiments" / "mean.yml"), folder / "results")
    search.run(space.load(searches / "halving.yml"), folder / "results" / "searches")
    return folder


@pytest.fixture
def copy(whole, tmp_path):
    """A copy of these, to be forged."""
    shutil.copytree(whole, tmp_path / "copy")
    return tmp_path / "copy"


def verified(folder, *arguments):
    """The exit status of the command on these results, one job at a time."""
    return main([
        "verify", *arguments, "--jobs", "1",
        "--experiments", str(folder / "experiments"), "--results", str(folder / "results"),
    ])  # fmt: skip


def forge(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def reseal(folder):
    """What a forger does who knows how summaries are sealed."""
    said = summary.read(folder)
    for key in ("files", "seal"):
        del said[key]
    summary.write(folder, said)


# --- what was recorded is verified ---------------------------------------------------------------


def test_what_was_recorded_is_the_same_bit_for_bit_with_a_line_per_figure(whole, capsys):
    assert verified(whole) == 0
    out = capsys.readouterr().out
    assert "small: 3 runs again, 36 epochs in all; agrees" in out
    for figure in Record._fields[1:]:
        assert re.search(rf"^  {figure} +{SAME}$", out, re.M)
    assert "mean: 3 runs again, 36 epochs in all; agrees" in out
    assert "searches/halving: 10 runs again" in out
    assert "disagrees" not in out


def test_the_first_epochs_can_be_verified_alone(whole, capsys):
    assert verified(whole, "small", "searches/halving", "--epochs", "3") == 0
    out = capsys.readouterr().out
    assert "small: 3 runs again, 9 epochs in all; agrees" in out
    assert f"searches/halving: 9 runs again, {6 + 3 * 3} epochs in all; agrees" in out
    assert "predictions" not in out


def test_results_are_verified_in_several_processes_with_a_progress_bar(whole):
    done = subprocess.run(
        [sys.executable, "-m", "mlp", "verify", "--experiments", whole / "experiments",
         "--results", whole / "results"],
        cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("; agrees") == 3
    assert "recorded seconds" in done.stderr


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the kernels are those of x86-64")
@pytest.mark.parametrize("kernel", ["Haswell", "Sandybridge", "Prescott"])
def test_on_another_kernel_results_agree_within_the_bounds(whole, kernel):
    assert_verified_on(kernel, whole)


def assert_verified_on(kernel, folder):
    done = subprocess.run(
        [sys.executable, "-m", "mlp", "verify", "--jobs", "1",
         "--experiments", folder / "experiments", "--results", folder / "results"],
        cwd=ROOT, env=os.environ | {"OPENBLAS_CORETYPE": kernel},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is the bound" in done.stdout
    return done.stdout


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the kernels are those of x86-64")
@pytest.mark.skipif(
    not all(map(data.find, data.FASHION_MNIST)),
    reason="no Fashion-MNIST here; make data fetches it",
)
@pytest.mark.parametrize("kernel", ["Haswell", "Sandybridge"])
def test_in_single_precision_another_kernel_gives_other_figures_within_the_bounds(
    tmp_path_factory, kernel
):
    folder = tmp_path_factory.getbasetemp() / "single"
    if not folder.exists():
        (folder / "experiments").mkdir(parents=True)
        of = changed(
            data="fashion-mnist", valid=6000, epochs=2, K=200, d_h=20, momentum=0.9, eta=0.05,
            seeds=[1, 2, 3], standardize=True,
        )  # fmt: skip
        (folder / "experiments" / "tiny.yml").write_text(of)
        with threadpool_limits(1):
            experiment.run(experiment.load(folder / "experiments" / "tiny.yml"), folder / "results")
    said = assert_verified_on(kernel, folder)
    (difference,) = re.findall(r"first losses +largest relative difference (\S+);", said)
    assert 0 < float(difference) < 1e-6
    assert SAME not in said


# --- what was forged, or is stale, is noticed ----------------------------------------------------


def test_one_digit_in_any_epoch_is_found_by_running_again_though_all_be_sealed(copy, capsys):
    run = copy / "results" / "small" / "seed-4"
    lines = (run / "log.csv").read_text().splitlines()
    for number in range(1, len(lines)):
        cells = lines[number].split(",")
        cells[2] = cells[2][:-1] + str((int(cells[2][-1]) + 5) % 10)
        forged = [*lines[:number], ",".join(cells), *lines[number + 1 :]]
        (run / "log.csv").write_text("\n".join(forged) + "\n")
        reseal(run)
        assert verified(copy, "small") == 1
        out = capsys.readouterr().out
        assert re.search(rf"train_loss +disagrees: .* seed 4, epoch {number}$", out, re.M)
        assert re.search(rf"valid_loss +{SAME}$", out, re.M)


def test_a_deleted_row_is_found(copy, capsys):
    run = copy / "results" / "small" / "seed-4"
    lines = (run / "log.csv").read_text().splitlines(keepends=True)
    (run / "log.csv").write_text("".join(lines[:-1]))
    assert verified(copy, "small") == 1
    out = capsys.readouterr().out
    assert "seed-4: log.csv: edited" in out
    (run / "log.csv").write_text("".join([*lines[:3], *lines[4:]]))
    assert verified(copy, "small") == 1
    assert "line 4 is epoch 4; it must be 3" in capsys.readouterr().out


def test_settings_exchanged_in_file_and_results_are_found_by_running_again(copy, capsys):
    forge(copy / "experiments" / "small.yml", "eta: 0.3", "eta: 0.31")
    assert verified(copy, "small") == 1
    assert "seed-3: settings.eta differs" in capsys.readouterr().out
    of = experiment.load(copy / "experiments" / "small.yml")
    for seed, about in experiment.described(of, of.splits()).items():
        run = copy / "results" / "small" / f"seed-{seed}"
        (run / "summary.yml").write_text(yaml.safe_dump(summary.read(run) | about))
        (run / "settings.yml").write_text(yaml.safe_dump(about, sort_keys=False))
        reseal(run)
    assert verified(copy, "small", "--epochs", "1") == 1
    out = capsys.readouterr().out
    assert "differs" not in out
    assert re.search(r"first losses +disagrees", out)
    assert re.search(r"train_loss +disagrees", out)


def test_predictions_that_are_not_those_of_the_network_are_found(copy, capsys):
    run = copy / "results" / "small" / "seed-4"
    predictions = np.load(run / "predictions.npy")
    predictions[[np.argmin(predictions), np.argmax(predictions)]] = 1, 0
    np.save(run / "predictions.npy", predictions)
    reseal(run)
    assert verified(copy, "small") == 1
    assert re.search(r"predictions +disagrees: not the same", capsys.readouterr().out)


def test_an_average_that_its_networks_do_not_give_is_found(copy, capsys):
    folder = copy / "results" / "mean"
    path = folder / "log.csv"
    *head, last = path.read_text().splitlines()
    cells = last.split(",")
    path.write_text("\n".join([*head, ",".join([*cells[:2], "0.123", *cells[3:]])]) + "\n")
    said = summary.read(folder)
    said["chosen"]["valid_loss"] = 0.123
    (folder / "summary.yml").write_text(yaml.safe_dump(dict(said)))
    reseal(folder)
    assert verified(copy, "mean") == 1
    out = capsys.readouterr().out
    assert re.search(r"valid_loss +disagrees: not the same", out)
    assert re.search(rf"valid_error +{SAME}", out)


@pytest.mark.parametrize("table", ["trials.csv", "finals.csv"])
def test_a_row_of_a_search_that_its_trial_does_not_give_is_found(copy, capsys, table):
    folder = copy / "results" / "searches" / "halving"
    path = folder / table
    lines = path.read_text().splitlines()
    cells = lines[-1].split(",")
    column = lines[0].split(",").index("valid_loss")
    cells[column] = "0.123"
    path.write_text("\n".join([*lines[:-1], ",".join(cells)]) + "\n")
    reseal(folder)
    assert verified(copy, "searches/halving") == 1
    out = capsys.readouterr().out
    assert re.search(r"valid_loss +disagrees: \S+ instead of 0\.123, trial \d, seed", out)


def test_a_search_that_chose_another_trial_is_found(copy, capsys):
    folder = copy / "results" / "searches" / "halving"
    forge(folder / "best.yml", "K: 50", "K: 51")
    assert verified(copy, "searches/halving", "--epochs", "1") == 1
    out = capsys.readouterr().out
    assert "best.yml: edited" in out
    assert "best.yml: not the settings of the best trial" in out
    lines = (folder / "trials.csv").read_text().splitlines(keepends=True)
    (folder / "trials.csv").write_text("".join([*lines[:10], *lines[11:]]))
    assert verified(copy, "searches/halving", "--epochs", "1") == 1
    assert "trials.csv: round 2 is not of the trials that came so far" in capsys.readouterr().out


def test_what_was_not_recorded_is_said_and_the_rest_is_verified(copy, capsys):
    shutil.rmtree(copy / "results" / "searches")
    assert verified(copy) == 1
    out = capsys.readouterr().out
    assert "searches/halving: 0 runs again, 0 epochs in all; disagrees" in out
    assert "not recorded" in out
    assert "small: 3 runs again, 36 epochs in all; agrees" in out


def test_a_name_that_is_none_is_refused_with_those_that_are(whole, capsys):
    assert verified(whole, "large") == 2
    assert "'large' is none of the experiments; choose among mean, searches/halving, small" in (
        capsys.readouterr().err
    )


# --- renewing ------------------------------------------------------------------------------------


@pytest.fixture
def other_code(monkeypatch):
    """Code that is written otherwise, and computes the same."""
    now = origin.code(origin.TRAINING)
    monkeypatch.setattr(origin, "code", lambda roots: now | {"mlp.fast": "f" * 16})


def test_results_of_other_code_that_gives_them_bit_for_bit_are_renewed(copy, other_code, capsys):
    assert verified(copy) == 1
    assert capsys.readouterr().out.count("code.mlp.fast differs") == 5
    assert verified(copy, "--renew", "--full") == 0
    assert capsys.readouterr().out.count("; renewed") == 3
    assert verified(copy) == 0
    assert "differs" not in capsys.readouterr().out
    said = summary.read(copy / "results" / "small" / "seed-3")
    assert said["code"]["mlp.fast"] == "f" * 16
    assert said["machine"]["kernel"]


@pytest.mark.parametrize("part", [["--epochs", "2"], []])
def test_results_that_were_run_in_part_or_come_out_otherwise_are_not_renewed(
    copy, other_code, capsys, part
):
    if not part:
        run = copy / "results" / "small" / "seed-4"
        lines = (run / "log.csv").read_text()
        (run / "log.csv").write_text(lines.replace("0.", "0.0", 1))
        reseal(run)
    assert verified(copy, "small", "--renew", *part) == 1
    out = capsys.readouterr().out
    assert "renewed" not in out
    assert "seed-3: code.mlp.fast differs" in out


# --- how much is run again -----------------------------------------------------------------------


class Dear:
    """Results whose every epoch took so many seconds."""

    def __init__(self, epochs, seconds):
        self.epochs, self.seconds = epochs, seconds

    def jobs(self, epochs):
        return [Job(None, 0, min(epochs, self.epochs), self.seconds)]

    def part(self, seconds):
        return self.jobs(max(1, int(seconds / self.seconds)))


def test_the_cheap_are_run_wholly_and_the_dear_share_what_they_leave():
    results = {"dear": Dear(50, 4), "cheap": Dear(10, 1), "dearer": Dear(100, 10)}
    chosen = verify.plan(results, 150)
    assert {name: jobs[0].epochs for name, jobs in chosen.items()} == {
        "cheap": 10, "dear": 17, "dearer": 7
    }  # fmt: skip
    assert sum(recorded.cost(jobs) for jobs in chosen.values()) <= 150
    least = verify.plan(results, 0.1)
    assert {name: jobs[0].epochs for name, jobs in least.items()} == {
        "cheap": 1, "dear": 1, "dearer": 1
    }  # fmt: skip


def test_a_part_of_runs_is_their_first_epochs_and_of_a_search_its_best_trials(whole):
    runs, trials = (
        recorded.load(name, whole / "experiments", whole / "results")
        for name in ("small", "searches/halving")
    )
    each = runs.jobs(1)
    assert {job.epochs for job in runs.part(3.5 * recorded.cost(each))} == {3}
    assert {job.epochs for job in runs.part(0)} == {1}
    few = trials.part(2.5 * trials.jobs(1)[0].seconds)
    assert [job.epochs for job in few] == [1, 1]
    mean = recorded.load("mean", whole / "experiments", whole / "results")
    assert mean.part(1e9) == []


# --- figures against figures ---------------------------------------------------------------------


def records(*errors):
    return [Record(i, e, e, e, e, e, e) for i, e in enumerate(errors, 1)]


def pair(recorded_, came, seed=1):
    return Pair(seed, records(*recorded_), [1.0], Again(records(*came), [1.0], None, None))


def test_bounds_are_four_standard_deviations_over_seeds_of_the_mean():
    was = [0.10, 0.11, 0.12]  # of standard deviation 0.01
    for shift, agrees in ((0.039, True), (0.041, False), (-0.041, False)):
        pairs = [pair([0.5, w], [0.5, w + shift], seed) for seed, w in enumerate(was)]
        lines = compare.within_bounds(pairs, 10, whole=False)
        assert [line.agrees for line in lines] == [True] + [agrees] * 6


def test_the_mean_of_whole_runs_is_taken_at_the_chosen_epochs():
    pairs = [pair([0.1, 0.5], [0.5, 0.1]), pair([0.2, 0.5], [0.2, 0.5], 2)]
    assert all(line.agrees for line in compare.within_bounds(pairs, 10, whole=True))
    assert not all(line.agrees for line in compare.within_bounds(pairs, 10, whole=False))


def test_a_single_seed_may_differ_by_a_tenth():
    for came, agrees in ((0.219, True), (0.221, False), (math.nan, False)):
        lines = compare.within_bounds([pair([0.2], [came])], 10, whole=True)
        assert [line.agrees for line in lines[1:]] == [agrees] * 6


def test_the_first_losses_may_differ_by_a_hundred_thousandth_where_rounding_differs():
    for loss, agrees in ((1 + 0.9e-5, True), (1 + 1.1e-5, False)):
        one = pair([0.2], [0.2])
        one = one._replace(again=one.again._replace(first_losses=[loss]))
        assert compare.within_bounds([one], 10, whole=True)[0].agrees == agrees
        assert not compare.bit_for_bit([one])[0].agrees
    none = one._replace(again=one.again._replace(first_losses=[]))
    assert not compare.within_bounds([none], 10, whole=True)[0].agrees


def test_a_run_that_ends_before_it_did_disagrees():
    lines = compare.bit_for_bit([pair([0.2, 0.1], [0.2])])
    assert [line.agrees for line in lines] == [True] + [False] * 6
    assert lines[1].says == "seed 1 ended at epoch 1"
    lines = compare.within_bounds([pair([0.2, 0.1], [])], 10, whole=True)
    assert not lines[-1].agrees


def test_where_one_job_fails_the_others_are_stopped():
    endless = experiment.parse(changed(epochs=2**30), "endless")
    faulty = dataclasses.replace(endless, data="squares")
    with pytest.raises(DataError, match="data set 'squares' is unknown"):
        again.run_all([Job(endless, 3, 2**30, 1.0), Job(faulty, 3, 1, 1.0)], 2)


def test_what_diverges_when_it_is_run_again_gives_the_epochs_before(monkeypatch):
    of = experiment.parse(changed(epochs=3), "small")
    fit, calls = again.train.fit, []

    def lost(*arguments):
        calls.append(arguments)
        epochs = fit(*arguments)
        yield next(epochs)
        if len(calls) > 1:  # the first call is for the first losses
            raise again.DivergedError("the loss is nan in epoch 2")

    monkeypatch.setattr(again.train, "fit", lost)
    came = again.run(Job(of, 3, 3, 1.0))
    assert len(came.records) == 1
    assert len(came.first_losses) == 10
    assert came.net is not None
