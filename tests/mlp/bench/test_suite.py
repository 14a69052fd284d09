import math

import pytest

from mlp.__main__ import main
from mlp.bench import measure, memory, methods, results, savings, suite
from mlp.bench.results import Saving


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
    assert "without torch and scikit-learn" in out
    assert "1 threads: 0 of 1 goals reached" in out
    assert "pytorch: 0.80 instead of 1.2" in out
    assert {f.name for f in tmp_path.glob("*.csv")} == {"epoch.csv", "tricks.csv", "cost.csv"}
    assert results.read_about(tmp_path / "cost.csv")["data"] == "random"


def test_a_quick_bench_does_a_few_cases_and_no_whole_epoch(tmp_path, asked):
    suite.run(tmp_path, quick=True)
    assert [(cases, target) for _, cases, target in asked] == [(1, 0.25), (2, 0.25)]


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
