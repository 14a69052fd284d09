"""The standard streams where nobody listens any more: a run goes on, and ends as it should."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, TextIO, cast

BROKEN_PIPE = 141  # the status of what a closed pipe ends, as with `| head`
STDOUT = "standard output"


class Guarded:
    """A stream whose faults are another's business."""

    def __init__(self, stream: TextIO, failed: Callable[[TextIO, OSError], object]) -> None:
        self._stream, self._failed = stream, failed

    def write(self, text: str) -> int:
        """Write, or leave the fault to `failed`."""
        try:
            return self._stream.write(text)
        except OSError as error:
            self._failed(self._stream, error)
            return len(text)

    def flush(self) -> None:
        """Flush, or leave the fault to `failed`."""
        try:
            self._stream.flush()
        except OSError as error:
            self._failed(self._stream, error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Open what was closed; let a fault of stdout name it, and one of stderr end nothing."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:  # else the next file that is opened would take its place
            os.open(os.devnull, os.O_RDWR)
    before = sys.stdout, sys.stderr
    if sys.stdout:
        sys.stdout = cast(TextIO, Guarded(sys.stdout, named))
    if sys.stderr:
        sys.stderr = cast(TextIO, Guarded(sys.stderr, silenced))
    else:  # what is printed to None goes to stdout
        sys.stderr = os.fdopen(2, "w", closefd=False)
    try:
        yield
    finally:
        sys.stderr.flush()
        sys.stdout, sys.stderr = before


def named(stream: TextIO, error: OSError) -> NoReturn:
    """Raise the error, with the name of stdout; what was not written is given up."""
    silenced(stream, error)
    error.filename = STDOUT
    raise error


def silenced(stream: TextIO, _: OSError) -> None:
    """Let what is still written to a stream go nowhere, and what Python has kept of it, too."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with contextlib.suppress(OSError, ValueError):  # where it is no file
        os.dup2(nowhere, stream.fileno())
        stream.flush()
    os.close(nowhere)


def flush() -> None:
    """Write what was printed. Raises OSError, now and not as Python ends, when it is too late."""
    if sys.stdout:
        sys.stdout.flush()
