from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlp import functions as f

X = np.array([-3.2, -0.4, 0.3, 2.1])  # no kink among them
logits = arrays(float, st.tuples(st.integers(2, 6), st.integers(1, 4)), elements=st.floats(-50, 50))


@pytest.mark.parametrize(
    ("function", "derivative"),
    [
        (f.sigmoid, f.sigmoid_prime),
        (np.tanh, f.tanh_prime),
        (f.softplus, f.softplus_prime),
        (f.abs_, f.abs_prime),
        (f.rect, f.rect_prime),
    ],
    ids=lambda function: function.__name__,
)
def test_stated_derivative_is_the_complex_step(function, derivative):
    numerical = function(X + 1e-30j).imag / 1e-30
    np.testing.assert_allclose(derivative(X), numerical, rtol=1e-13)


def test_softplus_has_its_slope_at_zero_though_its_two_terms_have_a_kink():
    for step in (1e-30j, -1e-30j):
        assert f.softplus(0 + step).imag / step.imag == f.softplus_prime(0.0) == 0.5


@pytest.mark.parametrize(
    ("norm", "gradient"), [(f.l2_squared, f.grad_l2_squared), (f.l1, f.grad_l1)]
)
def test_stated_gradient_of_a_norm_is_the_complex_step(norm, gradient):
    numerical = [norm(X + column).imag / 1e-30 for column in np.eye(X.size) * 1e-30j]
    np.testing.assert_allclose(gradient(X), numerical, rtol=1e-13)


def test_kinks_follow_the_assignment():
    assert f.sign(0.0) == 0
    assert f.abs_prime(0.0) == 0
    assert f.rect_prime(0.0) == 0
    np.testing.assert_array_equal(f.grad_l1([-2.0, 0.0, 3.0]), [-1, 0, 1])


def test_functions_at_known_values():
    assert f.sigmoid(0.0) == 0.5
    np.testing.assert_allclose(f.sigmoid(np.log(3)), 0.75)
    np.testing.assert_allclose(f.softplus(0.0), np.log(2))
    np.testing.assert_array_equal(f.sign([-2.5, 0.0, 4.0]), [-1, 0, 1])
    np.testing.assert_array_equal(f.rect([-2.5, 0.0, 4.0]), [0, 0, 4])
    np.testing.assert_array_equal(f.abs_([-2.5, 0.0, 4.0]), [2.5, 0, 4])
    assert f.l1(np.array([[1.0, -2.0], [3.0, -4.0]])) == 10
    assert f.l2_squared(np.array([[1.0, -2.0], [3.0, -4.0]])) == 30


def test_nothing_overflows_far_from_zero():
    far = np.array([-1e4, 1e4])
    np.testing.assert_array_equal(f.sigmoid(far), [0, 1])
    np.testing.assert_array_equal(f.softplus(far), [0, 1e4])


@given(st.floats(-700, 700))
def test_sigmoid_and_its_derivative_have_every_digit_at_both_ends(x):
    with localcontext(prec=400):  # 1 + exp(-700) has 305
        smaller, larger = Decimal(-abs(x)).exp(), Decimal(abs(x)).exp()
        exact = 1 / (1 + (smaller if x > 0 else larger))
        exact_prime = smaller / (1 + smaller) ** 2
        assert abs(Decimal(float(f.sigmoid(x))) - exact) <= Decimal("8e-16") * exact
        assert abs(Decimal(float(f.sigmoid_prime(x))) - exact_prime) <= (
            Decimal("16e-16") * exact_prime
        )


def test_huge_logits_give_exact_softmax_and_logsumexp():
    a = np.array([[1e4, -1e4], [-1e4, -1e4], [0.0, -1e4]])
    np.testing.assert_array_equal(f.softmax(a)[:, 0], [1, 0, 0])
    np.testing.assert_allclose(f.softmax(a)[:, 1], 1 / 3, rtol=1e-15)
    assert f.logsumexp(a)[0, 0] == 1e4
    np.testing.assert_allclose(f.logsumexp(a)[0, 1], -1e4 + np.log(3), rtol=1e-15)


@given(logits, st.floats(-1e3, 1e3))
def test_softmax_does_not_change_when_logits_shift(a, shift):
    np.testing.assert_allclose(f.softmax(a + shift), f.softmax(a), rtol=1e-9, atol=1e-300)


@given(logits)
def test_softmax_columns_are_positive_and_sum_to_one(a):
    assert np.all(f.softmax(a) > 0)
    np.testing.assert_allclose(f.softmax(a).sum(axis=0), 1, rtol=1e-14)


@given(logits)
def test_logsumexp_is_the_log_of_the_sum_of_exponentials(a):
    direct = np.log(np.exp(a).sum(axis=0, keepdims=True))
    np.testing.assert_allclose(f.logsumexp(a), direct, rtol=1e-12, atol=1e-13)


def test_onehot_columns_mark_the_classes():
    expected = [[0, 1, 0], [0, 0, 0], [1, 0, 0], [0, 0, 1]]
    np.testing.assert_array_equal(f.onehot(4, np.array([2, 0, 3])), expected)


def test_single_precision_stays_single():
    x = np.float32([[-1.5], [2.5]])
    for function in (f.sigmoid, f.softplus, f.sign, f.abs_, f.rect, f.softmax, f.logsumexp):
        assert function(x).dtype == np.float32, function.__name__
