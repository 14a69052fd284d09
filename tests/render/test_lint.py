import pytest

from render.lint import lint

GOOD = r"""
# Practical part {#sec-practical}

A share of `{python} f"{1:.1f} %"`, see @eq-x, @fig-x and $\left|x\right|$.

$$
\begin{aligned}
x &= y \\
  &= z
\end{aligned}
$$ {#eq-x}

```{python}
#| label: fig-x
#| fig-cap: "It rises."
#| fig-alt: "A line."
#| echo: true
1
```

\newcommand{\W}[1]{\mathbf{W}^{(#1)}}
"""


def faults(tmp_path, text):
    path = tmp_path / "report.qmd"
    path.write_text(text)
    return lint(path)


def test_report_has_no_faults():
    assert lint() == []


def test_good_text_passes(tmp_path):
    assert faults(tmp_path, GOOD) == []
    text = "See <http://a.org>, $1 - s$, `<b>`, $10$ such, 2 - 3 samples, K = 10 `{python} 1` s “ö”"
    assert faults(tmp_path, f"# Part a {{#sec-a}}\n\nIn 12 s.\n{GOOD}") == []
    table = "| a |\n|---|\n| 1 |\n\n: A caption {#tbl-x}\n\n@tbl-x\n\nTerm\n: its definition\n"
    assert faults(tmp_path, f"{GOOD}{text}\n\n{table}") == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("x &= y", r"x &= \tag{1} y", "tag"),
        ("x &= y", r"x &= \color{red} y", "color"),
        ("x &= y", r"x &= \|y\|", "lVert"),
        ("x &= y", r"x &= \left\lVert y\right\rVert", "lVert"),
        ("x &= y", r"x &= \! y", "set badly"),
        ("x &= y", r"x &= \left. y \right|_0", "Big"),
        ("x &= y", r"x &= \operatorname{f}(y)", "gap"),
        ("x &= y", r"x &= \textcolor{red}{y}", "counterpart"),
        ("x &= y", "x &= y & z", "column pairs"),
        (r"$\left|x\right|$", "$|x|$", "mathematics"),
        ("aligned", "align", "aligned"),
        ("@fig-x", "nothing", "fig-x is never referred to"),
        ("@eq-x", "nothing", "eq-x is never referred to"),
        ("@eq-x", "@eq-x and @eq-y", "reference to @eq-y"),
        ('#| fig-alt: "A line."\n', "", "lacks fig-alt"),
        ('#| fig-cap: "It rises."\n', "", "lacks fig-cap"),
        ("see @eq-x", "see ![](a.png) @eq-x", "image without fig-alt"),
        ('"It rises."', r'"Of $\\W{1}$."', r"W in a caption"),
        ("\n1\n", "\n" + 89 * "1" + "\n", "89 columns"),
        ("A share", "11.5 % and a share", "typed by hand"),
        ("A share", "In 12 s a share", "typed by hand"),
        ("A share", r"11.5\ % and a share", "typed by hand"),
        ("A share", r"In 12\ s a share", "typed by hand"),
        ("A share", "In 12\nseconds, a share", "typed by hand"),
        ("A share", "In $12$ s, a share", "typed by hand"),
        ("A share", r"$11.5\,\%$ and a share", "typed by hand"),
        ("A share", "A 12-second share", "typed by hand"),
        ("A share", r"**12** %, $12 \%$, a share", "typed by hand"),
        ("see @eq-x", "see ![](a.png){fig-alt=' '} @eq-x", "image without fig-alt"),
        ("A share", "5 per cent, a share", "typed by hand"),
        ("A share", r"\textbf{A} share", "outside of mathematics"),
        ("A share", "A <b>share</b>", "HTML is lost"),
        ("A share", "A share ≤", "font lacks"),
        ("see @eq-x", "see\n\n| a |\n|---|\n| 1 |\n\n: A caption\n\n@eq-x", "needs a label"),
        ("\n\\newcommand", "\n```{python}\n#| label: fig-x\n1\n```\n\\newcommand", "given 2 times"),
        ("\n\\newcommand", 2 * "\n```{python}\n#| label: a\n1\n```\n", "a is given 2 times"),
        ("see @eq-x", "see\n\n$$\nx\n$$ {#eq-x}\n\n@eq-x", "given 2 times"),
        ("$$ {#eq-x}", "$$\n{#eq-x}", "eq-x follows no display"),
        (" &= z", " &= z\n", "empty line"),
        ('"It rises."', '"It rises, @fig-z."', "reference to @fig-z"),
        ("A share", "```{r}\n1\n```\n\nA share", "only {python} chunks"),
        ("echo: true", "echo: {", "not YAML"),
    ],
)
def test_each_fault_is_found_and_located(tmp_path, old, new, says):
    assert old in GOOD
    found = faults(tmp_path, GOOD.replace(old, new))
    assert found
    assert all(fault.startswith("report.qmd:") for fault in found)
    assert any(says in fault for fault in found)
