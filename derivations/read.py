"""What the checker reads of report.qmd: formulas by question, macros, and the tokens of LaTeX."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from literate.reader import parse
from literate.report import Heading

QUESTION = re.compile(r"([ab])(\d+)")
CHECK = re.compile(r"check:\s*(.*)", re.S)
TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|[^\s\\]")
ALIKE = {r"\left|": r"\lvert", r"\right|": r"\rvert", r"\ne": r"\neq", "!=": r"\neq"}
ALIKE |= {r"\le": r"\leq", r"\ge": r"\geq", r"\ln": r"\log", r"\operatorname": r"\mathrm"}
ALIKE |= {r"\boldsymbol": r"\mathbf", r"\widehat": r"\hat", r"\widetilde": r"\tilde"}
NO_MEANING = {
    r"\,",
    r"\;",
    r"\:",
    r"\!",
    r"\ ",
    "~",
    r"\quad",
    r"\left",
    r"\right",
    r"\displaystyle",
}
NO_MEANING |= {r"\big", r"\bigl", r"\bigr", r"\Big", r"\Bigl", r"\Bigr"}


class Token(NamedTuple):
    """A token of LaTeX and the line of report.qmd that it stands on."""

    text: str
    line: int


class Macro(NamedTuple):
    """A macro of the report: how many arguments it takes, and what it stands for."""

    arity: int
    body: list[str]


@dataclass(frozen=True)
class Display:
    """One display: where it is, what it says, and the comments that stand directly before it."""

    question: str  # as in b.7; elsewhere the section's label
    line: int  # of the opening $$
    label: str  # eq-…, or empty
    latex: str
    comments: tuple[str, ...]  # without `check:`


@dataclass(frozen=True)
class Inline:
    """One formula within a line: where it is, and what it says."""

    question: str  # as in b.7; elsewhere the section's label
    line: int
    latex: str


def displays(text: str) -> list[Display]:
    """The displays of the report's source."""
    return [
        Display(
            question(display.section),
            display.line,
            display.label,
            display.latex,
            tuple(check[1] for note in display.comments if (check := CHECK.match(note))),
        )
        for display in parse(text).displays
    ]


def inlines(text: str) -> list[Inline]:
    """The formulas within lines of the report's source."""
    found = parse(text).inlines
    return [Inline(question(formula.section), formula.line, formula.latex) for formula in found]


def headings(text: str) -> tuple[Heading, ...]:
    """The headings of the report's source."""
    return parse(text).headings


def macros(text: str) -> dict[str, Macro]:
    """The report's own macros, one macro a line."""
    return {
        macro.name: Macro(macro.arity, TOKEN.findall(macro.body)) for macro in parse(text).macros
    }


def question(label: str) -> str:
    """The question that a section answers: sec-b7 -> b.7; else the label without `sec-`."""
    name = label.removeprefix("sec-")
    asked = QUESTION.fullmatch(name)
    return f"{asked[1]}.{asked[2]}" if asked else name


def tokens(latex: str, line: int, known: dict[str, Macro]) -> list[Token]:
    """The tokens of LaTeX that starts on `line`: macros expanded, synonyms and spacing resolved."""
    rows = enumerate(latex.split("\n"), line)
    rest = [Token(t, n) for n, row in rows for t in TOKEN.findall(row.split("<!--")[0])][::-1]
    found: list[Token] = []
    while rest:
        token = rest.pop()
        if token.text in known:
            macro = known[token.text]
            arguments = [_group(rest) for _ in range(macro.arity)]
            body: list[Token] = []
            parts = iter(macro.body)
            for text in parts:
                body += (
                    arguments[int(next(parts)) - 1] if text == "#" else [Token(text, token.line)]
                )
            rest += reversed(body)
            continue
        pair = token.text + rest[-1].text if rest else ""
        if pair in ALIKE:
            rest.pop()
        text = ALIKE.get(pair) or ALIKE.get(token.text, token.text)
        if text not in NO_MEANING:
            found.append(Token(text, token.line))
    return found


def _group(rest: list[Token]) -> list[Token]:
    """Take a token, or a group without its braces, off the end of the reversed list."""
    inside, depth = [], 0
    while rest:
        token = rest.pop()
        depth += {"{": 1, "}": -1}.get(token.text, 0)
        inside.append(token)
        if depth == 0:
            break
    return inside[1:-1] if len(inside) > 1 else inside
