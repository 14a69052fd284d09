"""The formula sheet: each result that the program carries out, its shape, and the line of code."""

import re
from collections.abc import Callable

from literate import shapes
from literate.reader import equations
from literate.source import Statement, statements

LAYOUT = re.compile(r"\\(begin|end)\{aligned\}|\\why\{[^{}]*\}|\\\\|&|\\quad")
SLOPE = r"\partial {} / \partial {}"
RELATIONS = ("=", r"\leftarrow")


def sheet() -> str:
    """Markdown table of number, result, shape, code and place of every equation of the program."""
    rows = [
        "| | Result | Shape | numpy | Where |",
        "|--:|:--|:--|:--|:--|",
    ]
    shape, found = shapes.of_statements(), statements()
    for label in equations():
        if label in found:
            cells = [f"[-@{label}]", f"${result(label)}$", shape.get(label, "–")]
            cells += [f"`{_plain(found[label])}`", f"`{_place(found[label])}`"]
            rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def result(label: str) -> str:
    """A labelled equation of the report on one line, in LaTeX: the first and the last side of it.

    Shapes below it and reasons beside it are left out, derivatives are written with a slash.
    """
    latex = " ".join(LAYOUT.sub(" ", equations()[label]).split()).rstrip(" .,")
    latex = _rewritten(latex, "dims", "{}".format)
    left, relation, right = _first_and_last(latex)
    factor = SLOPE if _is_one(right, "pd") else rf"\left( {SLOPE} \right)"
    left, right = _rewritten(left, "pd", SLOPE.format), _rewritten(right, "pd", factor.format)
    return f"{left} {relation} {right}"


def _is_one(latex: str, macro: str) -> bool:
    """Whether a formula is no more than a macro with two arguments."""
    start = rf"\{macro}"
    if not latex.startswith(start + "{"):
        return False
    _, middle = _group(latex, len(start))
    return _group(latex, middle)[1] == len(latex)


def _rewritten(latex: str, macro: str, write: Callable[[str, str], str]) -> str:
    """The formula with each macro of two arguments written in another way."""
    while (at := latex.find(rf"\{macro}{{")) >= 0:
        first, middle = _group(latex, at + 1 + len(macro))
        second, end = _group(latex, middle)
        latex = latex[:at] + write(first, second) + latex[end:]
    return latex


def _group(latex: str, at: int) -> tuple[str, int]:
    """What stands in the braces that open at a place, and the place behind them."""
    depth = 0
    for place in range(at, len(latex)):
        depth += {"{": 1, "}": -1}.get(latex[place], 0)
        if depth == 0:
            return latex[at + 1 : place], place + 1
    raise ValueError(f"braces do not match in {latex}")


def _first_and_last(latex: str) -> tuple[str, str, str]:
    """The first side of a chain, its last relation, and the last side."""
    depth, places = 0, []
    for place, letter in enumerate(latex):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        places += [(place, r) for r in RELATIONS if depth == 0 and latex.startswith(r, place)]
    (first, _), (last, relation) = places[0], places[-1]
    return latex[:first].strip(), relation, latex[last + len(relation) :].strip()


def _plain(statement: Statement) -> str:
    """The statement on one line, without its label, layout and `return`."""
    code = re.sub(r"# @eq-[\w-]+|^return ", "", statement.code).strip()
    code = re.sub(r"\s+", " ", code)
    return code.replace("( ", "(").replace(" )", ")")


def _place(statement: Statement) -> str:
    return f"{statement.path.name}:{statement.line}"
