import numpy as np
from hypothesis import assume, given

from mlp import gradcheck, model
from mlp.model import Params
from tests.conftest import at_kinks, generic, networks


def risk(x, y):
    return lambda params: model.risk(params, x, y)


def test_one_example_worked_by_hand():
    # d = 2, d_h = 2, m = 2; the second hidden unit is off.
    # ha = [1·1 + 2·2 - 1, 1·1 - 1·2 + 0] = [4, -1], hs = [4, 0]
    # oa = [0.5·4 + 0, 0.25·4 + 1] = [2, 2], os = [1/2, 1/2], L = ln 2
    params = Params(
        W1=np.array([[1.0, 2.0], [1.0, -1.0]]),
        b1=np.array([[-1.0], [0.0]]),
        W2=np.array([[0.5, 3.0], [0.25, 7.0]]),
        b2=np.array([[0.0], [1.0]]),
    )
    x, y = np.array([[1.0], [2.0]]), np.array([1])
    act = model.fprop(params, x)
    np.testing.assert_array_equal(act.ha, [[4], [-1]])
    np.testing.assert_array_equal(act.hs, [[4], [0]])
    np.testing.assert_array_equal(act.oa, [[2], [2]])
    np.testing.assert_allclose(act.os, [[0.5], [0.5]], rtol=1e-15)
    np.testing.assert_allclose(model.loss(act.oa, y), np.log(2), rtol=1e-15)
    # grad_oa = [1/2, 1/2 - 1]; grad_hs = [0.5·0.5 - 0.25·0.5, 3·0.5 - 7·0.5] = [1/8, -2]
    # grad_ha = [1/8, 0], since the second unit is off
    grad = model.bprop(params, act, y)
    np.testing.assert_allclose(grad.b2, [[0.5], [-0.5]], rtol=1e-15)
    np.testing.assert_allclose(grad.W2, [[2, 0], [-2, 0]], rtol=1e-15)
    np.testing.assert_allclose(grad.b1, [[1 / 8], [0]], rtol=1e-15)
    np.testing.assert_allclose(grad.W1, [[1 / 8, 2 / 8], [0, 0]], rtol=1e-15)


def test_risk_is_the_mean_of_the_losses_of_the_examples_one_by_one():
    params, x, y = generic(K=4)
    losses = [model.loss(model.fprop(params, x[:, [i]]).oa, y[[i]])[0] for i in range(4)]
    np.testing.assert_allclose(model.risk(params, x, y), sum(losses) / 4, rtol=1e-14)


@given(networks())
def test_gradient_is_the_complex_step_of_the_risk(network):
    params, x, y = network
    grad = model.bprop(params, model.fprop(params, x), y)
    numerical = gradcheck.complex_step(risk(x, y), params)
    for g, n in zip(grad, numerical, strict=True):
        np.testing.assert_allclose(g, n, rtol=1e-10, atol=1e-14)


def test_gradient_at_a_kink_is_that_of_units_that_are_just_off():
    params, x, y = at_kinks()
    assert 0 < np.count_nonzero(model.fprop(params, x).ha == 0) < 40
    at, below, above = (
        model.bprop(moved, model.fprop(moved, x), y)
        for moved in (params._replace(b1=params.b1 + step) for step in (0, -1e-12, 1e-12))
    )
    for a, b in zip(at, below, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-10)
    assert np.abs(at.b1 - above.b1).max() > 1e-3


@given(networks())
def test_gradient_is_the_central_difference_of_the_risk(network):
    params, x, y = network
    assume(gradcheck.distance_to_kink(params, x) > 1e-3)
    grad = model.bprop(params, model.fprop(params, x), y)
    numerical = gradcheck.central_difference(risk(x, y), params, epsilon=1e-5)
    for g, n in zip(grad, numerical, strict=True):
        np.testing.assert_allclose(g, n, rtol=1e-6, atol=1e-8)


@given(networks())
def test_outputs_are_probabilities_and_loss_is_minus_log_of_the_right_one(network):
    params, x, y = network
    act = model.fprop(params, x)
    np.testing.assert_allclose(act.os.sum(axis=0), 1, rtol=1e-14)
    np.testing.assert_allclose(
        model.loss(act.oa, y), -np.log(act.os[y, np.arange(y.size)]), rtol=1e-9, atol=1e-12
    )


def test_loss_is_finite_where_the_probability_vanishes():
    oa = np.array([[1e4], [-1e4], [0.0]])
    np.testing.assert_array_equal(model.loss(oa, np.array([1])), [2e4])


def test_initial_weights_fill_the_interval_of_their_layer_and_biases_are_zero():
    d, d_h, m = 49, 400, 10
    params = model.init(np.random.default_rng(3), d, d_h, m)
    assert [p.shape for p in params] == [(d_h, d), (d_h, 1), (m, d_h), (m, 1)]
    for W, n_c in ((params.W1, d), (params.W2, d_h)):
        bound = 1 / np.sqrt(n_c)
        assert 0.98 * bound < np.abs(W).max() <= bound
        np.testing.assert_allclose(W.std(), bound / np.sqrt(3), rtol=0.03)
    assert not params.b1.any()
    assert not params.b2.any()


def test_map_applies_a_function_to_arrays_of_the_same_name():
    one, *_ = generic(seed=1)
    two, *_ = generic(seed=2)
    difference = one.map(lambda a, b: a - 2 * b, two)
    for name in Params._fields:
        np.testing.assert_array_equal(
            getattr(difference, name), getattr(one, name) - 2 * getattr(two, name)
        )


def test_n_theta_counts_every_scalar():
    params, *_ = generic(d=5, d_h=4, m=3)
    assert model.count(params) == 4 * 5 + 4 + 3 * 4 + 3


def test_predict_takes_the_most_probable_class():
    params, x, _ = generic()
    np.testing.assert_array_equal(
        model.predict(params, x), model.fprop(params, x).os.argmax(axis=0)
    )
