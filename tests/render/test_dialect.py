import pytest

from literate.reader import REPORT
from render.dialect import ReportError, read
from tests.render.conftest import FIXTURE, QUICK, write


def test_the_real_report_and_small_ones_are_in_the_dialect(tmp_path):
    assert read(REPORT).front["author"]
    assert read(write(tmp_path, FIXTURE)).front["title"] == "A fixture"
    for text in (
        "",
        "![](a.png){fig-alt='a'}",
        "~~~{.python}\n1\n~~~",
        "::: {#lst-a}\na\n\nb\n:::",
    ):
        assert read(write(tmp_path, text)).text == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (QUICK + "\n```{python}\n#| fig-width: 3\n1\n```\n", "10: no chunk option fig-width: 3"),
        (QUICK + "\n```{python}\n#| echo: maybe\n1\n```\n", "10: no chunk option echo: 'maybe'"),
        (QUICK + "\n```{python}\n#| reads: report\n1\n```\n", "10: no chunk option reads: 'rep"),
        (QUICK + "\n```{python}\n#| tbl-cap: no label\n1\n```\n", "10: tbl-cap needs a label"),
        (QUICK + "\n```{python}\n1\n#| echo: true\n```\n", "10: .*first lines"),
        (QUICK + "\n```{python}\n\n#| echo: true\n1\n```\n", "10: .*first lines"),
        (QUICK + "\n```{python}\n#| echo\n1\n```\n", "10: .*key: value"),
        (QUICK + "\n```{r}\n1\n```\n", r"10: only \{python\} chunks"),
        (QUICK + "\n- item\n\n  ```{python}\n  1\n  ```\n", "12: .*python"),
        (QUICK + "\n```python\n1\n", "10: .*never closed"),
        (QUICK + "\n::: {.panel-tabset}\nx\n:::\n", "10: .*panel-tabset"),
        (QUICK + "\n::: panel-tabset\nx\n:::\n", "10: .*panel-tabset"),
        (QUICK + "\n- item\n\n  ::: {.callout-tip}\n  x\n  :::\n", "12: .*callout"),
        (QUICK + "\n{{< include other.qmd >}}\n", "10: .*include"),
        (QUICK + "\n![A caption](a.png){#fig-a}\n", "10: .*A caption"),
        (QUICK + "\n![](a.png){fig-alt='a' width=2cm}\n", "10: .*width"),
        (QUICK + "\n---\ntoc: true\n---\n", "10: .*---\ntoc"),
        ("---\ntitle: t\ntoc-depth: 1\n---\n" + QUICK, "3: .*toc-depth: 1"),
        ("---\nauthor: A\n---\n" + QUICK, "2: .*author: A"),
        ("---\nauthor:\n  - name: A\n    email: a\n---\n" + QUICK, "4: .*email: a"),
        ("---\nformat: typst\nexecute:\n  echo: true\n---\n" + QUICK, "3: .*execute"),
        ("---\nformat: html\n---\n" + QUICK, "2: .*format: html"),
        ("---\njupyter: julia\n---\n" + QUICK, "2: .*julia"),
        ("---\ntitle: a: b\n---\n" + QUICK, "2: not YAML"),
        ("---\ntitle: t\n" + QUICK, "1: .*never closed"),
        ("\n---\ntitle: t\n---\n" + QUICK, "2: not in the dialect: ---\ntitle: t"),
    ],
)
def test_what_the_direct_route_would_drop_is_refused_with_its_line(tmp_path, text, says):
    with pytest.raises(ReportError, match=rf"^report\.qmd:{says}"):
        read(write(tmp_path, text))


def test_the_first_fault_is_the_one_that_is_told(tmp_path):
    text = "```{r}\n1\n```\n" + QUICK + "\n::: {.aside}\n:::\n\n```{python}\n#| a: b\n```\n"
    with pytest.raises(ReportError, match=r"report\.qmd:1: only"):
        read(write(tmp_path, text))


def test_a_file_that_is_not_utf_8_is_refused(tmp_path):
    source = write(tmp_path, "")
    source.write_bytes(b"caf\xe9")
    with pytest.raises(ReportError, match=r"report\.qmd: not UTF-8"):
        read(source)
