"""A Jupyter kernel, and what it has run."""

import contextlib
import re

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from literate.reader import ROOT
from render.cache import Output
from render.cells import Cell

SETUP = "import render.inside as _inside; _inside.prepare()"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Kernel:
    """A running kernel, in the project's folder.

    `places` are those of the cells that it has run, in order. It is `straight` until one of them is
    replaced or raises: so long, it is where a kernel would be that has just run these cells.
    """

    def __init__(self) -> None:
        self.places: list[str] = []
        self.straight = True
        self.running = contextlib.ExitStack()
        self.client = NotebookClient(
            nbformat.v4.new_notebook(),
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": str(ROOT)}},
        )
        self.running.enter_context(self.client.setup_kernel())
        self._execute(SETUP)
        self.reading = False  # what the guard inside was told

    def rewind(self, places: list[str]) -> int:
        """How many of these it has run; what it ran instead of the next one counts as replaced."""
        common = 0
        for ours, theirs in zip(self.places, places, strict=False):
            if ours != theirs:
                break
            common += 1
        if common < len(self.places):
            self.straight = False
            del self.places[common:]
        return common

    def run(self, cell: Cell, place: str) -> Output:
        """Run a cell, for the first time or again, and return what it shows.

        Raises ReportError if it raises.
        """
        try:
            if cell.reads != self.reading:
                self._execute(f"_inside.allow({cell.reads})")
                self.reading = cell.reads
            output = self._execute(cell.code)
        except (CellExecutionError, DeadKernelError) as error:
            self.straight = False
            if isinstance(error, DeadKernelError):
                self.places = []
            raise cell.fault(f"raised\n{COLOUR.sub('', str(error))}") from error
        if place not in self.places:
            self.places.append(place)
        return output

    def close(self) -> None:
        """End the kernel."""
        self.running.close()

    def _execute(self, code: str) -> Output:
        cell = nbformat.v4.new_code_cell(code)
        self.client.nb.cells.append(cell)
        self.client.execute_cell(cell, len(self.client.nb.cells) - 1)
        outputs: Output = cell.outputs
        return outputs
