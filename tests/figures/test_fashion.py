import numpy as np

from figures.fashion import confusion, examples, notice


def test_examples_name_the_wrong_class_only_where_wrong():
    X, y, predicted = np.zeros((2, 784)), np.array([0, 1]), np.array([0, 2])
    (ax,) = examples(X, y, predicted, columns=2).axes
    assert [text.get_text() for text in ax.texts] == ["T-shirt/top", "Trouser", "Pullover"]


def test_examples_stand_row_by_row_below_their_classes():
    X, y = np.array([[0.5], [0.7], [0.9]]) * np.ones(784), np.array([3, 4, 5])
    (ax,) = examples(X, y, y, columns=2).axes
    picture = ax.images[0].get_array()
    height, width = picture.shape[0] // 2, picture.shape[1] // 2
    for place, text in enumerate(ax.texts):
        row, column = divmod(place, 2)
        cell = picture[row * height :, column * width :][:height, :width]
        np.testing.assert_array_equal(cell[cell > 0], X[place])
        x, above = text.get_position()
        assert column * width < x < (column + 1) * width
        assert not cell[: round(above) - row * height].any()


def test_confusion_has_true_classes_in_rows_and_no_zeros():
    counts = np.zeros((10, 10), int)
    counts[0, 6], counts[3, 3] = 120, 900
    texts = confusion(counts).axes[0].texts
    shown = {text.get_text(): (text.get_position(), text.get_color()) for text in texts}
    assert shown == {"120": ((6, 0), "black"), "900": ((3, 3), "white")}


def test_notice_has_axes_as_notebooks_show_no_figure_without():
    assert notice("text").axes
