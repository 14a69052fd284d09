"""Runs the probe on a submission, by a runner, and reads what it leaves: arrays and texts, as data.

Whatever the probe leaves was written by the submission's own process: nothing of it is unpickled,
followed as a link, or read beyond a size. A step that ends the process, or does not end, is left
out, and the others are run again.
"""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from grading import values
from grading.limits import Limits, Runner
from mlp.functions import Array

PROBE = Path(__file__).with_name("probe.py")
PLACE = ".grading"
LARGEST = 64 * 2**20  # bytes that a step may give
TRIES = 6  # runs of one task, of which all but the last have lost a step
SECONDS = {"evaluate": 120.0, "chunks": 400.0, "pages": 60.0, "train": 600.0}  # of a task
COMPUTING = {"evaluate": 20.0, "chunks": 60.0, "pages": 20.0, "train": 300.0}  # of a step
Step = Mapping[str, Any]


@dataclass(frozen=True)
class Given:
    """What one step has given."""

    values: Mapping[str, Array] = field(default_factory=dict)
    texts: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""

    def value(self, name: str) -> Array | None:
        """The array of that name, if there is one and all of it is finite."""
        found = self.values.get(name)
        return found if found is not None and np.isfinite(found).all() else None


def run(
    task: str,
    steps: Sequence[Step],
    folder: Path,
    runner: Runner,
    inputs: Mapping[str, Array] | None = None,
    files: Sequence[Path] = (),
) -> list[Given]:
    """What each step gave; of one that could not be run, why.

    The probe finds arrays as `inputs`, and copies of files.
    """
    lost: dict[int, str] = {}
    for _ in range(TRIES):
        place = _fresh(folder)
        np.savez(place / "inputs.npz", **(inputs or {}))  # type: ignore[arg-type]  # by name
        plan = {"steps": steps, "without": sorted(lost), "seconds": COMPUTING[task]}
        (place / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
        for file in files:
            shutil.copyfile(file, place / "data" / file.name)
        command = [sys.executable, "-I", "-B", f"{PLACE}/{PROBE.name}", task]
        outcome = runner(command, folder, Limits(seconds=SECONDS[task]))
        reached = (_content(place / "out" / "at") or b"").decode("ascii", "replace")
        if reached == "end":
            break
        last = outcome.stderr.strip().splitlines()[-1:]
        why = outcome.why or (last[0] if last else f"the process ended, status {outcome.status}")
        if not reached.isdigit() or int(reached) in lost:
            return [Given(error=why)] * len(steps)
        lost[int(reached)] = why
    given = [_given(place / "out", number) for number in range(len(steps))]
    return [replace(each, error=lost.get(i, each.error)) for i, each in enumerate(given)]


def _fresh(folder: Path) -> Path:
    """The place of the probe in a submission, made anew: what ran before may have changed it."""
    place = folder.resolve() / PLACE
    if place.is_symlink() or place.is_file():
        place.unlink()
    shutil.rmtree(place, ignore_errors=True)
    for name in ("out", "data", "matplotlib"):
        (place / name).mkdir(parents=True)
    shutil.copyfile(PROBE, place / PROBE.name)
    for fonts in Path(matplotlib.get_cachedir()).glob("fontlist-*.json"):
        shutil.copyfile(fonts, place / "matplotlib" / fonts.name)  # it takes seconds to make
    return place


def _given(out: Path, number: int) -> Given:
    """What the files of a step say; none of them are believed to be what they should be."""
    texts_of, values_of = _content(out / f"{number}.json"), _content(out / f"{number}.npz")
    if texts_of is None or values_of is None:
        return Given(error="it was not run, or gave too much")
    try:
        texts, arrays = json.loads(texts_of), values.read(values_of, LARGEST)
    except (ValueError, RecursionError) as error:
        return Given(error=f"what it gave cannot be read: {error}")
    if not isinstance(texts, dict):
        return Given(error="what it gave cannot be read: not a mapping")
    return Given(arrays, texts, str(texts.get("error", "")))


def _content(path: Path) -> bytes | None:
    """What is in a file, if it is one, of bounded size, and no part of its path a link."""
    if not path.is_file() or path.resolve() != path or path.stat().st_size > LARGEST:
        return None
    return path.read_bytes()
