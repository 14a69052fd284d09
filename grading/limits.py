"""What a command may use that runs a submission's code, and what became of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Limits:
    """How much a command may use before it is ended."""

    seconds: float = 60.0
    memory: int = 2 * 2**30  # bytes
    processes: int = 64
    output: int = 64 * 2**20  # bytes, of each file and of each stream


@dataclass(frozen=True)
class Outcome:
    """What became of a command."""

    status: int
    stdout: str
    stderr: str
    why: str = ""  # what ended it, or empty


Runner = Callable[[list[str], Path, Limits], Outcome]  # command, folder, limits
