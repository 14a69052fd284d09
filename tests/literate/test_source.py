import re

import pytest

from literate import source
from literate.reader import equations
from literate.source import expected_name, line, quote, statements
from mlp import functions

# Labelled equations of the report that no statement carries out, each with its reason.
PROSE_ONLY: dict[str, str] = {}


def test_labels_in_code_and_report_agree_both_ways():
    assert set(statements()) == set(equations()) - set(PROSE_ONLY)
    assert set(PROSE_ONLY) <= set(equations())


@pytest.mark.parametrize("label", statements())
def test_a_labelled_statement_assigns_the_name_that_its_label_says(label):
    assert statements()[label].name == expected_name(label)


@pytest.mark.parametrize("label", statements())
def test_a_labelled_statement_fits_the_page_and_bears_one_label_at_a_line_end(label):
    code = statements()[label].code
    assert max(map(len, code.splitlines())) <= 88
    assert re.findall(r"# @(eq-[\w-]+)$", code, re.MULTILINE) == [label]
    compile(f"def function():\n    {code}", label, "exec")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("def f():\n    x = 1  # @eq-x\n    x = 2  # @eq-x\n", "stands twice"),
        ("def f():\n    # @eq-x\n    x = 1\n", "not on an assignment or return"),
        ("def f():\n    if 1:  # @eq-x\n        pass\n", "not on an assignment or return"),
        ("x = 1  # @eq-x\n", "not on an assignment or return"),
    ],
)
def test_a_label_that_is_not_on_one_statement_is_refused(tmp_path, monkeypatch, code, says):
    (tmp_path / "module.py").write_text(code)
    monkeypatch.setattr(source, "PACKAGE", tmp_path)
    with pytest.raises(ValueError, match=says):
        statements.__wrapped__()


def test_a_statement_over_several_lines_is_quoted_whole():
    assert line("eq-penalty") == (
        "```python\n"
        "return (  # @eq-penalty\n"
        "    l11 * l1(W1) + l12 * l2_squared(W1) + l21 * l1(W2) + l22 * l2_squared(W2)\n"
        ")\n"
        "```\n"
    )


def test_quoting_leaves_the_docstring_out_and_the_code_as_it_is():
    quoted = quote(functions.rect, functions.rect_prime)
    assert quoted == (
        "```python\n"
        "def rect(x: ArrayLike) -> Array:\n"
        "    return np.maximum(0, x)  # @eq-rect\n"
        "\n"
        "def rect_prime(x: ArrayLike) -> Array:\n"
        "    return np.real(x) > 0  # @eq-rect-prime\n"
        "```\n"
    )
    assert functions.rect.__doc__ in quote(functions.rect, docstrings=True)
