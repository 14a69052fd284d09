"""Real source code for the report: listings with equation labels, and the table that ties them.

A code line that carries out an equation ends in that equation's label, as in `# @eq-ha`.
"""

import inspect
import sys
import textwrap
from collections.abc import Callable
from types import FrameType
from typing import Any


def quote(*objects: Callable[..., Any] | type, docstrings: bool = False) -> str:
    """Markdown with the source of functions or classes in one fenced block.

    Docstrings are left out unless asked for: in the report, the prose says what they say.
    """
    return "```python\n" + "\n\n".join(_source(o, docstrings) for o in objects) + "\n```\n"


def _source(obj: Callable[..., Any] | type, docstrings: bool) -> str:
    text = textwrap.dedent(inspect.getsource(obj)).rstrip()
    doc = obj.__doc__
    if docstrings or doc is None:
        return text
    start = text.index('    """')
    end = text.index('"""', start + 7) + 4
    return text[:start] + text[end:]


def labelled(obj: Callable[..., Any]) -> dict[str, str]:
    """The lines of a function that carry out an equation: label -> statement, without the label."""
    lines = (line.partition("  # @eq-") for line in inspect.getsource(obj).splitlines())
    return {f"eq-{label.strip()}": code.strip() for code, mark, label in lines if mark}


def variables(function: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
    """Run a function and return its local variables as they are when it returns."""
    seen: dict[str, Any] = {}

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "return" and frame.f_code is function.__code__:
            seen.update(frame.f_locals)

    previous = sys.getprofile()
    sys.setprofile(profile)
    try:
        function(*arguments)
    finally:
        sys.setprofile(previous)
    return seen
