import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib.colors import to_rgb

from figures import plot
from literate import shapes
from mlp import gradcheck, model
from mlp.data import Dataset
from mlp.lab import ensemble, experiment
from mlp.model import Params
from mlp.train import Record
from tests.conftest import generic


@pytest.fixture(autouse=True)
def closed_figures():
    plot.use_style()
    yield
    plt.close("all")


def records(n):
    return [Record(e, *(1 / (e + i) for i in range(6))) for e in range(1, n + 1)]


def test_numbers_have_true_minus_signs_and_fixed_decimals():
    assert plot.fixed(-0.12345, 3) == "−0.123"
    assert plot.percent(0.1125) == "11.25"
    assert plot.scientific(0) == "0"
    assert plot.scientific(-1.25e-9) in (r"$-1.2\times 10^{-9}$", r"$-1.3\times 10^{-9}$")


@pytest.mark.parametrize(
    ("name", "latex"),
    [("W1[2, 1]", r"$\mathbf{W}^{(1)}_{21}$"), ("b2[3, 1]", r"$\mathbf{b}^{(2)}_{3}$")],
)
def test_symbols_are_those_of_the_mathematics(name, latex):
    assert plot.symbol(name) == latex


def test_gradient_table_has_a_row_for_each_parameter_and_shows_zero_as_agreement():
    params, x, y = generic(d=2, d_h=2, m=2, K=1)
    params = params._replace(b1=np.array([[-100.0], [1.0]]))  # the first hidden unit is off
    grad = model.bprop(params, model.fprop(params, x), y)
    rows = gradcheck.compare(lambda p: model.loss(model.fprop(p, x).oa, y).mean(), grad, params)
    lines = plot.gradient_table(rows).splitlines()
    assert len(lines) == 2 + model.count(params)
    assert "nan" not in "".join(lines)
    assert "| 0.0000000 | 0.0000000 | 1.000000 |" in lines[2]


def test_digits_before_the_point_line_up_among_powers_of_ten():
    rows = [["0", "0"], [plot.scientific(1.5e-16), "1"], [plot.scientific(2e-9), "2"]]
    zero, _, short = plot.table(["a", "b"], rows, "rr").splitlines()[2:]
    assert zero == r"| $0\,\,\quad\quad\quad\quad$ | 0 |"
    assert short == r"| $2.0\times 10^{-9}\,\,$ | 2 |"


def test_shapes_are_those_of_the_running_program():
    table = shapes.shapes_table(d=5, d_h=4, m=3, K=7)
    row = next(line for line in table.splitlines() if line.startswith("| `grad_oa`"))
    assert r"| $m \times 1$ | `(act.os - onehot(m, y)) / K` | $m \times K$ |" in row


def test_shapes_in_symbols_need_sizes_that_differ():
    with pytest.raises(ValueError, match="5, 4, 3, 4; let them differ"):
        shapes.shapes_table(d=5, d_h=4, m=3, K=4)


def test_gradient_pairs_stand_side_by_side_with_their_differences():
    ones = Params(*(np.ones((1, 1)) for _ in range(4)))
    twos = ones._replace(b2=np.array([[1.5]]))
    last = plot.gradient_pairs({1: (ones, ones), 10: (ones, twos)}).splitlines()[-1]
    cells = [cell.strip() for cell in last.split("|")[2:-1]]
    one, more = "1.0000000000", "1.5000000000"
    assert cells == [one, one, "0", one, more, r"$5.0\times 10^{-1}$"]


def test_panels_say_their_errors():
    params, x, _ = generic(d=2, d_h=3, m=2, K=40)
    right = Dataset(x.T, model.predict(params, x))
    wrong = Dataset(x.T, 1 - right.y)
    figure = plot.regions([plot.Panel("a", params, right, wrong)] * 3, columns=2)
    assert figure.axes[0].get_xlabel() == "train 0.0 %, valid 100.0 %"
    assert [ax.get_visible() for ax in figure.axes] == [True, True, True, False]


def test_region_shades_are_ordered_in_grey():
    grey = [to_rgb(colour) @ np.array([0.299, 0.587, 0.114]) for colour in plot.REGION_COLOURS]
    assert min(np.diff(grey)) > 0.04


def test_rings_lie_on_the_points_that_the_panel_names():
    params, x, y = generic(d=2, d_h=3, m=2, K=40)
    points = Dataset(x.T, y)
    ax = plot.regions([plot.Panel("a", params, points, points, ringed=x.T[:3])]).axes[0]
    np.testing.assert_array_equal(ax.lines[-1].get_xydata(), x.T[:3])


def test_curves_are_those_of_the_log_and_mark_the_chosen_epoch():
    log = records(6)
    error, loss = plot.curves(log, chosen=4).axes
    np.testing.assert_allclose(error.lines[0].get_ydata(), [100 * r.train_error for r in log])
    np.testing.assert_allclose(loss.lines[4].get_ydata(), [r.test_loss for r in log])
    assert "chosen epoch, 4" in [line.get_label() for line in error.lines]


def test_excerpt_keeps_columns_apart_and_rounds():
    text = plot.excerpt(["epoch,train_error", "1,0.123456"])
    assert text.splitlines() == ["epoch  train_error", "    1       0.1235"]


def test_exported_figure_is_a_vector_file_and_the_same_again(tmp_path):
    a, b = (
        plot.export(plot.confusion(np.eye(10, dtype=int) * 900 + 3), name, tmp_path)
        for name in ("a", "b")
    )
    assert a.startswith("<?xml")
    assert a == b == (tmp_path / "a.svg").read_text() == (tmp_path / "b.svg").read_text()
    assert not list(tmp_path.glob("*.tmp"))


def test_exported_figure_is_what_a_notebook_shows_and_is_not_drawn_again(tmp_path):
    drawing = plot.export(plot.notice("text"), "a", tmp_path)
    data, _ = DisplayFormatter().format(drawing)
    assert data["image/svg+xml"] == drawing
    assert data["text/plain"] == "a figure"
    assert not plt.get_fignums()


def test_examples_name_the_wrong_class_only_where_wrong():
    X, y, predicted = np.zeros((2, 784)), np.array([0, 1]), np.array([0, 2])
    axes = plot.examples(X, y, predicted, columns=2).axes
    assert [len(ax.texts) for ax in axes] == [0, 1]
    assert axes[1].texts[0].get_text() == "Pullover"


def test_notice_has_axes_as_notebooks_show_no_figure_without():
    assert plot.notice("text").axes


def test_a_search_is_shown_with_every_trial_against_every_setting():
    trials = [
        {"trial": number, "d_h": d_h, "eta": eta, "valid_error": 0.1 * d_h}
        for number, d_h, eta in ((2, 1, 0.1), (0, 2, 0.3), (1, 4, 0.02))
    ]
    figure = plot.tried(trials, {"d_h": "width", "eta": "step"}, ringed={2})
    assert [ax.get_xlabel() for ax in figure.axes] == ["width", "step"]
    for ax, name in zip(figure.axes, ("d_h", "eta"), strict=True):
        dots, rings = (line.get_xydata() for line in ax.lines)
        expected = [[t[name], 100 * t["valid_error"]] for t in trials]
        np.testing.assert_allclose(dots, expected)
        np.testing.assert_allclose(rings, expected[:1])


def test_settings_stand_in_columns_with_a_dash_for_what_is_not_used():
    keys = {"data": "fashion-mnist", "valid": 9, "seeds": [1], "d_h": 3, "eta": 0.1, "epochs": 5}
    more = {"shifts": 1, "flips": True, "mirrored": True, "l12": 5e-5, "patience": 2}
    some = {"a": experiment.from_mapping(keys, "a"), "b": experiment.from_mapping(keys | more, "b")}
    rows = plot.settings_table(some).splitlines()
    assert rows[0] == "|  | a | b |"
    assert r"| $\lambda_{12}$ | – | $5.0\times 10^{-5}$ |" in rows
    assert "| training images | – | mirrored, shifted by up to 1 pixel |" in rows
    assert rows[-1] == "| patience in epochs | – | 2 |"


def test_rungs_show_the_median_of_runs_and_the_nets_averaged():
    nets = [ensemble.Record(n, 0.1 / n, 0.0, 0.2 / n, 0.0) for n in (1, 2)]
    better = [record._replace(valid_error=0.1) for record in records(4)]
    figure = plot.rungs({"one": [records(3), better, better], "two": [records(5)]}, nets)
    left, right = figure.axes
    assert [line.get_ydata().tolist() for line in left.lines[:1]] == [[10, 10, 10]]
    assert len(left.lines[1].get_ydata()) == 5
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["one", "two"]
    np.testing.assert_allclose(right.lines[1].get_ydata(), [20, 10])
