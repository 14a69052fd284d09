"""The process of a method: it trains on as many examples as it is asked for, and tells the time.

Run as a script, `python -I serve.py PEER.py FUNCTION FOLDER`, it serves a peer, in a process that
imports nothing of this package, as the peer's users would run it.
"""

import contextlib
import json
import math
import runpy
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Run = Callable[[int], object]  # trains on so many examples
Settings = dict[str, Any]  # K, d_h, m, eta, lambdas, threads


def serve(prepare: Callable[[Settings], Run], n: int) -> None:
    """Answer each case on standard input, a line of JSON, by its number of examples and seconds.

    An epoch has n examples. The first answer about a case comes after a warm-up. The end of the
    input ends the process.
    """
    print(json.dumps("ready"), flush=True)
    current: Settings | None = None
    for line in sys.stdin:
        case, target = json.loads(line)
        if case != current:
            run, current = prepare(case), case
            examples = fraction(run, case["K"], n, target)
        begun = time.perf_counter()
        run(examples)
        print(json.dumps([examples, time.perf_counter() - begun]), flush=True)


def fraction(run: Run, K: int, n: int, target: float) -> int:
    """How many of n examples, whole minibatches, take about `target` seconds; also the warm-up.

    Each number is tried before it is timed, as what compiles does so once for each number.
    """
    tried = least = max(K, 200)
    run(tried)
    if math.isinf(target):
        return n
    while tried < n:
        begun = time.perf_counter()
        run(tried)
        seconds = time.perf_counter() - begun
        if seconds > target / 4:
            examples = max(least, min(n, int(tried * target / seconds) // K * K))
            run(examples)
            return examples
        tried = min(n, 4 * tried // K * K)
        run(tried)
    return n


def order_of(n: int) -> Any:
    """The order of an epoch of n examples."""
    return np.random.default_rng(0).permutation(n)


def serve_peer(script: str, function: str, folder: Path) -> None:
    """Serve what a peer's script prepares, on the examples in this folder."""
    X, y = np.load(folder / "X.npy"), np.load(folder / "y.npy")
    prepare = runpy.run_path(script)[function]
    serve(lambda case: prepare(X, y, order_of(len(y)), case)[0], len(y))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        serve_peer(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
