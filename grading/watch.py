"""Watches a process and all that it begins, and ends them where they take more than they may.

Where no other means bounds all of them together, they are looked at ten times a second.
"""

import os
import selectors
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from grading.limits import Limits

OFTEN = 0.1  # seconds between looks at what is used
LEAST_LEFT = 2**28  # bytes of the machine's memory that nobody may take
SHORT = "the machine ran short of memory"
MESSAGES = 2**16  # bytes of errors that are kept


class Watched(NamedTuple):
    """What a process has written, and how it ended: exit status, or why it was ended."""

    status: int
    stdout: bytes
    stderr: str
    why: str


def run(command: list[str], limits: Limits, folder: Path | None = None) -> Watched:
    """Run a command in a folder, and end it where it takes more than it may."""
    bounds = {"stdout": limits.output, "stderr": MESSAGES}
    written = {name: bytearray() for name in bounds}
    until = time.monotonic() + limits.seconds
    why = ""
    with _begun(command, folder) as process, selectors.DefaultSelector() as selector:
        for name in bounds:
            selector.register(getattr(process, name), selectors.EVENT_READ, name)
        ended = False
        while not why:
            ready = selector.select(0 if ended else OFTEN)
            if ended and not ready:
                break
            for key, _ in ready:
                block = os.read(key.fd, 2**16)
                written[key.data] += block
                if not block:
                    selector.unregister(key.fileobj)
                if len(written[key.data]) > bounds[key.data]:
                    why = f"wrote more than {bounds[key.data]:,} bytes"
            if time.monotonic() > until:
                why = f"took more than {limits.seconds:g} s"
            why = why or _too_much(process.pid, limits)
            ended = process.poll() is not None
    stderr = written["stderr"].decode(errors="replace")
    return Watched(process.returncode, bytes(written["stdout"]), stderr, why)


@contextmanager
def _begun(command: list[str], folder: Path | None) -> Iterator[subprocess.Popen[bytes]]:
    """A process, which is killed at the end with all that it has begun."""
    with subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            for each in _family(process.pid):
                with suppress(psutil.Error):
                    each.kill()


def _family(pid: int) -> list[psutil.Process]:
    """A process, those that it has begun, and those that these have begun."""
    try:
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    except psutil.Error:
        return []  # it has ended


def _too_much(pid: int, limits: Limits) -> str:
    """What of the machine is taken beyond the limits, or empty."""
    processes = _family(pid)
    if len(processes) > limits.processes:
        return f"ran more than {limits.processes} processes"
    taken = 0
    for process in processes:
        try:
            taken += process.memory_info().rss
        except psutil.Error:
            continue  # it has ended
    if taken > limits.memory:
        return f"took more than {limits.memory:,} bytes of memory"
    if psutil.virtual_memory().available < LEAST_LEFT:
        return SHORT
    return ""
