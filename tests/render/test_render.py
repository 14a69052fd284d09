import copy
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pypdf import PdfReader

from render import direct
from render.__main__ import QUARTO
from render.document import FORMATS, ROOT, Part, ReportError, read
from render.execute import Session

FIXTURE = r"""---
title: "A fixture"
author:
  - name: "First Author"  # here alone
format: typst
---

\newcommand{\W}[1]{\mathbf{W}^{(#1)}}

# One {#sec-one}

## Two {#sec-two}

Half is `{python} f"{1 / 2:.2f}"`.

$$
\W{1} = \frac{1}{2} .
$$ {#eq-first}

$$
\W{2} = 0 .
$$ {#eq-second}

See @eq-second, @sec-two, @fig-line and @tbl-small.

```{python}
#| label: fig-line
#| fig-cap: "A line rises."
#| fig-alt: "A rising line."
import matplotlib.pyplot as plt
plt.plot([1, 2]);
```

```{python}
#| label: tbl-small
#| tbl-cap: "Small."
from IPython.display import Markdown
Markdown("| a | b |\n|--:|:-|\n| 1 | 2 |\n")
```

```python
W2 = 0  # @eq-second
```
"""

QUICK = r"""
# One {#sec-one}

$$
x = y
$$ {#eq-x}

See @eq-x.
"""


PLOT = "import matplotlib.pyplot as plt\nplt.plot([1, 2]);"
FIGURE = "\n```{python}\n#| label: fig-a\n#| fig-cap: A\n#| fig-alt: A\n"


def write(folder: Path, text: str) -> Path:
    source = folder / "report.qmd"
    source.write_text(text)
    (folder / "references.bib").touch()
    return source


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    session = Session(tmp_path_factory.mktemp("cache") / "outputs.json")
    yield session
    session.close()


@pytest.fixture(scope="module")
def rendered(tmp_path_factory, session):
    folder = tmp_path_factory.mktemp("rendered")
    return lambda to: direct.render(write(folder, FIXTURE), to, session, folder)


def text_of(pdf: Path) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(pdf).pages).split())


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


NEEDS_LATEX = pytest.mark.skipif(not shutil.which("lualatex"), reason="there is no LaTeX")


@NEEDS_LATEX
@pytest.mark.parametrize("source", [FIXTURE, "---\ntitle: A title\n---\n" + QUICK])
def test_latex_sets_a_report_with_floats_and_one_without(tmp_path, session, source):
    text = text_of(direct.render(write(tmp_path, source), "pdf", session, tmp_path))
    assert "See Equation" in text


NEEDS_QUARTO = pytest.mark.skipif(
    not QUARTO, reason="there is no Quarto to compare the direct route with"
)


def quarto(folder: Path, *options: str) -> None:
    environment = os.environ | {"QUARTO_PYTHON": sys.executable, "PYTHONPATH": str(ROOT)}
    command = [QUARTO, "render", *options, "--no-execute-daemon"]
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)


def by_quarto(folder: Path, to: str) -> Path:
    quarto(folder, "report.qmd", "--to", to)
    return folder / "_output" / direct.CONFIG["format"][to]["output-file"]


@NEEDS_QUARTO
def test_quarto_gives_the_same_text_in_the_same_order(tmp_path, rendered):
    for name in ("render", "_quarto.yml"):
        (tmp_path / name).symlink_to(ROOT / name)
    write(tmp_path, FIXTURE)
    assert squeezed(by_quarto(tmp_path, "typst")) == squeezed(rendered("typst"))


@NEEDS_QUARTO
@NEEDS_LATEX
def test_quarto_renders_typst_by_default_and_all_formats_on_demand(tmp_path):
    for name in ("render", "_quarto.yml"):
        (tmp_path / name).symlink_to(ROOT / name)
    export = "from figures.style import Path, export\nexport(plt.figure(), 'line', Path('.'))"
    write(tmp_path, FIXTURE.replace("plt.plot([1, 2]);", export))
    for options, expected in (((), ["typst"]), (("--to", "typst,html,ipynb,pdf"), [*FORMATS])):
        quarto(tmp_path, *options)
        names = {direct.CONFIG["format"][to]["output-file"] for to in expected}
        assert {path.name for path in tmp_path.glob("_output/*.*")} == names


@NEEDS_QUARTO
@pytest.mark.parametrize("to", ["typst", "html"])
@pytest.mark.parametrize("text", ["@eq-none", "@fig-none", "[@none]", "![](none){fig-alt='a'}"])
def test_quarto_stops_at_what_it_misses_and_the_old_output_stays(tmp_path, to, text):
    for name in ("render", "_quarto.yml"):
        (tmp_path / name).symlink_to(ROOT / name)
    old = tmp_path / "_output" / direct.CONFIG["format"][to]["output-file"]
    old.parent.mkdir()
    old.write_text("old")
    write(tmp_path, f"{QUICK}\n{text}\n")
    with pytest.raises(subprocess.CalledProcessError) as error:
        by_quarto(tmp_path, to)
    assert "none" in error.value.stderr.decode().partition("ERROR")[2]
    assert old.read_text() == "old"


def squeezed(pdf: Path) -> str:
    """The text without spaces and hyphens, since versions of Typst differ in setting them."""
    pages = (page.extract_text() for page in PdfReader(pdf).pages)
    return re.sub(r"[\s\u00ad-]", "", "".join(pages))


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


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("'5*5, $x$'", r"5\*5\, $x$"),
        ("0.5", r"0\.5"),
        ("[1]", r"\[1\]"),
        ("Markdown('*a*')", "*a*"),
        (r"'5\xa0%'", None),
        (r"'\\alpha'", None),
        (r"'a\nb'", None),
        ("__import__('numpy').float64(0.5)", None),
    ],
)
def test_inline_value_is_shown_as_by_quarto_or_refused(tmp_path, session, value, shown):
    head = "```{python}\n#| label: a\nfrom IPython.display import Markdown\n```\n\n"
    source = write(tmp_path, head + f"It is `{{python}} {value}`.\n")
    if shown is None:
        with pytest.raises(ReportError, match=r"(?s)report\.qmd:4.*Quarto would show"):
            direct.render(source, "typst", session, tmp_path)
    else:
        _, parts = read(source)
        *_, [output] = session.outputs(parts, "")
        assert output["data"]["application/json"] == [shown]


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


def test_make_report_fails_when_a_chunk_raises(tmp_path):
    rooms = ("render", "mlp", "figures", "literate", "derivations")
    for name in (*rooms, "Makefile", "_quarto.yml", ".venv"):
        (tmp_path / name).symlink_to(ROOT / name)
    for file in ROOT.glob("requirements*.txt"):
        (tmp_path / file.name).symlink_to(file)
    write(tmp_path, "```{python}\n#| label: bad\nraise ValueError('no')\n```\n")
    program = (
        "import sys, render.document as d; from pathlib import Path; d.ROOT = Path.cwd();"
        "import render.__main__ as m; sys.exit(m.main(['--route', 'direct']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "chunk bad raised" in done.stderr
    assert not (tmp_path / "_output" / "report.pdf").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (QUICK.replace("@eq-x", "@eq-y"), "qmd:8: .*\n?.*eq-y"),
        (QUICK.replace("@eq-x", "@fig-none"), "qmd:8: .*\n?.*fig-none"),
        (QUICK.replace("@eq-x", "[@nobody1999]"), "qmd:8: .*\n?.*nobody1999"),
        (QUICK + "\n$$\nx\n$$ {#eq-x}\n", "qmd:6: .*\n?.*eq-x is defined twice"),
        (QUICK + "\n![](missing.png)\n", "qmd:10: .*\n?.*missing.png"),
        (QUICK + "\n$$\n\\intertext{no}\n$$\n", "qmd:11: .*\n?.*intertext"),
        (QUICK + "\n```python\na = 1  # @eq-none\n```\n", "eq-none"),
        (QUICK + "\n```{python}\n#| fig-width: 3\n1\n```\n", "no chunk option fig-width: 3"),
        (
            QUICK + "\n```{python}\n#| echo: maybe\n1\n```\n",
            "option echo: 'maybe'",
        ),
        (QUICK + "\n```{r}\n1\n```\n", r"only \{python\} chunks"),
        (QUICK + "\n```python\n1\n", "never closed"),
        (QUICK + "\n::: {.panel-tabset}\nx\n:::\n", r"qmd:10: .*panel-tabset"),
        (QUICK + "\n::: panel-tabset\nx\n:::\n", "qmd:10: .*panel-tabset"),
        (QUICK + "\n{{< include other.qmd >}}\n", "qmd:10: .*include"),
        (QUICK + "\n![A caption](a.png){#fig-a}\n", "qmd:10: .*A caption"),
        (QUICK + "\nThe label {#eq-y} follows no display.\n", "qmd:10: .*\n?.*eq-y"),
        ("---\ntitle: t\ntoc-depth: 1\n---\n" + QUICK, "qmd:3: .*toc-depth: 1"),
        ("---\nauthor: A\n---\n" + QUICK, "qmd:2: .*author: A"),
        ("---\nauthor:\n  - name: A\n    email: a\n---\n" + QUICK, "qmd:4: .*email: a"),
        ("---\nformat: typst\nexecute:\n  echo: true\n---\n" + QUICK, "qmd:3: .*execute"),
        ("---\nformat: html\n---\n" + QUICK, "qmd:2: .*format: html"),
        (QUICK + "\n```{python}\n#| tbl-cap: no label\n1\n```\n", "tbl-cap needs a label"),
        ("---\ntitle: t\n" + QUICK, "qmd:1: .*never closed"),
        ("\n---\ntitle: t\n---\n" + QUICK, "qmd:2: not in the dialect: ---\ntitle: t"),
        ("---\njupyter: julia\n---\n" + QUICK, "qmd:2: .*julia"),
        (QUICK + "\n---\ntoc: true\n---\n", "qmd:10: .*---\ntoc"),
        (QUICK + "\n```{python}\n1\n#| echo: true\n```\n", "qmd:10: .*first lines"),
        (QUICK + "\n```{python}\n\n#| echo: true\n1\n```\n", "qmd:10: .*first lines"),
        (QUICK + "\n```{python}\n#| echo\n1\n```\n", "qmd:10: .*key: value"),
        (QUICK + "\n![](a.png){fig-alt='a' width=2cm}\n", "qmd:10: .*width"),
        (QUICK + "\n- item\n\n  ::: {.callout-tip}\n  x\n  :::\n", "qmd:12: .*callout"),
        (QUICK + "\n[see -@eq-x]\n", r"write @eq-x or"),
        (QUICK + "\n```{python}\nimport os; os._exit(1)\n```\n", "qmd:10: .*raised\n.*Kernel died"),
        (QUICK + "\n- item\n\n  ```{python}\n  1\n  ```\n", "qmd:12: .*python"),
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
def test_what_would_be_lost_is_refused(tmp_path, session, text, says):
    with pytest.raises(ReportError, match=says):
        direct.render(write(tmp_path, text), "typst", session, tmp_path)


def test_chunks_know_their_lines_and_options(tmp_path):
    _, parts = read(write(tmp_path, "a\n\n```{python}\n#| label: l\n#| echo: true\nx = 1\n```\n"))
    assert parts[1] == Part(3, "x = 1", "", {"label": "l", "echo": True})


def shown(session, salt, *codes, mathematics="x = y"):
    """What the last cell shows, and how many cells the kernel has run in all."""
    parts = [Part(1, "", f"$$\n{mathematics}\n$$"), *(Part(2, code) for code in codes)]
    last = list(session.outputs(parts, salt))[-1]
    ran = len(session.client.nb.cells) - 1 if session.client else 0  # one cell sets it up
    return last[0]["data"]["text/plain"] if last else None, ran


def test_cached_outputs_are_used_until_something_changes(tmp_path):
    session = Session(tmp_path / "cache.json")
    try:
        assert shown(session, "salt", "a = 1", "a + 1") == ("2", 2)
        session.close()
        assert shown(session, "salt", "a = 1", "a + 1") == ("2", 0)  # no kernel has started
        assert shown(session, "salt", "a = 1", "a + 2") == ("3", 2)  # a new one starts at the top
        assert shown(session, "salt", "a = 1", "a + 3") == ("4", 3)  # the living one goes on
        assert shown(session, "salt", "a = 1", "a + 2") == ("3", 4)  # unused files are removed
        assert len(json.loads(session.cache.read_text())) == 1  # "a = 1"; the other one is doubtful
        assert shown(session, "other salt", "a = 1", "a + 2") == ("3", 2)  # the package changed
    finally:
        session.close()


def test_what_a_kernel_with_replaced_cells_shows_is_neither_kept_nor_final(tmp_path):
    session = Session(tmp_path / "cache.json")
    count = "import itertools; n = itertools.count()"
    try:
        assert shown(session, "salt", count, "next(n)")[0] == "0"
        assert (
            shown(session, "salt", count, "next(n)  # again")[0] == "1"
        )  # at once, by the old one
        assert len(session.doubtful) == 1 == len(json.loads(session.cache.read_text()))
        parts = [Part(1, "", "$$\nx = y\n$$"), Part(2, count), Part(2, "next(n)  # again")]
        list(session.outputs(parts, "salt", warm=True))
        assert not session.doubtful
        assert shown(session, "salt", count, "next(n)  # again")[0] == "0"
        assert len(json.loads(session.cache.read_text())) == 2
    finally:
        session.close()


def test_what_uses_a_result_of_cells_that_read_the_report_runs_again_with_them(tmp_path):
    session = Session(tmp_path / "cache.json")
    codes = ("import random; checked = random.random()", "total = 2 * checked", "total")
    try:
        before, _ = shown(session, "salt", *codes)
        assert shown(session, "salt", *codes)[0] == before
        assert shown(session, "salt", *codes, mathematics="x = z")[0] != before
    finally:
        session.close()


def test_cells_that_read_the_report_run_again_when_its_mathematics_changes(tmp_path):
    session = Session(tmp_path / "cache.json")
    codes = ("checked = 1", "checked + 1", "3")
    try:
        assert shown(session, "salt", *codes) == ("3", 3)
        assert shown(session, "salt", *codes, mathematics="x = z") == ("3", 5)
        assert shown(session, "salt", *codes, mathematics="x = z") == ("3", 5)
    finally:
        session.close()


def test_warm_kernel_has_run_everything(tmp_path):
    session = Session(tmp_path / "cache.json")
    parts = [Part(1, "a = 1"), Part(2, "a + 1")]
    try:
        list(session.outputs(parts, "salt"))
        session.close()
        list(session.outputs(parts, "salt", warm=True))
        assert len(session.client.nb.cells) == 3
        list(session.outputs(parts, "salt", warm=True))
        assert len(session.client.nb.cells) == 3
    finally:
        session.close()


KEYS = yaml.safe_load((ROOT / "tests" / "render" / "quarto-keys.yml").read_text())


def unknown_keys(settings, front, chunks=()):
    """Keys of _quarto.yml, of the front matter and of chunks that Quarto does not document."""
    formats = {name: {*KEYS["document"], *KEYS[name]} for name in settings["format"]}
    anywhere = set().union(*formats.values())
    places = [(settings, anywhere), (front, anywhere)]
    places += [(settings["format"][name], known) for name, known in formats.items()]
    places += [(settings[group], KEYS[group]) for group in ("project", "execute", "crossref")]
    places += [(author, ("name",)) for author in front["author"]]
    places += [(options, KEYS["cell"]) for options in chunks]
    return {key for found, known in places for key in found if key not in known}


def test_report_and_configuration_use_only_keys_that_quarto_documents():
    front, parts = read(ROOT / "report.qmd")
    chunks = [part.options for part in parts if part.options]
    assert len(chunks) > 40
    assert unknown_keys(direct.CONFIG, front, chunks) == set()


@pytest.mark.parametrize(
    "path",
    ["", "project", "execute", "crossref", "format.typst", "format.html", "format.pdf"],
)
def test_an_unknown_key_anywhere_is_noticed(path):
    settings = copy.deepcopy(direct.CONFIG)
    place = settings
    for name in filter(None, path.split(".")):
        place = place[name]
    place["ecko"] = True
    front = {"author": [{"name": "First Author"}]}
    assert unknown_keys(settings, front) == {"ecko"}
    assert unknown_keys(direct.CONFIG, front | {"titel": "A"}) == {"titel"}
    assert unknown_keys(direct.CONFIG, front, [{"fig-capp": "A"}]) == {"fig-capp"}
