import re

import pytest

from literate import appendix
from literate.reader import equations
from literate.source import statements


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
