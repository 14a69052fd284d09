import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp import gradcheck, model, regularize, train
from mlp.data import Dataset
from mlp.settings import Settings
from tests.conftest import generic, networks


@given(networks(), st.floats(0, 0.9))
def test_gradient_of_the_smoothed_loss_is_that_of_the_complex_step(network, s):
    params, x, y = network
    t = regularize.target(params.b2.size, y, s)
    gradient = regularize.bprop(params, model.fprop(params, x), t)

    def risk(theta):
        return regularize.loss(model.fprop(theta, x).oa, t).mean()

    for g, e in zip(gradient, gradcheck.complex_step(risk, params), strict=True):
        np.testing.assert_allclose(g, e, rtol=1e-11, atol=1e-13)


def test_without_smoothing_loss_and_gradient_are_the_plain_ones():
    params, x, y = generic()
    act, t = model.fprop(params, x), regularize.target(3, y, 0.0)
    np.testing.assert_allclose(regularize.loss(act.oa, t), model.loss(act.oa, y), rtol=1e-14)
    for a, b in zip(regularize.bprop(params, act, t), model.bprop(params, act, y), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)


def test_target_by_hand():
    # m = 4 and s = 0.2: every class gets 0.05, the right one 0.8 more
    np.testing.assert_allclose(
        regularize.target(4, np.array([2, 0]), 0.2),
        np.array([[0.05, 0.05, 0.85, 0.05], [0.85, 0.05, 0.05, 0.05]]).T,
        rtol=1e-15,
    )


def skewed(n=400, d=6, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d)


def test_standardising_brings_all_values_together_to_mean_0_and_deviation_1():
    X = skewed()
    before, standard = X.copy(), regularize.standardizing(X)
    Z = standard.apply(X)
    np.testing.assert_allclose([Z.mean(), Z.std()], [0, 1], atol=1e-13)
    np.testing.assert_allclose(np.diff(Z) / np.diff(X), 1 / X.std(), rtol=1e-9)
    np.testing.assert_array_equal(X, before)
    assert standard.apply(X, out=X) is X
    np.testing.assert_array_equal(X, Z)


def test_whitening_without_damping_gives_uncorrelated_inputs_of_variance_1():
    X = skewed()
    Z = regularize.whitening(X, 0.0).apply(X)
    np.testing.assert_allclose(Z.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(Z.T @ Z / len(Z), np.eye(6), atol=1e-10)


def test_damped_whitening_evens_out_variances_and_keeps_their_mean_1():
    X = skewed()
    Z = regularize.whitening(X, 1.0).apply(X)
    np.testing.assert_allclose(Z.var(axis=0).mean(), 1, rtol=1e-12)

    def spread(A):
        variances = np.linalg.eigvalsh(np.cov(A.T))
        return variances[-1] / variances[0]

    assert 1.1 < spread(Z) < spread(X) / 10


def test_whitening_is_absorbed_by_the_first_layer():
    params, x, _ = generic(d=6)
    white = regularize.whitening(skewed(), 0.3)
    np.testing.assert_allclose(
        model.fprop(white.absorb(params), x).oa,
        model.fprop(params, white.apply(x.T).T).oa,
        rtol=1e-11,
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


@pytest.mark.parametrize("side", [1, 2, 3, 9])
def test_squares_are_cut_out_around_their_centres(side):
    rng = np.random.default_rng(0)
    X, centres = rng.random((40, 25)).astype(np.float32), rng.integers(5, size=(40, 2))
    cut = regularize.cut_out(X, centres, side, fill=-3.0)
    assert cut.dtype == np.float32
    for image, (row, column), result in zip(X, centres, cut, strict=True):
        top, left = row - side // 2, column - side // 2
        expected = image.reshape(5, 5).copy()
        expected[max(top, 0) : top + side, max(left, 0) : left + side] = -3.0
        np.testing.assert_array_equal(result.reshape(5, 5), expected)


def test_the_square_that_is_cut_out_is_elsewhere_in_every_image():
    white = Dataset(np.ones((300, 25)), np.zeros(300, int))
    white.X[0, 0] = 0  # what is black
    settings = Settings(d_h=1, eta=1, epochs=1, cutout=1)
    ((X, *_),) = train.pieces(white, np.arange(300), 300, settings, np.random.default_rng(0))
    counts = (X == 0).sum(axis=0)
    assert np.all(counts > 0)
    assert counts.max() < 40
