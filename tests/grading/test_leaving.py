"""Leave one out, a sample of it; `python -m tests.grading.leaving` does all of it."""

import random

import pytest

from grading import trust
from grading.judge import grade
from grading.rubric import load
from tests.grading.leaving import (
    CHANGES_OF_CODE,
    SEED,
    Remembering,
    changes,
    copied,
    functions_alone,
    judged,
    losers,
    lost,
)

RUBRIC = functions_alone(load())
EVERY = list(changes())
OF_TEXT = [change for change in EVERY if change.what == "text"]
OF_CODE = [change for change in EVERY if change.what in CHANGES_OF_CODE]
SAMPLE = [*random.Random(4).sample(OF_TEXT, 8), *random.Random(4).sample(OF_CODE, 3)]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A copy of the project."""
    return copied(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def run():
    return Remembering(trust.run)


def test_this_project_has_all_points_for_claims_and_functions(base, run):
    assert lost(grade(base, RUBRIC, run, SEED)) == set()


@pytest.mark.parametrize("change", SAMPLE, ids=lambda change: f"{change.question} {change.what}")
def test_an_answer_that_is_gone_or_wrong_costs_points_of_its_own_item_alone(change, base, run):
    assert judged(change, losers(change, base, RUBRIC, run), RUBRIC) == ""


def test_every_item_is_taken_away_and_broken_in_two_ways_at_least():
    by_item = dict.fromkeys(load().items, 0)
    for change in EVERY:
        by_item[change.question] += 1
    assert {question: n for question, n in by_item.items() if n < 3} == {}
