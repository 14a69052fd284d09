import math

import numpy as np
import pytest

from mlp import fast, train
from mlp.__main__ import main
from mlp.bench import measure as bench
from mlp.bench import tricks
from mlp.bench.measure import Case, Timing, Worker
from mlp.bench.tricks import Saving
from mlp.data import Dataset


@pytest.fixture
def examples():
    rng = np.random.default_rng(0)
    X = rng.random((450, bench.D), dtype=np.float32)
    return Dataset(X, rng.integers(0, bench.M, 450))


def timings(**epochs):
    """Five timings of half an epoch by each method, around the seconds given for a whole one."""
    return [
        Timing(method, 100, 512, False, 1, r, bench.N // 2, seconds / 2 * factor)
        for method, seconds in epochs.items()
        for r, factor in enumerate((1, 0.9, 3, 1.1, 0.8), 1)
    ]


@pytest.mark.parametrize("engine", [train.Steps, fast.Steps])
@pytest.mark.parametrize("K", [10, 100])
def test_our_epoch_steps_once_through_every_minibatch(examples, engine, K):
    seen, sizes = [], []

    class Spy(engine):
        def run(self, X, y, order, eta):
            seen.extend(order)
            sizes.append(len(eta))
            return super().run(X, y, order, eta)

    bench.prepare_engine(Spy, examples, Case(K, 5, True))(350)
    assert len(set(seen)) == len(seen) == 350
    assert sum(sizes) == math.ceil(350 / K)


@pytest.mark.parametrize("elastic", [False, True])
@pytest.mark.parametrize("method", bench.METHODS)
def test_every_method_runs_in_every_kind_of_case(examples, method, elastic, monkeypatch):
    if method not in bench.available():
        pytest.skip(f"{bench.OPTIONAL[method]} is not installed")
    monkeypatch.setenv(bench.THREADS[0], "1")
    bench.METHODS[method](examples, Case(100, 5, elastic))(300)


def test_loop_and_matrix_calculus_end_at_the_same_parameters(examples, monkeypatch):
    ends = []
    update = train.update
    monkeypatch.setattr(train, "update", lambda *args: ends.append(update(*args)) or ends[-1])
    doubles = examples._replace(X=examples.X.astype(float))
    for method in ("loop", "matrix"):
        bench.METHODS[method](doubles, Case(100, 5, True))(300)
    assert len(ends) == 6
    for a, b in zip(ends[2], ends[5], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-14)


def test_a_slow_epoch_is_measured_in_whole_minibatches(monkeypatch):
    clock = [0.0]

    def run(n):
        clock[0] += n / 1024

    monkeypatch.setattr(bench.time, "perf_counter", lambda: clock[0])
    assert bench.fraction(run, 100, 1.0) == 1000
    assert bench.fraction(run, 1000, 0.1) == 1000
    assert bench.fraction(run, 10, 0.333) == 340
    assert bench.fraction(run, 10, math.inf) == bench.N


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


def test_bench_measures_what_is_there_and_writes_three_tables(tmp_path, monkeypatch, capsys):
    asked = []

    def measure(methods, cases, threads, repetitions, target):
        asked.append((list(methods), target))
        return timings(loop=2, matrix=1, fast=0.5, pytorch=0.4), "random"

    monkeypatch.setattr(bench, "measure", measure)
    monkeypatch.setattr(bench, "savings", lambda n: [Saving("strips", 10, 32, n, 2, 1)])
    monkeypatch.setattr(bench, "distributions", list)  # nothing is installed
    monkeypatch.setattr(bench, "version", lambda _: "none")
    assert main(["bench", "--results", str(tmp_path)]) == 0
    assert asked[0] == (["loop", "matrix"], math.inf)
    assert "pytorch" not in asked[1][0]
    out = capsys.readouterr().out
    assert "without torch and scikit-learn" in out
    assert "0 of 1 goals reached" in out
    assert {f.name for f in tmp_path.glob("*.csv")} == {"epoch.csv", "tricks.csv", "cost.csv"}


def test_a_trick_is_used_where_the_plan_of_the_twin_differs_with_it():
    for K, d_h in tricks.SHAPES:
        assert tricks.used("buffers", K, d_h)
        assert tricks.used("strips", K, d_h) == ((K, d_h) == (10, 1024))
        assert tricks.used("shared products", K, d_h) == ((K, d_h) == (10, 1024))


def test_savings_are_measured_in_a_process_with_one_thread():
    saved = bench.savings(1)
    assert {(s.K, s.d_h) for s in saved} == set(tricks.SHAPES)
    assert all(s.plain > 0 for s in saved)
