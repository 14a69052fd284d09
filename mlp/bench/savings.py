"""Measures what each trick of the fast twin saves, in a process with one thread."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from mlp import data, train
from mlp.bench import threads
from mlp.bench.results import Saving
from mlp.bench.tricks import SHAPES, TRICKS


def measured(repetitions: int) -> list[Saving]:
    """What each trick saves in every shape, measured in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "mlp.bench.savings", str(repetitions)],
        env=threads.environment(1),
        cwd=data.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [Saving(*row) for row in json.loads(done.stdout)]


def measure(repetitions: int, seconds: float = 0.02) -> Iterator[Saving]:
    """Time every trick in every shape, both ways in turn, each repetition for some `seconds`."""
    train.keep_freed_memory()
    for K, d_h in SHAPES:
        for name, trick in TRICKS.items():
            plain, twin, minibatches = trick.prepare(K, d_h)
            n = max(1, round(seconds / max(_seconds(plain, 3), _seconds(twin, 3))))
            for repetition in range(1, repetitions + 1):
                times = [_seconds(way, n) / minibatches * 1e6 for way in (plain, twin)]
                yield Saving(name, K, d_h, repetition, *times)


def _seconds(way: Callable[[], object], n: int) -> float:
    begun = time.perf_counter()
    for _ in range(n):
        way()
    return (time.perf_counter() - begun) / n


if __name__ == "__main__":
    print(json.dumps(list(measure(int(sys.argv[1])))))
