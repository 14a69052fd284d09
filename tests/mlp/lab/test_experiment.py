import dataclasses
import multiprocessing
import os
import signal
import subprocess
import sys
import time

import filelock
import numpy as np
import pytest
import yaml

from mlp import log, train
from mlp.lab import experiment, store
from mlp.settings import SettingsError
from mlp.train import DivergedError
from tests.conftest import EXPERIMENT, changed


def test_settings_come_from_the_file(tmp_path):
    path = tmp_path / "small.yml"
    path.write_text(EXPERIMENT)
    small = experiment.load(path)
    assert (small.name, small.data, small.valid, small.seeds) == ("small", "circles", 100, (3, 4))
    assert [small.run_settings(s).seed for s in small.seeds] == [3, 4]
    assert (small.settings.d_h, small.settings.eta, small.settings.K) == (6, 0.3, 50)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no lines of the form"),
        ("- a\n- b\n", "holds no lines of the form"),
        ("d_h: [1\n", "not YAML"),
        ("just words", "holds no lines of the form"),
        (EXPERIMENT + "eta: 0.5\n", "key 'eta' is given twice"),
        (
            changed(etta=0.1),
            "unknown key 'etta'; known are data, valid, seeds, standardize, refit, d_h",
        ),
        (changed(**{"1": 2}), "unknown key '1'"),
        (EXPERIMENT.replace("eta: 0.3\n", ""), "key 'eta' is missing"),
        (EXPERIMENT.replace("seeds: [3, 4]\n", ""), "key 'seeds' is missing"),
        (changed(data="mnist"), "data is 'mnist'; it must be circles or fashion-mnist"),
        (changed(valid=0), "valid is 0"),
        (changed(valid="many"), "valid is 'many'"),
        (changed(standardize=1), "standardize is 1; it must be true or false"),
        (changed(schedule="linear"), "schedule is 'linear'; it must be constant or cosine"),
        (changed(flips=1), "flips is 1; it must be false or true"),
        (changed(flips=True), "flips is True; circles are no images: leave flips out"),
        (changed(shifts=2), "shifts is 2; circles are no images"),
        (changed(mirrored=True), "mirrored is True; circles are no images"),
        (changed(smoothing=1), "smoothing is 1; it must be a number >= 0 and < 1"),
        (changed(seeds=3), "seeds is 3"),
        (changed(seeds=[]), r"seeds is \[\]"),
        (changed(seeds=[3, 3]), "different"),
        (changed(seeds=[3, -1]), "seed is -1"),
        (changed(eta="fast"), "eta is 'fast'; it must be a finite number > 0"),
        (changed(eta=float("nan")), "eta is nan"),
        (changed(K=0), "K is 0; it must be a whole number >= 1"),
        (changed(d_h=2.5), r"d_h is 2\.5"),
        (changed(epochs=True), "epochs is True"),
        (changed(l12=-0.1), r"l12 is -0\.1; it must be a finite number >= 0"),
    ],
)
def test_bad_file_is_named_with_key_value_and_remedy(tmp_path, text, says):
    path = tmp_path / "bad.yml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=says) as error:
        experiment.load(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"absent\.yml: cannot be read"):
        experiment.load(tmp_path / "absent.yml")


def test_a_run_leaves_its_net_log_settings_summary_and_predictions(tmp_path):
    small = experiment.parse(EXPERIMENT, "small")
    folders = experiment.run(small, tmp_path)
    assert folders == [tmp_path / "small" / "seed-3", tmp_path / "small" / "seed-4"]
    for seed, folder in zip((3, 4), folders, strict=True):
        assert sorted(p.name for p in folder.iterdir() if p.name != ".lock") == [
            "checkpoint.npz", "confusion.csv", "log.csv", "predictions.npy", "settings.yml",
            "summary.yml",
        ]  # fmt: skip
        records = log.read(folder / "log.csv")
        summary = yaml.safe_load((folder / "summary.yml").read_text())
        assert len(records) == 5
        assert summary["chosen"] == min(records, key=lambda r: r.valid_error)._asdict()
        assert summary["settings"] == dataclasses.asdict(small.run_settings(seed))
        assert summary["examples"] == {"train": 900, "valid": 100, "test": 100}
        predictions = np.load(folder / "predictions.npy")
        assert (predictions.dtype, predictions.shape) == (np.uint8, (100,))
        wrong = np.mean(predictions != experiment.data.load("circles", valid=100, seed=0).test.y)
        assert wrong == summary["chosen"]["test_error"]


def test_several_seeds_are_summed_up_by_mean_and_standard_deviation(tmp_path):
    folders = experiment.run(experiment.parse(EXPERIMENT, "small"), tmp_path)
    a, b = (yaml.safe_load((f / "summary.yml").read_text())["chosen"] for f in folders)
    summary = yaml.safe_load((tmp_path / "small" / "summary.yml").read_text())
    assert summary["runs"] == 2
    for name in train.Record._fields:
        assert summary[name]["mean"] == pytest.approx((a[name] + b[name]) / 2)
        assert summary[name]["std"] == pytest.approx(abs(a[name] - b[name]) / 2**0.5)


def test_a_finished_run_is_left_as_it_is(tmp_path):
    small = experiment.parse(changed(seeds=[3]), "small")
    (folder,) = experiment.run(small, tmp_path)
    before = {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.glob("[!.s]*")}
    experiment.run(small, tmp_path)
    assert before == {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.glob("[!.s]*")}


def test_results_of_other_settings_are_not_overwritten(tmp_path):
    experiment.run(experiment.parse(changed(seeds=[3]), "small"), tmp_path)
    with pytest.raises(SettingsError, match="results of other settings"):
        experiment.run(experiment.parse(changed(seeds=[3], eta=0.2), "small"), tmp_path)


def test_a_run_lost_in_its_first_epoch_starts_anew_with_corrected_settings(tmp_path):
    with pytest.raises(DivergedError, match=r"seed-3: the loss is .* in epoch 1"):
        experiment.run(experiment.parse(changed(seeds=[3], eta=1e200), "small"), tmp_path)
    (folder,) = experiment.run(experiment.parse(changed(seeds=[3]), "small"), tmp_path)
    (fresh,) = experiment.run(experiment.parse(changed(seeds=[3]), "small"), tmp_path / "fresh")
    assert outcome(folder) == outcome(fresh)
    assert (folder / "settings.yml").read_bytes() == (fresh / "settings.yml").read_bytes()


def test_a_run_lost_later_keeps_its_log_until_its_folder_is_deleted(tmp_path, monkeypatch):
    def lost(splits, settings, state, tick, engine):
        yield next(fit(splits, settings, state, tick, engine))
        raise DivergedError("the loss is nan in epoch 2")

    fit = experiment.train.fit
    monkeypatch.setattr(experiment.train, "fit", lost)
    with pytest.raises(DivergedError):
        experiment.run(experiment.parse(changed(seeds=[3]), "small"), tmp_path)
    monkeypatch.undo()
    with pytest.raises(SettingsError, match=r"seed-3: holds results .*; delete the folder"):
        experiment.run(experiment.parse(changed(seeds=[3], eta=0.2), "small"), tmp_path)
    assert len(log.read(tmp_path / "small" / "seed-3" / "log.csv")) == 1


def test_a_second_process_on_the_same_folder_is_refused(tmp_path):
    small = experiment.parse(changed(seeds=[3]), "small")
    folder = tmp_path / "small" / "seed-3"
    folder.mkdir(parents=True)
    with (
        filelock.FileLock(folder / ".lock"),
        pytest.raises(SettingsError, match="another process writes here"),
    ):
        experiment.run(small, tmp_path)
    assert [p.name for p in folder.iterdir()] == [".lock"]
    assert len(experiment.run(small, tmp_path)) == 1


def test_a_damaged_checkpoint_is_named(tmp_path):
    small = experiment.parse(changed(seeds=[3]), "small")
    (folder,) = experiment.run(small, tmp_path)
    (folder / "summary.yml").unlink()
    (folder / "checkpoint.npz").write_bytes(b"PK\3\4 and so on")
    with pytest.raises(SettingsError, match=r"checkpoint\.npz: damaged checkpoint"):
        experiment.run(small, tmp_path)


def test_a_damaged_summary_is_named(tmp_path):
    small = experiment.parse(EXPERIMENT, "small")
    folder, _ = experiment.run(small, tmp_path)
    for damage in (b"\xff", b"", b"a: [", b"chosen: 3", b"a: 1"):
        (folder / "summary.yml").write_bytes(damage)
        with pytest.raises(SettingsError, match=r"summary\.yml: damaged summary .*; restore it or"):
            experiment.run(small, tmp_path)


def test_standardized_data_have_mean_0_and_deviation_1_in_the_training_part():
    splits = experiment.parse(changed(standardize=True), "s").splits()
    assert abs(splits.train.X.mean()) < 1e-14
    assert abs(splits.train.X.std() - 1) < 1e-14
    raw = experiment.parse(EXPERIMENT, "raw").splits()
    for part in (0, 1, 2):
        np.testing.assert_allclose(
            splits[part].X, (raw[part].X - raw.train.X.mean()) / raw.train.X.std(), rtol=1e-12
        )


MEMORY = """
from mlp import fast, train
from mlp.bench import memory
from mlp.lab import experiment, store
text = "{data: fashion-mnist, valid: 6000, standardize: true, seeds: [0], d_h: 128, eta: 0.1, epochs: 1, K: 100}"
whole = experiment.parse(text, "memory")
next(train.fit(whole.splits(), whole.settings, engine=fast.Steps))
print(memory.peak() / 2**20)
"""  # noqa: E501


@pytest.mark.skipif(
    not all(experiment.data.find(name) for name in experiment.data.FASHION_MNIST),
    reason="no Fashion-MNIST here; make data fetches it",
)
def test_training_holds_the_data_once_in_single_precision_and_little_more():
    out = subprocess.run(
        [sys.executable, "-c", MEMORY],
        cwd=experiment.data.ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        check=True,
    ).stdout
    data_once = 70_000 * 784 * 4 / 2**20
    assert float(out) < data_once + 150


def test_refit_trains_on_the_validation_examples_too_and_takes_the_last_epoch(tmp_path):
    small = experiment.parse(changed(refit=True, seeds=[3]), "refit")
    raw = experiment.parse(EXPERIMENT, "raw").splits()
    splits = small.splits()
    np.testing.assert_array_equal(splits.train.X, np.concatenate([raw.train.X, raw.valid.X]))
    np.testing.assert_array_equal(splits.train.y, np.concatenate([raw.train.y, raw.valid.y]))
    (folder,) = experiment.run(small, tmp_path)
    records = log.read(folder / "log.csv")
    assert all(np.isnan([r.valid_error, r.valid_loss]).all() for r in records)
    assert yaml.safe_load((folder / "summary.yml").read_text())["chosen"]["epoch"] == 5


# --- runs that survive -------------------------------------------------------------------------

LONG = changed(seeds=[3], epochs=300, K=20, momentum=0.5)


@pytest.fixture(scope="module")
def forkserver():
    """Processes that start at once, with the imports done."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["mlp.lab.experiment"])
    return context


def outcome(folder):
    """Everything that must be the same: the log, the predictions, the summary but for the time."""
    summary = yaml.safe_load((folder / "summary.yml").read_text())
    del summary["seconds"], summary["seal"]
    return [(folder / n).read_bytes() for n in ("log.csv", "predictions.npy")], summary


def test_killed_at_random_moments_a_run_goes_on_bit_for_bit(tmp_path, forkserver):
    long = experiment.parse(LONG, "long")
    begun = time.monotonic()
    (whole,) = experiment.run(long, tmp_path / "whole")
    an_epoch = (time.monotonic() - begun) / long.settings.epochs
    rng, table = np.random.default_rng(0), tmp_path / "killed" / "long" / "seed-3" / "log.csv"

    def lines():
        return table.read_text().count("\n") if table.exists() else 0

    reached = []
    for kill in range(24):
        process = forkserver.Process(target=experiment.run, args=(long, tmp_path / "killed"))
        process.start()
        while lines() < 4 * kill and process.is_alive():  # however fast or slow the machine is now
            time.sleep(an_epoch / 4)
        time.sleep(rng.uniform(0, 3 * an_epoch))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        reached.append(lines())
    assert len(set(reached)) > 12  # kills at different epochs
    experiment.run(long, tmp_path / "killed")
    assert outcome(table.parent) == outcome(whole)


def test_ctrl_c_in_the_last_epoch_is_not_lost(tmp_path, monkeypatch):
    small = experiment.parse(EXPERIMENT, "small")
    save = store.save

    def save_and_press(path, state, seconds):
        save(path, state, seconds)
        if state.epoch == 5:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(store, "save", save_and_press)
    with pytest.raises(KeyboardInterrupt):
        experiment.run(small, tmp_path)
    assert [p.name for p in (tmp_path / "small").iterdir()] == ["seed-3"]
    monkeypatch.undo()
    experiment.run(small, tmp_path)
    assert len(log.read(tmp_path / "small" / "seed-3" / "log.csv")) == 5


def test_ctrl_c_leaves_a_valid_log_and_the_run_goes_on_bit_for_bit(tmp_path, monkeypatch):
    small = experiment.parse(changed(seeds=[3], epochs=9), "small")
    (whole,) = experiment.run(small, tmp_path / "whole")
    save = store.save

    def save_and_press(path, state, seconds):
        save(path, state, seconds)
        if state.epoch == 4:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(store, "save", save_and_press)
    with pytest.raises(KeyboardInterrupt):
        experiment.run(small, tmp_path / "stopped")
    monkeypatch.undo()
    folder = tmp_path / "stopped" / "small" / "seed-3"
    assert len(log.read(folder / "log.csv")) == 4
    experiment.run(small, tmp_path / "stopped")
    assert outcome(folder) == outcome(whole)


def test_a_kill_between_log_and_checkpoint_leaves_no_line_twice(tmp_path, monkeypatch):
    small = experiment.parse(changed(seeds=[3], epochs=9), "small")
    (whole,) = experiment.run(small, tmp_path / "whole")
    save = store.save

    def crash(path, state, seconds):
        if state.epoch == 6:
            raise RuntimeError("crash")
        save(path, state, seconds)

    monkeypatch.setattr(store, "save", crash)
    with pytest.raises(RuntimeError, match="crash"):
        experiment.run(small, tmp_path / "crashed")
    monkeypatch.undo()
    folder = tmp_path / "crashed" / "small" / "seed-3"
    assert len(log.read(folder / "log.csv")) == 6
    experiment.run(small, tmp_path / "crashed")
    assert outcome(folder) == outcome(whole)


# --- what is not this run's ----------------------------------------------------------------------


def test_a_finished_run_needs_no_lock_and_writes_nothing(tmp_path):
    small = experiment.parse(EXPERIMENT, "small")
    for folder in experiment.run(small, tmp_path):
        (folder / ".lock").unlink()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    experiment.run(small, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize("name", ["log.csv", "summary.yml", "checkpoint.npz"])
def test_files_of_a_folder_without_settings_are_not_adopted(tmp_path, name):
    small = experiment.parse(changed(seeds=[3]), "small")
    (folder,) = experiment.run(small, tmp_path)
    for path in folder.iterdir():
        if path.name != name:
            path.unlink()
    with pytest.raises(SettingsError, match=rf"holds {name}, but no settings\.yml"):
        experiment.run(small, tmp_path)


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    small = experiment.parse(changed(seeds=[3]), "small")
    (folder,) = experiment.run(small, tmp_path / "small")
    (other,) = experiment.run(experiment.parse(changed(seeds=[3], d_h=7), "small"), tmp_path / "7")
    (folder / "summary.yml").unlink()
    (other / "checkpoint.npz").replace(folder / "checkpoint.npz")
    with pytest.raises(SettingsError, match=r"a network of 7 hidden units, .*; it must have 6"):
        experiment.run(small, tmp_path / "small")


def test_a_log_of_another_run_is_refused(tmp_path):
    small = experiment.parse(changed(seeds=[3]), "small")
    (folder,) = experiment.run(small, tmp_path / "a")
    (other,) = experiment.run(experiment.parse(changed(seeds=[3], eta=0.2), "small"), tmp_path)
    (folder / "summary.yml").unlink()
    (other / "log.csv").replace(folder / "log.csv")
    with pytest.raises(SettingsError, match="are of different runs"):
        experiment.run(small, tmp_path / "a")


@pytest.mark.parametrize(
    ("keys", "says"),
    [({"K": 901}, "K is 901; it must be at most 900"), ({"d_h": 10**8}, "takes too much memory")],
)
def test_what_goes_beyond_data_or_memory_is_refused_before_anything_is_written(
    tmp_path, keys, says
):
    with pytest.raises(SettingsError, match=says):
        experiment.run(experiment.parse(changed(**keys), "small"), tmp_path)
    assert not list(tmp_path.iterdir())
