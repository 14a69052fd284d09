"""Seconds for one epoch on Fashion-MNIST, method against method.

Each method runs in a process of its own, since the thread pools of one would disturb another; the
processes are asked in turn, so that what else the machine does strikes all of them alike. An epoch
that takes too long is measured in part and scaled up; every time is recorded with the number of
examples that it is the time of.
"""

import contextlib
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from mlp import data, train
from mlp.bench import serve, threads
from mlp.bench.case import VALID, Case, D, M, N
from mlp.bench.methods import ELASTIC, ETA, METHODS, PEERS
from mlp.bench.results import Timing
from mlp.data import DataError, Dataset
from mlp.penalty import Lambdas

PAUSE = 0.05  # seconds in which the threads of the process asked before come to rest

# --- in the process of one of our methods ----------------------------------------------------


def serve_ours(method: str, folder: Path) -> None:
    """Serve one of our methods on the examples in this folder."""
    train.keep_freed_memory()  # as training does
    examples = Dataset(np.load(folder / "X.npy"), np.load(folder / "y.npy"))
    prepare = METHODS[method]

    def prepared(case: serve.Settings) -> serve.Run:
        return prepare(examples, Case(case["K"], case["d_h"], any(case["lambdas"])))

    serve.serve(prepared, len(examples.y))


# --- in the process that asks ----------------------------------------------------------------


def load() -> tuple[Dataset, str]:
    """The examples of an epoch, and what they are: real ones where there are any, else random."""
    try:
        splits = data.load("fashion-mnist", valid=VALID, seed=0, may_download=False)
        return splits.train, "Fashion-MNIST"
    except DataError:
        rng = np.random.default_rng(0)
        X = rng.random((N, D), dtype=np.float32)
        return Dataset(X, rng.integers(0, M, N)), "random numbers of the shape of Fashion-MNIST"


def command(method: str, folder: Path) -> list[str]:
    """What runs the process of a method on the examples in this folder."""
    if method in PEERS:
        peer = PEERS[method]
        return [sys.executable, "-I", serve.__file__, str(peer.script), peer.function, str(folder)]
    return [sys.executable, "-m", "mlp.bench.measure", method, str(folder)]


class Worker:
    """The process of a method, with so many threads, on the examples in a folder."""

    def __init__(self, method: str, count: int, folder: Path) -> None:
        self.method, self.threads = method, count
        self.process = subprocess.Popen(
            command(method, folder),
            env=threads.environment(count),
            cwd=data.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    def ask(self, case: Case, repetition: int, target: float) -> Timing:
        """Time one repetition."""
        assert self.process.stdin
        settings = {
            "K": case.K,
            "d_h": case.d_h,
            "m": M,
            "eta": ETA,
            "lambdas": ELASTIC if case.elastic else Lambdas(),
            "threads": self.threads,
        }
        self.process.stdin.write(json.dumps([settings, target]) + "\n")
        self.process.stdin.flush()
        examples, seconds = self._answer()
        return Timing(self.method, *case, self.threads, repetition, examples, seconds)

    def _answer(self) -> Any:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            self.close()
            raise RuntimeError(f"the process that measures {self.method} ended; see above")
        return json.loads(line)

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


def in_turn(
    methods: Sequence[str],
    cases: Sequence[Case],
    counts: Sequence[int],
    repetitions: int,
    target: float,
) -> tuple[list[Timing], str]:
    """Time every method in every case, with each of the counts of threads.

    `target` is how many seconds a repetition should take. Returns the timings and what the
    examples were.
    """
    timings = []
    with (
        tempfile.TemporaryDirectory() as folder,
        tqdm(total=len(methods) * len(cases) * len(counts) * repetitions, unit="run") as bar,
    ):
        source = write_examples(Path(folder))
        for count in counts:
            with contextlib.ExitStack() as ended:
                workers = [
                    ended.enter_context(contextlib.closing(Worker(method, count, Path(folder))))
                    for method in methods
                ]
                for case, repetition in itertools.product(cases, range(1, 1 + repetitions)):
                    bar.set_description(f"K {case.K}, d_h {case.d_h}, threads {count}")
                    for worker in workers:
                        time.sleep(PAUSE)
                        timings.append(worker.ask(case, repetition, target))
                        bar.update()
    return timings, source


def write_examples(folder: Path) -> str:
    """Write the examples, X.npy and y.npy, for the processes to read; returns what they are."""
    examples, source = load()
    np.save(folder / "X.npy", examples.X)
    np.save(folder / "y.npy", examples.y)
    return source


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        serve_ours(sys.argv[1], Path(sys.argv[2]))
