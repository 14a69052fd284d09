import json
from dataclasses import replace

import pytest
from pypdf import PdfReader

from grading import exports, sheet
from grading.items import Evidence, Grade, Item
from grading.rubric import load

RUBRIC = load()
HOSTILE = '<script>alert(1)</script> #read("/etc/passwd") $x$ *b* @sec-a1 \\input{x} ](y) `z`'


def piece(share=1.0, says="proven", latex=r"\loss = \log(\sum_{l=1}^{m} \exp(\oa_l)) - \oa_y"):
    return Evidence("claims", "show", share, 2 * share, 2.0, says, True, 12, latex)


def item(question, says="proven", share=1.0, **more):
    of = RUBRIC.items[question].points
    named = Evidence("functions", "ha", share, share * (of - 2), of - 2, says, share > 0, 0)
    pieces = (piece(share, says), named)
    return Item(
        question, f"Heading of {question} with $L_2$", of, pieces, "2.1 Heading", 3, 40, **more
    )


GRADE = Grade(
    tuple(item(question) for question in RUBRIC.items), "A report", ("Ada", "Emmy"), seed=7
)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sheet")
    items = [item("a.1", HOSTILE, 0.0, remark=HOSTILE, given=1.5), *GRADE.items[1:]]
    hostile = replace(
        GRADE, items=tuple(items), title=HOSTILE, authors=(HOSTILE,), notices=(HOSTILE,)
    )
    sheet.write(hostile, RUBRIC, folder)
    return folder


def text_of(path):
    return [page.extract_text() for page in PdfReader(path).pages]


def test_the_pdf_has_one_page_of_summary_and_then_an_entry_an_item(written):
    first, *rest = text_of(written / "grade.pdf")
    for question in RUBRIC.items:
        assert question in first
        assert question in "\n".join(rest)
    assert "right; section 2.1, page 3, report.qmd, line 40" in " ".join(rest)


def test_what_a_submission_says_is_text_and_nothing_else(written):
    page = (written / "grade.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; #read(&quot;/etc/passwd&quot;) $x$" in page
    first, *rest = text_of(written / "grade.pdf")
    assert '#read("/etc/passwd") $x$ *b*' in first
    assert '#read("/etc/passwd")' in "".join(rest)


def test_points_by_a_teacher_are_shown_as_such(written):
    page = (written / "grade.html").read_text(encoding="utf-8")
    assert "1.5 of 3 by the teacher; 0 by the evidence" in page
    first, second, *_ = text_of(written / "grade.pdf")
    assert "points given by the teacher" in first
    assert "points given by the teacher, 0 by the evidence" in second


def test_formulas_are_set_as_mathematics_in_both(written):
    page = (written / "grade.html").read_text(encoding="utf-8")
    assert "<math" in page
    assert r"\loss" not in page.replace(r'encoding="application/x-tex"', "").split("annotation")[0]
    assert "log" in text_of(written / "grade.pdf")[1]


def test_grade_json_says_what_it_is_documented_to_say(tmp_path):
    data = exports.as_data(GRADE, RUBRIC)
    exports.write(data, tmp_path / "grade.json")
    read = json.loads((tmp_path / "grade.json").read_text(encoding="utf-8"))
    assert read == data
    assert read["version"] == 1
    documented = exports.__doc__
    for keys in (read, read["items"][0], read["items"][0]["evidence"][0], read["parts"][0]):
        for key in keys:
            assert key in documented
    assert sum(part["points"] for part in read["parts"]) == pytest.approx(read["points"])


def test_results_json_is_what_gradescope_reads():
    hostile = replace(GRADE, items=(item("a.1", "no", 0.0, remark="Why?"), *GRADE.items[1:]))
    data = exports.gradescope(hostile)
    assert data["score"] == hostile.points
    assert len(data["tests"]) == 37
    first, second, *_ = data["tests"]
    assert {"score", "max_score", "name", "number", "output", "visibility"} <= first.keys()
    assert (first["status"], second["status"]) == ("failed", "passed")
    assert "teacher: Why?" in first["output"]
    assert sum(test["max_score"] for test in data["tests"]) == 100


@pytest.mark.parametrize(
    ("points", "text"),
    [(3.0, "3"), (1.5, "1.5"), (0.25, "0.25"), (-0.75, "−0.75"), (1 / 3, "0.33")],
)
def test_points_are_said_with_as_few_decimals_as_they_have(points, text):
    assert sheet.number(points) == text
