"""Benchmarks: seconds for one epoch on Fashion-MNIST, method against method.

Each method runs in a process of its own, since the thread pools of one would disturb another; the
processes are asked in turn, so that what else the machine does strikes all of them alike. An epoch
that takes too long is measured in part and scaled up; every time is recorded with the number of
examples that it is the time of.
"""

import contextlib
import csv
import importlib
import io
import json
import math
import os
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml
from threadpoolctl import threadpool_info
from tqdm import tqdm

from mlp import data, fast, loop, train
from mlp.bench.tricks import Saving
from mlp.data import DataError, Dataset
from mlp.lab.experiment import machine, write_atomically
from mlp.model import init
from mlp.penalty import Lambdas, grad_regularized_risk
from mlp.settings import Settings

VALID = 6000  # of the 60,000 examples; the others are an epoch
N, D, M = 60_000 - VALID, 784, 10
ETA = 0.01
ELASTIC = Lambdas(1e-6, 1e-5, 2e-6, 2e-5)
PAUSE = 0.05  # seconds in which the threads of the process asked before come to rest
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Case(NamedTuple):
    """What is timed: minibatches of K, hidden units, and whether there is an elastic net."""

    K: int
    d_h: int
    elastic: bool


class Timing(NamedTuple):
    """One measured repetition: the seconds that so many examples of an epoch took."""

    method: str
    K: int
    d_h: int
    elastic: bool
    threads: int
    repetition: int
    examples: int
    seconds: float

    @property
    def case(self) -> Case:
        """What was timed."""
        return Case(self.K, self.d_h, self.elastic)

    @property
    def epoch(self) -> float:
        """Seconds for a whole epoch."""
        return self.seconds * N / self.examples


CASES = [
    Case(K, d_h, elastic)
    for K in (10, 100, 1000)
    for d_h in (32, 128, 512, 1024)
    for elastic in (False, True)
]

# --- the methods: each takes examples in rows and a case, and gives what trains on the first n ----

Run = Callable[[int], object]


def prepare_engine(engine: Callable[..., train.Engine], examples: Dataset, case: Case) -> Run:
    """Our training as `train.run_epoch` does it, with error and loss on the training set."""
    lambdas = ELASTIC if case.elastic else Lambdas()
    settings = Settings(d_h=case.d_h, eta=ETA, epochs=1, K=case.K, **lambdas._asdict())
    start = train.start(settings, D, M, examples.X.dtype)
    steps = engine(start.params, start.velocity, settings)
    order, eta = shuffled(examples), train.step_sizes(settings, 1, math.ceil(N / case.K))

    def run(n: int) -> None:
        for i in range(0, n, steps.block * case.K):
            batch = order[i : min(n, i + steps.block * case.K)]
            first, count = i // case.K, math.ceil(len(batch) / case.K)
            steps.run(examples.X, examples.y, batch, eta[first : first + count])

    return run


def shuffled(examples: Dataset) -> Any:
    """The order of an epoch."""
    return np.random.default_rng(0).permutation(len(examples.y))


def prepare_fast(examples: Dataset, case: Case) -> Run:
    """The fast twin."""
    return prepare_engine(fast.Steps, examples, case)


def prepare_matrix(examples: Dataset, case: Case) -> Run:
    """The readable version: matrix calculus."""
    return prepare_engine(train.Steps, examples, case)


def prepare_loop(examples: Dataset, case: Case) -> Run:
    """The first version: each minibatch by a loop over its examples."""
    params = init(np.random.default_rng(0), D, case.d_h, M, examples.X.dtype)
    order = shuffled(examples)

    def run(n: int) -> None:
        nonlocal params
        for i in range(0, n, case.K):
            batch = order[i : i + case.K]
            grad = loop.bprop(params, examples.X[batch].T, examples.y[batch])
            if case.elastic:
                grad = grad_regularized_risk(params, grad, ELASTIC)
            params = train.update(params, grad, ETA)

    return run


def prepare_floor(examples: Dataset, case: Case) -> Run:
    """The five matrix products of each minibatch alone: no bias, no loss, no step, no penalty."""
    rng = np.random.default_rng(0)
    shapes = {"x": (D, case.K), "W1": (case.d_h, D), "W2": (M, case.d_h), "s": (M, case.K)}
    x, W1, W2, s = (rng.random(shape).astype(examples.X.dtype) for shape in shapes.values())
    h, oa, grad_W1, grad_W2 = W1 @ x, np.empty_like(s), np.empty_like(W1), np.empty_like(W2)
    x = np.ascontiguousarray(x.T).T  # an example is contiguous, as it is for the fast twin

    def run(n: int) -> None:
        for _ in range(0, n, case.K):
            np.matmul(W1, x, out=h)
            np.matmul(W2, h, out=oa)
            np.matmul(s, h.T, out=grad_W2)
            np.matmul(W2.T, s, out=h)
            np.matmul(h, x.T, out=grad_W1)

    return run


def prepare_pytorch(examples: Dataset, case: Case) -> Run:
    """PyTorch on the CPU, eager, as its tutorials do it; the elastic net is a term of the loss."""
    torch: Any = importlib.import_module("torch")
    torch.manual_seed(0)
    torch.set_num_threads(int(os.environ[THREADS[0]]))
    X, y, order = map(torch.from_numpy, (examples.X, examples.y, shuffled(examples)))
    first, last = torch.nn.Linear(D, case.d_h), torch.nn.Linear(case.d_h, M)
    net = torch.nn.Sequential(first, torch.nn.ReLU(), last)
    cross_entropy = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=ETA)

    def run(n: int) -> None:
        for i in range(0, n, case.K):
            batch = order[i : i + case.K]
            optimizer.zero_grad()
            loss = cross_entropy(net(X[batch]), y[batch])
            if case.elastic:
                W1, W2 = first.weight, last.weight
                loss = loss + ELASTIC.l11 * W1.abs().sum() + ELASTIC.l12 * W1.square().sum()
                loss = loss + ELASTIC.l21 * W2.abs().sum() + ELASTIC.l22 * W2.square().sum()
            loss.backward()
            optimizer.step()

    return run


def prepare_sklearn(examples: Dataset, case: Case) -> Run:
    """scikit-learn's MLPClassifier, one call of partial_fit; of the elastic net, L2 alone."""
    neural: Any = importlib.import_module("sklearn.neural_network")
    net = neural.MLPClassifier(
        (case.d_h,), solver="sgd", momentum=0, nesterovs_momentum=False, learning_rate_init=ETA,
        batch_size=case.K, alpha=ELASTIC.l12 if case.elastic else 0, random_state=0,
    )  # fmt: skip

    def run(n: int) -> None:
        net.partial_fit(examples.X[:n], examples.y[:n], classes=range(M))

    return run


METHODS: dict[str, Callable[[Dataset, Case], Run]] = {
    "loop": prepare_loop,
    "matrix": prepare_matrix,
    "fast": prepare_fast,
    "pytorch": prepare_pytorch,
    "sklearn": prepare_sklearn,
    "floor": prepare_floor,
}
OPTIONAL = {"pytorch": "torch", "sklearn": "scikit-learn"}


def available() -> list[str]:
    """The methods that can be measured here."""
    installed = {d.name for d in distributions()}
    return [name for name in METHODS if OPTIONAL.get(name) in {None, *installed}]


# --- the process of a method ---------------------------------------------------------------------


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


def serve(method: str) -> None:
    """Answer each case on standard input, a line of JSON, by its number of examples and seconds.

    The first answer about a case comes after a warm-up. A line without a case ends the process.
    """
    train.keep_freed_memory()  # as training does; so all methods have it
    prepare = METHODS[method]
    examples, source = load()
    print(json.dumps(source), flush=True)
    prepared: tuple[Case, Run, int] | None = None
    for line in sys.stdin:
        *fields, target = json.loads(line)
        case = Case(*fields)
        if prepared is None or prepared[0] != case:
            run = prepare(examples, case)
            prepared = case, run, fraction(run, case.K, target)
        _, run, n = prepared
        begun = time.perf_counter()
        run(n)
        print(json.dumps([n, time.perf_counter() - begun]), flush=True)


class Worker:
    """The process of a method, with so many BLAS threads."""

    def __init__(self, method: str, threads: int) -> None:
        self.method, self.threads = method, threads
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mlp.bench.measure", method],
            env=os.environ | dict.fromkeys(THREADS, str(threads)),
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


def measure(
    methods: Sequence[str],
    cases: Sequence[Case],
    threads: Sequence[int],
    repetitions: int,
    target: float,
) -> tuple[list[Timing], str]:
    """Time every method in every case, in turn; `target` is how long a repetition should take.

    Returns the timings and what the examples were.
    """
    timings = []
    with tqdm(total=len(methods) * len(cases) * len(threads) * repetitions, unit="run") as bar:
        for count in threads:
            workers = [Worker(method, count) for method in methods]
            try:
                for case in cases:
                    bar.set_description(f"K {case.K}, d_h {case.d_h}, threads {count}")
                    for repetition in range(1, repetitions + 1):
                        for worker in workers:
                            time.sleep(PAUSE)
                            timings.append(worker.ask(case, repetition, target))
                            bar.update()
            finally:
                for worker in workers:
                    worker.close()
    return timings, workers[0].source


def peak() -> tuple[int, int]:
    """Bytes of the data set in single precision, and at most taken by a process training on it."""
    code = "from mlp.bench.measure import train_once; print(train_once())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=data.ROOT, capture_output=True, text=True, check=True
    )
    return 70_000 * D * 4, int(done.stdout)


def train_once() -> int:
    """Train one epoch at K = 100, d_h = 1024; return the peak memory of this process in bytes."""
    splits = data.load("fashion-mnist", valid=VALID, seed=0, may_download=False)
    for _ in train.fit(splits, Settings(d_h=1024, eta=ETA, epochs=1), engine=fast.Steps):
        pass
    return peak_memory()


def peak_memory() -> int:
    """The most bytes that this process has held, without what its parent held when it forked."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss outlives fork and exec
        (peak,) = re.findall(r"^VmHWM:\s+(\d+) kB$", status.read_text(), re.M)
        return int(peak) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def savings(repetitions: int) -> list[Saving]:
    """What each trick of the fast twin saves, measured with one thread."""
    done = subprocess.run(
        [sys.executable, "-m", "mlp.bench.tricks", str(repetitions)],
        env=os.environ | dict.fromkeys(THREADS, "1"),
        cwd=data.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [Saving(*row) for row in json.loads(done.stdout)]


# --- files ---------------------------------------------------------------------------------------


def record(rows: Sequence[Timing | Saving], name: str, folder: Path, **more: object) -> Path:
    """Write folder/NAME.csv, a line per repetition, and NAME.yml, what it was measured on."""
    folder.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(rows[0]._fields)
    writer.writerows([int(v) if isinstance(v, bool) else v for v in row] for row in rows)
    write_atomically(folder / f"{name}.csv", text.getvalue().encode())
    measured = {row.method for row in rows if isinstance(row, Timing)}
    peers = {package: version(package) for name, package in OPTIONAL.items() if name in measured}
    blas = {f"{b['internal_api']} {b['version']}" for b in threadpool_info()}
    about = machine() | {"blas": ", ".join(sorted(blas))} | peers | more
    write_atomically(folder / f"{name}.yml", yaml.safe_dump(about, sort_keys=False).encode())
    return folder / f"{name}.csv"


def read(path: Path) -> list[Timing]:
    """Read what `record` wrote."""
    with path.open(newline="") as file:
        return [
            Timing(
                row["method"],
                int(row["K"]),
                int(row["d_h"]),
                bool(int(row["elastic"])),
                int(row["threads"]),
                int(row["repetition"]),
                int(row["examples"]),
                float(row["seconds"]),
            )
            for row in csv.DictReader(file)
        ]


def read_savings(path: Path) -> dict[str, dict[tuple[int, int], list[float]]]:
    """Microseconds that each repetition of a trick saves in a minibatch, by trick and (K, d_h)."""
    samples: dict[str, dict[tuple[int, int], list[float]]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            shapes = samples.setdefault(row["trick"], {})
            saved = float(row["plain"]) - float(row["twin"])
            shapes.setdefault((int(row["K"]), int(row["d_h"])), []).append(saved)
    return samples


# --- what comes out ------------------------------------------------------------------------------


class Spread(NamedTuple):
    """A sample of times in short."""

    n: int
    median: float
    low: float
    high: float


def spread(timings: Iterable[Timing], method: str) -> Spread:
    """Number, median, minimum and maximum of a method's seconds for an epoch."""
    seconds = [t.epoch for t in timings if t.method == method]
    return Spread(len(seconds), statistics.median(seconds), min(seconds), max(seconds))


def medians(timings: Iterable[Timing], threads: int) -> dict[Case, dict[str, float]]:
    """The median seconds of an epoch, by case and method."""
    samples: dict[Case, dict[str, list[float]]] = {}
    for t in timings:
        if t.threads == threads:
            samples.setdefault(t.case, {}).setdefault(t.method, []).append(t.epoch)
    return {
        case: {method: statistics.median(s) for method, s in methods.items()}
        for case, methods in samples.items()
    }


class Goal(NamedTuple):
    """What the fast twin should reach against another method, and what it does reach."""

    rival: str
    case: Case
    aim: float  # see `over`
    reached: float

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        return self.reached <= self.aim if self.rival == "floor" else self.reached >= self.aim


def over(seconds: dict[str, float], rival: str) -> float:
    """How many times faster than a rival the fast twin is; its time in floors for the floor."""
    ratio = seconds["fast"] / seconds[rival]
    return ratio if rival == "floor" else 1 / ratio


def aim(rival: str, case: Case, threads: int) -> float | None:
    """The goal set for the fast twin against a rival, if there is one."""
    K, d_h, elastic = case
    if threads > 1:
        return 1.0 if rival == "pytorch" and K <= 100 else None
    if rival == "pytorch":
        return {10: 4.0, 100: 2.0 if d_h <= 128 else 1.2, 1000: 1.1}.get(K)
    if rival == "sklearn":
        return {10: 6.0, 100: 1.9, 1000: 1.35}.get(K)
    if rival == "floor" and d_h >= 512 and not elastic:  # the floor has no penalty
        return 0.6 if K <= 10 else 1.2
    return None


def goals(timings: Iterable[Timing], threads: int) -> list[Goal]:
    """Every goal with what was reached, from the medians."""
    found = []
    for case, seconds in medians(timings, threads).items():
        for rival in ("pytorch", "sklearn", "floor"):
            wanted = aim(rival, case, threads)
            if wanted and {rival, "fast"} <= set(seconds):
                found.append(Goal(rival, case, wanted, over(seconds, rival)))
    return found


# --- the commands --------------------------------------------------------------------------------


def run(folder: Path, *, repetitions: int = 5, target: float = 0.25, quick: bool = False) -> None:
    """Measure everything, and write three tables, each with what it was measured on.

    `epoch` is experiment 8 of the assignment: whole epochs, loop against matrix calculus; `tricks`
    is what each trick of the fast twin saves; `cost` is every method in every case. `quick` does a
    few cases, in order to see that all of it works.
    """
    methods, cores = available(), os.cpu_count() or 1
    load = round(os.getloadavg()[0], 2)  # how much else the machine was doing
    missing = [OPTIONAL[name] for name in METHODS if name not in methods]
    if missing:
        print(f"without {' and '.join(missing)}: pip install -r requirements-bench.txt adds them")
    whole = Case(100, 100, False)
    timings, source = measure(
        ("loop", "matrix"), [whole], [1], repetitions, target if quick else math.inf
    )
    print(record(timings, "epoch", folder, data=source, load_average=load))
    print(record(savings(repetitions), "tricks", folder, load_average=load))
    cases = [Case(10, 32, True), Case(100, 128, False)] if quick else CASES
    timings, source = measure(methods, cases, sorted({1, cores}), repetitions, target)
    size, most = peak() if source == "Fashion-MNIST" else (0, 0)
    about = {"load_average": load, "data_bytes": size, "peak_bytes": most}
    print(record(timings, "cost", folder, data=source, **about))
    for threads in sorted({1, cores}):
        reached = goals(timings, threads)
        missed = [g for g in reached if not g.met]
        print(f"{threads} threads: {len(reached) - len(missed)} of {len(reached)} goals reached")
        for goal in missed:
            print(f"  {goal.case}, {goal.rival}: {goal.reached:.2f} instead of {goal.aim}")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        serve(sys.argv[1])
