import numpy as np
from matplotlib.colors import to_rgb

from figures import circles
from figures.circles import Panel, regions
from mlp import model
from mlp.data import Dataset
from tests.conftest import generic

GREY = np.array([0.299, 0.587, 0.114])  # how light each of red, green, blue seems


def panel():
    """A network that is right about all training points, and wrong about all validation points."""
    params, x, _ = generic(d=2, d_h=3, m=2, K=40)
    right = Dataset(x.T, model.predict(params, x))
    wrong = Dataset(x.T, 1 - right.y)
    return Panel("a title", params, right, wrong, ringed=right.X[:3])


def test_panels_say_their_titles_and_errors():
    figure = regions([panel()] * 3, columns=2)
    assert figure.axes[0].get_title() == "a title"
    assert figure.axes[0].get_xlabel() == "train 0.0 %, valid 100.0 %"
    assert [ax.get_visible() for ax in figure.axes] == [True, True, True, False]


def test_region_shades_are_ordered_in_grey():
    grey = [to_rgb(colour) @ GREY for colour in circles.REGION_COLOURS]
    assert min(np.diff(grey)) > 0.04


def test_points_of_each_class_have_a_marker_and_rings_lie_on_the_points_named():
    one = panel()
    first, second, rings = regions([one]).axes[0].lines
    np.testing.assert_array_equal(first.get_xydata(), one.train.X[one.train.y == 0])
    np.testing.assert_array_equal(second.get_xydata(), one.train.X[one.train.y == 1])
    assert first.get_marker() != second.get_marker()
    np.testing.assert_array_equal(rings.get_xydata(), one.ringed)


def test_panels_in_fewer_columns_are_larger():
    wide, narrow = (regions([panel()] * 4, columns=columns) for columns in (2, 4))
    assert wide.axes[0].get_position().width > 1.5 * narrow.axes[0].get_position().width
