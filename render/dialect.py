"""What the direct route understands of Quarto; anything else is refused, never dropped.

Chunks and inline values are Python. References are @eq-, @fig-, @tbl-, @lst-, @sec-, @thm- and the
like, and citations; inline values are texts, numbers or Markdown(...). Figures, tables and listings
with a caption are chunks, or divs that end in it, or images that stand alone.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from literate import reader
from literate.report import Chunk, Fault, Report
from render import options

# Of the front matter; whatever else concerns the document stands in _quarto.yml.
TEXT = r"(?s).+"
LENGTH = r"\d+(\.\d+)?(mm|cm|in|pt)"
FRONT = {
    "title": TEXT,
    "subtitle": TEXT,
    "author": "",
    "author name": TEXT,
    "date": r"\d{4}-\d\d-\d\d",
    "abstract": TEXT,
    "bibliography": TEXT,
    "jupyter": "python3",
    "format": "typst",
    "papersize": r"[\w-]+",
    "mainfont": r"[\w -]+",
    "fontsize": LENGTH,
    "margin": "",
    **{f"margin {side}": LENGTH for side in ("x", "y", "top", "bottom", "left", "right")},
}
TEXTS = ("label", "fig-cap", "fig-alt", "tbl-cap")  # options of chunks
SWITCHES = ("echo", "output")
READS = {"reads": "mathematics"}  # our own: what the chunk shows depends on the report's formulas
QUOTED = r"(?:\"[^\"]*\"|'[^']*')"
DIVS = re.compile(
    r"\{\.(?:abstract|result|marginal|proof)\}|\{#refs\}|\{#(?:fig|tbl|lst)-[\w-]+\}"
    rf"|\{{\.callout-(?:note|tip|warning|caution|important)(?: title={QUOTED})?\}}"
    r"|\{#(?:thm|lem|cor|prp|cnj|def|exm|exr)-[\w-]+(?: \.[a-z]+)?\}"
    r"|\{\.content-(?:visible|hidden) (?:when|unless)-format=\"(?:typst|html|pdf|ipynb)\"\}"
)
SIZE = r"width=\d+(?:\.\d+)?(?:%|mm|cm|in|px)"
IMAGE = re.compile(rf"(?:\{{(?:fig-alt={QUOTED}|{SIZE}| )*\}})?")  # its attributes
FIGURE = re.compile(rf"\{{#fig-[\w-]+(?: fig-alt={QUOTED}| {SIZE})* *\}}")  # with a caption
SHORTCODE = re.compile(r"\{\{<.*")
PAGE_BREAK = "{{< pagebreak >}}"
METADATA = re.compile(r"(?<=\n)--- *\n\w[\w-]*:.*")  # in the text


class ReportError(ValueError):
    """A fault in the report; the message names file, line and remedy."""


LINE = re.compile(r"^report\.qmd:(\d+)")


def placed(error: ReportError, report: Report) -> ReportError:
    """An error about a line of the report's text, with the file and line that it comes from."""
    return ReportError(LINE.sub(lambda found: report.where(int(found[1])), str(error)))


def read(path: Path) -> Report:
    """A report in the dialect. Raises ReportError at the first line that is not, OSError."""
    try:
        report = reader.read(path)
    except UnicodeDecodeError as error:
        raise ReportError(f"{path.name}: not UTF-8, save it as that: {error}") from error
    for line, what in sorted(faults(report)):
        raise ReportError(f"{report.where(line)}: {what}")
    return report


def faults(report: Report) -> Iterator[Fault]:
    """All that is not in the dialect."""
    yield from report.faults
    lines = report.text.splitlines()
    for keys, value, line in options.front(report):
        if not re.fullmatch(FRONT.get(" ".join(keys), r"(?!)"), value):
            yield Fault(line, f"not in the dialect: {lines[line - 1]}")
    for chunk in report.chunks:
        yield from _options(chunk)
    for block in report.blocks:
        if block.info == "{python}":
            yield Fault(block.line, "not in the dialect: a chunk {python} that is indented")
        elif re.match(r"\{[^.]", block.info):
            yield Fault(block.line, f"only {{python}} chunks run, not {block.info}")
    for div in report.divs:
        if not DIVS.fullmatch(div.attributes):
            yield Fault(div.line, f"not in the dialect: ::: {div.attributes}")
    for image in report.images:
        known = FIGURE if image.caption else IMAGE
        if not known.fullmatch(image.attributes):
            shown = report.text[image.start : image.end]
            yield Fault(image.line, f"not in the dialect: {shown}; a caption needs {{#fig-…}}")
    for found in SHORTCODE.finditer(report.prose):
        if report.prose[: found.end()].splitlines()[-1].rstrip() != PAGE_BREAK:
            shortcodes = f"{PAGE_BREAK}; {{{{< include FILE >}}}}, of a file in the report's folder"
            what = f"not in the dialect: {found[0]}; known, on a line alone: {shortcodes}"
            yield Fault(report.line(found.start()), what)
    for found in METADATA.finditer(report.prose):
        yield Fault(report.line(found.start()), f"not in the dialect: {found[0]}")


def _options(chunk: Chunk) -> Iterator[Fault]:
    for key, value in chunk.options.items():
        known = {str: TEXTS, bool: SWITCHES}.get(type(value), ())
        if key not in known and READS.get(key) != value:
            said = f"texts {TEXTS}, true or false {SWITCHES}, and {READS}"
            yield Fault(chunk.line, f"no chunk option {key}: {value!r}; known: {said}")
        elif key.endswith("-cap") and not chunk.label.startswith(key[:4]):
            yield Fault(chunk.line, f"{key} needs a label that begins with {key[:4]}")
