import numpy as np
import pytest

from figures.times import cost, cost_table, epoch_table, goal, ratio_table, savings_table
from mlp.bench.case import Case, N
from mlp.bench.results import Spread, Timing


def timings(*cases, threads=1, **epochs):
    """A whole epoch by each method in each case, in so many seconds."""
    return [
        Timing(method, *case, threads, 1, N, seconds)
        for case in cases
        for method, seconds in epochs.items()
    ]


PLAIN, NET = Case(100, 512, elastic=False), Case(100, 512, elastic=True)


def test_spreads_stand_with_the_number_of_repetitions():
    table = epoch_table({"by loop": Spread(5, 2.0, 1.625, 6.0)})
    assert table.splitlines()[2:] == ["| by loop | 5 | 2.00 | 1.62 | 6.00 |"]


def test_costs_are_those_without_elastic_net_and_with_one_thread():
    some = timings(PLAIN, fast=1, pytorch=1.1, sklearn=4, floor=0.9)
    some += timings(NET, fast=7)
    some += timings(PLAIN, fast=8, threads=4)
    rows = cost_table(some).splitlines()[2:]
    assert rows == ["| 100 | 512 |  |  | 4.00 | 1.10 | 1.00 | 0.90 |"]


def test_ratios_are_marked_where_a_goal_is_missed_and_where_none_was_set():
    wide = Case(1000, 512, elastic=False)
    cases = (PLAIN, NET, wide, wide._replace(elastic=True))
    some = timings(*cases, fast=1, pytorch=1.15, sklearn=4, floor=0.9)
    some += timings(*cases, fast=1, pytorch=1.25, threads=4)
    head, _, *rows = ratio_table(some).splitlines()
    assert "PyTorch, 4 threads" in head
    assert rows == [
        "| 100 | 512 | †1.15 | †1.15 | 4.00 | 4.00 | 1.11 | 1.25 | 1.25 |",
        "| 1000 | 512 | 1.15 | 1.15 | 4.00 | 4.00 | 1.11 | °1.25 | °1.25 |",
    ]


def test_savings_are_medians_with_a_dash_where_a_trick_is_not_used():
    saved = {"strips": {(10, 32): [1, 4, 2], (10, 1024): [-1, -3, -4]}}
    assert savings_table(saved).splitlines()[2] == "| strips | – | −3.0 |"


def test_goals_are_told_as_short_as_can_be():
    assert goal("pytorch", K=10) == "4"
    assert goal("pytorch", K=100, d_h=128) == "2"
    assert goal("floor", K=100) == "1.2"
    with pytest.raises(ValueError, match="against floor for K = 100, d_h = 32"):
        goal("floor", K=100, d_h=32)


def test_the_figure_draws_each_method_but_the_loop_against_both_sizes():
    cases = [PLAIN, PLAIN._replace(K=10), PLAIN._replace(d_h=32)]
    some = timings(*cases, loop=9, fast=1)
    some += timings(Case(10, 32, elastic=False), fast=3)
    above, below = cost(some).subfigs
    assert [ax.get_title() for ax in above.axes] == ["$K = 10$", "$K = 100$"]
    assert [ax.get_title() for ax in below.axes] == ["$d_h = 32$", "$d_h = 512$"]
    drawn = [line.get_xydata() for line in above.axes[0].lines if len(line.get_xydata())]
    np.testing.assert_array_equal(drawn, [[[32, 3], [512, 1]]])
