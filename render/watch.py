"""Renders again on every save."""

import contextlib
import time
from collections.abc import Callable, Generator
from typing import Any

from literate.reader import REPORT, ROOT
from render.dialect import read
from render.execute import Session
from render.keys import salt

PAUSE = 0.3  # seconds between two looks at the files


def watch(render: Callable[[], bool], session: Session) -> None:
    """Call `render`, which says whether it could, whenever something changes, until Ctrl-C.

    In between, a kernel runs all cells, so that the next edit finds it warm. After a change of code
    it is a new kernel, and the report is rendered again with what that one found.
    """
    seen = None
    settle_again = False
    warming = _nothing()
    while True:
        now = _inputs()
        if now is not None and now != seen:
            seen = now
            warming.close()  # here, as the garbage collection would swallow a Ctrl-C
            settle_again = False
            if render():
                warming, settle_again = _warm(session), bool(session.doubtful)
        elif not _goes_on(warming):
            if settle_again:
                render()
                settle_again = False
            time.sleep(PAUSE)


def _inputs() -> tuple[object, ...] | None:
    """All that the document depends on; None while a file is away, as editors move it to save."""
    try:
        return REPORT.read_bytes(), (ROOT / "references.bib").read_bytes(), salt()
    except OSError:
        return None


def _nothing() -> Generator[Any]:
    yield from ()


def _warm(session: Session) -> Generator[Any]:
    """Run all cells in a kernel, one a step."""
    report = read(REPORT)
    yield from session.outputs(report, salt(), warm=True, unchanged=lambda: read(REPORT) == report)


def _goes_on(steps: Generator[Any]) -> bool:
    """Take a step; whether there was one."""
    with contextlib.suppress(OSError, ValueError):  # rendering has said, or will say, what is wrong
        for _ in steps:
            return True
    return False
