import numpy as np
import pytest

from figures import worked as of
from mlp import gradcheck, model

WORKED = of.worked()
BY_HAND = 1e-2  # with the probabilities rounded to quarters


def test_all_sizes_differ_but_d_and_m_and_no_parameter_is_zero():
    assert [p.shape for p in of.THETA] == [(3, 2), (3, 1), (2, 3), (2, 1)]
    assert all(p.all() for p in of.THETA)


def test_the_forward_pass_is_what_a_pencil_gives():
    act = WORKED.act
    assert act.ha.ravel().tolist() == [1, -1, 2]
    assert act.hs.ravel().tolist() == [1, 0, 2]
    assert act.oa.ravel() == pytest.approx([0.9, 2.0])
    assert act.os.ravel() == pytest.approx([1 / 4, 3 / 4], abs=BY_HAND)
    assert pytest.approx(np.log(4), abs=BY_HAND) == WORKED.loss


def test_the_backward_pass_is_what_a_pencil_gives():
    for name, by_hand in {
        "grad_oa": [[-0.75], [0.75]],
        "grad_hs": [[-0.75], [-1.5], [1.5]],
        "grad_ha": [[-0.75], [0], [1.5]],
        "grad_x": [[0.75], [3]],
    }.items():
        assert getattr(WORKED, name) == pytest.approx(np.array(by_hand), abs=BY_HAND)
    W1, b1, W2, b2 = WORKED.gradient
    assert pytest.approx(np.array([[-1.5, -0.75], [0, 0], [3, 1.5]]), abs=BY_HAND) == W1
    assert pytest.approx(np.array([[-0.75, 0, -1.5], [0.75, 0, 1.5]]), abs=BY_HAND) == W2
    assert b1 is WORKED.grad_ha
    assert b2 is WORKED.grad_oa


def test_its_gradient_agrees_with_the_complex_step():
    def risk(params):
        return model.risk(params, of.X, of.Y)

    assert all(row.passed for row in gradcheck.compare(risk, WORKED.gradient, of.THETA))


def test_a_step_lowers_the_loss():
    assert pytest.approx(of.THETA.W2 - 0.2 * WORKED.gradient.W2) == WORKED.stepped.W2
    assert WORKED.loss_after < WORKED.loss / 10
