import os

import pytest

import derivations
from literate import appendix, reader
from literate.reader import parse, read
from literate.report import in_order
from render.cells import cells
from render.keys import keys, salt

READER = "```{python}\n#| reads: mathematics\nchecked = 1\n```\n"
PLAIN = "```{python}\nx = 2\n```\n"
TEXT = f"{READER}\n{PLAIN}\nProse with `{{python}} x` and `{{python}} checked`, $y = z$.\n"


def keys_of(text, salt="salt"):
    report = parse(text)
    return keys(cells(report), salt, report.mathematics)


def changed(old, new, field):
    """The numbers of the cells of which the edit changes this part of the key."""
    assert old in TEXT
    pairs = zip(keys_of(TEXT), keys_of(TEXT.replace(old, new, 1)), strict=True)
    return [i for i, (a, b) in enumerate(pairs) if getattr(a, field) != getattr(b, field)]


def test_an_edit_of_prose_changes_no_key():
    assert changed("Prose with", "Prose that\nhas", "output") == []


def test_an_edit_of_mathematics_changes_the_outputs_of_what_reads_it_and_no_place():
    reader, value_of_checked = 0, 3
    assert changed("$y = z$", "$y = 2 z$", "output") == [reader, value_of_checked]
    assert changed("$y = z$", "$y = 2 z$", "place") == []


def test_an_edit_of_code_changes_the_keys_of_that_cell_and_all_below():
    assert changed("x = 2", "x = 3", "place") == changed("x = 2", "x = 3", "output") == [1, 2, 3]


def test_what_all_cells_may_read_changes_every_key():
    assert not set(keys_of(TEXT)) & set(keys_of(TEXT, "other"))


def test_equal_cells_in_different_places_have_different_keys():
    assert len(set(keys_of(PLAIN + PLAIN))) == 2


@pytest.mark.parametrize(
    "name",
    [
        "mlp/lab/a.py",
        "literate/a.py",
        "derivations/questions.yml",
        "results/a/log.csv",
        "experiments/a.yml",
        "render/inside.py",
    ],
)
def test_salt_depends_on_programs_results_and_settings(tmp_path, name):
    before = salt(tmp_path)
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text("1")
    created = salt(tmp_path)
    path.write_text("2")
    assert len({before, created, salt(tmp_path)}) == 3


def test_salt_depends_on_the_data_even_where_their_size_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("MLP_DATA", str(tmp_path))
    before = salt(tmp_path)
    path = tmp_path / "circles.txt"
    path.write_text("1 2 0\n")
    created = salt(tmp_path)
    path.write_text("1 2 1\n")
    os.utime(path, (1, 1))
    assert len({before, created, salt(tmp_path)}) == 3


def test_salt_does_not_depend_on_the_report_or_its_tests(tmp_path):
    before = salt(tmp_path)
    (tmp_path / "report.qmd").write_text("1")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "a.py").write_text("1")
    assert salt(tmp_path) == before


def test_what_the_report_shows_of_its_mathematics_depends_on_nothing_else(tmp_path, monkeypatch):
    whole = read()
    bare = tmp_path / "report.qmd"
    bare.write_text(alone(whole))
    assert parse(bare.read_text()).mathematics == whole.mathematics
    sheet = appendix.sheet()
    monkeypatch.setattr(reader, "REPORT", bare)
    assert appendix.sheet() == sheet
    assert derivations.summary(bare.read_text()) == derivations.summary(whole.text)


def alone(report):
    """The mathematics of a report, with the code that it quotes, and nothing else."""
    text, before = "", None
    for piece in in_order(report.headings, report.macros, report.formulas, report.quoting):
        if before is None or piece.start >= before.end:  # a formula in a heading is there already
            related = report.related(before, piece)
            before = piece
            comments = [f"<!-- {comment} -->" for comment in getattr(piece, "comments", ())]
            said = "\n".join([*comments, report.text[piece.start : piece.end]])
            for name in getattr(piece, "divs", ()):
                said = f"::: {{.{name}}}\n{said}\n:::"
            text += related + said
    return text.lstrip()
