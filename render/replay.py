"""The kernel that Quarto talks to: it shows what cells have shown before, and runs the others.

Quarto finds it by JUPYTER_PATH (see _environment) under the usual name, and sends one cell after
the other, again for every format. The cells run in a kernel of their own, in a session like that of
the direct route and with the same cache: so they run once for all formats and both routes, and
again when anything changes that they may depend on.
"""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel

from literate import reader
from literate.report import Chunk, Prose, Value
from render.cache import Output
from render.cells import Cell, inline, reading
from render.dialect import ReportError, placed
from render.execute import Session
from render.keys import Key, following, salt

Piece = TypeVar("Piece", Chunk, Value)


class Reading:
    """The report as it is when Quarto begins with its first cell, and how far Quarto has got."""

    def __init__(self, session: Session, source: Path) -> None:
        self.session = session
        self.source = source
        self.report = reader.read(source)
        self.readers = reading(self.report)
        self.chunks = list(self.report.chunks)  # to come
        prose = [part for part in self.report.parts if isinstance(part, Prose)]
        self.values = [value for part in prose for value in part.values]  # to come
        self.cells: list[Cell] = []
        self.start = Key(salt(), "")
        self.keys: list[Key] = []

    def chunk(self, code: str) -> Output:
        """What a chunk shows, or code that Quarto has put between. Raises ReportError."""
        if not code.strip():
            return []
        chunk = _next(self.chunks, code) or Chunk(0, 0, 1, {}, code, 1)
        return self._show(Cell(chunk.code, chunk.start in self.readers, chunk))

    def inline(self, codes: Mapping[str, str]) -> dict[str, str]:
        """What inline values show, by the same names. Raises ReportError."""
        values = {
            name: _next(self.values, code) or Value(0, 0, 1, code) for name, code in codes.items()
        }
        shown: dict[str, str] = {}
        for reads in (False, True):
            ours = {n: v for n, v in values.items() if (v.start in self.readers) == reads}
            if ours:
                (output,) = self._show(inline(tuple(ours.values()), reads))
                shown |= zip(ours, output["data"]["application/json"], strict=True)
        return shown

    def _show(self, cell: Cell) -> Output:
        before = self.keys[-1] if self.keys else self.start
        self.cells.append(cell)
        self.keys.append(following(before, cell, self.report.mathematics))
        try:
            return self.session.last(self.cells, self.keys, self._is_unchanged)
        except ReportError as error:
            raise placed(error, self.report) from error

    def _is_unchanged(self) -> bool:
        return reader.read(self.source) == self.report


def _next(pieces: list[Piece], code: str) -> Piece | None:
    """Take the next of these pieces with this code, and those before it."""
    for i, piece in enumerate(pieces):
        if piece.code.strip() == code.strip():
            del pieces[: i + 1]
            return piece
    return None


class Replay(Kernel):
    """The kernel. What Quarto runs for itself, before and after, it only takes as a sign."""

    implementation = "replay"
    implementation_version = "1"
    banner = ""
    language_info = {"name": "python", "mimetype": "text/x-python", "file_extension": ".py"}  # noqa: RUF012

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]  # ipykernel has no types
        self.shell_handlers["comm_open"] = self._greeted
        self._begin(reader.REPORT.stem)
        self.reading: Reading | None = None

    async def do_execute(  # noqa: D102
        self,
        code: str,
        silent: bool,
        store_history: bool = True,
        user_expressions: Mapping[str, str] | None = None,
        allow_stdin: bool = False,
        **_: Any,
    ) -> dict[str, Any]:
        reply: dict[str, Any] = {"execution_count": self.execution_count, "user_expressions": {}}
        try:
            if not store_history:
                await asyncio.to_thread(self._end)
            else:
                self.reading = self.reading or Reading(self.session_of_cells, self.source)
                for output in await asyncio.to_thread(self.reading.chunk, code):
                    self._publish(output)
                shown = await asyncio.to_thread(self.reading.inline, user_expressions or {})
                reply["user_expressions"] = {
                    name: {"status": "ok", "data": {"text/markdown": text}, "metadata": {}}
                    for name, text in shown.items()
                }
        except (OSError, ValueError) as error:
            await asyncio.to_thread(self._end, complete=False)
            said = {"ename": "ERROR", "evalue": str(error), "traceback": [f"ERROR: {error}"]}
            self.send_response(self.iopub_socket, "error", said)  # type: ignore[no-untyped-call]
            return {"status": "error", **reply, **said}
        return {"status": "ok", **reply}

    async def do_shutdown(self, restart: bool) -> dict[str, Any]:  # noqa: D102
        await asyncio.to_thread(self.session_of_cells.close)
        return {"status": "ok", "restart": restart}

    async def _greeted(self, _: object, __: object, message: Mapping[str, Any]) -> None:
        """Quarto says first what it is about to run."""
        notebook = message["content"]["data"]["options"]["input"]
        if Path(notebook).stem != self.source.stem:
            self._begin(Path(notebook).stem)

    def _begin(self, name: str) -> None:
        folder = Path.cwd()
        cache = ".cache.json" if name == reader.REPORT.stem else f".cache-{name}.json"
        self.source = folder / f"{name}.qmd"
        self.session_of_cells = Session(folder / "_output" / cache, folder)

    def _end(self, complete: bool = True) -> None:
        """The end of a reading, or the beginning of another."""
        if self.reading is not None:
            if complete:
                self.session_of_cells.forget_all_but(self.reading.keys)
            self.session_of_cells.save()
        self.reading = None

    def _publish(self, output: Mapping[str, Any]) -> None:
        kind = output["output_type"]
        content = {key: value for key, value in output.items() if key != "output_type"}
        self.send_response(self.iopub_socket, kind, content)  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    os.environ.pop("JUPYTER_PATH", None)  # the cells' own kernel is the usual one
    IPKernelApp.launch_instance(kernel_class=Replay)
