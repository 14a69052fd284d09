import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from literate import reader
from literate.reader import equations, parse, read
from literate.report import Chunk, Piece, Prose

SOURCE = r"""---
title: "T"
---

\newcommand{\W}[1]{\mathbf{W}^{(#1)}}

# Part b {#sec-b}

## The layer with $d_h$ units {#sec-b1}

Half of $n = 2$ is `{python} 1 / 2`, `code $not$`, and \$3; see @eq-ha and [-@fig-a].

::: {.result}
<!-- a note -->
<!-- check: x > 0 -->

$$
y = \W{1} x
$$ {#eq-ha}
:::

```{python}
#| label: fig-a
#| fig-cap: "As @eq-ha says."

x = "$$ no formula $$"
```

~~~text
# no heading, `{python} but` a value
~~~

### Without a label

$$ z $$

![A caption](a.png){width=2cm}

# Other {.unnumbered #sec-other}

It costs $5 and $6, <!-- $a comment$ --> or $a
= b$.
"""
REPORT = parse(SOURCE)


def test_each_piece_is_where_it_says_it_is():
    pieces = {
        REPORT.displays[0]: "$$\ny",
        REPORT.inlines[1]: "$n = 2$",
        REPORT.headings[1]: "## The layer",
        REPORT.macros[0]: r"\newcommand",
        REPORT.comments[1]: "<!-- check",
        REPORT.blocks[0]: "~~~text",
        REPORT.divs[0]: "::: {.result}",
        REPORT.images[0]: "![A caption]",
        REPORT.references[0]: "@eq-ha",
    }
    for piece, begins in pieces.items():
        assert SOURCE[piece.start : piece.end].startswith(begins)
        assert SOURCE.splitlines()[piece.line - 1].find(begins.split("\n")[0]) >= 0


def test_parts_are_prose_and_chunks_in_turn_and_miss_nothing():
    before, chunk, after = REPORT.parts
    assert REPORT.head + before.text + SOURCE[chunk.start : chunk.end] + after.text == SOURCE
    assert isinstance(before, Prose)
    assert isinstance(after, Prose)
    assert isinstance(chunk, Chunk)
    assert chunk.label == "fig-a"
    assert chunk.caption == "As @eq-ha says."
    assert chunk.code == '\nx = "$$ no formula $$"'
    assert SOURCE.splitlines()[chunk.code_line] == 'x = "$$ no formula $$"'


def test_front_matter_is_read_as_yaml():
    assert REPORT.front == {"title": "T"}
    assert parse("# No front matter").front == {}


def test_a_display_knows_label_sections_divs_and_the_comments_before_it():
    first, second = REPORT.displays
    assert (first.label, first.latex) == ("eq-ha", "\ny = \\W{1} x\n")
    assert first.sections == ("sec-b", "sec-b1")
    assert first.divs == ("result",)
    assert first.comments == ("a note", "check: x > 0")
    assert (second.label, second.latex, second.section) == ("", " z ", "sec-b1")
    assert second.divs == second.comments == ()


def test_formulas_within_lines_are_those_that_pandoc_sets():
    assert [formula.latex for formula in REPORT.inlines] == ["d_h", "n = 2", "a\n= b"]
    assert [formula.section for formula in REPORT.inlines] == ["sec-b1", "sec-b1", "sec-other"]


def test_a_line_that_is_an_inline_value_is_no_empty_line():
    (display,) = parse("$$\nx +\n`{python} y`\n$$").displays
    assert display.latex == "\nx +\n`{python} y`\n"


@pytest.mark.parametrize(
    "text", ["$$\nx\n\ny\n$$", "a $$x", "$ x$", "$x $", "$x$2", r"\$x$", "`$x$`", "<!-- $x$ -->"]
)
def test_what_pandoc_takes_for_no_formula_is_none(text):
    assert parse(text).formulas == ()


def test_headings_know_level_text_and_label():
    found = [(heading.level, heading.text, heading.label) for heading in REPORT.headings]
    assert found == [
        (1, "Part b", "sec-b"),
        (2, "The layer with $d_h$ units", "sec-b1"),
        (3, "Without a label", ""),
        (1, "Other", "sec-other"),
    ]


def test_macros_know_arguments_and_body():
    (macro,) = REPORT.macros
    assert (macro.name, macro.arity, macro.body) == (r"\W", 1, r"\mathbf{W}^{(#1)}")


def test_labels_and_references_are_those_of_text_chunks_and_captions():
    labels = ["sec-b", "sec-b1", "eq-ha", "fig-a", "sec-other"]
    assert [label.name for label in REPORT.labels] == labels
    assert [reference.name for reference in REPORT.references] == ["eq-ha", "fig-a", "eq-ha"]


def test_inline_values_are_found_wherever_quarto_replaces_them():
    assert [value.code for part in REPORT.parts[::2] for value in part.values] == ["1 / 2", "but"]
    text = "$a_{`{python} x`}$ <!-- `{python} y` --> `` `{python} z` `` \n\n    `{python} w`\n"
    (part,) = parse(text).parts
    assert [value.code for value in part.values] == list("xyzw")
    assert [formula.latex for formula in parse(text).inlines] == ["a_{`{python} x`}"]


def test_images_have_caption_and_attributes():
    (image,) = REPORT.images
    assert (image.caption, image.attributes) == ("A caption", "{width=2cm}")


def test_divs_may_stand_within_each_other():
    outer, inner = parse("::: {#fig-a .wide}\n:::: note\n$x$\n::::\n:::\n$y$").divs
    assert (outer.classes, inner.classes) == (("wide",), ("note",))
    x, y = parse("::: {#fig-a .wide}\n:::: note\n$x$\n::::\n:::\n$y$").inlines
    assert (x.divs, y.divs) == (("wide", "note"), ())


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("---\ntitle: T\n", 1, "never closed"),
        ("---\n- a\n---\n", 1, "key: value"),
        ("---\ntitle: T\nb: [\n---\n", 3, "not YAML"),
        ("---\ntitle: !!int ''\n---\n", 1, "not YAML"),
        ("a\n\n```python\nb\n", 3, "never closed"),
        ("a\n```{python}\n#| echo\n```\n", 2, "key: value"),
        ("a\n```{python}\n#| label: a\n#| echo: {\n```\n", 4, "not YAML"),
        ("a\n```{python}\n1\n#| echo: true\n```\n", 2, "first lines"),
        ("a\n```{python}\n\n# | echo: true\n```\n", 2, "first lines"),
    ],
)
def test_a_fault_of_the_source_is_told_with_its_line(text, line, says):
    (fault,) = parse(text).faults
    assert fault.line == line
    assert says in fault.what


MARKS = ["---\n", "```{python}\n", "```\n", "`{python} x`", "`", "$$", "$", "\\", "\n", "\n\n"]
MARKS += ["<!--", "-->", "# ", "{#eq-x}", "@eq-x", ":::", " {.a}", "![", "](", "#| ", "a", " "]


@given(st.lists(st.sampled_from(MARKS), max_size=30).map("".join) | st.text())
def test_any_text_is_read_and_its_pieces_lie_within_it_in_order(text):
    report = parse(text)
    for value in vars(report).values():
        pieces = [piece for piece in value if isinstance(piece, Piece)] if value else []
        assert pieces == sorted(pieces, key=lambda piece: piece.start)
        for piece in pieces:
            assert 0 <= piece.start <= piece.end <= len(text)
            assert piece.line == 1 + text.count("\n", 0, piece.start) == report.line(piece.start)
    parts = [text[part.start : part.end] for part in report.parts]
    assert report.head + "".join(parts) == text
    assert len(report.words) == len(report.prose) == len(text)


def test_the_mathematics_changes_with_formulas_and_not_with_prose():
    moved = parse(SOURCE.replace("Half of", "One half of\nwhat is called"))
    assert moved.mathematics == REPORT.mathematics
    for old, new in [("y = ", "y - "), ("n = 2", "n = 3"), ("x > 0", "x < 0"), ("{.result}", "a")]:
        assert parse(SOURCE.replace(old, new)).mathematics != REPORT.mathematics
    for old in (r"\mathbf{W}", "sec-b1", "eq-ha}"):
        assert parse(SOURCE.replace(old, "z")).mathematics != REPORT.mathematics
    apart = parse(SOURCE.replace("x > 0 -->", "x > 0 --> and"))  # no longer before the display
    assert apart.displays[0].comments == ()
    assert apart.mathematics != REPORT.mathematics


def test_equations_are_those_of_a_part_in_order(tmp_path, monkeypatch):
    path = tmp_path / "report.qmd"
    path.write_text(SOURCE.replace("$$ z $$", "$$ z $$ {#eq-z}"))
    monkeypatch.setattr(reader, "REPORT", path)
    assert equations() == {"eq-ha": r"y = \W{1} x", "eq-z": "z"}
    assert equations("sec-b1") == equations("sec-b") == equations()
    assert equations("sec-other") == {}
    path.write_text(SOURCE.replace("$$ z $$", "$$ z $$ {#eq-ha}"))
    with pytest.raises(ValueError, match=r"report\.qmd:\d+: \{#eq-ha\} stands twice"):
        equations()


def test_every_equation_label_of_the_real_report_is_one_of_a_display():
    report = read()
    written = re.findall(r"\{#(eq-[\w-]+)\}", report.text)
    assert written == [display.label for display in report.displays if display.label]
    assert len(report.displays) > 100
    assert len(report.inlines) > 400
    assert report.faults == ()
