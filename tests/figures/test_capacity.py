import numpy as np
import pytest

from figures.capacity import spread
from mlp.data import Dataset
from mlp.lab.capacity import Course, Points, Study, Trained

TRAIN, VALID = np.array([0.3, 0.1, 0.2]), np.array([0.4, 0.0, 0.1])
POINTS = Points(*[Dataset(np.zeros((4, 2)), np.zeros(4, int))] * 2, np.arange(4) < 1, None)


@pytest.fixture
def figure():
    trained = {2: Trained([], TRAIN, VALID), 30: Trained([], TRAIN / 2, VALID / 2)}
    by_lambda = {value / 1000: found for value, found in trained.items()}
    course = Course(np.array([1, 10]), np.stack([TRAIN, VALID]), np.stack([VALID, TRAIN]), [])
    return spread(Study(POINTS, {}, trained, {0.0: trained[2]} | by_lambda, by_lambda, course))


def test_lines_are_medians_of_training_and_validation_errors_in_percent(figure):
    training, validation, _ = figure.axes[0].lines
    np.testing.assert_allclose(training.get_ydata(), [20, 10])
    np.testing.assert_allclose(validation.get_ydata(), [10, 5])
    training, validation, _ = figure.axes[3].lines
    np.testing.assert_allclose(training.get_xydata(), [[1, 20], [10, 10]])
    np.testing.assert_allclose(validation.get_xydata(), [[1, 10], [10, 20]])


def test_bands_go_from_the_lowest_to_the_highest_of_all_seeds(figure):
    training, validation = (band.get_paths()[0].vertices for band in figure.axes[0].collections)
    assert (training[:, 1].min(), training[:, 1].max()) == pytest.approx((5, 30))
    assert (validation[:, 1].min(), validation[:, 1].max()) == pytest.approx((0, 40))


def test_values_that_were_tried_stand_at_equal_distances(figure):
    ticks = figure.axes[1].get_xticklabels()
    assert [tick.get_text() for tick in ticks] == ["0", ".002", ".03"]
    assert [tick.get_position()[0] for tick in ticks] == [0, 1, 2]


def test_a_line_is_at_the_share_of_flipped_labels(figure):
    for ax in figure.axes:
        np.testing.assert_allclose(ax.lines[-1].get_ydata(), 25)
