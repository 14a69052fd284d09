import json
import re

import numpy as np
import pytest

from figures.circles import Panel, regions
from figures.moving import through, through_epochs
from figures.style import export
from mlp import data, train
from mlp.data import Splits
from mlp.model import Params
from mlp.settings import Settings


@pytest.fixture(scope="module")
def splits():
    return Splits(*data.split(data.generate_circles(100), (40, 40, 20), seed=0))


@pytest.fixture(scope="module")
def run(splits):
    return list(train.fit(splits, Settings(d_h=3, K=20, eta=0.5, epochs=120)))


@pytest.fixture
def panel(run, splits):
    return Panel(r"$\lambda = 0.1$, $d_h = 3$", run[-1][1].params, *splits[:2], splits.train.X[:2])


def params_in(frame):
    return Params(*(np.array(frame[name]) for name in Params._fields))


def test_a_frame_is_a_network_with_its_title_in_plain_text_and_its_errors_and_losses(panel):
    (frame,) = json.loads(through("λ", [panel]))["frames"]
    assert frame["title"] == "λ = 0.1, dₕ = 3"
    for ours, carried in zip(panel.params, params_in(frame), strict=True):
        np.testing.assert_allclose(carried, ours, rtol=1e-3)
    for part in ("train", "valid"):
        error, loss = train.evaluate(panel.params, getattr(panel, part))
        assert (frame["error"][part], frame["loss"][part]) == (100 * error, loss)


def test_points_are_those_of_each_class_and_those_that_are_ringed(panel):
    carried = json.loads(through("λ", [panel]))
    for c, points in enumerate(carried["points"]):
        np.testing.assert_allclose(points["at"], panel.train.X[panel.train.y == c], rtol=1e-3)
    np.testing.assert_allclose(carried["ringed"], panel.ringed, rtol=1e-3)
    assert carried["curves"] == []


def test_epochs_are_at_equal_steps_with_the_first_and_the_chosen_one_and_networks_are_theirs(
    run, panel
):
    frames = json.loads(through_epochs(run, panel, chosen=77))["frames"]
    assert [frame["epoch"] for frame in frames] == [1, 50, 77, 100]
    for frame in frames:
        np.testing.assert_allclose(frame["W1"], run[frame["epoch"] - 1][1].params.W1, rtol=1e-3)
        assert frame["error"]["valid"] == 100 * run[frame["epoch"] - 1][0].valid_error


def test_curves_are_those_of_the_run(run, panel):
    curves = json.loads(through_epochs(run, panel, chosen=77))["curves"]
    assert [curve["name"] for curve in curves] == ["training", "validation"]
    for curve in curves:
        for i, epoch in enumerate(curve["epoch"]):
            record = run[epoch - 1][0]
            assert curve["error"][i] == 100 * getattr(record, f"{curve['part']}_error")
            assert curve["loss"][i] == getattr(record, f"{curve['part']}_loss")


def test_an_exported_figure_carries_them_and_is_drawn_as_without(tmp_path, panel):
    carried = through("λ", [panel])
    moving = export(regions([panel]), "a", tmp_path, moving=carried)
    still = export(regions([panel]), "b", tmp_path)
    description = re.compile(r" *<dc:description>(.*)</dc:description>\n")
    assert description.search(moving)[1] == carried
    assert description.sub("", moving) == still
