"""Real source code for the report: whole functions, or the statements that bear a label.

A statement that carries out an equation bears that equation's label, as in `# @eq-ha`.
"""

import ast
import inspect
import io
import re
import textwrap
import tokenize
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from literate.reader import ROOT

PACKAGE = ROOT / "mlp"

Node = TypeVar("Node", bound=ast.stmt)

_LABEL = re.compile(r"# @(eq-[\w-]+)")


class Statement(NamedTuple):
    """A statement of the program that carries out an equation."""

    label: str  # as in eq-batch-grad-W1
    path: Path
    line: int  # where it begins
    code: str  # the whole statement, with its label
    name: str  # what it assigns, or the function that returns it
    function: str  # the function it stands in


def quote(*objects: Callable[..., Any] | type, docstrings: bool = False) -> str:
    """Markdown with the source of functions or classes in one fenced block.

    Docstrings are left out unless asked for: in the report, the prose says what they say.
    """
    return _fenced("\n\n".join(_source(o, docstrings) for o in objects))


def line(*labels: str) -> str:
    """Markdown with the statements that bear these labels, in one fenced block.

    Raises KeyError for a label that no statement bears.
    """
    found = statements()
    return _fenced("\n".join(found[label].code for label in labels))


@cache
def statements() -> dict[str, Statement]:
    """Every labelled statement of the package, by label, file by file from top to bottom.

    Raises ValueError for a label that occurs twice, or not on an assignment or a return.
    """
    found: dict[str, Statement] = {}
    for path in sorted(PACKAGE.glob("*.py")):
        for statement in _labelled(path):
            if statement.label in found:
                raise ValueError(f"@{statement.label} stands twice: {found[statement.label]}")
            found[statement.label] = statement
    return found


def unwritten(source: str, path: str = "") -> Iterator[tuple[str, str]]:
    """The functions of a module that raise NotImplementedError, each with what the error says.

    Raises SyntaxError, which names the path.
    """
    tree = ast.parse(source, path)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for function in functions:
        for node in ast.walk(function):
            raised = node.exc if isinstance(node, ast.Raise) else None
            if isinstance(raised, ast.Call) and ast.unparse(raised.func) == "NotImplementedError":
                yield function.name, " ".join(str(ast.literal_eval(a)) for a in raised.args)


def expected_name(label: str) -> str:
    """The name that the naming rule asks for: eq-batch-grad-W1 -> grad_W1."""
    return re.sub(r"^eq-(batch-|penalty-)?", "", label).replace("-", "_")


def _fenced(code: str) -> str:
    return f"```python\n{code}\n```\n"


def _source(obj: Callable[..., Any] | type, docstrings: bool) -> str:
    rows = textwrap.dedent(inspect.getsource(obj)).rstrip().split("\n")
    if not docstrings and obj.__doc__ is not None:
        (definition,) = ast.parse("\n".join(rows)).body
        docstring = definition.body[0]  # type: ignore[attr-defined]  # a function or a class
        del rows[docstring.lineno - 1 : docstring.end_lineno]
    return "\n".join(rows)


def _labelled(path: Path) -> Iterator[Statement]:
    """The labelled statements of a module."""
    text = path.read_text(encoding="utf-8")
    rows = text.splitlines()
    functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef)]
    for label, row in _labels(text):
        function = _innermost(functions, row)
        inside = ast.walk(function) if function else ()
        statement = _innermost((n for n in inside if isinstance(n, ast.Assign | ast.Return)), row)
        if function is None or statement is None:
            raise ValueError(f"{path.name}:{row}: # @{label} is not on an assignment or return")
        name = function.name.rstrip("_")
        if isinstance(statement, ast.Assign):
            name = ast.unparse(statement.targets[0])
        code = textwrap.dedent("\n".join(rows[statement.lineno - 1 : statement.end_lineno]))
        yield Statement(label, path, statement.lineno, code, name, function.name)


def _labels(text: str) -> Iterator[tuple[str, int]]:
    """The labels in the comments of a module, each with its line."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            found = _LABEL.fullmatch(token.string)
            if found:
                yield found[1], token.start[0]


def _innermost(nodes: Iterable[Node], row: int) -> Node | None:
    """The last of these nodes that covers a line; in the order of `ast.walk`, the innermost."""
    covering = [node for node in nodes if node.lineno <= row <= (node.end_lineno or 0)]
    return covering[-1] if covering else None
