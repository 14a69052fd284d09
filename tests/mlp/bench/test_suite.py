import math

import numpy as np
import pytest

from mlp.__main__ import main
from mlp.bench import measure, memory, methods, results, savings, suite
from mlp.bench.case import Case, D, M
from mlp.bench.results import Saving
from mlp.data import Dataset
from mlp.lab import origin


@pytest.fixture
def asked(monkeypatch, timings):
    """What was asked of a measurement that takes no time; no library is installed."""
    asked = []

    def in_turn(timed, cases, counts, repetitions, target):
        asked.append((list(timed), len(cases), target))
        return timings(loop=2, matrix=1, fast=0.5, pytorch=0.4), "random"

    monkeypatch.setattr(measure, "in_turn", in_turn)
    monkeypatch.setattr(savings, "measured", lambda n: [Saving("strips", 10, 32, n, 2, 1)])
    monkeypatch.setattr(methods, "distributions", list)
    return asked


def test_bench_measures_what_is_there_and_writes_three_tables(tmp_path, asked, capsys):
    assert main(["bench", "--results", str(tmp_path)]) == 0
    assert asked == [
        (["loop", "matrix"], 1, math.inf),
        (["loop", "matrix", "fast", "floor"], 24, 0.25),
    ]
    out = capsys.readouterr().out
    assert "without jax, scikit-learn, torch: pip install jax" in out
    assert "1 threads: 0 of 1 goals reached" in out
    assert "pytorch: 0.80 instead of 1.05" in out
    assert {f.name for f in tmp_path.glob("*.csv")} == {"epoch.csv", "tricks.csv", "cost.csv"}
    assert results.read_about(tmp_path / "cost.csv")["data"] == "random"


def test_a_quick_bench_does_a_few_cases_and_no_whole_epoch(tmp_path, asked):
    suite.run(tmp_path, quick=True)
    assert [(cases, target) for _, cases, target in asked] == [(1, 0.25), (2, 0.25)]


def test_a_quick_bench_runs_every_method_that_is_there(tmp_path, monkeypatch, capsys):
    rng = np.random.default_rng(0)
    few = Dataset(rng.random((400, D), np.float32), rng.integers(0, M, 400))
    monkeypatch.setattr(measure, "load", lambda: (few, "random"))
    monkeypatch.setattr(savings, "measured", lambda n: [Saving("strips", 10, 32, n, 2, 1)])
    suite.run(tmp_path, repetitions=1, target=0.001, quick=True)
    timings = results.read(tmp_path / "cost.csv")
    assert {timing.method for timing in timings} == set(methods.available())
    assert {timing.case for timing in timings} == {Case(10, 32, True), Case(100, 128, False)}
    assert all(timing.seconds > 0 and timing.examples <= 400 for timing in timings)
    about = results.read_about(tmp_path / "cost.csv")
    assert {"kernel", "load_average", "data", "code"} < set(about)
    assert suite.stale(tmp_path) == []
    assert "goals reached" in capsys.readouterr().out


def test_times_of_other_code_are_stale(tmp_path, asked, monkeypatch):
    suite.run(tmp_path, quick=True)
    now = origin.code

    def changed(roots):
        return {**now(roots), "mlp.fast": "0" * 16}

    monkeypatch.setattr(origin, "code", changed)
    assert suite.stale(tmp_path) == [f"{name}.csv: mlp.fast differs" for name in suite.TIMED]


def test_times_belong_to_what_is_timed_and_to_the_scripts_of_peers():
    cost = origin.code(suite.TIMED["cost"])
    assert {"mlp.fast", "mlp.loop", "mlp.bench.serve", "mlp.bench.peers.jax"} < set(cost)
    assert not {"mlp.bench.results", "mlp.lab.store"} & set(cost)
    assert "mlp.bench.tricks" in origin.code(suite.TIMED["tricks"])


def test_times_are_recorded_with_what_they_depend_on(monkeypatch):
    monkeypatch.setattr(suite, "version", lambda package: f"{package} 1.0")
    about = suite.conditions(["fast", "sklearn"])
    assert {"processor", "cores", "python", "numpy", "blas"} < set(about)
    assert about["scikit-learn"] == "scikit-learn 1.0"
    assert "torch" not in about


def test_memory_is_measured_on_the_real_data_only(monkeypatch):
    monkeypatch.setattr(memory, "of_training", lambda: 300_000_000)
    assert suite.memory_taken("Fashion-MNIST") == {
        "data_bytes": 70_000 * 784 * 4, "peak_bytes": 300_000_000
    }  # fmt: skip
    assert suite.memory_taken("random") == {"data_bytes": 0, "peak_bytes": 0}
