"""Real source code for the report: listings with equation labels, and the table that ties them.

A statement that carries out an equation bears that equation's label, as in `# @eq-ha`. The report
is read here too, so that its equations and the program's can be set side by side.
"""

import ast
import inspect
import io
import re
import sys
import textwrap
import tokenize
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "mlp"
REPORT = ROOT / "report.qmd"

Profile = Callable[[FrameType, str, object], object]

_LABEL = re.compile(r"# @(eq-[\w-]+)")
_DISPLAY = re.compile(r"^\$\$\n((?:(?!\$\$).)+)\n\$\$ *\{#(eq-[\w-]+)\}", re.MULTILINE | re.DOTALL)


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


def equations(part: str | None = None) -> dict[str, str]:
    """The LaTeX of every labelled display of the report, or of the part `# … {#part}`, by label.

    In order of appearance. Raises ValueError for a label that occurs twice.
    """
    return _equations(REPORT.read_text(encoding="utf-8"), part)


@cache
def _equations(text: str, part: str | None) -> dict[str, str]:
    if part:
        text = re.split(r"^# ", text[text.index(f"{{#{part}}}\n") :], flags=re.MULTILINE)[0]
    found: dict[str, str] = {}
    for latex, label in _DISPLAY.findall(text):
        if label in found:
            raise ValueError(f"{{#{label}}} stands twice")
        found[label] = latex
    return found


def expected_name(label: str) -> str:
    """The name that the naming rule asks for: eq-batch-grad-W1 -> grad_W1."""
    return re.sub(r"^eq-(batch-|penalty-)?", "", label).replace("-", "_")


def labelled(obj: Callable[..., Any]) -> dict[str, str]:
    """The statements of a function that carry out an equation: label -> code without the label."""
    function = obj.__code__
    return {
        s.label: _LABEL.sub("", s.code).rstrip()
        for s in statements().values()
        if (str(s.path), s.function) == (function.co_filename, function.co_name)
    }


def variables(function: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
    """Run a function and return its local variables as they are when it returns."""
    seen: dict[str, Any] = {}

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "return" and frame.f_code is function.__code__:
            seen.update(frame.f_locals)

    watched(lambda: function(*arguments), profile)
    return seen


def watched(run: Callable[[], object], profile: Profile) -> None:
    """Call `run()` with `profile` told of every call and return."""
    previous = sys.getprofile()
    sys.setprofile(profile)
    try:
        run()
    finally:
        sys.setprofile(previous)


def _fenced(code: str) -> str:
    return f"```python\n{code}\n```\n"


def _source(obj: Callable[..., Any] | type, docstrings: bool) -> str:
    text = textwrap.dedent(inspect.getsource(obj)).rstrip()
    doc = obj.__doc__
    if docstrings or doc is None:
        return text
    start = text.index('    """')
    end = text.index('"""', start + 7) + 4
    return text[:start] + text[end:]


def _labelled(path: Path) -> Iterator[Statement]:
    text = path.read_text(encoding="utf-8")
    rows, tree = text.splitlines(), ast.parse(text)
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        label = token.type == tokenize.COMMENT and _LABEL.fullmatch(token.string)
        if not label:
            continue
        row = token.start[0]
        inside = [f for f in functions if f.lineno <= row <= (f.end_lineno or 0)]
        around = [n for f in inside for n in ast.walk(f) if isinstance(n, ast.Assign | ast.Return)]
        around = [n for n in around if n.lineno <= row <= (n.end_lineno or 0)]
        if not around:
            raise ValueError(f"{path.name}:{row}: {token.string} is not on an assignment or return")
        statement = around[-1]
        name = inside[-1].name.rstrip("_")
        if isinstance(statement, ast.Assign):
            name = ast.unparse(statement.targets[0])
        code = textwrap.dedent("\n".join(rows[statement.lineno - 1 : statement.end_lineno]))
        yield Statement(label[1], path, statement.lineno, code, name, inside[-1].name)
