import re

import pytest

from literate import appendix
from literate.reader import equations
from literate.source import statements


def test_every_equation_is_listed_once():
    listed = re.findall(r"\[-@([\w-]+)\]", appendix.sheet())
    assert listed == [label for label in equations() if label in statements()]


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("eq-ha", r"\ha = \W{1} \x + \bias{1}"),
        ("eq-grad-b2", r"\partial \loss / \partial \bias{2} = \partial \loss / \partial \oa"),
        (
            "eq-grad-W2",
            r"\partial \loss / \partial \W{2} = \left( \partial \loss / \partial \oa \right) \hsT",
        ),
        ("eq-grad-l2-squared", r"\partial \normtwo{\x} / \partial \x = 2 \x"),
        ("eq-update", r"\theta \leftarrow \theta - \eta \mathbf{v}"),
        (
            "eq-logsumexp",  # of a chain, the first and the last side
            r"\logsumexp(\oa) = c + \log\left( \sum_{l=1}^{m} \exp(\oa_l - c) \right)",
        ),
    ],
)
def test_a_result_is_its_equation_on_one_line_without_shapes_and_reasons(label, shown):
    assert appendix.result(label) == shown
