from dataclasses import replace

import pytest

from grading import trust
from grading.claims import Asked, Proven
from grading.items import MISSING, PARTLY, RIGHT, WRONG, Finding, Item, absent
from grading.judge import BESIDE, evidence, grade
from grading.rubric import load
from tests.grading.leaving import functions_alone

RUBRIC = load()
B7 = RUBRIC.items["b.7"]
YES, NO = Finding(1.0, "proven"), absent("missing")


def claimed(*findings, wrong=()):
    return Proven(tuple(Asked("show", r"\loss", each) for each in findings), tuple(wrong))


def test_claims_earn_in_proportion_or_all_or_nothing_as_the_rubric_says():
    proven = claimed(YES, YES, NO)
    assert sum(e.points for e in evidence(B7, proven, {})) == pytest.approx(2.0)
    whole = replace(B7, credit={**B7.credit, "claims": "whole"})
    assert sum(e.points for e in evidence(whole, proven, {})) == 0
    assert sum(e.points for e in evidence(whole, claimed(YES, YES), {})) == 3


def test_something_wrong_beside_proven_claims_costs_what_the_rubric_says_and_is_named():
    wrong = [Finding(0.0, "step 2, line 9: not so", line=7)]
    pieces = evidence(B7, claimed(YES, YES, wrong=wrong), {})
    assert sum(e.points for e in pieces) == pytest.approx(3 * (1 - B7.wrong))
    assert (pieces[-1].what, pieces[-1].says, pieces[-1].line) == (
        BESIDE,
        "step 2, line 9: not so",
        7,
    )
    assert len(evidence(B7, claimed(YES, NO, wrong=wrong), {})) == 2  # the missing claim costs


def test_other_evidence_earns_by_its_share():
    p2 = RUBRIC.items["p.2"]
    (piece,) = evidence(p2, None, {"document": {"tbl-single": Finding(0.75, "9 of 12 rows")}})
    assert (piece.points, piece.of) == (2.25, 3)


@pytest.mark.parametrize(
    ("findings", "status"),
    [
        ([YES, YES], RIGHT),
        ([YES, NO], PARTLY),
        ([Finding(0.0, "not so"), NO], WRONG),
        ([NO, NO], MISSING),
    ],
)
def test_the_status_of_an_item_is_that_of_its_evidence(findings, status):
    pieces = evidence(B7, claimed(*findings), {})
    assert Item("b.7", "", 3, pieces).status == status


@pytest.mark.parametrize("text", [None, "", "---\nauthor: 3\n---\n# {#sec-a1}\n$$", "\0\udcff"])
def test_a_submission_with_nothing_to_grade_gets_nothing_and_stops_nothing(tmp_path, text):
    if text is not None:
        (tmp_path / "report.qmd").write_text(text, encoding="utf-8", errors="surrogatepass")
    graded = grade(tmp_path, functions_alone(RUBRIC), trust.run)
    assert graded.points == 0
    assert len(graded.items) == 37
    assert {item.status for item in graded.items if item.evidence} == {MISSING}
    assert graded.notices
