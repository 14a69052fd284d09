import math

import numpy as np
import pytest

from mlp import fast, train
from mlp.bench import methods
from mlp.bench.case import Case, D, M
from mlp.data import Dataset


@pytest.fixture
def examples():
    rng = np.random.default_rng(0)
    X = rng.random((450, D), dtype=np.float32)
    return Dataset(X, rng.integers(0, M, 450))


@pytest.mark.parametrize("engine", [train.Steps, fast.Steps])
@pytest.mark.parametrize("K", [10, 100])
def test_our_epoch_steps_once_through_every_minibatch(examples, engine, K):
    seen, sizes = [], []

    class Spy(engine):
        def run(self, X, y, order, eta):
            seen.extend(order)
            sizes.append(len(eta))
            return super().run(X, y, order, eta)

    methods.prepare_engine(Spy, examples, Case(K, 5, True))(350)
    assert len(set(seen)) == len(seen) == 350
    assert sum(sizes) == math.ceil(350 / K)


@pytest.mark.parametrize("elastic", [False, True])
@pytest.mark.parametrize("method", methods.METHODS)
def test_every_method_of_ours_runs_in_every_kind_of_case(examples, method, elastic):
    methods.METHODS[method](examples, Case(100, 5, elastic))(300)


def test_loop_and_matrix_calculus_end_at_the_same_parameters(examples, monkeypatch):
    ends, update = [], train.update

    def spy(*arguments):
        ends.append(update(*arguments))
        return ends[-1]

    monkeypatch.setattr(train, "update", spy)
    doubles = examples._replace(X=examples.X.astype(float))
    for method in ("loop", "matrix"):
        methods.METHODS[method](doubles, Case(100, 5, True))(300)
    assert len(ends) == 6
    for a, b in zip(ends[2], ends[5], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-14)


def test_methods_whose_package_is_not_installed_are_left_out(monkeypatch):
    monkeypatch.setattr(methods, "distributions", list)
    assert methods.available() == ["loop", "matrix", "fast", "floor"]
