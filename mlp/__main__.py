"""The command line: python -m mlp data | train | search | check | bench."""

import argparse
import signal
import sys
from dataclasses import fields
from pathlib import Path
from typing import NoReturn

import numpy as np
from threadpoolctl import threadpool_limits

from mlp import data, gradcheck, loop, model
from mlp.bench import suite
from mlp.data import DataError
from mlp.lab import ensemble, experiment, search
from mlp.log import LogError
from mlp.penalty import Lambdas, grad_regularized_risk, regularized_risk
from mlp.settings import Settings, SettingsError
from mlp.train import DivergedError

MOST = 10**7  # parameters times examples of a gradient check: some minutes


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status: 0, 1 (a check failed), 2 (bad input), 130 (Ctrl-C)."""
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (DataError, SettingsError, LogError, DivergedError) as error:
        print(f"mlp {options.command}: {error}", file=sys.stderr)
        return 2
    except (OSError, MemoryError) as error:
        remedy = "choose less" if isinstance(error, MemoryError) else "choose or mend the path"
        print(f"mlp {options.command}: {error}; {remedy}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second one finds the end begun
        lost = "what was being measured is lost"
        rest = lost if options.command == "bench" else "the same command goes on"
        print(f"\nmlp {options.command}: interrupted; {rest}", file=sys.stderr)
        return 130


class Parser(argparse.ArgumentParser):
    """A parser that says in one line what is wrong with the arguments."""

    def error(self, message: str) -> NoReturn:
        """End with exit status 2."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def parser() -> Parser:
    """The commands, their options and their help."""
    top = Parser(
        prog="python -m mlp",
        description="A multilayer perceptron with one hidden layer, in numpy alone.",
        epilog="Exit status: 0 done, 1 a check failed, 2 bad input or data, 130 interrupted.",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: object, text: str, more: str) -> Parser:
        sub = commands.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}. {more}",
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        sub.set_defaults(run=run)
        return sub

    command(
        "data",
        run_data,
        "find, check or download the data sets",
        "Fashion-MNIST is looked for in $MLP_DATA, data/ and ../shared/data/, each file checked "
        "against its published MD5 sum; what is missing is downloaded into $MLP_DATA or data/. "
        "The two circles are generated, unless there is a $MLP_DATA/circles.txt.",
    )

    sub = command(
        "train",
        run_train,
        "run an experiment file and record it",
        "Writes log.csv, settings.yml, summary.yml, predictions.npy and confusion.csv into "
        "RESULTS/NAME/seed-S/, NAME being the name of the file. A checkpoint is kept after each "
        "epoch: after Ctrl-C, or anything worse, the same command goes on and ends with the same "
        "numbers. "
        "A finished run is left as it is. One BLAS thread computes, so that the figures do not "
        "depend on the number of cores.",
    )
    sub.epilog = (
        "Keys of the file: data (circles or fashion-mnist), valid (how many validation examples), "
        "seeds (a list, one run each), standardize, refit (true or false), "
        + ", ".join(f"{f.name} ({f.metadata['right']})" for f in fields(Settings)[:-1])
        + ". Or one key alone, average: the name of an experiment whose nets are averaged."
    )
    sub.add_argument(
        "experiment", type=Path, help="settings, such as experiments/fashion-mnist.yml"
    )
    sub.add_argument("--results", type=Path, default=data.ROOT / "results", help="where to write")

    sub = command(
        "search",
        run_search,
        "search over settings by validation error",
        "A search file is an experiment file in which some settings are open: a list of values, or "
        "a range {low: 0.01, high: 1, log: true}; `search: {method: random, trials: 30, seed: 0}` "
        "or {method: grid} says how; `first: 3, factor: 3` in it stops hopeless trials by "
        "successive halving. Writes RESULTS/NAME/trials.csv, a line for each trial and round as it "
        "ends, and best.yml, an experiment file with the best settings. Interrupted anywhere, the "
        "same command goes on and ends with the same table.",
    )
    sub.add_argument("search", type=Path, help="settings, such as experiments/searches/plain.yml")
    sub.add_argument(
        "--results", type=Path, default=data.ROOT / "results" / "searches", help="where to write"
    )
    sub.add_argument("--jobs", type=positive, default=2, help="trials at a time, one thread each")
    sub.add_argument(
        "--backend",
        default="loky",
        help="joblib's name of where the trials run: loky is processes on this machine, dask or "
        "ray a cluster (pip install distributed, or ray)",
    )
    sub.add_argument("--cluster", help="address of Dask's scheduler, such as tcp://10.0.0.1:8786")

    sub = command(
        "check",
        run_check,
        "check the gradients of a random network",
        "Compares back-propagation with forward difference (the assignment's ratio, between 0.99 "
        "and 1.01), central difference and complex step, for every scalar parameter, with elastic "
        "net; and the loop with the matrix form. Exit status 1 if anything disagrees.",
    )
    for name, default, text in (
        ("d", 5, "inputs"),
        ("d_h", 4, "hidden units"),
        ("m", 3, "classes"),
        ("K", 7, "examples in the minibatch"),
    ):
        sub.add_argument(f"--{name}", type=positive, default=default, help=text)
    sub.add_argument("--seed", type=whole, default=0, help="of parameters and data")
    sub.add_argument(
        "--epsilon", type=float, default=1e-5, help="step of the differences, 1e-6 to 1e-4"
    )

    sub = command(
        "bench",
        run_bench,
        "measure the time of an epoch, method against method",
        "Times loop, matrix calculus, its fast twin, PyTorch, scikit-learn and the matrix products "
        "alone, for K of 10, 100 and 1000 and d_h of 32 to 1024, with and without elastic net, "
        "with one and all BLAS threads; each method in a process of its own, methods in turn. "
        "Writes epoch.csv (whole epochs, loop against matrix calculus) and cost.csv (all the "
        "rest), a line per repetition, and epoch.yml and cost.yml, what they were measured on. "
        "Takes about a quarter of an hour on a quiet machine. PyTorch and scikit-learn are "
        "measured where they are installed: pip install -r requirements-bench.txt.",
    )
    sub.add_argument("--quick", action="store_true", help="a few cases, to see that it works")
    sub.add_argument("--repetitions", type=positive, default=5, help="of each measurement")
    sub.add_argument(
        "--results", type=Path, help="where to write (default: results/bench; quick: _output/bench)"
    )
    return top


def whole(text: str, low: int = 0) -> int:
    """Read a whole number >= low, for argparse."""
    if not text.isdecimal() or int(text) < low:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number >= {low}")
    return int(text)


def positive(text: str) -> int:
    """Read a whole number >= 1, for argparse."""
    return whole(text, low=1)


def run_data(_: argparse.Namespace) -> int:
    """Say what was found where, downloading what is missing."""
    for name, path, downloaded in data.locate():
        print(f"{name}: {'downloaded to' if downloaded else 'found,'} {path}, MD5 sum right")
    for part in ("train", "t10k"):
        examples = data.fashion_mnist(part)
        print(
            f"Fashion-MNIST, {part}: {len(examples.y):,} examples of {examples.X.shape[1]} pixels"
        )
    circles = data.circles()
    print(
        f"two circles: {len(circles.y):,} points, {np.bincount(circles.y)} in the classes 0 and 1"
    )
    return 0


def run_train(options: argparse.Namespace) -> int:
    """Run one experiment file."""
    chosen = ensemble.load(options.experiment)
    with threadpool_limits(1):
        if isinstance(chosen, ensemble.Average):
            print(ensemble.describe(ensemble.run(chosen, options.results)))
            return 0
        for folder in experiment.run(chosen, options.results):
            print(experiment.describe(folder))
    return 0


def run_search(options: argparse.Namespace) -> int:
    """Run one search file, and show the best ten trials."""
    chosen = search.load(options.search)
    with search.workers(options.backend, options.jobs, options.cluster):
        folder = search.run(chosen, options.results)
    for row in search.table(folder)[:10]:
        print("  ".join(f"{name} {value}" for name, value in row.items()))
    print(f"{folder / 'best.yml'}: the best settings as an experiment; python -m mlp train runs it")
    return 0


def run_check(options: argparse.Namespace) -> int:
    """Check one random network."""
    if not 1e-6 <= options.epsilon <= 1e-4:
        raise SettingsError(f"epsilon is {options.epsilon}; it must be between 1e-6 and 1e-4")
    n = options.d_h * (options.d + 1) + options.m * (options.d_h + 1)
    if n * options.K > MOST:
        raise SettingsError(
            f"{n:,} parameters, one by one, on {options.K:,} examples take too long; "
            "choose smaller --d, --d_h, --m or --K"
        )
    rng = np.random.default_rng(options.seed)
    params = model.init(rng, options.d, options.d_h, options.m)
    params = params.map(lambda p: p + 0.1 * rng.standard_normal(p.shape))
    x = rng.standard_normal((options.d, options.K))
    y = rng.integers(0, options.m, options.K)
    lambdas = Lambdas(0.01, 0.02, 0.03, 0.04)

    act = model.fprop(params, x)
    gradient = model.bprop(params, act, y)
    looped = loop.bprop(params, x, y)
    rows = gradcheck.compare(
        lambda p: regularized_risk(p, model.risk(p, x, y), lambdas),
        grad_regularized_risk(params, gradient, lambdas),
        params,
        options.epsilon,
    )
    print(
        f"{'parameter':>12} {'back-prop.':>13} {'difference':>13} {'ratio':>9} {'complex step':>13}"
    )
    for row in rows:
        verdict = "" if row.passed else "  <- disagrees"
        print(
            f"{row.name:>12} {row.gradient:13.6e} {row.forward:13.6e} {row.ratio:9.6f} "
            f"{row.complex_step:13.6e}{verdict}"
        )
    difference = max(
        float(np.linalg.norm(a - b) / max(np.linalg.norm(b), np.finfo(float).tiny))
        for a, b in zip(looped, gradient, strict=True)
    )
    failed = sum(not row.passed for row in rows)
    print(
        f"{len(rows)} parameters, {failed} disagree; largest relative error against the complex "
        f"step {max(row.complex_error for row in rows):.1e}; loop against matrix "
        f"{difference:.1e}; nearest kink at {gradcheck.distance_to_kink(params, x):.1e}"
    )
    return int(failed > 0 or difference > 1e-14)


def run_bench(options: argparse.Namespace) -> int:
    """Measure times."""
    usual = data.ROOT / ("_output" if options.quick else "results") / "bench"
    suite.run(options.results or usual, repetitions=options.repetitions, quick=options.quick)
    return 0


if __name__ == "__main__":
    sys.exit(main())
