import numpy as np
import pytest

from mlp import fast, train
from mlp.bench import goals, methods
from mlp.bench.case import Case, D, M
from mlp.penalty import Lambdas
from mlp.settings import Settings

CASE = Case(100, 512, False)


def test_goals_are_met_or_missed_in_the_right_direction(timings):
    judged = goals.judge(timings(fast=1, pytorch=1.3, sklearn=1.04, floor=0.8), 1)
    reached = {goal.rival: goal for goal in judged}
    assert reached["pytorch"].reached == pytest.approx(1.3)
    assert reached["pytorch"].met
    assert not reached["sklearn"].met
    assert "floor" not in reached


def test_a_jitted_scan_is_to_be_met_where_a_step_fills_the_machine_or_products_are_shared():
    assert goals.aim("jax-step", Case(10, 32, True), 1) == 1.0
    assert goals.aim("jax-scan", Case(100, 32, True), 1) == 0.9
    assert goals.aim("jax-scan", Case(10, 128, False), 1) == 0.9
    assert goals.aim("jax-scan", Case(10, 32, False), 1) is None
    assert goals.aim("jax-scan", Case(10, 128, True), 1) is None


def test_with_several_threads_pytorch_alone_is_to_be_met():
    assert goals.aim("pytorch", Case(1000, 128, False), 2) == 1.0
    assert goals.aim("jax-step", Case(100, 128, False), 2) is None
    assert goals.aim("pytorch", CASE, 1) == goals.aim("sklearn", CASE, 1) == 1.05


@pytest.mark.parametrize(
    "case", [Case(K, d_h, e) for K in (10, 100) for d_h in (32, 128) for e in (False, True)]
)
def test_products_are_shared_where_the_fast_twin_shares_them(case):
    lambdas = methods.ELASTIC if case.elastic else Lambdas()
    settings = Settings(d_h=case.d_h, eta=0.01, epochs=1, K=case.K, **lambdas._asdict())
    state = train.start(settings, D, M, np.float32)
    steps = fast.Steps(state.params, state.velocity, settings)
    assert goals.shares(case) == (steps._shares and steps._chunk > case.K)


def test_goals_count_only_where_both_methods_were_measured(timings):
    assert goals.judge(timings(pytorch=1.3, floor=0.8), 1) == []
    assert goals.judge(timings(fast=1, floor=0.8), 1) == []


def test_ratios_are_those_of_one_size_of_minibatch_with_or_without_penalty():
    seconds = {
        Case(10, 32, False): {"fast": 1.0, "sklearn": 3.0},
        Case(10, 64, False): {"fast": 1.0, "sklearn": 4.0},
        Case(10, 64, True): {"fast": 1.0, "sklearn": 5.0},
        Case(100, 64, False): {"fast": 1.0, "sklearn": 6.0},
        Case(10, 128, False): {"fast": 1.0},
    }
    assert goals.ratios(seconds, "sklearn", elastic=False, K=10) == [3, 4]


def test_the_fastest_complete_method_is_not_the_products():
    assert goals.over_fastest({"fast": 2.0, "pytorch": 1.6, "floor": 1.0}) == pytest.approx(1.25)
    assert goals.over_fastest({"fast": 2.0, "pytorch": 2.5, "floor": 1.0}) == 1
