"""Makes a report, and the program, wrong or empty in every way, and counts what is noticed.

Run as `python -m tests.derivations.mutate [edits] [laundering] [code] [--count N] [--seed N]`, all
three classes in full by default, which takes a quarter of an hour. An edit that nothing notices is
printed, with the reason why it leaves a true and complete answer, if there is one. Exit status 1 if
a laundered report or an edit of the program goes unnoticed, or more than one edit in two hundred.
"""

import argparse
import os
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import yaml

from derivations import REPORT, examine
from tests.derivations import code_edits, edits, laundering

SURVIVORS = Path(__file__).with_name("survivors.yml")
CLASSES = ("edits", "laundering", "code")
ENOUGH = {"edits": 0.995, "laundering": 1.0, "code": 1.0}
BUNDLE = 40  # changes that a process is given at once


class Result(NamedTuple):
    """What became of one change: its kind, what it did, and what noticed it, if anything."""

    kind: str
    change: str
    noticed: str


def of_edit(edit: edits.Edit) -> Result:
    """Examine a report with a single edit."""
    said = examine(edit.text).failures
    change = f"line {edit.line}\n  - {edit.was}\n  + {edit.now}"
    return Result(edit.kind, change, said[0] if said else "")


def of_laundering(attempt: laundering.Laundered) -> Result:
    """Examine a laundered report."""
    said = laundering.notices(attempt, REPORT.read_text(encoding="utf-8"))
    return Result(attempt.how, attempt.what, said)


def of_code(edit: code_edits.CodeEdit) -> Result:
    """Hold an edited program against the definitions, and run its tests."""
    change = f"{edit.file}.py, line {edit.line}\n  - {edit.was}\n  + {edit.now}"
    return Result(edit.file, change, code_edits.notices(edit))


def results(name: str, count: int, seed: int) -> Iterator[Result]:
    """What becomes of the changes of one class."""
    text = REPORT.read_text(encoding="utf-8")
    examination = examine(text)  # what it finds is known to all processes
    if name == "edits":
        yield from _spread(of_edit, edits.edits(text, count, seed))
    elif name == "laundering":
        attempts = list(laundering.laundered(text, examination))
        sample = random.Random(seed).sample(attempts, min(count, len(attempts)))
        yield from _spread(of_laundering, sample)
    else:
        yield from _spread(of_code, code_edits.code_edits(count, seed))


def _spread(judge: Callable[..., Result], changes: Iterable[NamedTuple]) -> Iterator[Result]:
    """Judge changes, on all cores if there are many."""
    rest = iter(changes)
    first = list(islice(rest, BUNDLE))
    if len(first) < BUNDLE:
        yield from map(judge, first)
        return
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        while first:
            yield from pool.map(judge, first, chunksize=len(first) // (os.cpu_count() or 1) + 1)
            first = list(islice(rest, BUNDLE * (os.cpu_count() or 1)))


def excuse(result: Result) -> str:
    """Why a change that nothing notices leaves a true and complete answer, if it is known."""
    for known in yaml.safe_load(SURVIVORS.read_text(encoding="utf-8")):
        if re.fullmatch(known["kind"], result.kind) and re.search(
            known["change"], result.change, re.S
        ):
            return str(known["why"])
    return ""


def main(arguments: list[str]) -> int:
    """Run the classes of changes; print what goes unnoticed, and the totals by kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("classes", nargs="*", help="edits, laundering, code; by default all")
    parser.add_argument("--count", type=int, default=10**9, help="at most so many of each class")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    if failures := examine(REPORT.read_text(encoding="utf-8")).failures:
        print(f"{REPORT} is wrong before any change: {failures[0]}", file=sys.stderr)
        return 2
    enough = True
    for name in options.classes or CLASSES:
        made, noticed = Counter[str](), Counter[str]()
        excused = 0
        for result in results(name, options.count, options.seed):
            made[result.kind] += 1
            noticed[result.kind] += bool(result.noticed)
            if not result.noticed:
                why = excuse(result)
                excused += bool(why)
                print(f"{result.kind}: {result.change}\n  {why or 'UNNOTICED'}", flush=True)
        for kind, number in made.items():
            print(f"  {kind:24} {noticed[kind]:5} of {number:5} noticed")
        share = noticed.total() / max(1, made.total())
        print(
            f"{name}: {noticed.total()} of {made.total()} noticed, {share:.2%}; {excused} excused"
        )
        enough &= share >= ENOUGH[name] or noticed.total() + excused == made.total()
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
