import numpy as np

from figures.fashion import confusion, examples, notice


def test_examples_name_the_wrong_class_only_where_wrong():
    X, y, predicted = np.zeros((2, 784)), np.array([0, 1]), np.array([0, 2])
    axes = examples(X, y, predicted, columns=2).axes
    assert [len(ax.texts) for ax in axes] == [0, 1]
    assert axes[1].texts[0].get_text() == "Pullover"


def test_confusion_has_true_classes_in_rows_and_no_zeros():
    counts = np.zeros((10, 10), int)
    counts[0, 6], counts[3, 3] = 120, 900
    texts = confusion(counts).axes[0].texts
    shown = {text.get_text(): (text.get_position(), text.get_color()) for text in texts}
    assert shown == {"120": ((6, 0), "black"), "900": ((3, 3), "white")}


def test_notice_has_axes_as_notebooks_show_no_figure_without():
    assert notice("text").axes
