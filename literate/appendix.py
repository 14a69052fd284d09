"""The appendix's table: each equation that the program carries out, its symbol, shape and code."""

import re

from literate import shapes
from literate.reader import equations
from literate.source import Statement, statements


def table(part: str) -> str:
    """Markdown table of equation, symbol, shape, code and place, for one part of the report."""
    rows = [
        "| | Symbol | Shape | Code | Where |",
        "|--:|:-----|:----|:------------------|:--------|",
    ]
    shape, found = shapes.of_statements(), statements()
    for label in equations(part):
        if label in found:
            cells = [f"[-@{label}]", f"${symbol(label)}$", shape.get(label, "–")]
            cells += [f"`{_plain(found[label])}`", f"`{_place(found[label])}`"]
            rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def symbol(label: str) -> str:
    """The left-hand side of a labelled equation of the report, in LaTeX, on one line."""
    latex = equations()[label].removeprefix(r"\begin{aligned}")
    left = re.split(r"&?=|\\leftarrow", latex)[0].strip()
    return re.sub(r"^\\pd\{(.*?)\}\{(.*)\}$", r"\\partial \1 / \\partial \2", left)


def _plain(statement: Statement) -> str:
    """The statement on one line, without its label, layout and `return`."""
    code = re.sub(r"# @eq-[\w-]+|^return ", "", statement.code).strip()
    code = re.sub(r"\s+", " ", code)
    return code.replace("( ", "(").replace(" )", ")")


def _place(statement: Statement) -> str:
    return f"{statement.path.name}:{statement.line}"
