import dataclasses
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp import fast, model, train
from mlp.settings import Settings
from tests.conftest import at_kinks, generic

RATES = st.sampled_from([0.0, 0.01, 0.2])
SHAPES = st.permutations(range(2, 9))


@st.composite
def problems(draw, foldable=False):
    """A network, a data set, settings and step sizes; the last minibatch may be short."""
    d, d_h, m, K = draw(SHAPES)[:4]
    n = draw(st.integers(1, 60))
    params, x, y = generic(draw(st.integers(0, 99)), d, d_h, m, n)
    settings = Settings(
        d_h=d_h, eta=0.3, epochs=1, K=K,
        l11=0.0 if foldable else draw(RATES), l12=draw(RATES), l21=draw(RATES), l22=draw(RATES),
        momentum=0.0 if foldable else draw(st.sampled_from([0.0, 0.7])),
        smoothing=draw(st.sampled_from([0.0, 0.1])),
    )  # fmt: skip
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    velocity = params.map(lambda p: 0.1 * rng.normal(size=p.shape))
    eta = rng.uniform(0.05, 0.3, -(-n // K))
    return params, velocity, settings, x.T.copy(), y, rng.permutation(n), eta


def agree(problem, **constants):
    params, velocity, settings, X, y, order, eta = problem
    readable = train.Steps(params, velocity, settings)
    with mock.patch.multiple(fast.Steps, **constants):
        twin = fast.Steps(params, velocity, settings)
    wrong, losses = readable.run(X, y, order, eta)
    wrong_twin, losses_twin = twin.run(X, y, order, eta)
    assert wrong == wrong_twin
    np.testing.assert_allclose(losses_twin, losses, rtol=1e-11)
    for group in ("params", "velocity"):
        for a, b in zip(getattr(twin, group), getattr(readable, group), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@given(problems(), st.integers(2, 30), st.integers(1, 30))
def test_fast_steps_are_the_readable_ones(problem, chunk, strip):
    agree(problem, CHUNK=chunk, STRIP=strip, SHARED=100)


@given(problems(foldable=True), st.integers(10, 50))
def test_steps_that_share_products_are_the_readable_ones(problem, chunk):
    agree(problem, CHUNK=chunk, SHARED=0)


@pytest.mark.parametrize("shared", [0, 10**9])
def test_fast_steps_are_the_readable_ones_at_kinks(shared):
    params, x, y = at_kinks()
    settings = Settings(d_h=4, eta=0.3, epochs=1, K=40)
    agree((params, params, settings, x.T.copy(), y, np.arange(40), np.full(1, 0.3)), SHARED=shared)


@pytest.mark.parametrize("shared", [0, 10**9])
def test_fast_steps_are_the_readable_ones_where_exponentials_of_outputs_overflow(shared):
    params, x, y = generic(K=40)
    params = params._replace(W2=1e4 * params.W2)
    assert model.fprop(params, x).oa.max() > 1e4
    settings = Settings(d_h=4, eta=1e-3, epochs=1, K=8)
    problem = params, params, settings, x.T.copy(), y, np.arange(40), np.full(5, 1e-3)
    agree(problem, SHARED=shared)


def test_the_penalty_of_a_weight_at_zero_is_zero():
    params, x, y = generic(K=9)
    params.W1[0, 1] = params.W2[1, 0] = 0
    settings = Settings(d_h=4, eta=0.3, epochs=1, K=9, l11=0.1, l21=0.2)
    readable, twin = (kind(params, params, settings) for kind in (train.Steps, fast.Steps))
    for steps in (readable, twin):
        steps.run(x.T.copy(), y, np.arange(9), np.full(1, 0.3))
    for a, b in zip(twin.params, readable.params, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "shares"),
    [({}, True), ({"l12": 0.01}, True), ({"l11": 0.01}, False), ({"momentum": 0.5}, False),
     ({"l12": 0.9}, False)],
)  # fmt: skip
def test_products_are_shared_only_where_that_is_exact(change, shares):
    settings = dataclasses.replace(Settings(d_h=4, eta=0.3, epochs=1, K=5), **change)
    params, _, _ = generic()
    with mock.patch.object(fast.Steps, "SHARED", 0):
        assert fast.Steps(params, params, settings)._shares == shares


@pytest.mark.parametrize("K", [3, 64, 200])
@pytest.mark.parametrize("extra", [{}, {"momentum": 0.9, "l11": 1e-3}, {"l12": 1e-3, "l22": 1e-3}])
def test_another_twin_goes_on_bit_for_bit(K, extra):
    rng = np.random.default_rng(0)
    X, y = rng.random((300, 30), np.float32), rng.integers(0, 4, 300)
    settings = Settings(d_h=150, eta=0.1, epochs=1, K=K, **extra)
    state = train.start(settings, 30, 4, np.float32)
    one = fast.Steps(state.params, state.velocity, settings)
    order, eta = rng.permutation(300), np.full(-(-300 // K), 0.1)
    one.run(X, y, order, eta)
    two = fast.Steps(one.params, one.velocity, settings)
    assert one.run(X, y, order, eta)[0] == two.run(X, y, order, eta)[0]
    for a, b in zip(one.params, two.params, strict=True):
        assert a.dtype == np.float32
        np.testing.assert_array_equal(a, b)


def test_what_the_twin_is_given_and_gives_is_not_changed_later():
    params, x, y = generic(K=9)
    given_params = [p.copy() for p in params]
    settings = Settings(d_h=4, eta=0.3, epochs=1, K=4, momentum=0.5)
    twin = fast.Steps(params, params, settings)
    before = twin.params
    twin.run(x.T.copy(), y, np.arange(9), np.full(3, 0.3))
    for p, q, r in zip(params, given_params, before, strict=True):
        np.testing.assert_array_equal(p, q)
        np.testing.assert_array_equal(r, q)
