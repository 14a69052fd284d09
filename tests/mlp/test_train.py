import dataclasses
import math
import os
import subprocess
import sys

import numpy as np
import pytest

from mlp import data, regularize, train
from mlp.data import Dataset, Splits
from mlp.functions import logsumexp, softmax
from mlp.model import bprop, fprop
from mlp.penalty import grad_penalty
from mlp.settings import Settings, SettingsError
from mlp.train import DivergedError
from tests.conftest import LAMBDAS, generic

SETTINGS = Settings(d_h=3, eta=0.1, epochs=4, K=16, **LAMBDAS._asdict(), momentum=0.6, seed=5)


def blobs(n=57, seed=0):
    """Three noisy classes in five dimensions; n is no multiple of K."""
    rng = np.random.default_rng(seed)
    centres = 2 * rng.normal(size=(3, 5))

    def part(size):
        y = rng.integers(0, 3, size)
        y[:3] = range(3)
        return Dataset(centres[y] + rng.normal(size=(size, 5)), y)

    return Splits(part(n), part(23), part(31))


def assert_same(a, b):
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("K", 0), ("K", 2.0), ("K", True), ("K", "10"), ("d_h", 0), ("d_h", -3), ("epochs", 0),
        ("eta", 0), ("eta", -0.1), ("eta", math.nan), ("eta", math.inf), ("eta", "0.1"),
        ("l11", -1e-9), ("l12", math.nan), ("l21", math.inf), ("l22", None), ("momentum", 1),
        ("momentum", -0.1), ("patience", 0), ("seed", -1), ("seed", 1.5),
    ],
)  # fmt: skip
def test_unusable_settings_are_refused_by_name_and_value(name, value):
    with pytest.raises(SettingsError) as error:
        dataclasses.replace(SETTINGS, **{name: value})
    assert str(error.value).startswith(f"{name} is {value!r}; it must be a")


@pytest.mark.parametrize("mu", [0.0, 0.6])
def test_two_steps_with_and_without_momentum_are_those_written_out(mu):
    params, x, y = generic()
    rest, settings = params.map(np.zeros_like), dataclasses.replace(SETTINGS, momentum=mu)
    one, velocity, oa = train.step(params, rest, x, y, 0.1, settings)
    two, _, _ = train.step(one, velocity, x, y, 0.03, settings)

    def gradient(theta):
        parts = bprop(theta, fprop(theta, x), y), grad_penalty(theta, LAMBDAS)
        return [g + r for g, r in zip(*parts, strict=True)]

    g_0, g_1 = gradient(params), gradient(one)
    np.testing.assert_array_equal(oa, fprop(params, x).oa)
    for a, p, g in zip(one, params, g_0, strict=True):
        np.testing.assert_allclose(a, p - 0.1 * g, rtol=1e-14)
    for b, a, g, h in zip(two, one, g_0, g_1, strict=True):
        np.testing.assert_allclose(b, a - 0.03 * (mu * g + h), rtol=1e-14)


def test_training_figures_are_accumulated_before_each_step():
    splits = blobs()
    whole = dataclasses.replace(SETTINGS, K=100)  # one minibatch an epoch
    start = train.start(whole, 5, 3)
    record, _ = next(train.fit(splits, whole))
    np.testing.assert_allclose(record[1:3], train.evaluate(start.params, splits.train), rtol=1e-14)


def test_accumulated_training_figures_weigh_every_example_alike():
    splits = blobs()
    still = dataclasses.replace(SETTINGS, eta=1e-300, K=16)  # 57 = 3 x 16 + 9
    start = train.start(still, 5, 3)
    record, _ = next(train.fit(splits, still))
    np.testing.assert_allclose(record[1:3], train.evaluate(start.params, splits.train), rtol=1e-14)


def test_valid_and_test_figures_are_those_at_the_end_of_the_epoch():
    splits = blobs()
    for record, state in train.fit(splits, SETTINGS):
        assert record[3:5] == train.evaluate(state.params, splits.valid)
        assert record[5:7] == train.evaluate(state.params, splits.test)


def test_going_on_from_any_epoch_gives_the_same_run_bit_for_bit():
    splits = blobs()
    whole = list(train.fit(splits, SETTINGS))
    for record, state in whole[:-1]:
        rest = list(train.fit(splits, SETTINGS, state))
        assert [r for r, _ in rest] == [r for r, _ in whole[record.epoch :]]
        for group in ("params", "velocity", "best"):
            assert_same(getattr(rest[-1][1], group), getattr(whole[-1][1], group))


def test_another_seed_gives_another_run():
    splits = blobs()
    records = {next(train.fit(splits, dataclasses.replace(SETTINGS, seed=s)))[0] for s in range(3)}
    assert len(records) == 3


def test_early_stopping_ends_after_patience_and_keeps_the_best_epoch():
    splits = blobs(n=20)
    noisy = splits._replace(valid=splits.valid._replace(y=splits.valid.y[::-1]))
    settings = dataclasses.replace(SETTINGS, eta=0.5, epochs=500, patience=7)
    records, states = zip(*train.fit(noisy, settings), strict=True)
    best = min(records, key=lambda r: (r.valid_error, r.epoch))
    assert len(records) == best.epoch + 7 < 500
    assert states[-1].chosen == best
    assert_same(states[-1].best, states[best.epoch - 1].params)


def test_test_data_choose_nothing():
    splits = blobs()
    shuffled = splits._replace(test=splits.test._replace(y=np.roll(splits.test.y, 1)))
    (*_, (one, a)), (*_, (two, b)) = train.fit(splits, SETTINGS), train.fit(shuffled, SETTINGS)
    assert one.test_error != two.test_error
    assert a.chosen.epoch == b.chosen.epoch
    assert_same(a.best, b.best)


def test_lost_loss_is_reported_with_epoch_minibatch_and_step():
    splits = blobs()
    with pytest.raises(DivergedError, match=r"epoch 1, minibatch [234], with eta 1e\+200"):
        list(train.fit(splits, dataclasses.replace(SETTINGS, eta=1e200)))


def test_a_loss_lost_in_the_last_step_is_reported_too():
    splits = blobs()
    settings = dataclasses.replace(SETTINGS, eta=1e200, K=57, epochs=1)
    with pytest.raises(
        DivergedError, match=r"the loss is (nan|inf) after epoch 1, with eta 1e\+200"
    ):
        list(train.fit(splits, settings))
    none = Dataset(splits.valid.X[:0], splits.valid.y[:0])
    tame = dataclasses.replace(settings, eta=0.1)
    assert len(list(train.fit(Splits(splits.train, none, none), tame))) == 1


def test_tick_is_called_after_each_minibatch():
    calls = []
    next(train.fit(blobs(), SETTINGS, tick=calls.append))
    assert calls == [1, 1, 1, 1]


def test_a_small_network_separates_the_circles():
    splits = data.load("circles", valid=200, seed=0)
    settings = Settings(d_h=32, eta=0.3, epochs=150, K=10, seed=1, patience=40)
    *_, (record, state) = train.fit(splits, settings)
    assert state.chosen.valid_error == 0
    assert state.chosen.test_error <= 0.01
    assert record.train_loss < 0.1


# --- what the better recipes add -----------------------------------------------------------------


def images(seed=0):
    """Tiny 3 x 3 images of two classes."""
    rng = np.random.default_rng(seed)
    return Splits(*(Dataset(rng.random((n, 9)), rng.integers(0, 2, n)) for n in (37, 20, 20)))


MANY = Settings(
    d_h=4, eta=0.1, epochs=4, K=8, momentum=0.8, schedule="cosine", smoothing=0.1, whiten=0.5,
    flips=True, shifts=1, cutout=2, mirrored=True, **LAMBDAS._asdict(),
)  # fmt: skip


def test_a_run_with_everything_goes_on_bit_for_bit():
    splits = images()
    whole = list(train.fit(splits, MANY))
    rest = list(train.fit(splits, MANY, whole[1][1]))
    assert [r for r, _ in rest] == [r for r, _ in whole[2:]]
    assert_same(rest[-1][1].params, whole[-1][1].params)


@pytest.mark.parametrize("settings", [SETTINGS, MANY])
def test_single_precision_stays_single_precision(settings):
    splits = Splits(*(part._replace(X=part.X.astype(np.float32)) for part in images()))
    _, state = next(train.fit(splits, settings))
    for array in (*state.params, *state.velocity):
        assert array.dtype == np.float32


@pytest.mark.parametrize(
    "change",
    [
        {"momentum": 0.0}, {"schedule": "constant"}, {"smoothing": 0.0}, {"whiten": 0.0},
        {"flips": False}, {"shifts": 0}, {"cutout": 0}, {"mirrored": False}, {"l11": 0.0},
        {"l22": 0.0},
    ],
)  # fmt: skip
def test_every_ingredient_makes_a_difference(change):
    (*_, (with_it, _)), (*_, (without, _)) = (
        train.fit(images(), settings) for settings in (MANY, dataclasses.replace(MANY, **change))
    )
    assert with_it.test_loss != without.test_loss


def test_cosine_schedule_falls_from_eta_to_nearly_zero_once_over_all_epochs():
    settings = dataclasses.replace(MANY, eta=0.4, epochs=3)
    etas = np.concatenate([train.step_sizes(settings, epoch, 10) for epoch in (1, 2, 3)])
    assert etas[0] == 0.4
    np.testing.assert_allclose(etas[15], 0.2)  # half way
    assert 0 < etas[-1] < 0.002
    assert np.all(np.diff(etas) < 0)
    assert set(train.step_sizes(SETTINGS, 2, 5)) == {SETTINGS.eta}


def test_every_example_is_seen_once_an_epoch_at_its_own_place():
    train_part = images().train
    order = np.random.default_rng(1).permutation(37)
    for settings in (SETTINGS, dataclasses.replace(MANY, shifts=0, cutout=0)):
        rng = np.random.default_rng(2)
        seen = [
            (y[batch], np.sort(X[batch]))
            for X, y, batch, _ in train.pieces(train_part, order, 16, settings, rng)
        ]
        np.testing.assert_array_equal(np.concatenate([y for y, _ in seen]), train_part.y[order])
        np.testing.assert_array_equal(
            np.concatenate([X for _, X in seen]), np.sort(train_part.X[order])
        )


def test_average_has_the_mean_of_the_probabilities():
    rng = np.random.default_rng(0)
    several = [rng.normal(size=(3, 5)) for _ in range(4)]
    mean = np.mean([softmax(oa) for oa in several], axis=0)
    averaged = train.average(several)
    np.testing.assert_allclose(softmax(averaged), mean, rtol=1e-13)
    np.testing.assert_allclose(logsumexp(averaged), 0, atol=1e-14)


def test_mirrored_outputs_do_not_change_when_all_images_are_mirrored():
    params, _, _ = generic(d=9)
    X = images().train.X
    a, b = (train.outputs(params, Z, mirrored=True) for Z in (X, regularize.mirror(X)))
    np.testing.assert_allclose(a, b, rtol=1e-13)


def test_the_chosen_network_takes_inputs_that_are_not_whitened():
    splits = images()
    *_, (_, state) = train.fit(splits, MANY)
    best = train.evaluate(state.best, splits.valid, mirrored=True)
    np.testing.assert_allclose(best, state.chosen[3:5], rtol=1e-12)


def test_without_validation_examples_the_last_epoch_is_chosen():
    splits = blobs()
    none = splits._replace(valid=Dataset(splits.valid.X[:0], splits.valid.y[:0]))
    *_, (record, state) = train.fit(none, SETTINGS)
    assert math.isnan(record.valid_error)
    assert state.chosen.epoch == state.epoch == 4


class Spy(train.Steps):
    """Steps that remember which examples they were given."""

    seen: list = []  # noqa: RUF012

    def run(self, X, y, order, eta):
        Spy.seen.append(X[order])
        return super().run(X, y, order, eta)


def test_every_epoch_has_its_own_order():
    Spy.seen.clear()
    list(train.fit(blobs(), dataclasses.replace(SETTINGS, K=57), engine=Spy))
    assert len(Spy.seen) == 4
    for i in range(3):
        assert not np.array_equal(Spy.seen[i], Spy.seen[i + 1])
        np.testing.assert_array_equal(np.sort(Spy.seen[i], axis=0), np.sort(Spy.seen[3], axis=0))


def test_about_half_of_the_images_are_flipped():
    n = 400
    X = np.tile(np.arange(9.0), (n, 1))
    settings = dataclasses.replace(MANY, shifts=0, cutout=0)
    ((moved, *_),) = train.pieces(
        Dataset(X, np.zeros(n, int)), np.arange(n), n, settings, np.random.default_rng(0)
    )
    assert 0.4 < np.mean(moved[:, 0] == 2) < 0.6


def test_training_on_whitened_inputs_is_training_on_data_whitened_before():
    splits, plain = blobs(), dataclasses.replace(SETTINGS, whiten=0.0)
    white = regularize.whitening(splits.train.X, 0.3)
    before = Splits(*(part._replace(X=white.apply(part.X)) for part in splits))
    *_, (a, one) = train.fit(splits, dataclasses.replace(SETTINGS, whiten=0.3))
    *_, (b, two) = train.fit(before, plain)
    np.testing.assert_allclose(a, b, rtol=1e-9)
    for p, q in zip(one.params, two.params, strict=True):
        np.testing.assert_allclose(p, q, rtol=1e-9)


def test_among_equal_validation_errors_the_first_epoch_is_chosen():
    *_, (_, state) = train.fit(blobs(), dataclasses.replace(SETTINGS, eta=1e-300))
    assert (state.epoch, state.chosen.epoch) == (4, 1)


FAULTS = """
import resource
import numpy as np
from mlp import train
from mlp.data import Dataset, Splits
from mlp.settings import Settings
rng = np.random.default_rng(0)
part = Dataset(rng.normal(size=(250, 2)), rng.integers(0, 2, 250))
faults = [
    resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in train.fit(Splits(part, part, part), Settings(d_h=200, eta=0.1, epochs=110, K=250))
]
print(faults[-1] - faults[9])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems manage memory in other ways")
def test_steps_reuse_the_memory_of_earlier_ones():
    own = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    done = subprocess.run(
        [sys.executable, "-c", FAULTS],
        cwd=data.ROOT,
        env=own,
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 1000  # pages newly mapped in 100 epochs
