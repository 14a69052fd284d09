"""What a reader of the PDF would miss: faults in report.qmd that no engine complains of.

As a program, `python -m render.lint`, it prints them; the exit status is 1 if there are any.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import yaml

from render.document import ROOT, Part, ReportError, read

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
}
# What stands outside of mathematics and reaches no PDF by Typst, or not by every route.
OUTSIDE = {
    r"\\[A-Za-z]+": "LaTeX outside of mathematics is lost: use Markdown",
    r"</?[A-Za-z][\w-]*(?:\s[^<>]*)?/?>": "HTML is lost: use Markdown",
    r"[^\0-\u017f\u2010-\u2026]": "LaTeX's text font lacks this character: use mathematics",
    r"(?<=\|\n)\n*:(?!.*\{#tbl-).+": "a table's caption needs a label {#tbl-…}, else it is lost",
}
LABEL = re.compile(r"\{[^{}\n]*#((?:eq|fig|tbl|lst|sec)-[\w-]+)")
USE = re.compile(r"(?<![\w`])@((?:eq|fig|tbl|lst|sec)-[\w-]*\w)")
NUMBERED = ("eq-", "fig-", "tbl-", "lst-")
WIDTH = 88
UNIT = r"%(?! interval)|(?:per ?cent|sec(?:ond)?s?|min(?:ute)?s?|hours?|[mµ]?s)\b"
RESULT = rf"\d[\d.,]*(?:\\,|[\s\\$*-]){{0,4}}(?:{UNIT})"
MATH = re.compile(r"\$\$(.+?)\$\$|(?<![\\$])\$(?!\s)([^$\n]+(?:\n[^$\n]+)?)\$", re.S)


def lint(path: Path = ROOT / "report.qmd") -> list[str]:
    """Every fault as `report.qmd:LINE: what`, in the order of lines."""
    _, parts = read(path)
    faults = [
        *_latex(parts),
        *_outside(parts),
        *_labels(parts),
        *_figures(parts),
        *_typed_results(parts),
    ]
    faults += [*_wide_code(parts), *_macros_in_captions(parts)]
    return [f"{path.name}:{line}: {text}" for line, text in sorted(set(faults))]


Parts = list[Part]
Faults = Iterator[tuple[int, str]]


def _prose(parts: Parts) -> Iterator[tuple[str, int]]:
    """Prose with its first line; fenced code, code spans and comments blanked, lines kept."""
    for part in parts:
        if part.options is None:
            text = re.sub(
                r"(^```.*?^```$|<!--.*?-->|`[^`\n]+`)",
                _blank,
                part.prose,
                flags=re.S | re.M,
            )
            yield text, part.line


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0])


def _line(text: str, position: int, first: int) -> int:
    return first + text.count("\n", 0, position)


def _latex(parts: Parts) -> Faults:
    for text, first in _prose(parts):
        for pattern, remedy in LATEX.items():
            for found in re.finditer(pattern, text):
                yield _line(text, found.start(), first), f"{found[0]}: {remedy}"
        for found in MATH.finditer(text):
            body, line = found[1] or found[2], _line(text, found.start(), first)
            if re.search(r"(?<!\\left)(?<!\\right)(?<!\\[bB]ig)(?<![\\{a-z])\|", body):
                yield line, r"| in mathematics: use \left| … \right|"
            if any(row.count("&") > 1 for row in re.split(r"\\\\", body)) and "aligned" in body:
                yield line, "several column pairs in one `aligned`: use one"


def _outside(parts: Parts) -> Faults:
    for text, first in _prose(parts):
        text = re.sub(r"^\\newcommand.*", "", MATH.sub(_blank, text), flags=re.M)
        for pattern, remedy in OUTSIDE.items():
            for found in re.finditer(pattern, text):
                yield _line(text, found.end(), first), f"{found[0].strip()}: {remedy}"


def _labels(parts: Parts) -> Faults:
    defined = [
        (found[1], _line(text, found.start(), first))
        for text, first in _prose(parts)
        for found in LABEL.finditer(text)
    ] + [
        (part.options["label"], part.line)
        for part in parts
        if part.options and "label" in part.options
    ]
    used = [
        (found[1], _line(text, found.start(), first))
        for text, first in _prose(parts)
        for found in USE.finditer(text)
    ]
    captions = " ".join(
        str(part.options.get(f"{kind}-cap", ""))
        for part in parts
        if part.options
        for kind in ("fig", "tbl", "lst")
    )
    known, mentioned = {label for label, _ in defined}, {label for label, _ in used}
    mentioned |= {found[1] for found in USE.finditer(captions)} | code_labels()
    counts = Counter(label for label, _ in defined)
    for label, line in defined:
        if counts[label] > 1:
            yield line, f"label {label} is given {counts[label]} times"
        if label not in mentioned and label.startswith(NUMBERED):
            yield line, f"{label} is never referred to"
    for label, line in used:
        if label not in known:
            yield line, f"reference to @{label}, which nothing bears"


def code_labels(root: Path = ROOT) -> set[str]:
    """The equation labels that code lines of the package bear."""
    files = sorted((root / "mlp").glob("*.py"))
    return {found for f in files for found in re.findall(r"# @(eq-[\w-]*\w)", f.read_text())}


def _figures(parts: Parts) -> Faults:
    for part in parts:
        if part.options:
            label = str(part.options.get("label", ""))
            for prefix, needed in (("fig-", ("fig-cap", "fig-alt")), ("tbl-", ("tbl-cap",))):
                for option in needed:
                    if label.startswith(prefix) and not str(part.options.get(option, "")).strip():
                        yield part.line, f"chunk {label} lacks {option}"
    for text, first in _prose(parts):
        for found in re.finditer(r"!\[[^\]]*\]\([^)]*\)(\{[^}]*\})?", text):
            if not re.search(r"fig-alt=.\s*[^\s\"']", found[1] or ""):
                yield _line(text, found.start(), first), f"image without fig-alt: {found[0]}"


def _typed_results(parts: Parts) -> Faults:
    practical = False
    for text, first in _prose(parts):
        text = MATH.sub(lambda m: m[0] if re.fullmatch(r"[\d.,\\%$\s]+", m[0]) else _blank(m), text)
        for found in re.finditer(rf"^# .*|{RESULT}", text, re.M):
            if found[0].startswith("# "):
                practical = "#sec-practical" in found[0] or "#sec-beyond" in found[0]
            elif practical:
                line = _line(text, found.start(), first)
                yield line, f"{found[0]!r} is typed by hand: compute it in inline code"


def _wide_code(parts: Parts) -> Faults:
    for part in parts:
        if part.options and part.options.get("echo"):
            head = 1 + len(part.options)
            for number, line in enumerate(part.code.splitlines(), start=part.line + head):
                if len(line) > WIDTH:
                    yield number, f"a line of code of {len(line)} columns: {WIDTH} fit the page"


def _macros_in_captions(parts: Parts) -> Faults:
    macros = {name for p in parts for name in re.findall(r"\\newcommand\{(\\\w+)\}", p.prose)}
    for part in parts:
        for kind in ("fig", "tbl"):
            for name in re.findall(r"\\[A-Za-z]+", (part.options or {}).get(f"{kind}-cap", "")):
                if name in macros:
                    yield part.line, f"{name} in a caption: Quarto expands no macro there"


if __name__ == "__main__":
    try:
        found = lint()
    except (ReportError, yaml.YAMLError) as error:
        sys.exit(f"render.lint: {error}")
    print("\n".join([*found, f"report.qmd: {len(found)} faults"]))
    sys.exit(bool(found))
