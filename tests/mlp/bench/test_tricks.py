import numpy as np
import pytest

from mlp import fast
from mlp.bench import tricks
from mlp.bench.tricks import TRICKS, Unshared, Unstripped


@pytest.mark.parametrize("name", TRICKS)
@pytest.mark.parametrize("K", [10, 100])
def test_each_trick_gives_the_numbers_of_the_plain_way(name, K):
    prepare = TRICKS[name].prepare
    expected, found = prepare(K, 90).plain(), prepare(K, 90).twin()
    if name == "biases in the products":
        oa, W2, b2 = expected
        expected = oa, np.hstack([W2, b2])
    elif not isinstance(expected, tuple):
        expected, found = (expected,), (found,)
    assert len(expected) == len(found)
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-5 * np.abs(a).max())


def test_a_call_does_several_minibatches_where_the_trick_needs_them():
    minibatches = {name: trick.prepare(10, 5).minibatches for name, trick in TRICKS.items()}
    several = {name: count for name, count in minibatches.items() if count > 1}
    assert several == {"figures together": 20, "strips": 20, "shared products": 20}


def test_the_engines_compared_differ_in_strips_and_shared_products():
    products, _, shares = tricks.plan(Unstripped, 10, 90)
    assert (products, shares) == (1, False)
    products, _, shares = tricks.plan(Unshared, 10, 90)
    assert (products, shares) == (3, False)
    assert tricks.plan(fast.Steps, 10, 90)[-1]


def test_a_trick_is_used_where_the_plan_of_the_twin_differs_with_it():
    for K, d_h in tricks.SHAPES:
        assert tricks.used("buffers", K, d_h)
        assert tricks.used("strips", K, d_h) == ((K, d_h) == (10, 1024))
        assert tricks.used("shared products", K, d_h) == ((K, d_h) == (10, 1024))


def test_savings_count_only_where_the_trick_is_at_work():
    savings = {
        "buffers": {(10, 32): [1.0], (10, 1024): [2.0]},
        "strips": {(10, 32): [3.0], (10, 1024): [4.0]},
    }
    assert tricks.at_work(savings) == [[1.0], [2.0], [4.0]]
