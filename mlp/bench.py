"""Benchmarks: seconds for one epoch, method against method, and on what they were measured.

Each repetition runs in a process of its own, methods in turn, so that neither the thread pools nor
the memory of one method disturb the next.
"""

import argparse
import csv
import io
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml
from tqdm import tqdm

from mlp import data, loop, model
from mlp.data import Dataset
from mlp.experiment import machine, write_atomically
from mlp.model import Params, init
from mlp.train import update

THREAD_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
Epoch = Callable[[Params, Dataset, int, float], None]


class Timing(NamedTuple):
    """One measured repetition."""

    method: str
    K: int
    d_h: int
    threads: int
    repetition: int
    examples: int
    seconds: float


def batches(examples: Dataset, K: int) -> Any:
    """The minibatches of one epoch in a fixed random order, as columns."""
    order = np.random.default_rng(0).permutation(len(examples.y))
    for first in range(0, len(order), K):
        batch = order[first : first + K]
        yield examples.X[batch].T, examples.y[batch]


def loop_epoch(params: Params, examples: Dataset, K: int, eta: float) -> None:
    """One epoch of gradient descent, each minibatch by a loop over its examples."""
    for x, y in batches(examples, K):
        params = update(params, loop.bprop(params, x, y), eta)


def matrix_epoch(params: Params, examples: Dataset, K: int, eta: float) -> None:
    """One epoch of gradient descent by matrix calculus."""
    for x, y in batches(examples, K):
        params = update(params, model.bprop(params, model.fprop(params, x), y), eta)


METHODS: dict[str, Epoch] = {"loop": loop_epoch, "matrix": matrix_epoch}


def measure(method: str, K: int, d_h: int, valid: int = 6000) -> tuple[int, float]:
    """Number of examples and seconds of one epoch on Fashion-MNIST less `valid` examples."""
    examples = data.load("fashion-mnist", valid=valid, seed=0).train
    params = init(np.random.default_rng(0), examples.X.shape[1], d_h, 10, examples.X.dtype)
    METHODS[method](params, Dataset(examples.X[:K], examples.y[:K]), K, 0.1)  # warm-up
    begun = time.perf_counter()
    METHODS[method](params, examples, K, 0.1)
    return len(examples.y), time.perf_counter() - begun


def compare(
    methods: Sequence[str], K: int, d_h: int, threads: int, repetitions: int
) -> list[Timing]:
    """Measure methods in turn, each repetition in a fresh process with `threads` BLAS threads."""
    environment = os.environ | dict.fromkeys(THREAD_POOLS, str(threads))
    timings = []
    rounds = [(r, method) for r in range(1, repetitions + 1) for method in methods]
    for repetition, method in tqdm(rounds, desc=f"K = {K}, d_h = {d_h}", unit="run"):
        command = [sys.executable, "-m", "mlp.bench", method, str(K), str(d_h)]
        done = subprocess.run(
            command, env=environment, cwd=data.ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
        result = json.loads(done.stdout)
        timings.append(
            Timing(method, K, d_h, threads, repetition, result["examples"], result["seconds"])
        )
    return timings


def record(timings: Sequence[Timing], name: str, folder: Path) -> Path:
    """Write folder/NAME.csv, a line per repetition, and NAME.yml, what it was measured on."""
    folder.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([Timing._fields, *timings])
    write_atomically(folder / f"{name}.csv", text.getvalue().encode())
    write_atomically(folder / f"{name}.yml", yaml.safe_dump(machine()).encode())
    return folder / f"{name}.csv"


def read(path: Path) -> list[Timing]:
    """Read what `record` wrote."""
    with path.open(newline="") as file:
        return [
            Timing(
                row["method"],
                int(row["K"]),
                int(row["d_h"]),
                int(row["threads"]),
                int(row["repetition"]),
                int(row["examples"]),
                float(row["seconds"]),
            )
            for row in csv.DictReader(file)
        ]


class Spread(NamedTuple):
    """A sample of times in short."""

    n: int
    median: float
    low: float
    high: float


def spread(timings: Sequence[Timing], method: str) -> Spread:
    """Number, median, minimum and maximum of a method's times."""
    seconds = [t.seconds for t in timings if t.method == method]
    return Spread(len(seconds), statistics.median(seconds), min(seconds), max(seconds))


def epoch(folder: Path, repetitions: int = 5) -> Path:
    """Experiment 8 of the assignment: one epoch at K = 100, loop against matrix calculus."""
    return record(compare(("loop", "matrix"), 100, 100, 1, repetitions), "epoch", folder)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure one repetition and print it as JSON; `compare` starts this."""
    parser = argparse.ArgumentParser(prog="python -m mlp.bench", description=main.__doc__)
    parser.add_argument("method", choices=METHODS)
    parser.add_argument("K", type=int)
    parser.add_argument("d_h", type=int)
    options = parser.parse_args(arguments)
    examples, seconds = measure(options.method, options.K, options.d_h)
    print(json.dumps({"examples": examples, "seconds": seconds}))


if __name__ == "__main__":
    main()
