import dataclasses

import numpy as np
import pytest

from mlp import stack, train
from mlp.data import Dataset, Splits
from mlp.settings import Settings
from mlp.train import DivergedError
from tests.conftest import generic

SETTINGS = [
    Settings(d_h=3, eta=0.3, epochs=4, K=8, seed=1),
    Settings(d_h=7, eta=0.1, epochs=4, K=8, seed=2, l11=0.01, l22=0.03),
    Settings(d_h=5, eta=0.2, epochs=4, K=8, seed=1, l12=0.02, l21=0.05),
]


def examples(n, dtype=np.float64):
    """Generic examples of three classes; n is no multiple of K."""
    _, x, y = generic(d=4, m=3, K=n)
    return Dataset(x.T.astype(dtype), y)


def last(data, settings):
    *_, params = stack.fit(data, settings)
    return params


@pytest.mark.parametrize("K", [8, 29, 100])
def test_each_network_takes_the_steps_that_it_takes_alone(K):
    data, nothing = examples(29), examples(0)
    settings = [dataclasses.replace(s, K=K) for s in SETTINGS]
    networks = stack.unstacked(last(data, settings), settings)
    for network, alone in zip(networks, settings, strict=True):
        *_, (_, state) = train.fit(Splits(data, nothing, nothing), alone)
        for a, b in zip(network, state.params, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_units_that_fill_up_smaller_networks_stay_zero():
    params = last(examples(29), SETTINGS)
    for i, s in enumerate(SETTINGS):
        assert not params.W1[i, s.d_h :].any()
        assert not params.b1[i, s.d_h :].any()
        assert not params.W2[i, :, s.d_h :].any()


def test_the_stack_is_there_after_every_epoch():
    assert sum(1 for _ in stack.fit(examples(9), SETTINGS)) == 4


def test_each_network_is_judged_as_it_is_alone():
    data = examples(29)
    params = last(data, SETTINGS)
    errors, losses = stack.evaluate(params, data)
    for i, network in enumerate(stack.unstacked(params, SETTINGS)):
        assert (errors[i], losses[i]) == pytest.approx(train.evaluate(network, data), rel=1e-12)


def test_single_precision_stays_single_precision():
    params = last(examples(29, np.float32), SETTINGS)
    assert {array.dtype for array in params} == {np.dtype(np.float32)}


@pytest.mark.parametrize("change", [{"K": 9}, {"epochs": 5}, {"momentum": 0.9}, {"smoothing": 0.1}])
def test_settings_that_a_stack_cannot_have_are_refused(change):
    odd = dataclasses.replace(SETTINGS[0], **change)
    with pytest.raises(ValueError, match="has what a stack cannot have"):
        next(stack.fit(examples(9), [*SETTINGS, odd]))


def test_settings_that_no_stack_can_have_are_refused_where_all_have_them():
    odd = [dataclasses.replace(s, schedule="cosine") for s in SETTINGS]
    with pytest.raises(ValueError, match=r"cosine.*has what a stack cannot have"):
        next(stack.fit(examples(9), odd))


def test_divergence_is_reported():
    wild = dataclasses.replace(SETTINGS[0], eta=1e300)
    with pytest.raises(DivergedError, match="epoch 1; try a smaller eta"):
        last(examples(29), [*SETTINGS, wild])
