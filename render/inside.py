"""What runs inside the kernel, beside the cells: how values are shown, and a guard."""

import re
import sys
from collections.abc import Callable
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import Markdown, display

reading = False  # whether the cell that runs has said that it reads the report


def prepare() -> None:
    """Have figures as SVG, and set the guard."""
    shell = get_ipython()
    assert shell is not None
    shell.run_line_magic("matplotlib", "inline")
    shell.run_line_magic("config", 'InlineBackend.figure_formats = ["svg"]')
    sys.addaudithook(guard)


def guard(event: str, arguments: tuple[Any, ...]) -> None:
    """Raise PermissionError where a cell opens report.qmd and has not said that it reads it.

    Else what it showed would be kept although the report has changed.
    """
    if event == "open" and not reading and str(arguments[0]).endswith("report.qmd"):
        raise PermissionError("a chunk that reads the report says so: `#| reads: mathematics`")


def allow(cell_reads: bool) -> None:
    """Tell the guard whether the cells to come have said that they read the report."""
    global reading
    reading = cell_reads


def inline(*values: Callable[[], object]) -> None:
    """Show inline values, as a list of texts."""
    texts = [shown(value()) for value in values]
    display({"application/json": texts}, raw=True)


def shown(value: object) -> str:
    """An inline value as Quarto shows it: `repr` without its quotes, these characters escaped.

    Raises ValueError where that is not the text of the value.
    """
    if isinstance(value, Markdown):
        return str(value.data)
    text = str(value)
    if text not in (repr(value), repr(value)[1:-1]):
        raise ValueError(f"Quarto would show {value!r}: return a plain text or Markdown(...)")
    return re.sub(r"([`*_{}\[\]()>#+,.!-])", r"\\\1", text)
