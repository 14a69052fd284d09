import numpy as np

from mlp import gradcheck, model
from mlp.model import Params
from mlp.penalty import Lambdas, grad_penalty, grad_regularized_risk, penalty, regularized_risk
from tests.conftest import LAMBDAS, generic


def test_value_worked_by_hand():
    # |W1|₁ = 3, |W1|₂² = 5, |W2|₁ = 7, |W2|₂² = 25; the biases do not count.
    params = Params(
        W1=np.array([[1.0, -2.0]]),
        b1=np.array([[100.0]]),
        W2=np.array([[-4.0], [3.0]]),
        b2=np.array([[100.0], [100.0]]),
    )
    assert penalty(params, Lambdas(l11=1000, l12=100, l21=10, l22=1)) == 3000 + 500 + 70 + 25


def test_gradient_is_the_complex_step_of_the_value():
    params, *_ = generic()
    numerical = gradcheck.complex_step(lambda p: penalty(p, LAMBDAS), params)
    for g, n in zip(grad_penalty(params, LAMBDAS), numerical, strict=True):
        np.testing.assert_allclose(g, n, rtol=1e-13)


def test_gradient_of_the_regularised_risk_is_the_complex_step_of_risk_plus_penalty():
    params, x, y = generic()
    grad_risk = model.bprop(params, model.fprop(params, x), y)
    gradient = grad_regularized_risk(params, grad_risk, LAMBDAS)

    def summed(theta):
        return model.risk(theta, x, y) + penalty(theta, LAMBDAS)

    assert regularized_risk(params, model.risk(params, x, y), LAMBDAS) == summed(params)
    for g, n in zip(gradient, gradcheck.complex_step(summed, params), strict=True):
        np.testing.assert_allclose(g, n, rtol=1e-11)


def test_zero_weights_and_biases_are_not_pulled():
    params, *_ = generic()
    params.W1[1, 2] = 0
    grad = grad_penalty(params, LAMBDAS)
    assert grad.W1[1, 2] == 0
    assert np.count_nonzero(grad.W1) == params.W1.size - 1
    assert not grad.b1.any()
    assert not grad.b2.any()
