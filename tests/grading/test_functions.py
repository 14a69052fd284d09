import numpy as np
import pytest

from grading.functions import CHECKS, K, held, inputs
from grading.gather import Given
from mlp import model


@pytest.mark.parametrize("seed", range(30))
def test_hidden_inputs_are_generic_whatever_the_seed(seed):
    hidden = inputs(seed)
    ha = model.fprop(hidden.params, hidden.x).ha
    assert 0 < (ha[:, 0] > 0).sum() < len(ha)
    assert np.abs(ha).min() > 1e-3
    assert set(hidden.y.tolist()) == {0, 1, 2}
    assert hidden.x.shape[1] == K
    assert 0 in hidden.t
    assert np.abs(hidden.t).max() > 29
    assert np.count_nonzero(hidden.v) == len(hidden.v) - 1


def test_hidden_inputs_are_others_with_another_seed():
    assert not np.array_equal(inputs(1).t, inputs(2).t)
    assert np.array_equal(inputs(1).t, inputs(1).t)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (None, "no numbers"),
        (np.ones((3, 1)), "has the shape (3, 1), not (3,)"),
        (np.array([1.0, 2.0, -3.0]), "differs by 2.0e+00"),
        (np.array([1.0, 2.0, 3.001]), "differs by 3.3e-04"),
    ],
)
def test_an_array_that_is_not_what_it_should_be_says_how(given, says):
    found = held(given, [1.0, 2.0, 3.0], "right")
    assert found.share == 0
    assert found.says.startswith(says)


def test_an_array_that_is_right_says_to_which_digit():
    assert held(np.array([1.0, 2.0]), [1.0, 2.0], "right").says == "right, in every digit"
    assert held(np.array([1.0, 2.0 + 2e-9]), [1.0, 2.0], "right").says == "right, to 1e-09"


def backward(**locals_):
    values = {f"bprop_one:{name}": array for name, array in locals_.items()}
    return {"backward": Given(values)}


def test_a_line_is_judged_by_what_it_starts_from_so_that_one_error_costs_once():
    hidden = inputs(3)
    act = model.fprop(hidden.params, hidden.x[:, :1])
    wrong = -(act.os - np.eye(3)[:, hidden.y[:1]])  # of the wrong sign
    given = backward(grad_oa=wrong, grad_W2=wrong @ act.hs.T)
    assert CHECKS["grad_oa"].judge(hidden, given).share == 0
    assert CHECKS["grad_W2"].judge(hidden, given).share == 1


def test_nothing_is_right_because_what_it_starts_from_is_zero():
    hidden = inputs(3)
    act = model.fprop(hidden.params, hidden.x[:, :1])
    nothing = np.zeros((3, 1))
    found = CHECKS["grad_W2"].judge(hidden, backward(grad_oa=nothing, grad_W2=nothing @ act.hs.T))
    assert found.share == 0


def test_a_variable_that_is_not_there_is_missing():
    found = CHECKS["grad_W2"].judge(inputs(3), backward())
    assert not found.there
