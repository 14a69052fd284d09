"""Reads the displays out of report.qmd: LaTeX, line, label, comments; and the macros."""

import re
from dataclasses import dataclass
from typing import NamedTuple

CHUNK = re.compile(r"^ *(`{3,}).*?^ *\1 *$", re.M | re.S)
MACRO = re.compile(r"^ *\\newcommand\{(\\[A-Za-z]+)\}(?:\[(\d)\])?\{(.*)\} *$", re.M)
HEADING = re.compile(r"^#+ .*$", re.M)
SECTION = re.compile(r"#sec-([\w-]+)")
DISPLAY = re.compile(r"\$\$(.*?)\$\$(?:\s*\{#(eq-[\w-]+))?", re.S)
COMMENT = re.compile(r"<!--\s*check:\s*(.*?)\s*-->", re.S)
HIDDEN = re.compile(r"<!--.*?-->", re.S)
INLINE = re.compile(r"(?<![\\$])\$([^$]+)\$")
BEFORE = re.compile(r"(?:<!--.*?-->\s*)+\Z", re.S)
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
    comments: tuple[str, ...]


@dataclass(frozen=True)
class Inline:
    """One formula within a line: where it is, and what it says."""

    question: str  # as in b.7; elsewhere the section's label
    line: int
    latex: str
    before: str  # the text between the formula before it and this one


def displays(text: str) -> list[Display]:
    """The displays of the report's source."""
    text = _visible(text)
    found, end = [], 0
    headings = [(h.start(), h[0]) for h in HEADING.finditer(text)]
    for match in DISPLAY.finditer(text):
        before = BEFORE.search(text, end, match.start())
        end = match.end()
        sections = [s[1] for start, h in headings if start < end and (s := SECTION.search(h))]
        question = re.sub(r"^([ab])(\d+)$", r"\1.\2", sections[-1]) if sections else ""
        line = text.count("\n", 0, match.start()) + 1
        comments = tuple(COMMENT.findall(before[0])) if before else ()
        found.append(Display(question, line, match[2] or "", match[1], comments))
    return found


def inlines(text: str) -> list[Inline]:
    """The formulas within lines of the report's source."""
    text = DISPLAY.sub(_blank, _visible(text))
    headings = [(h.start(), h[0]) for h in HEADING.finditer(text)]
    found, end = [], 0
    for match in INLINE.finditer(text):
        above = [
            s[1] for start, h in headings if start <= match.start() and (s := SECTION.search(h))
        ]
        question = re.sub(r"^([ab])(\d+)$", r"\1.\2", above[-1]) if above else ""
        line = text.count("\n", 0, match.start()) + 1
        found.append(Inline(question, line, match[1], text[end : match.start()]))
        end = match.end()
    return found


def _visible(text: str) -> str:
    """The text without what does not show: code, and comments but those for the checker."""
    text = CHUNK.sub(_blank, text)
    return HIDDEN.sub(lambda note: note[0] if COMMENT.fullmatch(note[0]) else _blank(note), text)


def _blank(match: re.Match[str]) -> str:
    return "\n" * match[0].count("\n")


def macros(text: str) -> dict[str, Macro]:
    """The report's own macros, one macro a line."""
    return {m[1]: Macro(int(m[2] or 0), TOKEN.findall(m[3])) for m in MACRO.finditer(text)}


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
