import copy
import re

import pytest
import yaml

from grading import document, functions, results
from grading.judge import evidence
from grading.rubric import FILE, RubricError, load, read
from literate.reader import REPORT, parse

DATA = yaml.safe_load(FILE.read_text(encoding="utf-8"))


def test_the_37_items_have_the_points_of_the_assignment():
    rubric = load()
    names = [f"a.{k}" for k in range(1, 10)] + [f"b.{k}" for k in range(1, 19)]
    names += [f"p.{k}" for k in range(1, 11)]
    assert list(rubric.items) == names
    assert [part.points for part in rubric.parts] == [25, 25, 50]
    assert rubric.points == 100


def test_every_check_that_the_rubric_names_is_known_and_every_check_is_used():
    rubric = load()
    assert sorted(rubric.names("functions")) == sorted(functions.CHECKS)
    assert sorted(rubric.names("results")) == sorted(results.CHECKS)
    assert sorted(rubric.names("document")) == sorted(rubric.shown)
    assert {shown.kind for shown in rubric.shown.values()} == set(document.KINDS)
    checks = {name for kind in ("functions", "document", "results") for name in rubric.names(kind)}
    assert set(rubric.words) <= checks


def test_what_the_rubric_wants_shown_is_what_the_report_shows():
    report = parse(REPORT.read_text(encoding="utf-8"))
    labels = {label.name for label in report.labels}
    assert set(load().shown) <= labels


@pytest.mark.parametrize(
    ("where", "value", "says"),
    [
        (("items", "p.5", "points"), 9, "p.5: its evidence is worth 8 of 9 points"),
        (("parts", "a", "points"), 30, "part a: items of 25, not 30"),
        (("items", "a.1", "guesses"), 1, "a.1: 'guesses' is no evidence"),
        (("credit", "claims"), "half", "a.1: credit for claims is 'half'"),
        (("items", "p.2", "document"), {"tbl-other": 3}, "tbl-other: say under `shown`"),
        (("version",), 2, "version is 2"),
    ],
)
def test_a_rubric_that_cannot_be_used_is_refused_with_the_reason(where, value, says):
    data = copy.deepcopy(DATA)
    *path, last = where
    inner = data
    for key in path:
        inner = inner[key]
    inner[last] = value
    with pytest.raises(RubricError, match=f"^{re.escape(says)}"):
        read(data)


@pytest.mark.parametrize("text", ["", "[]", "version: 1", "version: [", "items: 3\nversion: 1"])
def test_a_file_that_is_no_rubric_is_one_line(tmp_path, text):
    path = tmp_path / "rubric.yml"
    path.write_text(text)
    with pytest.raises(RubricError, match=r"^rubric\.yml: ") as error:
        load(path)
    assert "\n" not in str(error.value)


def test_partial_credit_is_a_rule_of_the_rubric():
    data = copy.deepcopy(DATA)
    data["items"]["p.2"]["credit"] = {"document": "whole"}
    share, whole = load().items["p.2"], read(data).items["p.2"]
    assert share.earned("document", 0.5) == 0.5
    assert whole.earned("document", 0.5) == 0
    assert whole.earned("document", 1.0) == 1
    assert not evidence(load().items["b.7"], None, {})[0].points
