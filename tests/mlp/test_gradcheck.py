import numpy as np
import pytest

from mlp import functions, gradcheck, loop, model
from mlp.functions import abs_
from mlp.gradcheck import Row
from mlp.model import Params
from mlp.penalty import grad_regularized_risk, regularized_risk
from tests.conftest import LAMBDAS, generic

params, x, y = generic(seed=2)


def risk(p):
    return regularized_risk(p, model.risk(p, x, y), LAMBDAS)


def gradient():
    grad_risk = model.bprop(params, model.fprop(params, x), y)
    return grad_regularized_risk(params, grad_risk, LAMBDAS)


def test_right_gradient_passes_in_every_row():
    rows = gradcheck.compare(risk, gradient(), params)
    assert len(rows) == model.count(params)
    assert all(row.passed for row in rows)
    assert max(row.complex_error for row in rows) <= 1e-12


@pytest.mark.parametrize("name", Params._fields)
@pytest.mark.parametrize("wrong", [lambda g: -g, lambda g: 1.02 * g, lambda g: 0 * g])
def test_wrong_gradient_fails_where_it_is_wrong(name, wrong):
    right = gradient()
    rows = gradcheck.compare(risk, right._replace(**{name: wrong(getattr(right, name))}), params)
    assert all(row.passed == (not row.name.startswith(name)) for row in rows)


def test_small_error_that_the_ratio_passes_is_caught_by_the_complex_step():
    right = gradient()
    row = gradcheck.compare(risk, right._replace(b2=right.b2 * (1 + 1e-6)), params)[-1]
    assert 0.99 < row.ratio < 1.01
    assert not row.passed


def test_a_derivative_too_small_for_the_forward_difference_is_left_to_the_complex_step():
    row = Row("W1[1, 1]", 1e-5, 1.02e-5, 1e-5 / 1.02e-5, 1e-5, 0.0, 1e-5, 1e-5, 0.0)
    assert not 0.99 < row.ratio < 1.01
    assert row.passed
    assert not row._replace(complex_error=1e-6).passed
    assert row._replace(central=1.02e-5).passed  # kinks on both sides, not within the closer steps
    trusted = row._replace(central=1.02e-5, closer=1.02e-5)
    assert not trusted.passed
    assert not row._replace(gradient=0.0, ratio=0.0).passed
    assert not row._replace(forward=0.0, ratio=np.inf).passed


def test_zero_against_zero_agrees_and_zero_against_something_does_not():
    g, e = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])
    np.testing.assert_array_equal(gradcheck.ratio(g, e), [1, 0, np.inf])
    np.testing.assert_array_equal(gradcheck.relative_error(g, e), [0, 1, 1])


def test_estimates_have_the_order_of_accuracy_that_they_claim():
    exact = gradient()

    def error(estimate):
        return max(np.abs(e - g).max() for e, g in zip(estimate, exact, strict=True))

    forward = [error(gradcheck.forward_difference(risk, params, h)) for h in (1e-4, 1e-5)]
    assert 8 < forward[0] / forward[1] < 12  # first order: a tenth of ε, a tenth of the error
    central = [error(gradcheck.central_difference(risk, params, h)) for h in (1e-2, 1e-3)]
    assert central[0] / central[1] > 80  # second order
    assert error(gradcheck.complex_step(risk, params)) < 1e-14


def test_parameters_are_back_at_their_values_afterwards():
    before = [p.copy() for p in params]
    gradcheck.compare(risk, gradient(), params)
    for a, b in zip(before, params, strict=True):
        np.testing.assert_array_equal(a, b)


def test_kinks_on_both_sides_of_a_parameter_leave_the_verdict_to_the_complex_step():
    def f(p):  # of slope 98 at 0, and 100 from 1e-6 on, on either side
        h = p.b1[0, 0]
        return 100 * h + abs_(h - 1e-6) - abs_(h + 1e-6)

    at_zero, slope = params._replace(b1=0 * params.b1), params.map(np.zeros_like)
    slope.b1[0, 0] = 98
    (row,) = (row for row in gradcheck.compare(f, slope, at_zero) if row.gradient)
    assert row.forward == pytest.approx(99.8)
    assert row.central == pytest.approx(99.8)
    assert row.passed
    assert not row._replace(complex_error=1e-3).passed


@pytest.mark.parametrize("K", [1, 2, 30, 1000, 20_000])
def test_rounding_explains_the_difference_of_loop_and_matrix_for_any_number_of_examples(K):
    for seed in range(1 if K == 20_000 else 5):
        theta, columns, classes = generic(seed=seed, d=6, d_h=5, m=4, K=K)
        matrix = model.bprop(theta, model.fprop(theta, columns), classes)
        looped = loop.bprop(theta, columns, classes)
        bound = gradcheck.rounding(theta, columns, classes)
        assert gradcheck.disagreements(looped, matrix, bound) == 0


def test_rounding_explains_what_single_precision_changes():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        d, d_h, m, K = rng.integers(1, 40, 4)
        theta, columns, classes = generic(seed, d, d_h, m, K)
        theta, columns = theta.map(np.float32), columns.astype(np.float32)
        single = model.bprop(theta, model.fprop(theta, columns), classes)
        wide, wide_columns = theta.map(np.float64), columns.astype(float)
        double = model.bprop(wide, model.fprop(wide, wide_columns), classes)
        half = gradcheck.rounding(theta, columns, classes).map(lambda b: b / 2)
        assert gradcheck.disagreements(single, double, half) == 0


WRONG = {
    "an example is left out": lambda K, g, rest: rest.map(lambda r: r * (K - 1) / K),
    "the mean is of all but one": lambda K, g, rest: rest,
    "the sum is divided by K - 1": lambda K, g, rest: g.map(lambda a: a * K / (K - 1)),
    "a value is not a number": lambda K, g, rest: g.map(lambda a: a * np.nan),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("K", [2, 20_000])
def test_rounding_does_not_explain_a_wrong_gradient(K, wrong):
    theta, columns, classes = generic(d=3, d_h=2, m=2, K=K)
    right = model.bprop(theta, model.fprop(theta, columns), classes)
    rest = model.bprop(theta, model.fprop(theta, columns[:, 1:]), classes[1:])
    bound = gradcheck.rounding(theta, columns, classes)
    other = wrong(K, right, rest)
    assert gradcheck.disagreements(other, right, bound) > 0
    rows = gradcheck.compare(lambda p: model.risk(p, columns, classes), other, theta, bound=bound)
    assert not all(row.passed for row in rows)


def test_many_examples_may_part_gradient_and_complex_step_by_what_rounding_explains():
    row = Row("b1[1, 1]", 1e-9, 1e-9, 1.0, 1e-9, 0.0, 1e-9, 1e-9, complex_error=1e-8)
    assert not row.passed
    right = gradient()
    bound = right.map(lambda g: 1e-6 * np.abs(g))
    other = right.map(lambda g: g * (1 + 1e-7))
    assert not all(r.passed for r in gradcheck.compare(risk, other, params))
    assert all(r.passed for r in gradcheck.compare(risk, other, params, bound=bound))


def test_distance_to_kink_is_the_smallest_preactivation():
    assert gradcheck.distance_to_kink(params, x) == np.abs(params.W1 @ x + params.b1).min()


@pytest.mark.parametrize(
    ("f", "f_prime"),
    [
        (functions.softplus, functions.softplus_prime),  # elementwise
        (functions.l2_squared, functions.grad_l2_squared),  # a scalar, and its gradient
    ],
)
def test_the_error_of_a_derivative_is_relative_and_the_largest_over_all_points(f, f_prime):
    x = np.linspace(-3, 3, 8)
    right = gradcheck.derivative_errors(f, f_prime, x)
    assert right.complex_step < 1e-14
    assert 0 < right.central < 1e-8

    def wrong_in_one_place(x):
        return f_prime(x) * np.where(x == x[5], 0.75, 1)

    for error in gradcheck.derivative_errors(f, wrong_in_one_place, x):
        assert error == pytest.approx(0.25)


def test_the_step_of_the_central_difference_is_the_one_asked_for():
    def cube(x):
        return x**3

    x = np.array([1.0, 2.0])
    found = gradcheck.derivative_errors(cube, lambda x: 3 * x**2, x, epsilon=0.1)
    assert found.central == pytest.approx(0.1**2 / (3 + 0.1**2))  # its error is ε² f'''/6
    assert found.complex_step < 1e-14
