import pytest

from literate.reader import ROOT, parse, read
from render.names import faults


def test_every_name_in_the_report_has_one_thing_that_bears_it():
    assert list(faults(read(), ROOT)) == []


def told(folder, text):
    return [(line, what) for line, what in sorted(faults(parse(text), folder))]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("See @eq-a.", "reference to @eq-a, which nothing bears"),
        ("See @thm-a.", "reference to @thm-a"),
        ("See [@nobody1999, p. 3].", "@nobody1999 is in no bibliography"),
        ("See [@known; -@b].", "@b is in no bibliography"),
        ("![](none.png)", "there is no file none.png"),
        ("![A caption](none.png){#fig-a}", "there is no file none.png"),
        ("# A {#sec-a}\n\n# B {#sec-a}", "label sec-a is given 2 times"),
    ],
)
def test_a_name_that_nobody_has_is_told_with_its_line(tmp_path, text, says):
    (tmp_path / "references.bib").write_text("@book{known,\n title = {A}}\n")
    found = told(tmp_path, f"One.\n\n{text}\n")
    assert found
    assert found[0][0] == 3
    assert says in found[0][1]


def test_what_exists_or_only_looks_like_a_name_is_no_fault(tmp_path):
    (tmp_path / "references.bib").write_text("@book{known,\n title = {A}}\n")
    (tmp_path / "more.bib").write_text("@article{ other2000 , title={B}}\n")
    (tmp_path / "a.png").touch()
    text = (
        "---\nbibliography: more.bib\n---\n\n# A {#sec-a}\n\n@sec-a, @known, [see @other2000].\n"
        "![](a.png) ![](https://example.org/b.png) `@code` $@math$ a@example.org \\@escaped\n"
    )
    assert told(tmp_path, text) == []
    div = '::: {{.content-{} when-format="html"}}\n# A {{#sec-a}}\n:::\n\n'
    assert told(tmp_path, div.format("visible") + div.format("hidden")) == []
