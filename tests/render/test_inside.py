import numpy as np
import pytest
from IPython.display import Markdown

from render import inside


@pytest.fixture
def told():
    yield inside.allow
    inside.allow(False)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("5*5, $x$", r"5\*5\, $x$"),
        (0.5, r"0\.5"),
        ([1], r"\[1\]"),
        (Markdown("*a*"), "*a*"),
    ],
)
def test_inline_value_is_shown_as_by_quarto(value, shown):
    assert inside.shown(value) == shown


@pytest.mark.parametrize("value", ["5\xa0%", r"\alpha", "a\nb", np.float64(0.5)])
def test_inline_value_of_which_quarto_would_show_the_source_is_refused(value):
    with pytest.raises(ValueError, match="Quarto would show"):
        inside.shown(value)


@pytest.mark.parametrize("path", ["report.qmd", "/a/report.qmd"])
def test_guard_stops_a_cell_that_opens_the_report_and_has_not_said_so(told, path):
    with pytest.raises(PermissionError, match="reads: mathematics"):
        inside.guard("open", (path, "r", 0))
    told(True)
    inside.guard("open", (path, "r", 0))
    told(False)
    with pytest.raises(PermissionError):
        inside.guard("open", (path, "r", 0))


def test_guard_lets_all_else_pass():
    inside.guard("open", ("results/log.csv", "r", 0))
    inside.guard("open", (3, "r", 0))
    inside.guard("import", ("report.qmd",))
