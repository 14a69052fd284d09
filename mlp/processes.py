"""How this process ends, and those that it has begun: soon, in order, and without a traceback."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = signal.SIGINT, signal.SIGTERM
SECONDS = 0.5  # after which a process sees that its parent is gone


Handler = Callable[[int, FrameType | None], object] | signal.Handlers


class TerminatedError(KeyboardInterrupt):
    """SIGTERM came: what Ctrl-C stops is stopped in the same way."""


class LostError(RuntimeError):
    """A process that worked for this one has ended; the message says what to do."""


def stop(number: int, _: FrameType | None = None) -> None:
    """Raise what a signal stands for: KeyboardInterrupt, or a TerminatedError."""
    raise TerminatedError if number == signal.SIGTERM else KeyboardInterrupt


@contextmanager
def answering(handler: Handler) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM call this, but for what is ignored, as under `nohup`."""
    found = {number: signal.getsignal(number) for number in SIGNALS}
    previous = {number: of for number, of in found.items() if of not in (signal.SIG_IGN, None)}
    for number in previous:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, before in previous.items():
            signal.signal(number, before)


@contextmanager
def held_back() -> Iterator[Callable[[], None]]:
    """Hold Ctrl-C and SIGTERM back: inside, the yielded function raises what has come."""
    come: list[int] = []

    def stop_if_asked() -> None:
        if come:
            stop(come[0])

    with answering(lambda number, _: come.append(number)):
        yield stop_if_asked


def follow(parent: int) -> None:
    """Let this process end soon after its parent, however that one ends; Ctrl-C is for the parent.

    A process that was killed ends nothing by itself: those that it began would wait for it, with
    all that they hold, and whoever reads from its pipe for them.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS)
    os._exit(1)
