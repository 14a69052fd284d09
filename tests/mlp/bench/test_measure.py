import contextlib
import subprocess
import sys

import numpy as np
import pytest

from mlp.bench import measure, threads
from mlp.bench.case import Case, D, M
from mlp.bench.measure import Worker
from mlp.data import ROOT, Dataset


@pytest.fixture
def folder(tmp_path):
    """Some examples, as the processes of methods read them."""
    rng = np.random.default_rng(0)
    np.save(tmp_path / "X.npy", rng.random((400, D), np.float32))
    np.save(tmp_path / "y.npy", rng.integers(0, M, 400))
    return tmp_path


def test_a_process_times_the_case_it_is_asked_for(folder):
    with contextlib.closing(Worker("floor", 1, folder)) as worker:
        timing = worker.ask(Case(10, 3, False), 2, 0.001)
    assert timing[:6] == ("floor", 10, 3, False, 1, 2)
    assert timing.examples % 10 == 0
    assert 200 <= timing.examples <= 400
    assert 0 < timing.seconds < 10


def test_a_process_that_fails_is_reported(folder):
    with pytest.raises(RuntimeError, match="measures nothing ended"):
        Worker("nothing", 1, folder)


def test_the_examples_are_those_of_training_or_random_ones_of_their_shape(tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "load", lambda: (Dataset(np.ones((3, 2)), np.arange(3)), "three"))
    assert measure.write_examples(tmp_path) == "three"
    assert np.load(tmp_path / "X.npy").shape == (3, 2)
    assert np.load(tmp_path / "y.npy").tolist() == [0, 1, 2]


def test_methods_are_asked_in_turn_and_their_processes_ended(monkeypatch):
    asked, ended = [], []

    class Fake:
        def __init__(self, method, count, folder):
            self.name = f"{method}, {count}"

        def ask(self, case, repetition, target):
            asked.append((self.name, case.K, repetition))
            if case.K == 13:
                raise KeyboardInterrupt

        def close(self):
            ended.append(self.name)

    monkeypatch.setattr(measure, "Worker", Fake)
    monkeypatch.setattr(measure, "write_examples", lambda folder: "random")
    monkeypatch.setattr(measure, "PAUSE", 0)
    measure.in_turn(["a", "b"], [Case(10, 3, False)], [1, 2], 2, 0.1)
    assert asked == [
        ("a, 1", 10, 1), ("b, 1", 10, 1), ("a, 1", 10, 2), ("b, 1", 10, 2),
        ("a, 2", 10, 1), ("b, 2", 10, 1), ("a, 2", 10, 2), ("b, 2", 10, 2),
    ]  # fmt: skip
    assert sorted(ended) == ["a, 1", "a, 2", "b, 1", "b, 2"]
    with pytest.raises(KeyboardInterrupt):
        measure.in_turn(["c", "d"], [Case(13, 3, False)], [1], 1, 0.1)
    assert sorted(ended[4:]) == ["c, 1", "d, 1"]


def test_the_environment_says_how_many_threads_blas_has():
    code = "from threadpoolctl import threadpool_info as info; import numpy; " \
           "print({pool['num_threads'] for pool in info()})"  # fmt: skip
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=threads.environment(1),
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert out.strip() == "{1}"
