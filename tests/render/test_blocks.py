"""What an instructor adds first: both routes set it with the same text."""

import json
import re

import pytest

from tests.render.conftest import (
    NEEDS_LATEX,
    NEEDS_QUARTO,
    by_quarto,
    directly,
    for_quarto,
    squeezed,
    text_of,
)

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="99" height="50"></svg>'
TEXT = r"""---
title: A title
---

# One {#sec-one}

::: {.content-visible when-format="html"}
For HTML.

$$
x
$$ {#eq-html}
:::

::: {.content-hidden when-format="html"}
Not for HTML.
:::

::: {.content-visible unless-format="pdf"}
Not by LaTeX.
:::

$$
y
$$ {#eq-y}

```python
y = 0  # @eq-y
```

::: {.callout-note}
A note on @eq-y.
:::

::: {.callout-warning title="Mind the *gap*"}
A warning.
:::

::: {.callout-tip}
## A heading

A tip.
:::

::: {#thm-line}
## Line

A line is $a$.
:::

::: {#thm-nameless}
Nameless.
:::

::: {#def-point .definition}
A point.
:::

::: {.proof}
It is clear.
:::

See @thm-line, @thm-nameless, @def-point and [@known].

{{< include part.qmd >}}

![A caption, $b$.](a.svg){#fig-a fig-alt="An a." width=50%}

See @fig-a.

{{< pagebreak >}}

After it.

## References {.unnumbered}

::: {#refs}
:::

# Two

The end.
"""
PART = "Included, see @sec-part.\n\n## Part {#sec-part}\n\n```{python}\n#| echo: true\n1 + 1\n```\n"
KNOWN = "@book{known, author={Ann Author}, title={A book}, publisher={P}, year=2000}\n"


@pytest.fixture
def folder(tmp_path):
    """The report, and what it needs beside it."""
    for_quarto(tmp_path, TEXT)
    (tmp_path / "part.qmd").write_text(PART)
    (tmp_path / "a.svg").write_text(SVG)
    (tmp_path / "references.bib").write_text(KNOWN)
    return tmp_path


EXPECTED = (
    "Note A note on Equation 1.",
    "Mind the gap A warning.",
    "A heading A tip.",
    "Theorem 1 (Line). A line is",
    "Theorem 2. Nameless.",
    "Definition 1. A point.",
    "Proof. It is clear.",
    "See Theorem 1, Theorem 2, Definition 1 and (Author 2000).",
    "Included, see Section 1.1.",
    "y = 0 # (1)",
    "Figure 1. A caption,",
    "See Figure 1.",
    "References Author, Ann. 2000. A Book. P.",
)


def test_pdf_has_all_that_an_instructor_adds(folder):
    text = text_of(directly(folder, "typst"))
    for expected in (*EXPECTED, "Not for HTML.", "Not by LaTeX."):
        assert expected in text
    assert "For HTML." not in text


@NEEDS_LATEX
def test_pdf_by_latex_has_it_too(folder):
    text = text_of(directly(folder, "pdf"))
    for expected in (*EXPECTED, "Not for HTML."):
        assert re.sub(r"[\s-]", "", expected) in re.sub(r"[\s-]", "", text)
    assert "Not by LaTeX." not in text


def test_page_break_ends_the_page_though_a_figure_waits(folder):
    assert re.search(
        r"See Figure 1\.\s+\d+\s+A title.{0,40}After it\.", text_of(directly(folder, "typst"))
    )


def test_html_has_it_with_the_numbers_of_its_own_equations(folder):
    html = directly(folder, "html").read_text()
    text = " ".join(re.sub(r"<style.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL).split())
    assert re.search("Note A note on Equation[ \u00a0]2 ?\\.", text)
    assert "y = 0 # (2)" in text
    assert "Theorem 1 (Line) A line is" in text
    assert "For HTML." in text
    assert "Not for HTML." not in text
    assert 'style="width:50.0%"' in html


def test_notebook_has_it_as_markdown(folder):
    book = json.loads(directly(folder, "ipynb").read_text())
    prose = "".join("".join(c["source"]) for c in book["cells"] if c["cell_type"] == "markdown")
    for expected in (
        "> **Mind the *gap***\n>\n> A warning.",
        "**Theorem 2** Nameless.",
        "*Proof*. It",
    ):
        assert expected in prose


@NEEDS_QUARTO
@pytest.mark.parametrize("to", ["typst", pytest.param("pdf", marks=NEEDS_LATEX)])
def test_quarto_gives_all_of_it_the_same_text(folder, to):
    assert squeezed(by_quarto(folder, to)) == squeezed(directly(folder, to))


@NEEDS_QUARTO
def test_quarto_gives_code_in_html_the_same_numbers(folder):
    html = by_quarto(folder, "html").read_text()
    assert "# (2)" in html
    assert "Equation\u00a02" in html or "Equation&nbsp;2" in html
