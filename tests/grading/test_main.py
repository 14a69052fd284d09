import json

import pytest

from grading import __main__ as command
from grading.items import Evidence, Grade, Item
from grading.sandbox import SandboxError

GRADE = Grade((Item("a.1", "Sigmoid", 3, (Evidence("claims", "show", 0, 0, 3, "no", True, 4),)),))


@pytest.fixture
def graded(monkeypatch, tmp_path):
    """A command whose grading is known, and the folder that it writes to."""
    monkeypatch.setattr(command, "grade", lambda folder, rubric, run, seed: GRADE)
    monkeypatch.setattr(command, "runner", lambda trusted: None)
    (tmp_path / "submission").mkdir()
    return lambda *more: command.main(
        [str(tmp_path / "submission"), "--output", str(tmp_path / "out"), *more]
    )


def test_the_four_files_of_a_grade_are_written_and_what_is_not_right_is_said(
    graded, tmp_path, capsys
):
    assert graded() == 0
    names = ["grade.html", "grade.json", "grade.pdf", "results.json"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    said = capsys.readouterr().out
    assert "a.1   0 of 3      wrong    no" in said
    assert "0 of 3 points" in said


def test_a_teachers_file_is_taken_into_account(graded, tmp_path):
    (tmp_path / "mine.yml").write_text("a.1: {points: 2}")
    assert graded("--overrides", str(tmp_path / "mine.yml")) == 0
    assert json.loads((tmp_path / "out" / "grade.json").read_text())["points"] == 2


@pytest.mark.parametrize(
    "options",
    [["--overrides", "nowhere.yml"], ["--rubric", "nowhere.yml"]],
)
def test_a_file_that_is_not_there_is_one_line_and_status_2(graded, options, capsys):
    assert graded(*options) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_what_is_no_submission_is_one_line_and_status_2(graded, capsys):
    assert command.main(["nowhere.zip"]) == 2
    assert "nowhere.zip" in capsys.readouterr().err


def test_without_a_sandbox_nothing_is_graded_unless_it_is_trusted(graded, monkeypatch, capsys):
    def none(trusted):
        if not trusted:
            raise SandboxError("no sandbox; say --trust")

    monkeypatch.setattr(command, "runner", none)
    assert graded() == 2
    assert "say --trust" in capsys.readouterr().err
    assert graded("--trust") == 0
