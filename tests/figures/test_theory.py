import numpy as np
import pytest
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from figures import theory
from mlp import functions
from mlp.model import Params


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def patches(figure, kind):
    return [patch for patch in figure.axes[0].patches if type(patch) is kind]


def test_the_network_shows_every_symbol_with_its_shape_and_formula():
    shown = texts(theory.network())
    for expected in (
        r"$\mathbf{W}^{(1)}$: $d_h\times d$,  $\mathbf{b}^{(1)}$: $d_h\times 1$",
        r"$\mathbf{W}^{(2)}$: $m\times d_h$,  $\mathbf{b}^{(2)}$: $m\times 1$",
        r"$\mathbf{x}$: $d\times 1$",
        r"$\mathbf{h}^a$, $\mathbf{h}^s$: $d_h\times 1$",
        r"$\mathbf{o}^a$: $m\times 1$",
        r"$\mathbf{o}^s$: $m\times 1$",
        r"$\mathbf{h}^a = \mathbf{W}^{(1)}\mathbf{x} + \mathbf{b}^{(1)}$",
        r"$\mathbf{o}^a = \mathbf{W}^{(2)}\mathbf{h}^s + \mathbf{b}^{(2)}$",
        r"$L = -\log(\mathbf{o}^s_y)$",
    ):
        assert expected in shown


def test_every_unit_of_a_layer_is_joined_to_every_unit_of_the_next_and_to_its_bias():
    inputs, hidden, scores = 3, 4, 3
    lines = (inputs + 1) * hidden + (hidden + 1) * scores
    arrows = 3 * scores + 1  # into and out of the softmax, to the loss, and y to the loss
    figure = theory.network()
    assert len(patches(figure, FancyArrowPatch)) == lines + arrows
    dashed = [p for p in patches(figure, FancyArrowPatch) if p.get_linestyle() == "--"]
    assert len(dashed) == hidden + scores
    assert {r"$\mathbf{b}^{(1)}$", r"$\mathbf{b}^{(2)}$"} < {*texts(figure)}


def test_the_backward_flow_has_a_gradient_for_each_layer_and_parameter():
    figure = theory.backward()
    gradients = [text for text in texts(figure) if text.startswith(r"$\frac{\partial L}")]
    assert len(gradients) == len({*gradients}) == 4 + len(Params._fields)
    assert len(patches(figure, FancyBboxPatch)) == len(gradients)
    assert len(patches(figure, FancyArrowPatch)) == 5 + len(gradients)  # forward, then one each


@pytest.mark.parametrize("draw", [theory.network, theory.backward])
def test_every_letter_of_a_drawing_can_be_read_at_its_size_in_print(draw):
    figure = draw()
    assert figure.get_figwidth() <= 6.3  # inches, the width of the text: nothing is made smaller
    for text in figure.axes[0].texts:
        shown = text.get_text()
        scale = 0.7 ** (("^" in shown or "_" in shown) + (r"\frac" in shown))
        assert scale * text.get_fontsize() >= 7.5, shown


def test_the_backward_flow_has_the_forward_pass_in_a_row():
    figure = theory.backward()
    units = {circle.center for circle in patches(figure, Circle)}
    assert len({y for _, y in units}) == 1
    named = {text.get_position(): text.get_text() for text in figure.axes[0].texts}
    row = [r"\mathbf{x}", r"\mathbf{h}^a", r"\mathbf{h}^s", r"\mathbf{o}^a", r"\mathbf{o}^s", "L"]
    assert [named[unit] for unit in sorted(units)] == [f"${symbol}$" for symbol in row]


def test_curves_are_the_functions_given_with_a_gap_at_a_jump():
    panel = ("sign", functions.sign, None)
    panels = [("rect", functions.rect, functions.rect_prime), *[panel] * 5]
    figure = theory.curves(panels)
    rect, rect_prime = figure.axes[0].lines[:2]
    x = rect.get_xdata()
    np.testing.assert_array_equal(rect.get_ydata(), functions.rect(x))
    jump = np.isnan(rect_prime.get_ydata())
    assert jump.sum() == 1
    np.testing.assert_array_equal(rect_prime.get_ydata()[~jump], functions.rect_prime(x)[~jump])
    assert [ax.get_title() for ax in figure.axes] == ["rect", *["sign"] * 5]
