import json

import pytest

from literate.reader import parse
from render.dialect import ReportError
from render.execute import Session

MATHEMATICS = "$x = y$"
READS = "#| reads: mathematics\n"


@pytest.fixture
def session(tmp_path):
    session = Session(tmp_path / "cache.json")
    yield session
    session.close()


def report_of(*codes, mathematics=MATHEMATICS):
    chunks = "\n".join(f"```{{python}}\n{code}\n```\n" for code in codes)
    return parse(f"{mathematics}\n\n{chunks}")


def shown(session, salt, *codes, mathematics=MATHEMATICS):
    """What the last cell shows, and how many cells the kernel has run in all."""
    report = report_of(*codes, mathematics=mathematics)
    *_, (_, last) = session.outputs(report, salt)
    return last[0]["data"]["text/plain"] if last else None, ran(session)


def texts(outputs):
    return [output[0]["data"]["text/plain"] for output in outputs if output]


def ran(session):
    """How many cells the living kernel has run, without its own."""
    cells = session.kernel.client.nb.cells if session.kernel else []
    return sum("_inside" not in cell.source for cell in cells)


def kept(session):
    return len(json.loads(session.file.read_text())["outputs"])


def test_cached_outputs_are_used_until_something_changes(session):
    assert shown(session, "salt", "a = 1", "a + 1") == ("2", 2)
    session.close()
    assert shown(session, "salt", "a = 1", "a + 1") == ("2", 0)  # no kernel has started
    assert shown(session, "salt", "a = 1", "a + 2") == ("3", 2)  # a new one starts at the top
    assert shown(session, "salt", "a = 1", "a + 3") == ("4", 3)  # the living one goes on
    assert shown(session, "salt", "a = 1", "a + 2") == ("3", 4)  # unused outputs are forgotten
    assert kept(session) == 1  # "a = 1"; the other one is doubtful
    assert shown(session, "other salt", "a = 1", "a + 2") == ("3", 2)  # the package changed


def test_a_new_session_knows_what_an_old_one_kept(session):
    assert shown(session, "salt", "a = 1", "a + 1") == ("2", 2)
    session.close()
    assert shown(Session(session.file), "salt", "a = 1", "a + 1") == ("2", 0)


def test_what_a_kernel_with_replaced_cells_shows_is_neither_kept_nor_final(session):
    count = "import itertools; n = itertools.count()"
    again = "next(n)  # again"
    assert shown(session, "salt", count, "next(n)")[0] == "0"
    assert shown(session, "salt", count, again)[0] == "1"  # at once, by the old kernel
    assert len(session.doubtful) == kept(session) == 1
    list(session.outputs(report_of(count, again), "salt", warm=True))
    assert not session.doubtful
    assert shown(session, "salt", count, again)[0] == "0"
    assert kept(session) == 2


def test_cells_that_read_the_mathematics_run_again_when_that_changes(session):
    codes = (READS + "checked = 1", "checked + 1", "3")
    assert shown(session, "salt", *codes) == ("3", 3)
    assert shown(session, "salt", *codes, mathematics="$x = z$") == ("3", 5)
    assert shown(session, "salt", *codes, mathematics="$x = z$") == ("3", 5)
    assert not session.doubtful


def test_an_edit_of_prose_runs_nothing(session):
    codes = (READS + "checked = 1", "checked + 1", "3")
    assert shown(session, "salt", *codes) == ("3", 3)
    assert shown(session, "salt", *codes, mathematics=f"Prose, {MATHEMATICS}") == ("3", 3)


def test_what_uses_a_result_of_cells_that_read_the_mathematics_runs_again_with_them(session):
    codes = (READS + "import random; checked = random.random()", "total = 2 * checked", "total")
    before, _ = shown(session, "salt", *codes)
    assert shown(session, "salt", *codes)[0] == before
    assert shown(session, "salt", *codes, mathematics="$x = z$")[0] != before


def test_after_an_edit_of_mathematics_the_living_kernel_shows_what_a_new_one_would(
    session, tmp_path
):
    codes = (READS + "checked = [1]", READS + "checked.append(2)", "rows = [3]", "rows.append(4)")
    codes = (*codes, "rows", "checked", "len(checked)")
    for mathematics in ("$x$", "$y$", "$z$"):
        report = report_of(*codes, mathematics=mathematics)
        living = [output for _, output in session.outputs(report, "salt")]
        other = Session(tmp_path / f"{mathematics}.json")
        new = [output for _, output in other.outputs(report, "salt")]
        other.close()
        assert texts(living) == texts(new) == ["[3, 4]", "[1, 2]", "2"]


def test_a_kernel_that_has_read_other_mathematics_reads_again_before_anything_uses_that(
    session, tmp_path
):
    said = tmp_path / "said"
    codes = (READS + f"checked = open({str(said)!r}).read()", READS + "assert checked != 'wrong'")
    said.write_text("right")
    shown(session, "salt", *codes, mathematics="$x$")
    said.write_text("wrong")
    with pytest.raises(ReportError, match="AssertionError"):
        shown(session, "salt", *codes, mathematics="$y$")
    said.write_text("right")
    assert shown(session, "salt", *codes, "checked", mathematics="$x$")[0] == "'right'"


def test_a_report_that_is_saved_while_a_cell_reads_it_is_not_kept(session):
    codes = ("1", READS + "2")
    with pytest.raises(ReportError, match=r"qmd:7: chunk 2 .*render again"):
        list(session.outputs(report_of(*codes), "salt", unchanged=lambda: False))
    assert kept(session) == 1
    assert shown(session, "salt", *codes) == ("2", 3)


def test_what_a_cell_showed_before_it_raised_is_forgotten(session):
    codes = ("a = 1", "a")
    assert shown(session, "salt", *codes)[0] == "1"
    with pytest.raises(ReportError, match="ZeroDivisionError"):
        shown(session, "salt", "a = 1", "a / 0")
    with pytest.raises(ReportError, match="ZeroDivisionError"):
        shown(session, "salt", "a = 1", "a / 0")
    assert shown(session, "salt", *codes)[0] == "1"


def test_what_follows_a_cell_that_raised_half_way_is_doubtful(session):
    count = "import itertools; n = itertools.count()"
    with pytest.raises(ReportError, match="ZeroDivisionError"):
        shown(session, "salt", count, "next(n) / 0")
    assert shown(session, "salt", count, "next(n)")[0] == "1"
    assert len(session.doubtful) == kept(session) == 1


def test_a_cell_that_raises_when_it_runs_again_is_no_longer_known(session, monkeypatch):
    codes = ("import os", "os.environ['SOMEWHERE']")
    monkeypatch.setenv("SOMEWHERE", "here")
    assert shown(session, "salt", *codes)[0] == "'here'"
    session.close()
    monkeypatch.delenv("SOMEWHERE")
    with pytest.raises(ReportError, match="KeyError"):
        list(session.outputs(report_of(*codes), "salt", warm=True))
    assert kept(session) == 1
    with pytest.raises(ReportError, match="KeyError"):
        shown(session, "salt", *codes)


def test_a_kernel_that_died_is_replaced(session):
    with pytest.raises(ReportError, match="Kernel died"):
        shown(session, "salt", "a = 1", "import os; os._exit(1)")
    assert shown(session, "salt", "a = 1", "a") == ("1", 2)


def test_warm_kernel_has_run_everything(session):
    report = report_of("a = 1", "a + 1")
    list(session.outputs(report, "salt"))
    session.close()
    for _ in range(2):
        list(session.outputs(report, "salt", warm=True))
        assert ran(session) == 2
