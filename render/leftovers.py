"""The folders in which renders work, and what is left of those that were killed."""

import os
import shutil
from pathlib import Path

PREFIX = ".render-"


def workplace(output: Path) -> Path:
    """Make the folder in which this process renders, and sweep those of processes that are gone.

    It is the same each time: Typst sets anew what changed.
    """
    for left in output.glob(f"{PREFIX}*"):
        number = left.name.removeprefix(PREFIX)
        if number.isdecimal() and not _runs(int(number)):
            shutil.rmtree(left, ignore_errors=True)
    folder = output / f"{PREFIX}{os.getpid()}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _runs(number: int) -> bool:
    """Whether there is a process of this number."""
    try:
        os.kill(number, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # it is another user's
        return True
    return True
