from types import SimpleNamespace

import numpy as np
import pytest

from mlp import train
from mlp.data import Dataset
from mlp.lab import capacity
from mlp.lab.capacity import SEEDS
from tests.conftest import generic

COMMON = {"eta": 0.3, "epochs": 40, "K": 10}


@pytest.fixture(scope="module")
def points():
    _, x, y = generic(d=2, m=2, K=60)
    data = Dataset(x.T, y)
    return SimpleNamespace(
        train=Dataset(data.X[:40], data.y[:40]), valid=Dataset(data.X[40:], data.y[40:])
    )


def test_a_tenth_or_so_of_the_noisy_labels_is_flipped_and_no_point_is_used_twice():
    clean, noisy, flipped, valid = capacity.points()
    assert 0.05 < flipped.mean() < 0.25
    assert np.array_equal(noisy.y != clean.y[:100], flipped)
    rows = {tuple(row) for part in (clean, valid) for row in part.X}
    assert len(rows) == len(clean.y) + len(valid.y)


def test_each_value_is_tried_from_every_seed_and_judged(points):
    found = capacity.varied(points.train, points.valid, COMMON, ("d_h",), (2, 5))
    assert list(found) == [2, 5]
    for d_h, (networks, train_errors, valid_errors) in found.items():
        assert [len(net.W1) for net in networks] == [d_h] * len(SEEDS)
        for net, on_train, on_valid in zip(networks, train_errors, valid_errors, strict=True):
            assert on_train == train.evaluate(net, points.train)[0]
            assert on_valid == train.evaluate(net, points.valid)[0]


def test_all_names_get_the_value_that_is_tried(points):
    free, held = capacity.varied(
        points.train, points.valid, COMMON | {"d_h": 3}, ("l12", "l22"), (0.0, 0.3)
    ).values()
    for strong, weak in zip(free.networks, held.networks, strict=True):
        assert np.abs(weak.W1).max() < np.abs(strong.W1).max()
        assert np.abs(weak.W2).max() < np.abs(strong.W2).max()


def test_networks_that_are_followed_are_looked_at_now_and_then(points):
    course, end = capacity.followed(points.train, points.valid, COMMON | {"d_h": 3})
    assert list(course.epochs) == [1, 10, 20, 30, 40]
    assert course.valid_errors.shape == (5, len(SEEDS))
    for i, net in enumerate(course.networks):
        assert train.evaluate(net, points.train)[0] == course.train_errors[i, 0]
        assert train.evaluate(net, points.valid)[0] == course.valid_errors[i, 0]
    np.testing.assert_array_equal(course.networks[-1].W1, end.networks[0].W1)
    np.testing.assert_array_equal(course.valid_errors[-1], end.valid_errors)
