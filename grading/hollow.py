"""Code without its answers: of each function stay signature and docstring, and whose answer it is.

What a function's body answers is told by the report: it is the question in which the equations that
the function carries out are derived, or the one that quotes it. Nothing is kept by default.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from typing import NamedTuple

from literate.report import Report
from literate.source import statements

QUESTION = re.compile(r"sec-([abp])(\d+)")
BEYOND = "sec-beyond"
# In these modules, what a docstring says between its first paragraph and its examples tells how.
DERIVED = ("functions", "model", "loop", "penalty")
# The question of what the report neither derives nor names; elsewhere, that is not asked.
USUAL = {"model": "p.5", "loop": "p.3", "penalty": "b.18", "train": "p.5"}
NOT_NAMED = {f"gradcheck.{name}": ["p.1"] for name in ("forward_difference", "ratio", "passed")}
NOT_NAMED |= {"train.run_epoch": ["p.9"]}
TOOLS = ("Params.map", "keep_freed_memory")  # are no part of any answer
NOT_ASKED = "beyond the assignment, not asked"
MODULES = (*DERIVED, "gradcheck", "train", "regularize")
_NAMED = re.compile(rf"\b({'|'.join(MODULES)})\.((?:[A-Z]\w*\.)?[a-z]\w*)")
_SOURCE = re.compile(r"Source: .*?\.(?=\s|$)(?! to)", re.DOTALL)
_IN_DOCSTRING = re.compile(r"Source: ([ab]\.\d+)")


def question(label: str) -> str:
    """The question that a section answers, sec-b7 -> b.7; empty for none.

    What stands above the first experiment belongs to it.
    """
    if label == "sec-practical":
        return "p.1"
    found = QUESTION.fullmatch(label)
    return f"{found[1]}.{found[2]}" if found else ""


class Answered(NamedTuple):
    """The questions whose answers functions carry out, by names as in model.fprop."""

    shown: dict[str, list[str]]  # derived or quoted there; an empty list: beyond the assignment
    named: dict[str, list[str]]  # by the code of a chunk


def answered(report: Report) -> Answered:
    """What the report tells of the functions of the program."""
    sections = {display.label: display.sections for display in report.displays if display.label}
    shown: dict[str, list[str]] = {}
    for statement in statements().values():
        above = sections.get(statement.label, ("",))
        asked = question(above[-1])
        if asked or BEYOND in above:
            _add(shown, f"{statement.path.stem}.{statement.function}", asked)
    quoted: dict[str, list[str]] = {}
    named: dict[str, list[str]] = {}
    for chunk in report.chunks:
        asked = question((report.sections(chunk.start) or ("",))[-1])
        for module, name in _NAMED.findall(chunk.code) if asked else ():
            kind = quoted if "quote(" in chunk.code else named
            _add(kind, f"{module}.{name.rpartition('.')[2]}", asked)
    return Answered(quoted | shown | NOT_NAMED, named)


def _add(found: dict[str, list[str]], name: str, asked: str) -> None:
    known = found.setdefault(name, [])
    if asked and asked not in known:
        known.append(asked)


def hollow(source: str, module: str, told: Answered) -> str:
    """The source of a module with the bodies of its functions left to be written."""
    tree = ast.parse(source)
    edits: list[tuple[int, int, list[str]]] = []  # lines from, up to, and what takes their place
    for function, name in _functions(tree):
        if name.rpartition(".")[2].startswith("_") and not name.endswith("__"):
            first = min([function.lineno, *(d.lineno for d in function.decorator_list)])
            edits.append((first - 1, function.end_lineno or 0, []))
        elif name not in TOOLS and not _is_empty(function.body):
            edits += _emptied(function, _asked(function, module, told), module in DERIVED)
    lines = source.splitlines()
    for begin, end, instead in sorted(edits, reverse=True):
        lines[begin:end] = instead
    return _spaced(_without_comments("\n".join(lines) + "\n"))


def _functions(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef, str]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node, node.name
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef):
                    yield inner, f"{node.name}.{inner.name}"


def _is_empty(body: list[ast.stmt]) -> bool:
    return len(body) == 1 and ast.unparse(body[0]) == "..."


def _asked(function: ast.FunctionDef, module: str, told: Answered) -> str:
    """What the error says that stands in the place of a function's body."""
    name = f"{module}.{function.name}"
    said = _IN_DOCSTRING.search(ast.get_docstring(function) or "")
    if name in told.shown:
        asked = told.shown[name]
    elif said:
        asked = [said[1]]
    else:
        asked = told.named.get(name, [USUAL[module]] if module in USUAL else [])[:1]
    return f"{', '.join(asked)}: not answered yet" if asked else NOT_ASKED


def _emptied(
    function: ast.FunctionDef, says: str, shortened: bool
) -> Iterator[tuple[int, int, list[str]]]:
    """The edits that leave a function its docstring, and an error for a body."""
    indent = " " * function.body[0].col_offset
    begin, end = function.body[0].lineno - 1, function.end_lineno or 0
    docstring = ast.get_docstring(function, clean=False)
    if docstring is not None:
        begin = function.body[0].end_lineno or 0
        if shortened:
            said = f'{indent}"""{_short(docstring, indent)}"""'
            yield function.body[0].lineno - 1, begin, said.splitlines()
    yield begin, end, [f'{indent}raise NotImplementedError("{says}")']


def _short(docstring: str, indent: str) -> str:
    """A docstring's first paragraph, its source and its examples."""
    first, *others = re.split(r"\n\s*\n", docstring.rstrip())
    kept = [first.rstrip()]
    for paragraph in others:
        source = _SOURCE.search(paragraph)
        if ">>>" in paragraph:
            kept.append(paragraph.rstrip())
        elif source:
            kept.append(indent + source[0])
    text = "\n\n".join(kept)
    return text + f"\n{indent}" if "\n" in text else text


def _without_comments(source: str) -> str:
    """The source without comments, and without lines that held nothing else."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip() or "\0"
    return "\n".join(line for line in lines if line != "\0") + "\n"


def _spaced(source: str) -> str:
    """The source without the gaps that removed functions leave."""
    return re.sub(r"\n{4,}", "\n\n\n", source).rstrip("\n") + "\n"
