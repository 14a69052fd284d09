import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp import gradcheck, model, regularize
from mlp.model import Params

from .conftest import generic, networks

SEEDS = st.integers(0, 2**32 - 1)


@given(networks(), st.floats(0, 0.9), st.floats(0, 0.9), SEEDS)
def test_gradient_with_smoothing_and_dropout_is_that_of_the_complex_step(network, s, p, seed):
    params, x, y = network
    r = regularize.mask(np.random.default_rng(seed), p, params.b1.size, y.size)
    t = regularize.target(params.b2.size, y, s)
    gradient = regularize.bprop(params, regularize.fprop(params, x, r), t, r)

    def risk(theta):
        return regularize.loss(regularize.fprop(theta, x, r).oa, t).mean()

    for g, e in zip(gradient, gradcheck.complex_step(risk, params), strict=True):
        np.testing.assert_allclose(g, e, rtol=1e-11, atol=1e-13)


def test_without_smoothing_and_dropout_everything_is_the_plain_network():
    params, x, y = generic()
    act = regularize.fprop(params, x, np.ones((4, 7)))
    t = regularize.target(3, y, 0.0)
    np.testing.assert_allclose(regularize.loss(act.oa, t), model.loss(act.oa, y), rtol=1e-14)
    plain = model.bprop(params, model.fprop(params, x), y)
    for a, b in zip(regularize.bprop(params, act, t, np.ones((4, 7))), plain, strict=True):
        np.testing.assert_array_equal(a, b)


def test_target_by_hand():
    # m = 4 and s = 0.2: every class gets 0.05, the right one 0.8 more
    np.testing.assert_allclose(
        regularize.target(4, np.array([2, 0]), 0.2),
        np.array([[0.05, 0.05, 0.85, 0.05], [0.85, 0.05, 0.05, 0.05]]).T,
        rtol=1e-15,
    )


def test_mask_keeps_the_share_asked_for_and_the_mean():
    r = regularize.mask(np.random.default_rng(0), 0.25, 300, 200)
    assert r.shape == (300, 200)
    assert set(np.unique(r)) == {0, np.float32(1 / 0.75)}
    assert abs((r == 0).mean() - 0.25) < 0.01
    assert abs(r.mean() - 1) < 0.01
    np.testing.assert_array_equal(regularize.mask(np.random.default_rng(0), 0.0, 3, 2), 1)


def test_dropped_units_neither_speak_nor_learn():
    params, x, y = generic()
    r = np.ones((4, 7))
    r[2] = 0
    grad = regularize.bprop(params, regularize.fprop(params, x, r), regularize.target(3, y, 0.1), r)
    for silent in (grad.W1[2], grad.b1[2], grad.W2[:, 2]):
        assert not silent.any()
    W1, b1, W2, b2 = params
    without = Params(np.delete(W1, 2, 0), np.delete(b1, 2, 0), np.delete(W2, 2, 1), b2)
    np.testing.assert_allclose(
        regularize.fprop(params, x, r).oa, model.fprop(without, x).oa, rtol=1e-14
    )


def test_mirror_image_by_hand():
    X = np.array([[1, 2, 3, 4, 5, 6, 7, 8, 9]])
    np.testing.assert_array_equal(regularize.mirror(X), [[3, 2, 1, 6, 5, 4, 9, 8, 7]])


@pytest.mark.parametrize("reach", [0, 1, 2])
def test_moved_images_are_those_moved_one_by_one(reach):
    rng = np.random.default_rng(0)
    X = rng.random((40, 25))
    flips, shifts = rng.random(40) < 0.5, rng.integers(-reach, reach, (40, 2), endpoint=True)
    moved = regularize.move(X, flips, shifts, fill=-3.0)
    for image, flip, (down, right), result in zip(X, flips, shifts, moved, strict=True):
        image = image.reshape(5, 5)[:, ::-1] if flip else image.reshape(5, 5)
        for i in range(5):
            for j in range(5):
                inside = 0 <= i - down < 5 and 0 <= j - right < 5
                expected = image[i - down, j - right] if inside else -3.0
                assert result.reshape(5, 5)[i, j] == expected
