import pytest

from grading import trust
from grading.places import Pdf, label_of, places, read_pdf
from literate.reader import parse

TEXT = """
# Notation {.unnumbered #sec-notation}

# Part a {#sec-a}

## The squared $L_2$ norm {#sec-a1}

text

## The sign {#sec-a2}

# Part b {#sec-b}

## A layer {#sec-b1}
"""


def test_sections_have_numbers_lines_and_pages():
    pdf = Pdf((), [("1 Part a", 3), ("1.1 The squared L2 norm", 4), ("2.1 A layer", 9)])
    found = places(parse(TEXT), pdf)
    assert found["sec-a1"] == ("1.1 The squared $L_2$ norm", 6, 9, 4)
    assert found["sec-b1"].page == 9
    assert found["sec-a2"].page == 0  # the PDF does not have it
    assert found["sec-notation"].section == "Notation"


def test_without_bookmarks_a_section_is_where_its_heading_is_a_line_not_in_the_contents():
    pages = ["Contents\n1.2 The sign . . . 3\n", "the sign, as in 1.2", "x\n1.2 The sign\ny", ""]
    assert places(parse(TEXT), Pdf(pages, ()))["sec-a2"].page == 3


@pytest.mark.parametrize(
    ("question", "label"), [("a.1", "sec-a1"), ("b.18", "sec-b18"), ("p.10", "sec-p10")]
)
def test_a_question_is_answered_in_the_section_of_that_name(question, label):
    assert label_of(question) == label


def test_a_pdf_that_cannot_be_read_has_no_pages_and_one_that_is_not_there_is_none(tmp_path):
    assert read_pdf(tmp_path, trust.run) is None
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.7 nothing")
    assert read_pdf(tmp_path, trust.run) == Pdf((), ())
