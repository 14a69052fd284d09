import re

import pytest

from literate.reader import parse
from render.cells import cells
from render.dialect import ReportError
from render.weave import weave

TEXT = """---
title: T
---
A `{python} 1` b `{python} 2` $c$.

```{python}
#| label: tbl-a
#| tbl-cap: A caption
x
```

```python
`{python} 3`
```
"""
SVG = {"data": {"image/svg+xml": "<svg/>", "text/plain": "<Figure>"}}
FIGURE = '#| label: fig-a\n#| fig-cap: A\n#| fig-alt: An "alt"'


def woven(text, *outputs, folder=None, echo=False):
    report = parse(text)
    return weave(report, zip(cells(report), outputs, strict=True), folder, echo=echo)


def values(*texts):
    return [{"data": {"application/json": list(texts)}}]


def chunk(options="", code="x"):
    return f"```{{python}}\n{options}\n{code}\n```\n"


def test_what_cells_show_stands_in_their_place():
    table = [{"data": {"text/markdown": "| a |", "text/plain": "<Markdown>"}}]
    text = woven(TEXT, values("one", "*two*"), table, values("three"))
    assert re.sub(r"\n{2,}", "\n\n", text) == (
        "A one b *two* $c$.\n\n::: {#tbl-a}\n\n| a |\n\nA caption\n\n:::\n\n"
        "```python\nthree\n```\n\n"
    )


def test_code_is_shown_where_the_chunk_or_else_the_document_says_so():
    shown = "```{.python .cell-code}\nx\n```"
    for options, echo, expected in [
        ("#| echo: true", False, True),
        ("#| echo: false", True, False),
        ("#| label: a", True, True),
        ("#| label: a", False, False),
    ]:
        assert (shown in woven(chunk(options), [], echo=echo)) == expected


def test_a_figure_becomes_a_file_with_alt_text(tmp_path):
    text = woven(chunk(FIGURE), [SVG], folder=tmp_path)
    (file,) = tmp_path.glob("*.svg")
    assert file.read_text() == "<svg/>"
    assert f"![]({file}){{fig-alt=\"An 'alt'\"}}\n\nA\n\n:::" in text


def test_printed_text_stands_in_a_fence_of_its_own_and_stderr_is_passed_on(capsys):
    output = [{"name": "stderr", "text": "\x1b[31m```\n# no heading\x1b[0m\n"}]
    assert "````````\n```\n# no heading\n````````" in woven(chunk(), output)
    assert "# no heading" in capsys.readouterr().err


def test_nothing_is_shown_where_the_chunk_says_so():
    assert woven(chunk("#| output: false"), [{"name": "stdout", "text": "1"}]).strip() == ""


@pytest.mark.parametrize(
    ("text", "output", "says"),
    [
        (chunk("#| label: a"), [SVG], "chunk a shows 1 figures: one with label"),
        (chunk(FIGURE), [SVG, SVG], "chunk fig-a shows 2 figures"),
        (chunk(FIGURE), [], "chunk fig-a shows 0 figures: one with"),
        (chunk(), [{"data": {"text/html": "<b>"}}], r"qmd:1: chunk x shows \{'text/html'\}"),
    ],
)
def test_what_no_format_could_show_is_refused(tmp_path, text, output, says):
    with pytest.raises(ReportError, match=says):
        woven(text, output, folder=tmp_path)
