"""Everything that `make bench` measures, written to three tables in results/bench/."""

import math
import os
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from mlp.bench import goals, measure, memory, methods, results, savings
from mlp.bench.case import CASES, Case
from mlp.bench.results import Saving, Timing
from mlp.lab import origin, store

TIMED = {  # by table: the modules whose code is timed, with all that these import
    "epoch": ["mlp.bench.methods"],
    "tricks": ["mlp.bench.tricks"],
    "cost": ["mlp.bench.methods"],
}


def run(folder: Path, *, repetitions: int = 5, target: float = 0.25, quick: bool = False) -> None:
    """Measure everything, and write three tables, each with what it was measured on.

    `epoch` is experiment 8 of the assignment: whole epochs, loop against matrix calculus; `tricks`
    is what each trick of the fast twin saves; `cost` is every method in every case. `quick` does a
    few cases, in order to see that all of it works.
    """
    present = methods.available()
    missing = [package for method, package in methods.PACKAGES.items() if method not in present]
    if missing:
        print(f"without {' and '.join(missing)}: pip install {' '.join(missing)} adds them")
    load = {"load_average": round(os.getloadavg()[0], 2)}  # what else the machine was doing
    counts = sorted({1, os.cpu_count() or 1})

    ours, whole_epoch = ["loop", "matrix"], target if quick else math.inf
    timings, source = measure.in_turn(
        ours, [Case(100, 100, False)], [1], repetitions, target=whole_epoch
    )
    _write(folder / "epoch.csv", timings, conditions(ours) | {"data": source} | load)

    _write(folder / "tricks.csv", savings.measured(repetitions), conditions([]) | load)

    cases = [Case(10, 32, True), Case(100, 128, False)] if quick else CASES
    timings, source = measure.in_turn(present, cases, counts, repetitions, target)
    about = conditions(present) | {"data": source} | load | memory_taken(source)
    _write(folder / "cost.csv", timings, about)

    for count in counts:
        print(verdict(timings, count))


def _write(path: Path, rows: Sequence[Timing | Saving], about: dict[str, object]) -> None:
    results.write(path, rows, {**about, "code": origin.code(TIMED[path.stem])})
    print(path)


def stale(folder: Path) -> list[str]:
    """What differs now from the code that the tables of times were measured with."""
    faults = []
    for table, roots in TIMED.items():
        recorded = results.read_about(folder / f"{table}.csv").get("code", {})
        changed = store.others(recorded, origin.code(roots))
        faults += [f"{table}.csv: {module} differs" for module in changed]
    return faults


def conditions(timed: Sequence[str]) -> dict[str, object]:
    """What the times of these methods depend on: the machine, and versions of what computes."""
    packages = [package for method, package in methods.PACKAGES.items() if method in timed]
    return {
        **store.machine(),
        **{package: version(package) for package in packages},
    }


def memory_taken(source: str) -> dict[str, object]:
    """Bytes of the data, and at most taken by a process training on them; 0 without data."""
    if source != "Fashion-MNIST":
        return {"data_bytes": 0, "peak_bytes": 0}
    return {"data_bytes": memory.DATA_BYTES, "peak_bytes": memory.of_training()}


def verdict(timings: Sequence[Timing], threads: int) -> str:
    """How many goals are reached with so many threads, and a line for each that is missed."""
    judged = goals.judge(timings, threads)
    missed = [goal for goal in judged if not goal.met]
    lines = [f"{threads} threads: {len(judged) - len(missed)} of {len(judged)} goals reached"]
    for goal in missed:
        lines.append(f"  {goal.case}, {goal.rival}: {goal.reached:.2f} instead of {goal.aim}")
    return "\n".join(lines)
