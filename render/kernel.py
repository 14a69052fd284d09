"""A Jupyter kernel, and what it has run."""

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from literate.reader import ROOT
from render.cache import Output
from render.cells import Cell
from render.keys import Key

SETUP = "import render.inside as _inside; _inside.prepare()"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Kernel:
    """A running kernel, in a folder.

    `ran` holds the cells that it has run, in order: the place of each, and the output that belongs
    to its last run. The kernel is `straight` until one of them is replaced or raises: so long, it
    is where a kernel would be that has just run these cells.
    """

    def __init__(self, folder: Path = ROOT) -> None:
        self.ran: dict[str, str] = {}
        self.straight = True
        self.running = contextlib.ExitStack()
        self.client = NotebookClient(
            nbformat.v4.new_notebook(),
            extra_arguments=["--log-level=CRITICAL"],  # else an end within a cell is a traceback
            resources={"metadata": {"path": str(folder)}},
        )
        self.running.enter_context(self.client.setup_kernel())
        self._execute(SETUP)
        self.reading = False  # what the guard inside was told

    def pending(self, keys: Sequence[Key]) -> set[int]:
        """Which of these cells it must run, by number, to be where it has run them all.

        What it ran instead of one of them counts as replaced, and all that it ran below.
        """
        common = 0
        for place, key in zip(self.ran, keys, strict=False):
            if place != key.place:
                break
            common += 1
        if common < len(self.ran):
            self.straight = False
            self.ran = {key.place: self.ran[key.place] for key in keys[:common]}
        return {i for i, key in enumerate(keys) if self.ran.get(key.place) != key.output}

    def run(self, cell: Cell, key: Key) -> Output:
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
            if key.place in self.ran:
                self.ran[key.place] = ""  # it has done something, and nobody knows what
            if isinstance(error, DeadKernelError):
                self.ran = {}
            raise cell.fault(f"raised\n{COLOUR.sub('', str(error))}") from error
        self.ran[key.place] = key.output
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
