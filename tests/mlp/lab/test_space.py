import numpy as np
import pytest

from mlp.lab import space
from mlp.settings import SettingsError


def test_a_grid_has_every_combination_in_order():
    points = list(space.grid({"d_h": [2, 5], "eta": [0.1, 1, 3]}))
    assert [(point["d_h"], point["eta"]) for point in points] == [
        (2, 0.1), (2, 1), (2, 3), (5, 0.1), (5, 1), (5, 3)
    ]  # fmt: skip


def test_more_drawn_points_begin_with_the_same_ones_and_another_seed_has_others():
    choices = {"d_h": [2, 5, 20], "eta": {"low": 0.05, "high": 2, "log": True}}
    points = list(space.drawn(choices, 20, seed=3))
    assert list(space.drawn(choices, 50, seed=3))[:20] == points
    assert list(space.drawn(choices, 20, seed=4)) != points


def test_a_range_is_drawn_from_evenly_or_by_its_logarithm():
    choices = {"even": {"low": 1, "high": 100.0}, "log": {"low": 1, "high": 100.0, "log": True}}
    points = list(space.drawn(choices, 400, seed=0))
    even, log = (np.array([point[name] for point in points]) for name in choices)
    assert 45 < np.median(even) < 56
    assert 8 < np.median(log) < 12.5
    assert all(1 <= value <= 100 for value in [*even, *log])
    assert all(float(f"{value:.3g}") == value for value in [*even, *log])


def test_a_range_between_whole_numbers_gives_whole_numbers():
    points = list(space.drawn({"K": {"low": 10, "high": 12}}, 60, seed=0))
    assert {point["K"] for point in points} == {10, 11, 12}
    assert {type(point["K"]) for point in points} == {int}


@pytest.mark.parametrize(
    "choice",
    [
        [],
        3,
        {"low": 0, "high": 1, "log": True},
        {"low": 2, "high": 1},
        {"low": 1, "high": 2, "base": 2},
        {"low": 1, "high": "2"},
        {"high": 2},
    ],
)
def test_a_choice_that_cannot_be_drawn_from_is_named_with_the_remedy(choice):
    with pytest.raises(SettingsError, match=r"eta is .*; a random search needs a list or \{low"):
        next(space.drawn({"eta": choice}, 1, seed=0))


def test_a_grid_has_no_ranges():
    with pytest.raises(SettingsError, match=r"eta is \{'low': 1.*; a grid search needs a list$"):
        next(space.grid({"d_h": [3], "eta": {"low": 1, "high": 2}}))
