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
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from mlp import data, train
from mlp.bench import threads
from mlp.bench.case import VALID, Case, D, M, N
from mlp.bench.methods import METHODS, Run
from mlp.bench.results import Timing
from mlp.data import DataError, Dataset

PAUSE = 0.05  # seconds in which the threads of the process asked before come to rest

# --- in the process of a method --------------------------------------------------------------


class Prepared(NamedTuple):
    """A method made ready for a case, warmed up."""

    case: Case
    run: Run
    examples: int  # that one repetition trains on


def serve(method: str) -> None:
    """Answer each case on standard input, a line of JSON, by its number of examples and seconds.

    The first answer about a case comes after a warm-up. The end of the input ends the process.
    """
    train.keep_freed_memory()  # as training does; so all methods have it
    prepare = METHODS[method]
    examples, source = load()
    print(json.dumps(source), flush=True)
    prepared: Prepared | None = None
    for line in sys.stdin:
        *fields, target = json.loads(line)
        case = Case(*fields)
        if prepared is None or prepared.case != case:
            run = prepare(examples, case)
            prepared = Prepared(case, run, fraction(run, case.K, target))
        begun = time.perf_counter()
        prepared.run(prepared.examples)
        print(json.dumps([prepared.examples, time.perf_counter() - begun]), flush=True)


def load() -> tuple[Dataset, str]:
    """The examples of an epoch, and what they are: real ones where there are any, else random."""
    try:
        splits = data.load("fashion-mnist", valid=VALID, seed=0, may_download=False)
        return splits.train, "Fashion-MNIST"
    except DataError:
        rng = np.random.default_rng(0)
        X = rng.random((N, D), dtype=np.float32)
        return Dataset(X, rng.integers(0, M, N)), "random numbers of the shape of Fashion-MNIST"


def fraction(run: Run, K: int, target: float) -> int:
    """How many examples, whole minibatches, take about `target` seconds; also the warm-up."""
    n = least = max(K, 200)
    run(n)
    while n < N:
        begun = time.perf_counter()
        run(n)
        seconds = time.perf_counter() - begun
        if seconds > target / 4:
            return max(least, min(N, int(n * target / seconds) // K * K))
        n = min(N, 4 * n)
    return N


# --- in the process that asks ----------------------------------------------------------------


class Worker:
    """The process of a method, with so many BLAS threads."""

    def __init__(self, method: str, count: int) -> None:
        self.method, self.threads = method, count
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mlp.bench.measure", method],
            env=threads.environment(count),
            cwd=data.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.source: str = self._answer()

    def ask(self, case: Case, repetition: int, target: float) -> Timing:
        """Time one repetition."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps([*case, target]) + "\n")
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
    with tqdm(total=len(methods) * len(cases) * len(counts) * repetitions, unit="run") as bar:
        for count in counts:
            with contextlib.ExitStack() as ended:
                workers = [
                    ended.enter_context(contextlib.closing(Worker(method, count)))
                    for method in methods
                ]
                for case, repetition in itertools.product(cases, range(1, 1 + repetitions)):
                    bar.set_description(f"K {case.K}, d_h {case.d_h}, threads {count}")
                    for worker in workers:
                        time.sleep(PAUSE)
                        timings.append(worker.ask(case, repetition, target))
                        bar.update()
    return timings, workers[0].source


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        serve(sys.argv[1])
