import numpy as np
import pytest

from mlp.bench import tricks


@pytest.mark.parametrize("trick", tricks.PLAIN_AND_TWIN)
@pytest.mark.parametrize("K", [10, 100])
def test_each_trick_gives_the_numbers_of_the_plain_way(trick, K):
    plain, twin = tricks.PLAIN_AND_TWIN[trick]
    expected, found = plain(tricks.arrays(K, 90)), twin(tricks.arrays(K, 90))
    if trick == "biases in the products":
        expected = expected[0], np.hstack(expected[1:])
    elif not isinstance(expected, tuple):
        expected, found = (expected,), (found,)
    assert len(expected) == len(found)
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-5 * np.abs(a).max())


def test_the_engines_compared_differ_in_strips_and_shared_products():
    a = tricks.arrays(10, 90)
    assert [len(e._products) for e in (a.whole, a.single)] == [1, 3]
    assert [e._shares for e in (a.single, a.trainer)] == [False, True]


def test_savings_come_for_every_trick_in_every_shape():
    savings = list(tricks.measure(repetitions=1, seconds=0))
    assert len(savings) == len(tricks.PLAIN_AND_TWIN) * len(tricks.SHAPES)
    assert all(s.plain > 0 and s.twin > 0 for s in savings)
