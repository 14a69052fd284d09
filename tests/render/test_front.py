"""What the front matter says, on both routes: titles, paper, fonts, date, abstract."""

import re

import pytest
from pypdf import PdfReader

from tests.render.conftest import NEEDS_LATEX, QUICK, ROUTES, for_quarto, text_of

TITLES = """---
title: 'The "sigmoid" by hand: $x^2$ and *emphasis*'
subtitle: 'From $y_1$ to **b**'
author:
  - name: 'First *Author*'
  - name: 'Second "Nick" Author'
---
"""
PAGE = """---
title: A title
date: 2026-01-05
abstract: |
  An *abstract*, $a = b$.

  Its second paragraph.
papersize: letter
margin:
  x: 5cm
mainfont: DejaVu Serif
fontsize: 12pt
---
"""
PDFS = pytest.mark.parametrize("to", ["typst", pytest.param("pdf", marks=NEEDS_LATEX)])


@ROUTES
@PDFS
def test_titles_have_mathematics_and_emphasis_and_metadata_have_neither(tmp_path, route, to):
    for_quarto(tmp_path, f"{TITLES}{QUICK}\n{{{{< pagebreak >}}}}\n\nMore.\n")
    pdf = route(tmp_path, to)
    text = text_of(pdf)
    plain = "The “sigmoid” by hand: x^2 and emphasis"
    assert re.search("The “sigmoid” by hand: (x|𝑥) ?2 and emphasis", text)
    assert re.search("From (y|𝑦) ?1 to b", text)
    assert re.search("First Author.*Second “Nick” Author", text)
    assert PdfReader(pdf).metadata.title == plain
    if to == "typst":
        assert PdfReader(pdf).metadata.author == "First Author, Second “Nick” Author"
        assert plain in PdfReader(pdf).pages[1].extract_text()


@ROUTES
def test_titles_in_html_have_mathematics_and_emphasis(tmp_path, route):
    for_quarto(tmp_path, TITLES + QUICK)
    html = route(tmp_path, "html").read_text()
    assert "<title>The “sigmoid” by hand: x^2 and emphasis</title>" in html
    assert re.search(r"<h1[^>]*>The “sigmoid” by hand: <math.*<em>emphasis</em></h1>", html)
    assert "<strong>b</strong></p>" in html
    assert "First <em>Author</em>" in html


@ROUTES
@PDFS
def test_paper_margins_font_date_and_abstract_are_as_the_front_matter_says(tmp_path, route, to):
    for_quarto(tmp_path, PAGE + QUICK)
    reader = PdfReader(route(tmp_path, to))
    page = reader.pages[-1]
    assert [round(float(x)) for x in page.mediabox] == [0, 0, 612, 792]
    fonts = str([font.get_object()["/BaseFont"] for font in page["/Resources"]["/Font"].values()])
    assert "DejaVuSerif" in fonts
    places = []
    page.extract_text(
        visitor_text=lambda text, to, at, *_: places.append((text.strip(), to[4], at[4]))
    )
    left = min(x + at for text, x, at in places if text)
    assert left == pytest.approx(5 / 2.54 * 72, abs=1)
    first = reader.pages[0].extract_text()
    for expected in ("5 January 2026", "Abstract", "An abstract", "Its second paragraph."):
        assert expected in first


@ROUTES
def test_date_and_abstract_stand_in_html(tmp_path, route):
    for_quarto(tmp_path, PAGE + QUICK)
    html = route(tmp_path, "html").read_text()
    assert re.search("<p[^>]*>5 January 2026</p>", html)
    assert re.search(r'<div class="abstract">\s*<p>An <em>abstract</em>', html)
    assert html.count("Its second paragraph.") == 1
