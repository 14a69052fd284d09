import numpy as np
import pytest

from figures import exercises
from mlp.model import fprop

ERRORS = {
    "tanh_grad_ha": exercises.tanh_error,
    "dropout_grad_ha": exercises.dropout_error,
    "squared_grad_oa": exercises.squared_error,
    "below_grad_W0": exercises.below_error,
}


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_each_answer_agrees_with_the_complex_step(error):
    assert 0 < error() < 1e-12


@pytest.mark.parametrize("name", ERRORS)
def test_a_wrong_answer_does_not(name, monkeypatch):
    answer = getattr(exercises, name)
    monkeypatch.setattr(exercises, name, lambda *arguments: 1.01 * answer(*arguments))
    assert ERRORS[name]() > 1e-3


def test_some_units_are_dropped_some_are_off_and_others_pass():
    passed = (exercises.MASK > 0) & (fprop(exercises.THETA, exercises.X).ha > 0)
    assert 0 < passed.sum() < np.count_nonzero(exercises.MASK)
    below = exercises.W0 @ exercises.X0
    assert 0 < (below > 0).sum() < below.size
