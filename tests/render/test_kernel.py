import pytest

from literate.reader import parse
from render.cells import cells
from render.dialect import ReportError
from render.kernel import Kernel


@pytest.fixture(scope="module")
def kernel():
    kernel = Kernel()
    yield kernel
    kernel.close()


@pytest.fixture
def run(kernel):
    """Run the last cell of a report, at a place of that name."""
    return lambda text, place="a": kernel.run(cells(parse(text))[-1], place)


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


def test_places_are_those_of_the_cells_that_ran_in_order():
    kernel = Kernel()
    try:
        cell, *_ = cells(parse(chunk("x = 1")))
        for place in ("a", "b", "c", "b"):
            kernel.run(cell, place)
        assert kernel.places == ["a", "b", "c"]
        assert kernel.rewind(["a", "b", "c", "d"]) == 3
        assert kernel.straight
        assert kernel.rewind(["a", "c"]) == 1
        assert kernel.places == ["a"]
        assert not kernel.straight
    finally:
        kernel.close()


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
        kernel.places = ["a"]
        with pytest.raises(ReportError, match="Kernel died"):
            kernel.run(cell, "b")
        assert kernel.places == []
    finally:
        kernel.close()
