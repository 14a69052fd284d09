import numpy as np
import pytest
from hypothesis import given

from mlp import gradcheck, loop, model
from tests.conftest import at_kinks, generic, networks


@given(networks())
def test_loop_and_matrix_give_the_same_gradient(network):
    params, x, y = network
    matrix = model.bprop(params, model.fprop(params, x), y)
    looped = loop.bprop(params, x, y)
    assert gradcheck.disagreements(looped, matrix, gradcheck.rounding(params, x, y)) == 0


def test_loop_and_matrix_give_the_same_gradient_at_kinks():
    params, x, y = at_kinks()
    matrix = model.bprop(params, model.fprop(params, x), y)
    for a, b in zip(loop.bprop(params, x, y), matrix, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-14)


@pytest.mark.parametrize("K", [1, 10])
def test_difference_is_within_rounding_for_the_sizes_of_the_assignment(K):
    params, x, y = generic(seed=K, K=K)
    matrix = model.bprop(params, model.fprop(params, x), y)
    for a, b in zip(loop.bprop(params, x, y), matrix, strict=True):
        assert np.linalg.norm(a - b) <= 1e-14 * np.linalg.norm(b)


@given(networks())
def test_gradient_with_respect_to_the_input_is_the_complex_step(network):
    params, x, y = network
    x, y = x[:, :1], y[:1]
    _, grad_x = loop.bprop_one(params, model.fprop(params, x), y[0])
    for j in range(x.size):
        moved = x.astype(complex)
        moved[j] += 1e-30j
        numerical = model.loss(model.fprop(params, moved).oa, y)[0].imag / 1e-30
        np.testing.assert_allclose(grad_x[j, 0], numerical, rtol=1e-10, atol=1e-14)
