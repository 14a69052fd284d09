import pytest

from literate.reader import parse
from render.cells import cells
from render.dialect import ReportError
from render.kernel import Kernel
from render.keys import Key


@pytest.fixture(scope="module")
def kernel():
    kernel = Kernel()
    yield kernel
    kernel.close()


@pytest.fixture
def run(kernel):
    """Run the last cell of a report."""
    return lambda text: kernel.run(cells(parse(text))[-1], Key("a", "a"))


def chunk(code, options=""):
    return f"```{{python}}\n{options}{code}\n```\n"


def test_a_cell_shows_its_text_its_figures_and_its_inline_values(run):
    (printed,) = run(chunk("print(1)"))
    assert printed["text"] == "1\n"
    (value,) = run(chunk("'a'"))
    assert value["data"]["text/plain"] == "'a'"
    (inline,) = run("`{python} 1 + 1` and `{python} 'b'`")
    assert inline["data"]["application/json"] == ["2", "b"]
    *_, figure = run(chunk("import matplotlib.pyplot as plt\nplt.plot([1]);"))
    assert figure["data"]["image/svg+xml"].startswith("<?xml")
    assert run(chunk("x = 1")) == []


def test_a_cell_that_raises_is_told_with_line_label_and_traceback(run):
    with pytest.raises(ReportError, match=r"report\.qmd:3: chunk bad raised") as error:
        run("\n\n" + chunk("1 / 0", "#| label: bad\n"))
    assert "ZeroDivisionError" in str(error.value)
    assert "\x1b" not in str(error.value)
    with pytest.raises(ReportError, match=r"(?s)qmd:2: value .*alpha' raised.*Quarto would show"):
        run("\nIt is `{python} r'\\alpha'`.")


def test_what_is_pending_is_what_it_has_not_run_or_not_with_this_mathematics():
    kernel = Kernel()
    a, b, c, d = (Key(place, f"{place} of x") for place in "abcd")
    try:
        cell, *_ = cells(parse(chunk("x = 1")))
        assert kernel.pending([a, b]) == {0, 1}
        for key in (a, b, c, b):
            kernel.run(cell, key)
        assert kernel.pending([a, b, c, d]) == {3}
        assert kernel.pending([a, Key("b", "b of y"), c]) == {1}
        assert kernel.straight
        assert kernel.pending([a, c]) == {1}
        assert list(kernel.ran) == ["a"]
        assert not kernel.straight
    finally:
        kernel.close()


def test_a_cell_that_raises_when_it_runs_again_is_pending(kernel):
    good, bad = (cells(parse(chunk(code)))[0] for code in ("1", "1 / 0"))
    key = Key("again", "output")
    kernel.run(good, key)
    with pytest.raises(ReportError):
        kernel.run(bad, key)
    assert kernel.ran["again"] == ""


def test_only_a_cell_that_says_so_may_read_the_report(run):
    code = "open('report.qmd').readline()"
    with pytest.raises(ReportError, match=r"(?s)raised.*#\| reads: mathematics"):
        run(chunk(code))
    for _ in range(2):
        (shown,) = run(chunk(code, "#| reads: mathematics\n"))
        assert shown["data"]["text/plain"] == r"'---\n'"
        with pytest.raises(ReportError, match="PermissionError"):
            run(chunk("from literate.reader import equations; equations()"))


def test_a_kernel_that_dies_has_run_nothing():
    kernel = Kernel()
    try:
        (cell,) = cells(parse(chunk("import os; os._exit(1)")))
        kernel.ran = {"a": "a"}
        with pytest.raises(ReportError, match="Kernel died"):
            kernel.run(cell, Key("b", "b"))
        assert kernel.ran == {}
    finally:
        kernel.close()
