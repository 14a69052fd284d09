import multiprocessing
import os
import platform
import signal
import subprocess
import sys

import filelock
import numpy as np
import pytest
import yaml

from mlp import files
from mlp.data import ROOT
from mlp.lab import store
from mlp.settings import SettingsError
from mlp.train import Record, State
from tests.conftest import generic


@pytest.fixture
def state():
    params, *_ = generic(0)
    velocity, *_ = generic(1)
    best, *_ = generic(2)
    return State(7, params, velocity, Record(5, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6), best)


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


# --- settings ------------------------------------------------------------------------------------


def test_yaml_keeps_the_order_of_the_keys_below_its_comment(tmp_path):
    store.write_yaml(tmp_path / "a.yml", {"b": 1, "a": [2]}, note="why")
    assert (tmp_path / "a.yml").read_text() == "# why\nb: 1\na:\n- 2\n"


# --- a claimed folder ----------------------------------------------------------------------------


def test_a_claimed_folder_says_what_it_holds_and_is_refused_to_others(tmp_path):
    folder = tmp_path / "new" / "folder"
    with store.claimed(folder, {"eta": 0.5}):
        assert yaml.safe_load((folder / "settings.yml").read_text()) == {"eta": 0.5}
        with (
            pytest.raises(SettingsError, match="another process writes here; let it end"),
            store.claimed(folder, {"eta": 0.5}),
        ):
            pass
    with store.claimed(folder, {"eta": 0.5}):
        pass


def test_a_folder_is_free_again_after_an_error(tmp_path):
    with pytest.raises(RuntimeError, match="lost"), store.claimed(tmp_path, {}):
        raise RuntimeError("lost")
    with filelock.FileLock(tmp_path / ".lock", blocking=False):
        pass


@pytest.mark.parametrize("kept", ["checkpoint.npz", "checkpoint-3.npz", "summary.yml", "best.yml"])
def test_results_of_other_settings_stand_in_the_way(tmp_path, kept):
    with store.claimed(tmp_path, {"eta": 0.5}):
        (tmp_path / kept).touch()
        (tmp_path / "log.csv").touch()
    with (
        pytest.raises(
            SettingsError, match=r"of other settings, code or data \(eta\); delete the folder"
        ),
        store.claimed(tmp_path, {"eta": 0.6}),
    ):
        pass
    assert names(tmp_path) == sorted([kept, "log.csv", "settings.yml"])
    with store.claimed(tmp_path, {"eta": 0.5}):
        pass


def test_tables_without_results_give_way_to_other_settings(tmp_path):
    with store.claimed(tmp_path, {"eta": 0.5}):
        (tmp_path / "log.csv").touch()
    with store.claimed(tmp_path, {"eta": 0.6}):
        assert names(tmp_path) == ["settings.yml"]
    assert yaml.safe_load((tmp_path / "settings.yml").read_text()) == {"eta": 0.6}


def killed_while_writing(folder):
    """What a killed process does: it is in the midst of a file when it ends."""
    with store.claimed(folder, {}):
        files.Path.replace = lambda self, target: os.kill(os.getpid(), signal.SIGKILL)
        files.write_atomically(folder / "summary.yml", b"half")


def test_what_a_killed_process_was_writing_is_removed_by_the_next_one(tmp_path):
    with store.claimed(tmp_path, {}):
        pass
    process = multiprocessing.get_context("spawn").Process(
        target=killed_while_writing, args=(tmp_path,)
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert any(name.endswith(".tmp") for name in names(tmp_path))
    with store.claimed(tmp_path, {}):
        assert names(tmp_path) == ["settings.yml"]


# --- checkpoints, predictions, machine -----------------------------------------------------------


def test_a_checkpoint_is_read_back_bit_for_bit(tmp_path, state):
    store.save(tmp_path / "checkpoint.npz", state, 12.5)
    restored, seconds = store.restore(tmp_path / "checkpoint.npz")
    assert seconds == 12.5
    assert (restored.epoch, restored.chosen) == (state.epoch, state.chosen)
    assert type(restored.chosen.epoch) is int
    for group in ("params", "velocity", "best"):
        for old, new in zip(getattr(state, group), getattr(restored, group), strict=True):
            assert old.dtype == new.dtype
            np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("kept", [0, 3, 200])
def test_a_damaged_checkpoint_is_named_with_the_remedy(tmp_path, state, kept):
    path = tmp_path / "checkpoint.npz"
    store.save(path, state, 0.0)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(SettingsError, match=r"checkpoint\.npz: damaged checkpoint .*; delete it"):
        store.restore(path)


def test_predictions_are_counted_true_class_by_row(tmp_path):
    oa = np.array([[3.0, 0, 0, 9], [0, 1, 0, 0], [0, 0, 2, 0]])
    store.write_predictions(tmp_path, oa, np.array([0, 1, 1, 2]))
    assert np.load(tmp_path / "predictions.npy").tolist() == [0, 1, 2, 0]
    assert (tmp_path / "confusion.csv").read_text() == "1,0,0\n0,1,1\n1,0,0\n"


def test_the_machine_is_told_with_versions():
    machine = store.machine()
    assert list(machine) == ["processor", "cores", "python", "numpy", "blas", "kernel"]
    assert machine["numpy"] == np.__version__
    assert machine["processor"]
    assert machine["blas"].startswith("openblas 0.")
    assert store.arithmetic(machine) == (np.__version__, machine["blas"], machine["kernel"])


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the kernels are those of x86-64")
def test_the_kernel_of_blas_is_the_one_that_multiplies():
    code = "from mlp.lab import store; print(store.machine()['kernel'])"
    for kernel in ("Haswell", "Sandybridge"):
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"OPENBLAS_CORETYPE": kernel},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.strip() == kernel


def test_what_differs_between_two_descriptions_is_named_key_by_key():
    old = {"data": "circles", "code": {"mlp.fast": "1", "mlp.data": "2"}, "refit": False}
    new = {"data": "circles", "code": {"mlp.fast": "3", "mlp.loop": "4"}, "settings": {"K": 1}}
    assert store.others(old, new) == [
        "code.mlp.fast", "code.mlp.data", "code.mlp.loop", "refit", "settings"
    ]  # fmt: skip
    assert store.others(old, dict(old)) == []
