import json
import re
import shutil
import subprocess

import pytest

from literate.reader import ROOT
from render import direct
from render.execute import Session
from render.options import FORMATS
from tests.render.conftest import (
    FIXTURE,
    NEEDS_LATEX,
    NEEDS_QUARTO,
    QUICK,
    by_quarto,
    for_quarto,
    quarto,
    squeezed,
    words_of,
)


@NEEDS_QUARTO
def test_quarto_gives_the_same_text_in_the_same_order(tmp_path, rendered):
    for_quarto(tmp_path, FIXTURE)
    assert squeezed(by_quarto(tmp_path, "typst")) == squeezed(rendered("typst"))


@NEEDS_QUARTO
@NEEDS_LATEX
def test_quarto_renders_typst_by_default_and_all_formats_on_demand(tmp_path):
    export = "from figures.style import Path, export\nexport(plt.figure(), 'line', Path('.'))"
    for_quarto(tmp_path, FIXTURE.replace("plt.plot([1, 2]);", export))
    for options, expected in (((), ["typst"]), (("--to", "typst,html,ipynb,pdf"), [*FORMATS])):
        quarto(tmp_path, *options)
        names = {direct.CONFIG["format"][to]["output-file"] for to in expected}
        products = list(tmp_path.glob("_output/*.*"))
        assert {path.name for path in products} == names
        for product in products:
            assert "It isn’t “typed”." in words_of(product)


@NEEDS_QUARTO
@pytest.mark.parametrize("to", ["typst", "html"])
@pytest.mark.parametrize("text", ["@eq-none", "@fig-none", "[@none]", "![](none){fig-alt='a'}"])
def test_quarto_stops_at_what_it_misses_and_the_old_output_stays(tmp_path, to, text):
    for_quarto(tmp_path, f"{QUICK}\n{text}\n")
    old = tmp_path / "_output" / direct.CONFIG["format"][to]["output-file"]
    old.parent.mkdir()
    old.write_text("old")
    with pytest.raises(subprocess.CalledProcessError) as error:
        by_quarto(tmp_path, to)
    assert "none" in error.value.stderr.decode().partition("ERROR")[2]
    assert old.read_text() == "old"


@pytest.fixture(scope="module")
def both_routes(tmp_path_factory):
    """The real report, in a copy without results of its own, by either route."""
    folder = tmp_path_factory.mktemp("both")
    skip = shutil.ignore_patterns(".*", "_output", "report_files")
    shutil.copytree(ROOT, folder, dirs_exist_ok=True, ignore=skip)
    session = Session(ROOT / "_output" / ".cache.json")
    try:
        yield lambda to: (
            by_quarto(folder, to),
            direct.render(folder / "report.qmd", to, session, folder),
        )
    finally:
        session.close()


def assert_same_text(theirs: str, ours: str) -> None:
    for pattern in (
        r"(Equation|Figure|Table|Listing|Section)(\d+(?:\.\d+)?)",  # references and captions
        r"#\(\d+\)",  # equations in code
    ):
        assert len(set(re.findall(pattern, ours))) > 40
        assert set(re.findall(pattern, theirs)) == set(re.findall(pattern, ours))
    for kind in ("Figure", "Table", "Listing"):  # each number with its caption
        captions = kind + r"\d+\.[A-Z].{9}"
        assert len(re.findall(captions, ours)) > 5
        assert sorted(re.findall(captions, theirs)) == sorted(re.findall(captions, ours))
    assert sorted(re.findall(r"\(\d+\)", theirs)) == sorted(re.findall(r"\(\d+\)", ours))
    pieces = re.findall(r".{40}", ours)  # but for those at a page's end or a float
    assert sum(piece in theirs for piece in pieces) > 0.9 * len(pieces)


@NEEDS_QUARTO
def test_both_routes_give_the_real_report_the_same_numbers_and_text(both_routes):
    assert_same_text(*map(squeezed, both_routes("typst")))


@NEEDS_QUARTO
def test_both_routes_give_notebooks_with_the_same_code_cells(both_routes):
    theirs, ours = (json.loads(book.read_text())["cells"] for book in both_routes("ipynb"))
    codes = [
        ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        for cells in (theirs, ours)
    ]
    assert codes[0] == codes[1]
    assert len(codes[0]) > 50
