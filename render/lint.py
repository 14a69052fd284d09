"""What a reader of the PDF would miss: faults in report.qmd that no engine complains of.

As a program, `python -m render.lint`, it prints them; the exit status is 1 if there are any.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from literate.reader import REPORT, read
from literate.report import Fault, Report
from literate.source import statements
from render import check, dialect

# LaTeX that is lost or badly set on the way to Typst, and what to write instead.
LATEX = {
    r"\\begin\{(align|gather|equation|multline)\*?\}": "use `aligned` inside $$",
    r"\\(tag|color|textcolor|mathbbm|intertext|eqref|label|nonumber)\b": "has no counterpart",
    r"\\begin\{(dcases|rcases)\}": "use `cases`",
    r"\\DeclareMathOperator": r"use \newcommand with \mathrm",
    r"\\mathop\{": r"use \operatorname*",
    r"\\operatorname\{\w+\}\s*\(": r"leaves a gap before the bracket; use \mathrm",
    r"\\\|": r"use \lVert … \rVert",
    r"\\left\s*\\lVert": r"use \lVert without \left",
    r"\\!": "is set badly; leave it out",
    r"\\left\.": r"use \Big| without \left.",
    r"\\begin\{array\}\{[^}]*\|": "rules in `array` are lost",
    r"(?<!\\left)(?<!\\right)(?<!\\[bB]ig)(?<![\\{a-z])\|": r"in mathematics: use \left| … \right|",
}
# What stands outside of mathematics and reaches no PDF by Typst, or not by every route.
OUTSIDE = {
    r"\\[A-Za-z]+": "LaTeX outside of mathematics is lost: use Markdown",
    r"</?[A-Za-z][\w-]*(?:\s[^<>]*)?/?>": "HTML is lost: use Markdown",
    r"[^\0-\u017f\u2010-\u2026]": "LaTeX's text font lacks this character: use mathematics",
    r"(?<=\|\n)\n*:(?!.*\{#tbl-).+": "a table's caption needs a label {#tbl-…}, else it is lost",
    r"\$\$": "a display without an end, or with an empty line in it, is shown as it is written",
}
NUMBERED = ("eq-", "fig-", "tbl-", "lst-")
NEEDED = {"fig-": ("fig-cap", "fig-alt"), "tbl-": ("tbl-cap",)}  # options by kind of label
WIDTH = 88
UNIT = r"%(?! interval)|(?:per ?cent|sec(?:ond)?s?|min(?:ute)?s?|hours?|[mµ]?s)\b"
RESULT = re.compile(rf"\d[\d.,]*(?:\\,|[\s\\$*-]){{0,4}}(?:{UNIT})")
NUMBER = re.compile(r"[\d.,\\%$\s]+")  # a formula that is no more than that
RESULTS = {"sec-practical", "sec-beyond"}  # the parts in which each figure is computed


def lint(path: Path = REPORT) -> list[str]:
    """Every fault as `report.qmd:LINE: what`, in the order of lines."""
    report = read(path)
    faults = [
        *check.faults(report, path.parent),
        *dialect.faults(report),
        *_latex(report),
        *_outside(report),
        *_labels(report),
        *_figures(report),
        *_typed_results(report),
        *_wide_code(report),
        *_macros_in_captions(report),
    ]
    return [f"{report.where(line)}: {what}" for line, what in sorted(set(faults))]


def _latex(report: Report) -> Iterator[Fault]:
    for piece in (*report.formulas, *report.macros):
        latex = report.text[piece.start : piece.end]
        for pattern, remedy in LATEX.items():
            for found in re.finditer(pattern, latex):
                yield Fault(report.line(piece.start + found.start()), f"{found[0]}: {remedy}")
    for formula in report.formulas:
        rows = formula.latex.split(r"\\")
        if "aligned" in formula.latex and any(row.count("&") > 1 for row in rows):
            yield Fault(formula.line, "several column pairs in one `aligned`: use one")


def _outside(report: Report) -> Iterator[Fault]:
    for pattern, remedy in OUTSIDE.items():
        for found in re.finditer(pattern, report.words):
            yield Fault(report.line(found.end()), f"{found[0].strip()}: {remedy}")


def _labels(report: Report) -> Iterator[Fault]:
    mentioned = {reference.name for reference in report.references} | set(statements())
    displays = {display.label for display in report.displays}
    for label in report.labels:
        name = label.name
        if name.startswith(NUMBERED) and name not in mentioned:
            yield Fault(label.line, f"{name} is never referred to")
        if name.startswith("eq-") and name not in displays:
            yield Fault(label.line, f"{name} follows no display on its last line")


def _figures(report: Report) -> Iterator[Fault]:
    for chunk in report.chunks:
        for option in NEEDED.get(chunk.label[:4], ()):
            if not str(chunk.options.get(option, "")).strip():
                yield Fault(chunk.line, f"chunk {chunk.label} lacks {option}")
    for image in report.images:
        if not re.search(r"fig-alt=.\s*[^\s\"']", image.attributes):
            shown = report.text[image.start : image.end]
            yield Fault(image.line, f"image without fig-alt: {shown}")


def _typed_results(report: Report) -> Iterator[Fault]:
    for found in RESULT.finditer(_with_numbers(report)):
        if RESULTS.intersection(report.sections(found.start())):
            line = report.line(found.start())
            yield Fault(line, f"{found[0]!r} is typed by hand: compute it in inline code")


def _with_numbers(report: Report) -> str:
    """The words of the report, and those of its formulas that are mere numbers."""
    text, begun = [], 0
    for formula in report.inlines:
        if NUMBER.fullmatch(formula.latex):
            text += [report.words[begun : formula.start], report.text[formula.start : formula.end]]
            begun = formula.end
    return "".join([*text, report.words[begun:]])


def _wide_code(report: Report) -> Iterator[Fault]:
    for chunk in report.chunks:
        if chunk.options.get("echo"):
            for number, row in enumerate(chunk.code.splitlines(), start=chunk.code_line):
                if len(row) > WIDTH:
                    yield Fault(number, f"a line of code of {len(row)} columns: {WIDTH} fit")


def _macros_in_captions(report: Report) -> Iterator[Fault]:
    macros = {macro.name for macro in report.macros}
    for chunk in report.chunks:
        for name in re.findall(r"\\[A-Za-z]+", chunk.caption):
            if name in macros:
                yield Fault(chunk.line, f"{name} in a caption: Quarto expands no macro there")


def main() -> int:
    """Print the faults of the report; 1 if there are any."""
    try:
        found = lint()
    except (OSError, ValueError) as error:
        print(f"render.lint: {error}", file=sys.stderr)
        return 1
    print("\n".join([*found, f"{REPORT.name}: {len(found)} faults"]))
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
