"""What the output of a cell depends on, as keys: equal keys, equal output."""

import hashlib
import itertools
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from literate.reader import ROOT
from mlp import data
from render.cells import Cell

# What cells read beside their own text: a change there makes every cached output stale.
ROOMS = ("mlp", "figures", "literate", "derivations")
OTHERS = ("render/inside.py", "results/**/*", "experiments/**/*", "figures/*.mplstyle")
KINDS = ("py", "yml")  # of files of a room: derivations says what is asked in the second kind
WATCHED = (*(f"{room}/**/*.{kind}" for room in ROOMS for kind in KINDS), *OTHERS)


class Key(NamedTuple):
    """What a cell depends on."""

    place: str  # all code from the first cell to this one, in this order, and what it may read
    output: str  # and the report's mathematics, if the cell reads that


def keys(cells: Sequence[Cell], salt: str, mathematics: str) -> list[Key]:
    """The key of each cell, where `salt` stands for all that any cell may read."""
    found = [Key(salt, salt)]
    for cell in cells:
        found.append(following(found[-1], cell, mathematics))
    return found[1:]


def following(before: Key, cell: Cell, mathematics: str) -> Key:
    """The key of a cell that comes after the one with this key."""
    place = digest(before.place, cell.code)
    return Key(place, digest(place, mathematics) if cell.reads else place)


def salt(root: Path = ROOT) -> str:
    """A digest of everything that cells may read: programs, results, data, Python and packages."""
    packages = Path(sysconfig.get_path("purelib"))  # its time changes as one is installed
    parts = [sys.version, str(packages), str(packages.stat().st_mtime_ns)]
    for folder in data.folders():
        for path in sorted(folder.glob("*")):
            parts.append(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}")
    for path in sorted(itertools.chain(*map(root.glob, WATCHED))):
        if path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            parts.append(f"{path.relative_to(root)} {content}")
    return digest(*parts)


def digest(*parts: str) -> str:
    """A short digest of texts in their order."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
