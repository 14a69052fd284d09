import csv
import json
import os
import subprocess
import sys
import time
import zipfile

import pytest

from grading import many
from grading.__main__ import main
from grading.many import ClassError, submissions
from mlp.data import ROOT
from mlp.settings import SettingsError

# In place of `python -m grading`: points are what report.qmd says, and each call is noted.
GRADER = """
import argparse, json, os, sys, time
from pathlib import Path

parser = argparse.ArgumentParser()
for name in ("path", "--output", "--seed", "--overrides"):
    parser.add_argument(name)
options = parser.parse_args()
path = Path(options.path)
with open(os.environ["CALLS"], "a") as calls:
    calls.write(f"{path.stem}\\n")
text = (path / "report.qmd").read_text()
if text == "crash":
    os.abort()
if text == "refused":
    sys.exit("grading: mlp/model.py: a link; hand in the file itself")
time.sleep(float(os.environ.get("SECONDS", "0")))
points = 3.5 if options.overrides else float(text)
item = {"question": "a.1", "status": "right" if points else "missing", "points": points, "of": 4}
grade = {"points": points, "of": 4, "authors": ["=A", "B"], "items": [item], "seed": options.seed}
Path(options.output, "grade.json").write_text(json.dumps(grade))
"""


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Five submissions, a grader, and where it notes its calls."""
    for name, text in {"one": "4", "two": "0", "three": "2", "four": "crash"}.items():
        folder = tmp_path / "class" / name
        folder.mkdir(parents=True)
        (folder / "report.qmd").write_text(text)
    (tmp_path / "grader.py").write_text(GRADER)
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return tmp_path


def run(course, **options):
    return many.run(
        course / "class",
        course / "out",
        grader=[sys.executable, str(course / "grader.py")],
        **{"backend": "threading", "jobs": 2, **options},
    )


def calls(course):
    path = course / "calls"
    return sorted(path.read_text().split()) if path.exists() else []


def rows(course):
    with (course / "out" / "gradebook.csv").open() as file:
        return {row["submission"]: row for row in csv.DictReader(file)}


def test_each_submission_has_its_folder_and_its_line(course):
    graded = {each.name: each for each in run(course)}
    assert {name: each.points for name, each in graded.items()} == {
        "one": 4,
        "two": 0,
        "three": 2,
        "four": 0,
    }
    book = rows(course)
    assert book["one"]["points"] == book["one"]["a.1"] == "4.0"
    assert book["three"]["problem"] == ""
    assert json.loads((course / "out" / "three" / "grade.json").read_text())["points"] == 2
    page = (course / "out" / "statistics.html").read_text()
    assert "4 submissions" in page
    assert "<b>2</b> of 4 points on average" in page
    assert not list((course / "out").glob(".unfinished-*"))


def test_one_that_crashes_or_cannot_be_taken_stops_no_other_and_is_named(course):
    (course / "class" / "two" / "report.qmd").write_text("refused")
    graded = {each.name: each.problem for each in run(course)}
    assert graded["two"] == "grading: mlp/model.py: a link; hand in the file itself"
    assert graded["four"] == "grading it ended with status -6"
    assert graded["one"] == graded["three"] == ""
    assert rows(course)["two"]["problem"] == graded["two"]
    assert (
        "two has no grade: grading: mlp/model.py"
        in (course / "out" / "statistics.html").read_text()
    )


def test_what_is_graded_is_not_graded_again_unless_it_or_a_remark_on_it_changes(course):
    run(course)
    assert calls(course) == ["four", "one", "three", "two"]
    run(course)
    assert calls(course) == ["four", "four", "one", "three", "two"]  # there was no grade
    (course / "class" / "two" / "report.qmd").write_text("1.25")
    (course / "class" / "three.yml").write_text("a.1: {points: 3.5}")
    graded = {each.name: each.points for each in run(course)}
    assert calls(course) == sorted(["four"] * 3 + ["one"] + ["three"] * 2 + ["two"] * 2)
    assert (graded["two"], graded["three"]) == (1.25, 3.5)


def test_the_hidden_inputs_are_the_same_for_all_and_at_all_times(course):
    graded = run(course)
    (course / "class" / "two" / "report.qmd").write_text("1")
    seeds = {each.grade["seed"] for each in [*graded, *run(course)] if each.grade}
    assert len(seeds) == 1
    assert {each.grade["seed"] for each in run(course, seed=5) if each.grade} == {"5"}


def test_after_a_kill_it_goes_on_and_nothing_that_was_finished_is_done_again(course):
    for number in range(6):
        (course / "class" / f"more-{number}").mkdir()
        (course / "class" / f"more-{number}" / "report.qmd").write_text("1")
    code = (
        "import sys; from pathlib import Path; from grading import many; "
        f"many.run(Path({str(course / 'class')!r}), Path({str(course / 'out')!r}), "
        f"grader=[sys.executable, {str(course / 'grader.py')!r}])"
    )
    environment = os.environ | {"SECONDS": "0.5", "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", code], env=environment) as process:
        try:
            end = time.monotonic() + 200
            while len(list(course.glob("out/*/grade.json"))) < 3 and time.monotonic() < end:
                time.sleep(0.05)
        finally:
            process.kill()
    finished = {path.parent.name for path in course.glob("out/*/grade.json")}
    assert len(finished) >= 3
    before = calls(course)
    run(course)
    assert {name for name in finished if calls(course).count(name) > before.count(name)} == set()
    assert len(rows(course)) == 10


def test_two_cannot_grade_into_the_same_folder(course):
    (course / "out").mkdir()
    with (
        many.filelock.FileLock(course / "out" / ".lock"),
        pytest.raises(ClassError, match="another process grades into it"),
    ):
        run(course)


def test_it_runs_on_a_dask_cluster(course):
    pytest.importorskip("distributed")
    graded = run(course, backend="dask", jobs=1)
    assert {each.name: each.points for each in graded}["three"] == 2


def test_a_backend_that_is_not_there_is_named(course):
    with pytest.raises(SettingsError, match="backend is 'nowhere'"):
        run(course, backend="nowhere")


# --- which submissions ---------------------------------------------------------------------------


def test_zips_folders_and_folders_with_a_zip_are_submissions(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "report.qmd").write_text("")
    (tmp_path / "b").mkdir()
    for name in ("b/handed in.zip", "c.zip"):
        with zipfile.ZipFile(tmp_path / name, "w"):
            pass
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / ".git").mkdir()
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "out").mkdir()
    found = submissions(tmp_path, tmp_path / "out")
    assert {name: str(path.relative_to(tmp_path)) for name, path in found.items()} == {
        "a": "a",
        "b": "b/handed in.zip",
        "c": "c.zip",
    }


def test_a_folder_without_submissions_and_names_that_are_twice_are_refused(tmp_path):
    with pytest.raises(ClassError, match="holds no zip and no folder"):
        submissions(tmp_path)
    with pytest.raises(ClassError, match="is no folder"):
        submissions(tmp_path / "nowhere")
    (tmp_path / "a").mkdir()
    (tmp_path / "a.zip").write_text("")
    with pytest.raises(ClassError, match="remove one of them"):
        submissions(tmp_path)


# --- what is written -----------------------------------------------------------------------------


def test_no_text_of_a_submission_is_a_formula_to_a_spreadsheet(course):
    run(course)
    assert rows(course)["one"]["authors"] == "'=A; B"
    assert many.table([["=1+1", "+1", "-1", "@a", "\tb", -1, "a"]]) == (
        "'=1+1,'+1,'-1,'@a,'\tb,-1,a\n"
    )


def test_the_command_line_refuses_a_folder_that_is_none(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("grading.__main__.runner", lambda **_: None)
    assert main([str(tmp_path / "nowhere"), "--jobs", "2", "--output", str(tmp_path / "out")]) == 2
    assert "is no folder; name the one that holds all submissions" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--jobs", "0"])
