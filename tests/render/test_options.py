import pytest

from literate.reader import ROOT, parse, read
from render import options


def test_report_and_configuration_say_nothing_in_vain():
    assert list(options.faults(read())) == []
    text = (ROOT / "_quarto.yml").read_text()
    assert list(options.of_settings(options.settings(text))) == []
    assert len([*options.settings(text)]) > 40


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("---\ntitle: a\ntitel: b\n---\n", 3, "titel: has no effect, as Quarto knows no such key"),
        ("---\nformat:\n  typst:\n    ecko: true\n---\n", 4, "format > typst > ecko"),
        ("---\nformat:\n  docx: default\n---\n", 3, "format > docx"),
        ("---\nauthor:\n  - name: A\n    email: b\n---\n", 4, "author > email"),
        ("---\nexecute:\n  ehco: true\n---\n", 3, "execute > ehco"),
        ("---\ncolumns: 2\n---\n", 2, "columns: has no effect in PDF by Typst"),
        ("---\nformat:\n  typst:\n    linkcolor: red\n---\n", 4, "linkcolor: has no effect in PDF"),
        ("---\ntitle: a\ndate: Spring\n---\n", 3, "date: Spring: write it as in 2026-01-31"),
        ("a\n\n```{python}\n#| ehco: true\n1\n```\n", 3, "chunk option ehco"),
        ("a\n\n```{python}\n#| tbl-colwidths: [1, 2]\n1\n```\n", 3, "tbl-colwidths"),
        ("| a |\n|---|\n| 1 |\n\n: A. {#tbl-a tbl-colwidths='[1]'}\n", 5, "tbl-colwidths"),
        ("a\n\n::: {.aside}\nb\n:::\n", 3, ".aside: has no effect"),
        ("a\n\nb [c]{.aside}\n", 3, ".aside: has no effect"),
        ("a\n\n::: {.column-margin}\nb\n:::\n", 3, ".column-margin: has no effect"),
    ],
)
def test_what_is_said_in_vain_is_told_with_its_line(text, line, says):
    (fault,) = options.faults(parse(text))
    assert fault.line == line
    assert says in fault.what


def test_what_is_documented_is_left_to_quarto():
    html = "format:\n  html:\n    linestretch: 2\n    toc-depth: 1"
    text = f"---\ntitle: a\ndate: today\npapersize: a5\nkeep-typ: true\n{html}\n---\n"
    chunk = "```{python}\n#| eval: false\n#| fig-align: left\n#| reads: mathematics\n1\n```\n"
    assert list(options.faults(parse(text + chunk))) == []


@pytest.mark.parametrize(
    "text", ["a: [", "a: *b", "- a\n- b", "", "a: &b [*b]", "!!int '': !!bool maybe"]
)
def test_odd_yaml_has_settings_or_none(text):
    assert len([*options.settings(text)]) < 5


def test_settings_have_their_keys_values_and_lines():
    text = "a: 1\nb:\n  - c: 2\n  - d\ne: {f: x}\n"
    assert list(options.settings(text)) == [
        (("a",), "1", 1),
        (("b",), "", 2),
        (("b", "c"), "2", 3),
        (("b", "-"), "d", 4),
        (("e",), "", 5),
        (("e", "f"), "x", 5),
    ]
