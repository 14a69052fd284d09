import pytest

from literate.reader import REPORT
from render.dialect import ReportError, read
from tests.render.conftest import FIXTURE, QUICK, write


def test_the_real_report_and_small_ones_are_in_the_dialect(tmp_path):
    assert read(REPORT).front["author"]
    assert read(write(tmp_path, FIXTURE)).front["title"] == "A fixture"
    for text in (
        "",
        "![](a.png){fig-alt='a' width=2cm}",
        "![A caption, $x$](a.png){#fig-a fig-alt='a' width=50%}",
        "::: {.callout-tip title='A *title*'}\n## Another\n:::",
        "::: {#thm-a .theorem}\n## Name\n\na\n:::\n\n::: {.proof}\na\n:::",
        '::: {.content-visible when-format="html"}\na\n:::\n\n::: {#refs}\n:::',
        "{{< pagebreak >}}",
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
        (QUICK + "\n- item\n\n  ::: {.callout-odd}\n  x\n  :::\n", "12: .*callout-odd"),
        (QUICK + '\n::: {.callout-tip collapse="true"}\nx\n:::\n', "10: .*collapse"),
        (QUICK + '\n::: {.content-visible when-format="docx"}\nx\n:::\n', "10: .*docx"),
        (QUICK + "\n{{< include other.qmd >}}\n", "10: .*include"),
        (QUICK + "\n{{< include ../other.qmd >}}\n", "10: .*include"),
        (QUICK + "\nText {{< pagebreak >}}\n", "10: .*pagebreak"),
        (QUICK + "\n{{< video a.mp4 >}}\n", "10: .*video"),
        (QUICK + "\n![A caption](a.png)\n", "10: .*A caption"),
        (QUICK + "\n![](a.png){#fig-a fig-alt='a'}\n", "10: .*fig-a"),
        (QUICK + "\n![](a.png){fig-alt='a' fig-align=left}\n", "10: .*fig-align"),
        (QUICK + "\n---\ntoc: true\n---\n", "10: .*---\ntoc"),
        ("---\ntitle: t\ntoc-depth: 1\n---\n" + QUICK, "3: .*toc-depth: 1"),
        ("---\nauthor: A\n---\n" + QUICK, "2: .*author: A"),
        ("---\nauthor:\n  - name: A\n    email: a\n---\n" + QUICK, "4: .*email: a"),
        ("---\nformat: typst\nexecute:\n  echo: true\n---\n" + QUICK, "3: .*execute"),
        ("---\nfontsize: 12\n---\n" + QUICK, "2: .*fontsize"),
        ("---\nmargin:\n  x: 1cm) + (y\n---\n" + QUICK, "3: .*x: 1cm"),
        ("---\ndate: today\n---\n" + QUICK, "2: .*date: today"),
        ("---\nauthor: [A]\n---\n" + QUICK, "2: .*author"),
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
