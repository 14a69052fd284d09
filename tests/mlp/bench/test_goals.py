import pytest

from mlp.bench import goals
from mlp.bench.case import Case
from mlp.bench.goals import Goal

CASE = Case(100, 512, False)


def test_goals_are_met_or_missed_in_the_right_direction(timings):
    judged = goals.judge(timings(fast=1, pytorch=1.3, sklearn=1.8, floor=0.8), 1)
    reached = {goal.rival: goal for goal in judged}
    assert reached["pytorch"].reached == pytest.approx(1.3)
    assert reached["pytorch"].met
    assert not reached["sklearn"].met
    assert reached["floor"].reached == pytest.approx(1.25)
    assert not reached["floor"].met


def test_no_goal_is_set_against_products_that_have_no_penalty():
    assert goals.aim("floor", CASE, 1) == 1.2
    assert goals.aim("floor", CASE._replace(elastic=True), 1) is None


def test_goals_count_only_where_both_methods_were_measured(timings):
    assert goals.judge(timings(pytorch=1.3, floor=0.8), 1) == []
    assert [goal.rival for goal in goals.judge(timings(fast=1, floor=0.8), 1)] == ["floor"]


def test_missed_goals_against_libraries_leave_the_products_out():
    met, missed = Goal("pytorch", CASE, 1.2, 1.3), Goal("sklearn", CASE, 1.9, 1.8)
    floor = Goal("floor", CASE, 1.2, 1.3)
    assert goals.missed_against_libraries([met, missed, floor]) == [missed]


def test_a_goal_is_beyond_the_products_where_these_are_not_that_much_faster():
    pytorch, sklearn = Goal("pytorch", CASE, 1.2, 1.0), Goal("sklearn", CASE, 1.9, 1.0)
    seconds = {CASE: {"fast": 1.0, "pytorch": 1.0, "sklearn": 1.0, "floor": 0.6}}
    assert goals.beyond_the_products([pytorch, sklearn], seconds) == [sklearn]


def test_the_fastest_complete_method_is_not_the_products():
    assert goals.over_fastest({"fast": 2.0, "pytorch": 1.6, "floor": 1.0}) == pytest.approx(1.25)
    assert goals.over_fastest({"fast": 2.0, "pytorch": 2.5, "floor": 1.0}) == 1
