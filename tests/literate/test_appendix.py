import re

import pytest

from literate import appendix, shapes
from literate.reader import equations
from literate.source import statements


def test_the_shape_of_everything_that_has_a_label_is_known():
    assert set(shapes.of_statements()) == set(statements())


SHAPES = {"W1": "d_h × d", "b1": "d_h × 1", "W2": "m × d_h", "b2": "m × 1", "x": "d × 1"}
SHAPES |= {"ha": "d_h × {}", "hs": "d_h × {}", "oa": "m × {}"}


@pytest.mark.parametrize("name", SHAPES)
def test_a_gradient_has_the_shape_of_what_it_is_taken_with_respect_to(name):
    found = {k: v.replace(r" \times ", " × ").strip("$") for k, v in shapes.of_statements().items()}
    assert found[f"eq-grad-{name}"] == SHAPES[name].format(1)
    if name != "x":
        assert found[f"eq-batch-grad-{name}"] == SHAPES[name].format("K")


def test_every_equation_is_listed_once():
    parts = ("sec-a", "sec-b", "sec-beyond")
    listed = re.findall(r"\[-@([\w-]+)\]", "".join(map(appendix.table, parts)))
    assert listed == [label for label in equations() if label in statements()]


@pytest.mark.parametrize(
    ("label", "left"),
    [
        ("eq-ha", r"\ha"),
        ("eq-grad-W2", r"\partial \loss / \partial \W{2}"),
        ("eq-grad-l2-squared", r"\partial \normtwo{\x} / \partial \x"),
        ("eq-update", r"\theta"),
    ],
)
def test_the_symbol_is_the_left_hand_side_of_the_equation(label, left):
    assert appendix.symbol(label) == left
