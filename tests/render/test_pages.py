"""The pages of the report's PDF, by Typst and by LaTeX: reading order, and white feet."""

import json
import re
import shutil
import subprocess
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pypandoc
import pytest

from render import direct
from render.__main__ import REPORT
from render.document import ROOT
from render.execute import Session

pytestmark = pytest.mark.skipif(not shutil.which("pdftotext"), reason="there is no poppler")
NEEDS_LATEX = pytest.mark.skipif(not shutil.which("lualatex"), reason="there is no LaTeX")

KINDS = {"fig": "Figure", "tbl": "Table", "lst": "Listing"}
CAPTION = re.compile(r"^(Figure|Table|Listing) (\d+)\. ", re.M)
HEIGHT = 297  # of a page of A4, in mm
BODY = {"typst": (28, 271), "pdf": (25, 272)}  # its text begins and ends there


class Pdf(NamedTuple):
    """A rendered report: its file, and the text of each page in reading order."""

    path: Path
    to: str
    pages: list[str]

    @property
    def text(self) -> str:
        """All pages, without running heads and page numbers."""
        return "\n".join(self.pages)


@pytest.fixture(scope="module", params=["typst", pytest.param("pdf", marks=NEEDS_LATEX)])
def pdf(request, tmp_path_factory):
    """The real report."""
    session = Session(ROOT / "_output" / ".cache.json")
    try:
        path = direct.render(REPORT, request.param, session, tmp_path_factory.mktemp("pages"))
    finally:
        session.close()
    return Pdf(path, request.param, pages_of(path))


def pages_of(path: Path) -> list[str]:
    """The text of each page but for what stands above and below the body."""
    done = subprocess.run(["pdftotext", "-raw", path, "-"], capture_output=True, check=True)
    first, *others, _ = done.stdout.decode().split("\f")
    pages = [first.splitlines()[:-1], *(page.splitlines()[1:-1] for page in others)]
    return ["\n".join(lines) for lines in pages]


def squeezed(text: str) -> str:
    """The text without spaces and hyphens, with plain letters in formulas."""
    return re.sub(r"[\s\u00ad-]", "", unicodedata.normalize("NFKC", text))


# --- what the source says -----------------------------------------------------------------------


def blocks_of(source: str) -> list[dict]:
    text = re.sub(r"(?<=^```)\{python\}$", " {.python .chunk}", source, flags=re.M)
    document = pypandoc.convert_text(text, "json", "markdown+table_attributes")
    return json.loads(document)["blocks"]


def milestones(source: str) -> list[str]:
    """Sections and floats in the order of the source, as the report numbers them."""
    counts, sections, found = dict.fromkeys(KINDS, 0), [0, 0], []
    patterns = r"^(#{1,2}) (.*?) \{(.*)\}$|(?:^#\| label: |^::: \{#|^: .*\{#)(fig|tbl|lst)-[\w-]+"
    for level, title, attributes, kind in re.findall(patterns, source, re.M):
        if kind:
            counts[kind] += 1
            found.append(f"{KINDS[kind]} {counts[kind]}.")
        else:
            first, second = sections
            if ".unnumbered" not in attributes:
                sections = [first + 1, 0] if level == "#" else [first, second + 1]
                title = ".".join(map(str, sections[: len(level)])) + " " + title
            found.append(title.partition("$")[0].strip())
    return found


def paragraphs(blocks: list) -> Iterator[str]:
    """A pattern for each paragraph outside floats: formulas and values may be anything."""
    for block in blocks:
        kind, content = block["t"], block.get("c")
        if kind in ("Para", "Plain") and not is_display(content):
            yield pattern_of(content)
        elif kind == "Div" and not re.match("fig|tbl|lst", content[0][0]):
            yield from paragraphs(content[1])
        elif kind in ("BulletList", "OrderedList"):
            for item in content if kind == "BulletList" else content[1]:
                yield from paragraphs(item)


def is_display(inlines: list) -> bool:
    return inlines[0]["t"] == "Math" and inlines[0]["c"][0]["t"] == "DisplayMath"


def pattern_of(inlines: list) -> str:
    return "".join(map(pattern, inlines))


def pattern(inline: dict) -> str:
    kind, content = inline["t"], inline.get("c")
    if kind == "Str" or (kind == "Code" and not content[1].startswith("{python}")):
        return re.escape(squeezed(content if kind == "Str" else content[1]))
    if kind in ("Emph", "Strong"):
        return pattern_of(content)
    if kind == "Quoted":
        return f".{pattern_of(content[1])}."
    return "" if kind in ("Space", "SoftBreak") else ".{0,90}?"


# --- reading order ------------------------------------------------------------------------------


def test_every_float_stands_in_its_section_and_all_in_the_order_of_the_source(pdf):
    text, at, expected = pdf.text, len(pdf.pages[0]), milestones(REPORT.read_text())
    assert len(expected) > 80
    for milestone in expected:
        found = re.compile(rf"^{re.escape(milestone)}", re.M).search(text, at)
        assert found, f"{milestone} does not follow what stands before it in the source"
        at = found.end()


def test_every_float_stands_after_its_first_mention(pdf):
    text = pdf.text
    captions = list(CAPTION.finditer(text))
    assert len(captions) > 30
    assert [
        caption[0]
        for caption in captions
        if not re.search(rf"{caption[1]}\s{caption[2]}(?!\d)", text[: caption.start()])
    ] == []


def test_no_float_cuts_a_paragraph_or_a_sentence(pdf):
    text = squeezed(pdf.text)
    found = []
    for each in paragraphs(blocks_of(REPORT.read_text())):
        match = re.search(each, text)
        assert match, f"cut, or not set as it is written: {each}"
        found.append(match)
    assert len(found) > 300
