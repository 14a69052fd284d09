"""Real source code for the report: listings with equation labels, and the table that ties them.

A code line that carries out an equation ends in that equation's label, as in `# @eq-ha`.
"""

import inspect
import textwrap
from collections.abc import Callable
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
