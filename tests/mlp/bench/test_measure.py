import math
import subprocess
import sys

import pytest

from mlp.bench import measure, threads
from mlp.bench.case import Case, N
from mlp.bench.measure import Worker
from mlp.data import ROOT


def test_a_slow_epoch_is_measured_in_whole_minibatches(monkeypatch):
    clock = [0.0]

    def run(n):
        clock[0] += n / 1024

    monkeypatch.setattr(measure.time, "perf_counter", lambda: clock[0])
    assert measure.fraction(run, 100, 1.0) == 1000
    assert measure.fraction(run, 1000, 0.1) == 1000
    assert measure.fraction(run, 10, 0.333) == 340
    assert measure.fraction(run, 10, math.inf) == N


def test_a_process_times_the_case_it_is_asked_for():
    worker = Worker("floor", 1)
    try:
        timing = worker.ask(Case(10, 3, False), 2, 0.001)
    finally:
        worker.close()
    assert timing[:6] == ("floor", 10, 3, False, 1, 2)
    assert timing.examples % 10 == 0
    assert 0 < timing.seconds < 10


def test_a_process_that_fails_is_reported():
    with pytest.raises(RuntimeError, match="measures nothing ended"):
        Worker("nothing", 1)


def test_methods_are_asked_in_turn_and_their_processes_ended(monkeypatch):
    asked, ended = [], []

    class Fake:
        source = "random"

        def __init__(self, method, count):
            self.name = f"{method}, {count}"

        def ask(self, case, repetition, target):
            asked.append((self.name, case.K, repetition))
            if case.K == 13:
                raise KeyboardInterrupt

        def close(self):
            ended.append(self.name)

    monkeypatch.setattr(measure, "Worker", Fake)
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
