import json
import re

import pytest
from pypdf import PdfReader

from literate.reader import equations, parse, read
from literate.source import line, statements
from render import direct
from render.dialect import ReportError
from tests.render.conftest import FIXTURE, NEEDS_LATEX, QUICK, text_of, words_of, write

PLOT = "import matplotlib.pyplot as plt\nplt.plot([1, 2]);"
FIGURE = "\n```{python}\n#| label: fig-a\n#| fig-cap: A\n#| fig-alt: A\n"


def test_pdf_has_numbers_captions_and_computed_values(rendered):
    text = text_of(rendered("typst"))
    for expected in (
        "A fixture",
        "1.1 Two",
        "Half is 0.50",
        "See Equation 2, Section 1.1, Figure 1 and Table 1.",
        "Figure 1. A line rises.",
        "Table 1. Small.",
        "W2 = 0 # (2)",
    ):
        assert expected in text


@NEEDS_LATEX
@pytest.mark.parametrize("source", [FIXTURE, "---\ntitle: A title\n---\n" + QUICK])
def test_latex_sets_a_report_with_floats_and_one_without(tmp_path, session, source):
    text = text_of(direct.render(write(tmp_path, source), "pdf", session, tmp_path))
    assert "See Equation" in text


@pytest.mark.parametrize("to", ["typst", pytest.param("pdf", marks=NEEDS_LATEX), "html", "ipynb"])
def test_apostrophes_and_quotation_marks_are_typographic(rendered, to):
    assert re.search("It isn’t “typed” ?\\.", words_of(rendered(to)))


def test_folder_with_a_space_in_its_name_does_no_harm(tmp_path, session):
    folder = tmp_path / "a b"
    folder.mkdir()
    assert "A line rises." in text_of(
        direct.render(write(folder, FIXTURE), "typst", session, folder)
    )


def test_pdf_is_the_same_byte_for_byte_when_rendered_again(rendered):
    assert rendered("typst").read_bytes() == rendered("typst").read_bytes()


def test_pdf_is_tagged_and_has_bookmarks_and_alt_texts(rendered):
    reader = PdfReader(rendered("typst"))
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert reader.metadata.title == "A fixture"
    assert reader.outline
    objects = [reader.get_object(number) for number in range(1, reader.trailer["/Size"])]
    assert any("A rising line." in str(item) for item in objects)


def test_html_stands_alone_with_mathematics_and_numbers(rendered):
    html = rendered("html").read_text()
    assert "<math" in html
    assert "Equation\u00a02" in html
    assert "data:image/svg+xml" in html
    assert 'aria-label="A rising line."' in html or 'alt="A rising line."' in html
    assert 'src="http' not in html
    assert "1.1 Two" in html
    contents = html.partition("<nav")[2].partition("</nav>")[0]
    assert 'href="#sec-two"' in contents


def test_notebook_keeps_chunks_executable_and_numbers_resolved(rendered):
    book = json.loads(rendered("ipynb").read_text())
    code = ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == "code"]
    prose = "".join("".join(c["source"]) for c in book["cells"] if c["cell_type"] == "markdown")
    assert code[0].endswith("plt.plot([1, 2]);")
    assert len(code) == 2
    prose = re.sub(r"\[([^]]+)\]\(#[\w-]+\)", r"\1", prose).replace("&nbsp;", " ")
    for expected in (
        "# A fixture",
        "## 1.1 Two",
        "Half is 0.50",
        "See Equation 2, Section 1.1, Figure 1 and Table 1.",
        r"\tag{2}",
        "W2 = 0  # (2)",
        "**Figure 1.** A line rises.",
    ):
        assert expected in prose.replace("\u00a0", " ")
    assert "](data:image/svg+xml;base64," in prose


def test_chunk_that_raises_stops_with_label_line_and_traceback_and_old_pdf_stays(tmp_path, session):
    old = tmp_path / "report.pdf"
    old.write_bytes(b"old")
    plot = "import matplotlib.pyplot as plt\nplt.plot([1, 2])"
    source = write(tmp_path, f"\n\n```{{python}}\n#| label: bad\n{plot}\n1 / 0\n```\n")
    with pytest.raises(ReportError, match=r"report\.qmd:3: chunk bad raised") as error:
        direct.render(source, "typst", session, tmp_path)
    assert "ZeroDivisionError" in str(error.value)
    assert old.read_bytes() == b"old"
    assert [p.name for p in tmp_path.glob(".render-*")] == []


def test_printed_fences_stay_inside_their_block(tmp_path, session):
    print_ = r'print("```\n# Not a heading\n```")'
    source = write(tmp_path, f"# One\n\n```{{python}}\n{print_}\n```\n\n# Two\n")
    text = text_of(direct.render(source, "typst", session, tmp_path))
    assert "``` # Not a heading ```" in text
    assert "2 T" in text


def test_settings_that_the_direct_route_has_built_in_are_not_ignored(
    tmp_path, session, monkeypatch
):
    monkeypatch.setitem(direct.CONFIG, "lang", "de")
    with pytest.raises(ReportError, match=r"_quarto\.yml"):
        direct.render(write(tmp_path, QUICK), "typst", session, tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (QUICK.replace("@eq-x", "@eq-y"), "qmd:8: .*\n?.*eq-y"),
        (QUICK.replace("@eq-x", "@fig-none"), "qmd:8: .*\n?.*fig-none"),
        (QUICK.replace("@eq-x", "[@nobody1999]"), "qmd:8: .*\n?.*nobody1999"),
        (QUICK + "\n$$\nx\n$$ {#eq-x}\n", "qmd:6: .*\n?.*eq-x is given 2 times"),
        (QUICK + "\n![](missing.png)\n", "qmd:10: .*\n?.*missing.png"),
        (QUICK + "\n$$\n\\intertext{no}\n$$\n", "qmd:11: .*\n?.*intertext"),
        (QUICK + "\n```python\na = 1  # @eq-none\n```\n", "eq-none"),
        (QUICK + "\nThe label {#eq-y} follows no display.\n", "qmd:10: .*\n?.*eq-y"),
        (QUICK + "\n[see -@eq-x]\n", r"write @eq-x or"),
        (QUICK + "\n```{python}\nimport os; os._exit(1)\n```\n", "qmd:10: .*raised\n.*Kernel died"),
        (QUICK + "\n::: {#fig-a}\nF.\n:::\n", "qmd:10: .*\n?.*fig-a does not end in a caption"),
        (QUICK + "\n::: {#fig-a}\n:::\n", "qmd:10: .*\n?.*fig-a does not end in a caption"),
        (QUICK + "\n[to](#none)\n", "qmd:10: .*\n?.*none"),
        (QUICK + "\n### Deep {#sec-deep}\n\n@sec-deep\n", "qmd:12: .*\n?.*no numbered Section"),
        (QUICK + "\n```{python}\n" + PLOT + "\n```\n", "shows 1 figures: one with label"),
        (QUICK + FIGURE + "\n" + PLOT + "\nplt.show(); plt.plot([2]);\n```\n", "shows 2 figures"),
        (QUICK + "\n\n$$\nx = y \\tag{7}\n$$\n", r"qmd:12: .*\n?.*tag"),
        (
            QUICK + "\n```{python}\n#| label: fig-a\n#| fig-cap: A\n1\n```\n",
            "shows 0 figures: one with",
        ),
    ],
)
def test_what_cannot_be_set_is_refused_with_its_line(tmp_path, session, text, says):
    with pytest.raises(ReportError, match=says):
        direct.render(write(tmp_path, text), "typst", session, tmp_path)


def test_numbers_in_listings_are_those_of_the_equations_in_the_pdf(tmp_path, session):
    macros = "\n".join(rf"\newcommand{{{m.name}}}[{m.arity}]{{{m.body}}}" for m in read().macros)
    displays = [f"$$\n{latex}\n$$ {{#{label}}}" for label, latex in equations().items()]
    probes = [f"{line(label)}\nis [-@{label}]." for label in statements()]
    report = write(tmp_path, "\n\n".join(["---\ntitle: T\n---", macros, *displays, *probes]))
    pdf = text_of(direct.render(report, "typst", session, tmp_path))
    numbers = [str(1 + list(equations()).index(label)) for label in statements()]
    assert re.findall(r"# \((\d+)\)", pdf) == numbers
    assert re.findall(r"is (\d+)\.", pdf) == numbers


def test_a_message_is_located_by_the_longest_name_in_it():
    report = parse("@eq-a\n\n@eq-abc and eq-ab\n")
    for message, row in [("label eq-a, @eq-abc", 3), ("label eq-a", 1), ("math $x$, @eq-a", 1)]:
        assert str(direct.located(report, message)) == f"report.qmd:{row}: {message}"
    assert str(direct.located(report, "label eq-d is missing")) == "label eq-d is missing"
