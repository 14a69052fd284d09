import json
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import FancyArrowPatch

from figures.circles import Panel, regions
from figures.moving import Step, stepwise, through
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
    assert carried["epochs"] == []


def test_with_epochs_there_are_curves_of_training_and_validation(panel):
    carried = json.loads(through("epoch", [panel, panel], np.array([1, 50])))
    assert carried["epochs"] == [1, 50]
    assert [curve["name"] for curve in carried["curves"]] == ["training", "validation"]
    assert {curve["part"] for curve in carried["curves"]} == carried["frames"][0]["loss"].keys()


def test_an_exported_figure_carries_them_and_is_drawn_as_without(tmp_path, panel):
    carried = through("λ", [panel])
    moving = export(regions([panel]), "a", tmp_path, moving=carried)
    still = export(regions([panel]), "b", tmp_path)
    description = re.compile(r" *<dc:description>(.*)</dc:description>\n")
    assert description.search(moving)[1] == carried
    assert description.sub("", moving) == still


@pytest.fixture
def drawing():
    """An input at 0, an arrow from there to 4, and an output at 5."""
    figure, ax = plt.subplots()
    ax.set(xlim=(-1, 6), ylim=(-1, 1))
    ax.text(0, 0, "input")
    ax.add_patch(FancyArrowPatch((0.5, 0), (4, 0)))
    ax.text(5, 0, "output")
    return figure


@pytest.mark.parametrize(("ends", "expected"), [((1, 4, 6), (0, 2, 1)), ((4, 1, -1), (2, 0, 1))])
def test_what_is_drawn_bears_its_step_from_either_side(drawing, tmp_path, ends, expected):
    names = ("first", "second", "third")
    steps = [Step(*each) for each in zip(names, ends, ("eq-a", "", "eq-c"), strict=True)]
    carried = json.loads(stepwise(drawing, steps))
    assert [step["words"] for step in carried["steps"]] == ["first", "second", "third"]
    assert [step["label"] for step in carried["steps"]] == ["eq-a", "", "eq-c"]
    svg = export(drawing, "a", tmp_path)
    assert tuple(map(int, re.findall(r'<g id="step-(\d)-\d">', svg))) == tuple(
        expected[i] for i in map(int, re.findall(r'<g id="step-\d-(\d)">', svg))
    )
