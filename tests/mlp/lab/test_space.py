import numpy as np
import pytest
import yaml

from mlp.lab import experiment, space
from mlp.settings import SettingsError
from tests.mlp.lab.conftest import SEARCH, altered


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
    with pytest.raises(SettingsError, match=r"eta is \{'high': 2.*; a grid search needs a list$"):
        next(space.grid({"d_h": [3], "eta": {"low": 1, "high": 2}}))


def test_grid_search_tries_every_combination():
    grid = space.parse(altered(eta=[0.1, 1], search={"method": "grid"}), "grid")
    assert grid.open == ("d_h", "eta")
    assert [(t.settings.d_h, t.settings.eta) for t in grid.trials] == [
        (d_h, eta) for d_h in (2, 5, 20) for eta in (0.1, 1)
    ]
    assert grid.rounds == (9,)


def test_random_search_draws_within_its_ranges_and_the_same_again():
    text = altered(K={"low": 10, "high": 40}, search={"method": "random", "trials": 60, "seed": 2})
    trials = [trial.settings for trial in space.parse(text, "a").trials]
    assert trials == [trial.settings for trial in space.parse(text, "b").trials]
    assert {t.d_h for t in trials} == {2, 5, 20}
    assert all(0.05 <= t.eta <= 2 for t in trials)
    assert 0.2 < np.median([t.eta for t in trials]) < 0.5  # the middle of the logarithms is 0.32
    assert all(type(t.K) is int and 10 <= t.K <= 40 for t in trials)
    fewer = altered(K={"low": 10, "high": 40}, search={"method": "random", "trials": 20, "seed": 2})
    assert trials[:20] == [trial.settings for trial in space.parse(fewer, "c").trials]


def test_trials_may_differ_in_whether_inputs_are_standardized():
    both = space.parse(altered(standardize=[False, True], eta=0.1), "both")
    assert both.open == ("d_h", "standardize")
    assert {trial.standardize for trial in both.trials} == {False, True}
    assert both.opened(0)["standardize"] == both.trials[0].standardize
    assert "standardize" not in space.describe(both)["fixed"]


def test_the_keys_of_a_trial_are_those_of_an_experiment_with_all_seeds():
    trial = space.parse(altered(seeds=[3, 5], standardize=True), "s").trials[2]
    text = yaml.safe_dump(space.keys(trial))
    assert experiment.parse(text, "s") == trial
    assert trial.seeds == (3, 5)


def test_the_file_of_a_trial_leaves_out_what_stays_at_its_default_unless_it_was_open():
    of = space.parse(altered(l12=[0.0, 0.1], momentum=0.5, eta=0.1, d_h=3), "s")
    file = space.file(of, 0)
    assert experiment.parse(yaml.safe_dump(file), "s") == of.trials[0]
    assert list(file) == [
        "data", "valid", "standardize", "seeds", "d_h", "eta", "epochs", "K", "momentum", "l12"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SEARCH[: SEARCH.index("search")], "search is None; it must be {method: grid} or"),
        (altered(search={"method": "best"}), "search is {'method': 'best'}"),
        (
            altered(search={"method": "grid", "trials": 3}),
            "search has the unknown key 'trials'",
        ),
        (altered(search={"method": "random"}), "search: trials is missing"),
        (altered(search={"method": "random", "trials": 0}), "search: trials is 0"),
        (altered(search={"method": "random", "trials": 3, "factor": 1}), "factor is 1"),
        (altered(search={"method": "grid"}), "eta is {'high': 2"),
        (altered(eta={"low": 0, "high": 1, "log": True}), "eta is {'high': 1"),
        (altered(eta={"low": 2, "high": 1}), "eta is {"),
        (altered(eta={"low": 1, "high": 2, "base": 2}), "eta is {"),
        (altered(eta={"low": 1, "high": "2"}), "eta is {"),
        (altered(d_h=[]), "d_h is []"),
        (altered(d_h=[3, 0]), "d_h is 0; it must be a whole number >= 1"),
        (altered(d_h=[3], eta=0.1, epochs=[2, 3]), "epochs is open; give one value, the same for"),
        (altered(valid=[100, 200]), "valid is open; give one value"),
        (altered(d_h=3, eta=0.1), "no setting is open"),
        (altered(refit=True), "refit is True; it must be false"),
        (altered(width=[3]), "unknown key 'width'"),
    ],
)
def test_bad_search_file_is_named_with_key_value_and_remedy(tmp_path, text, says):
    path = tmp_path / "bad.yml"
    path.write_text(text)
    with pytest.raises(SettingsError) as error:
        space.load(path)
    assert str(error.value).startswith(f"{path}: ")
    assert says in str(error.value)
