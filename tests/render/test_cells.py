import pytest

from literate.reader import REPORT, parse, read
from literate.report import Chunk
from render.cells import cells, names_of, reading
from render.dialect import ReportError

READS = "#| reads: mathematics"


def chunk(*lines):
    return "\n".join(["```{python}", *lines, "```", ""])


def reports(*parts):
    return parse("\n\n".join(parts))


def who_reads(*parts):
    """The code of the chunks and values that read the mathematics."""
    report = reports(*parts)
    places = reading(report)
    pieces = [*report.chunks, *(v for part in report.parts[::2] for v in part.values)]
    return {piece.code for piece in pieces if piece.start in places}


def test_cells_are_chunks_and_groups_of_inline_values_in_order():
    report = reports("`{python} 1` and `{python} 2`", chunk("#| label: a", "x = 1"), "`{python} x`")
    first, second, third = cells(report)
    assert first.code == "_inside.inline(\n    lambda: (1),\n    lambda: (2),\n)"
    assert [value.code for value in first.shows] == ["1", "2"]
    assert second.code == "x = 1"
    assert second.shows == report.chunks[0]
    assert third.code == "_inside.inline(\n    lambda: (x),\n)"
    assert not any(cell.reads for cell in (first, second, third))


def test_a_chunk_of_options_alone_is_no_cell():
    assert cells(reports(chunk("#| label: a"))) == []


def test_what_names_a_variable_of_a_chunk_that_reads_the_mathematics_reads_it_too():
    parts = [chunk(READS, "checked = 1"), chunk("total = [checked for _ in 'ab']")]
    parts += ["`{python} total[0]` and `{python} other`", chunk("def f():", "    return checked")]
    parts += [chunk("other = 2"), "`{python} f()`"]
    assert who_reads(*parts) == {
        "checked = 1",
        "total = [checked for _ in 'ab']",
        "total[0]",
        "def f():\n    return checked",
        "f()",
    }


def test_values_that_read_the_mathematics_are_a_cell_apart():
    parts = [chunk(READS, "checked = 1"), chunk("x = 2"), "`{python} x`, `{python} checked`"]
    *_, others, readers = cells(reports(*parts))
    assert [(value.code, others.reads) for value in others.shows] == [("x", False)]
    assert [(value.code, readers.reads) for value in readers.shows] == [("checked", True)]


def test_names_that_are_only_imported_belong_to_all():
    parts = [chunk(READS, "import mlp", "import numpy as np", "n = mlp.n"), chunk("mlp.m, np.pi")]
    assert who_reads(*parts, "`{python} np.pi`") == {"import mlp\nimport numpy as np\nn = mlp.n"}


def test_a_name_of_a_function_argument_or_an_attribute_is_no_variable():
    parts = [chunk(READS, "n = 1"), chunk("def f(n):", "    return n.n"), chunk("f(n=2)")]
    assert who_reads(*parts) == {"n = 1"}


@pytest.mark.parametrize(
    ("reader", "other"),
    [
        ("rows = 2", "for rows in [1]: pass"),
        ("from derivations import rows", "rows = {}"),
        ("def f():\n    global rows\n    rows = 1", "with open('a') as rows: pass"),
    ],
)
def test_what_binds_a_variable_of_a_chunk_that_reads_the_mathematics_reads_it_too(reader, other):
    assert who_reads(chunk(READS, reader), chunk(other)) == {reader, other}
    assert who_reads(chunk(other), chunk(READS, reader)) == {reader, other}


@pytest.mark.parametrize(
    ("reader", "other"),
    [
        ("n = len(rows)", "rows = [1]"),
        ("rows.append(1)", "rows = [1]"),
        ("def f():\n    return rows", "rows, x = 1, 2"),
        ("n = rows()", "def rows(): pass"),
        ("n = rows", "class rows: pass"),
        ("n = f'{rows}'", "import rows\nrows = rows.n"),
    ],
)
def test_a_variable_of_cells_of_both_kinds_is_refused_with_the_lines(reader, other):
    for parts in ((chunk(READS, reader), chunk(other)), (chunk(other), chunk(READS, reader))):
        report = reports(*parts)
        lines = {piece.code: piece.line for piece in report.chunks}
        says = rf"qmd:{lines[reader]}: .*reads .* names rows, .*bound on line {lines[other]} "
        with pytest.raises(ReportError, match=says):
            cells(report)


def test_an_inline_value_of_both_kinds_is_refused():
    parts = [chunk(READS, "checked = 1"), chunk("x = 2"), "It is `{python} checked + x`."]
    with pytest.raises(ReportError, match=r"qmd:12: value checked \+ x reads .* x, .*line 7 "):
        cells(reports(*parts))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (chunk("#| label: a", "x = 1", "y = ("), 4),
        ("\n`{python} x +`", 2),
        (chunk("%time x = 1"), 2),
        ("`{python} x; y`", 1),
        (chunk("'\0'"), 2),
    ],
)
def test_what_is_not_python_is_refused_before_anything_runs(text, line):
    with pytest.raises(ReportError, match=rf"^report\.qmd:{line}: (chunk|value) "):
        cells(parse(text))


def test_a_fault_names_the_line_and_the_label_or_the_values():
    first, second = cells(reports(chunk("#| label: a", "1"), "\n`{python} 2`, `{python} 3`"))
    assert str(first.fault("raised")) == "report.qmd:1: chunk a raised"
    assert str(second.fault("raised")) == "report.qmd:8: value 2 and value 3 raised"


def test_names_are_those_of_the_top_level():
    (piece,) = reports(
        chunk(
            "import a.b as c, d",
            "x: int = 1",
            "y = [v for v in z]",
            "def f(p, q=r):",
            "    return p + s",
        )
    ).chunks
    names = names_of(piece)
    assert names.imported == {"c", "d"}
    assert {"x", "y", "f"} <= names.bound <= {"x", "y", "f", "v"}  # v from Python 3.12 on
    assert {"c", "d", "x", "y", "f", "z", "r", "s"} <= names.used
    assert not names.used & {"p", "q", "a", "b"}


def test_in_the_real_report_few_cells_read_the_mathematics():
    found = cells(read(REPORT))
    readers = [cell for cell in found if cell.reads]
    chunks = [cell.shows.label for cell in readers if isinstance(cell.shows, Chunk)]
    assert {"checked", "tbl-formulas"} <= set(chunks)
    assert len(readers) < 0.1 * len(found)
