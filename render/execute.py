"""What the cells of a report show: from the cache, or from a kernel that runs them."""

from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from literate.reader import ROOT
from literate.report import Report
from render import cache
from render.cache import Output
from render.cells import Cell, cells
from render.kernel import Kernel
from render.keys import Key, keys


class Session:
    """The outputs known so far, and a kernel that lives from the first cell that must run.

    A kernel in which a cell has been replaced goes on with the new one, for the sake of speed. What
    it shows is `doubtful` then: it is used, but not kept in the file, until a new kernel has run
    everything.
    """

    def __init__(self, file: Path, folder: Path = ROOT) -> None:
        self.file = file
        self.folder = folder  # in which cells run
        self.known: dict[str, Output] = cache.load(file)
        self.doubtful: set[str] = set()
        self.kernel: Kernel | None = None

    def outputs(
        self,
        report: Report,
        salt: str,
        *,
        warm: bool = False,
        unchanged: Callable[[], bool] = lambda: True,
    ) -> Generator[tuple[Cell, Output]]:
        """Yield each cell of the report with what it shows.

        If any output is not known, or a warm kernel is wanted, the kernel runs what it has not run
        yet, and a warm one is new if a cell of the old one has been replaced. In the end, outputs
        of other cells are forgotten. Raises ReportError if a cell raises, or if the report is not
        `unchanged` when a cell has read it, as that has then read something else.
        """
        found = cells(report)
        known_by = keys(found, salt, report.mathematics)
        must_run = self._must_run(known_by, warm)
        try:
            for i, (cell, key) in enumerate(zip(found, known_by, strict=True)):
                if i in must_run:
                    self._run(cell, key, unchanged)
                yield cell, self.known[key.output]
            self.forget_all_but(known_by)
        finally:
            if must_run:
                self.save()

    def last(
        self, cells: Sequence[Cell], known_by: Sequence[Key], unchanged: Callable[[], bool]
    ) -> Output:
        """What the last of these cells shows, which are the report's from the first on.

        If that is not known, the kernel runs what it has not run yet. Raises ReportError if a cell
        raises, or if the report is not `unchanged` when a cell has read it.
        """
        if known_by[-1].output not in self.known:
            for i in sorted(self._must_run(known_by, warm=False)):
                self._run(cells[i], known_by[i], unchanged)
        return self.known[known_by[-1].output]

    def forget_all_but(self, known_by: Sequence[Key]) -> None:
        """Forget the outputs of cells that the report no longer has."""
        self.known = {key.output: self.known[key.output] for key in known_by}
        self.doubtful &= self.known.keys()

    def save(self) -> None:
        """Keep in the file what is known, but not what is doubtful. Raises OSError."""
        sure = self.known.keys() - self.doubtful
        cache.save(self.file, {name: self.known[name] for name in sure})

    def close(self) -> None:
        """End the kernel."""
        if self.kernel is not None:
            self.kernel.close()
            self.kernel = None

    def _must_run(self, known_by: Sequence[Key], warm: bool) -> set[int]:
        """Which cells to run, by number; a kernel that cannot go on is ended."""
        unknown = {i for i, key in enumerate(known_by) if key.output not in self.known}
        if not unknown and not warm:
            return set()
        if self.kernel is not None and warm and not self.kernel.straight:
            self.close()
        if self.kernel is None:
            return set(range(len(known_by)))
        pending = self.kernel.pending(known_by)
        if not self.kernel.ran:
            self.close()
        return unknown | pending

    def _run(self, cell: Cell, key: Key, unchanged: Callable[[], bool]) -> None:
        self.known.pop(key.output, None)  # and if the cell raises, it is not known
        if self.kernel is None:
            self.kernel = Kernel(self.folder)
        output = self.kernel.run(cell, key)
        if cell.reads and not unchanged():
            raise cell.fault("was running as the report was saved: render again")
        self.known[key.output] = output
        if self.kernel.straight:
            self.doubtful.discard(key.output)
        else:
            self.doubtful.add(key.output)
