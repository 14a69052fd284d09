import re

from grading import overview
from grading.similar import Pair


def grade(points, **statuses):
    items = [
        {"question": question.replace("_", "."), "status": status, "points": got, "of": 2.0}
        for question, (status, got) in statuses.items()
    ]
    return {"points": points, "of": 4.0, "authors": ["A <b>", "B"], "items": items}


GRADES = {
    "first": grade(4.0, a_1=("right", 2.0), a_2=("right", 2.0)),
    "second": grade(1.0, a_1=("partly", 1.0), a_2=("missing", 0.0)),
    "third one": grade(0.0, a_1=("wrong", 0.0), a_2=("missing", 0.0)),
}


def test_the_page_says_mean_median_and_how_each_item_was_answered():
    page = overview.page(GRADES, {}, [])
    assert "<h1>3 submissions</h1>" in page
    assert "<b>1.67</b> of 4 points on average" in page
    assert "Median 1, lowest 0, highest 4." in page
    rows = {row.partition("</td>")[0]: row for row in page.split("<tr><td>")}
    cells = [cell.partition("<")[0] for cell in rows["a.1"].split('class="number">')[1:]]
    assert cells == ["1 of 2", "1", "1", "1", "0"]
    assert 'value="0.3333"' in rows["a.2"]


def test_it_counts_submissions_by_their_share_of_points():
    page = overview.page(GRADES, {}, [])
    counts = dict(re.findall(r'scope="row">(\d+) to .*?number">(\d+)<', page))
    assert counts == {str(10 * i): "1" if i in (0, 2, 9) else "0" for i in range(10)}


def test_who_is_alike_is_listed_as_a_hint():
    page = overview.page(GRADES, {}, [Pair("first", "third one", 0.914, 0.5)])
    assert "A hint to look" in page
    assert '<a href="third%20one/grade.html">third one</a>' in page
    assert "91%" in page
    assert "No two have much in common" in overview.page(GRADES, {}, [])


def test_what_a_submission_says_is_text_in_the_page():
    page = overview.page(GRADES | {"<i>": grade(0.0)}, {"<script>": "no <grade>"}, [])
    assert "A &lt;b&gt;" in page
    assert "&lt;script&gt; has no grade: no &lt;grade&gt;" in page
    assert "<i>" not in page
    assert "<script>" not in page


def test_a_class_of_which_none_could_be_graded_has_a_page():
    page = overview.page({}, {"first": "no zip"}, [])
    assert "<h1>1 submission</h1>" in page
    assert "None of them could be graded." in page
