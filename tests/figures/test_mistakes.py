import numpy as np
import pytest

from figures import mistakes
from mlp import model

GROUPS = (mistakes.basic, mistakes.forward, mistakes.backward, mistakes.minibatch)


def rows(group):
    return {mistake.what: mistake for mistake in group()}


@pytest.mark.parametrize("group", GROUPS)
def test_each_mistake_spoils_the_number_and_is_noticed(group):
    for mistake in group():
        assert mistake.right != mistake.wrong
        assert mistake.noticed not in ("", "not at all")
        assert "in 0 of" not in mistake.noticed


def test_the_ratio_tells_how_often_the_average_was_taken():
    found = rows(mistakes.minibatch)
    assert found["$1/K$ never"].noticed == "ratio $4$ in 17 of 17 places"
    assert found["$1/K$ twice"].noticed == "ratio $0.25$ in 17 of 17 places"


def test_a_penalty_that_is_averaged_leaves_the_biases_right():
    (found,) = [m for m in mistakes.minibatch() if "averaged" in m.what]
    assert found.noticed.endswith("in 12 of 17 places")  # the weights


def test_an_update_that_comes_too_early_spoils_the_first_layer_alone():
    (found,) = [m for m in mistakes.backward() if "before" in m.what]
    assert found.noticed == "ratios $0.7$ to $1.3$ in 6 of 17 places"  # three of its nine are 0


def test_a_right_gradient_is_not_taken_for_a_mistake():
    right = model.bprop(mistakes.THETA, model.fprop(mistakes.THETA, mistakes.X), mistakes.Y)

    def risk(params):
        return model.risk(params, mistakes.X, mistakes.Y)

    with pytest.raises(ValueError, match="empty"):  # no ratio is wrong
        mistakes._of_a_gradient("none", "b1", 0, right, right, risk)


def test_no_preactivation_of_the_minibatch_stands_on_the_kink_and_each_unit_is_active_once():
    ha = model.fprop(mistakes.THETA, mistakes.FOUR).ha
    assert np.abs(ha).min() >= 1
    assert (ha > 0).any(axis=1).all()


def test_the_table_has_a_row_for_each_mistake():
    table = mistakes.mistakes_table(mistakes.basic())
    assert len(table.splitlines()) == 2 + len(mistakes.basic())
