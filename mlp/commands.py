"""The commands of python -m mlp: data | train | search | verify | check | bench.

Each command is a function whose docstring is its help, with a function of its options above it.
"""

import argparse
import contextlib
import errno
import inspect
import math
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import NamedTuple, NoReturn, TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from mlp import data, gradcheck, loop, model, processes, streams
from mlp.data import DataError
from mlp.functions import Array
from mlp.lab import ensemble, experiment, space
from mlp.log import LogError
from mlp.messages import SHORT, line, shown
from mlp.model import Params
from mlp.penalty import Lambdas, grad_regularized_risk, regularized_risk
from mlp.processes import LostError, TerminatedError
from mlp.settings import Settings, SettingsError
from mlp.train import DivergedError

T = TypeVar("T")
MOST_JOBS = 256
LOST = ("bench", "verify")  # what goes on from nothing where it was interrupted
MOST = 10**7  # parameters times examples of a gradient check: some minutes
USAGE = """\
to begin with:
  python -m mlp check                                 the gradients of a small network
  python -m mlp data                                  fetch Fashion-MNIST, once
  python -m mlp train experiments/fashion-mnist.yml   a recorded run, ten minutes or so

python -m mlp COMMAND --help says all that a command does.
Exit status: 0 done, 1 a check failed, 2 bad input or data, 130 interrupted, 143 terminated,
141 nobody reads what is printed."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status, as USAGE says."""
    try:
        options = parser().parse_args(arguments)
    except SystemExit:
        with contextlib.suppress(OSError):  # of help that nobody reads
            streams.flush()
        raise
    return _status(options.command, COMMANDS[options.command].run, options)


def _status(name: str, run: Callable[[T], int], options: T) -> int:
    """Run a command of this name; whatever ends it is one line on stderr."""
    try:
        status = run(options)
        streams.flush()
    except (DataError, SettingsError, LogError, DivergedError, LostError) as error:
        return _ended(name, str(error))
    except MemoryError as error:
        return _ended(name, f"{error}; choose less")
    except OSError as error:
        if error.filename == streams.STDOUT and error.errno == errno.EPIPE:
            return streams.BROKEN_PIPE
        return _ended(name, f"{error}; choose or mend the path")
    except KeyboardInterrupt as error:
        with processes.answering(signal.SIG_IGN):  # a second one finds the end begun
            print(file=sys.stderr)  # below the progress bar
            terminated = isinstance(error, TerminatedError)
            said = "terminated" if terminated else "interrupted"
            rest = "what was begun is lost" if name in LOST else "the same command goes on"
            return _ended(name, f"{said}; {rest}", 143 if terminated else 130)
    return status


def _ended(name: str, why: str, status: int = 2) -> int:
    """Say why a command has ended, in a line."""
    print(f"mlp {name}: {line(why)}", file=sys.stderr)
    return status


class Parser(argparse.ArgumentParser):
    """A parser that says in one line what is wrong with the arguments."""

    def error(self, message: str) -> NoReturn:
        """End with exit status 2."""
        self.exit(2, f"{self.prog}: {line(message)}; see {self.prog} --help\n")


class Command(NamedTuple):
    """What runs a command, and what adds its options; the docstring of `run` is its help."""

    run: Callable[[argparse.Namespace], int]
    options: Callable[[Parser], None] | None = None


def parser() -> Parser:
    """The parser of all commands."""
    raw = argparse.RawDescriptionHelpFormatter  # the docstrings are set as they are to be read
    top = Parser(
        prog="python -m mlp",
        description="A multilayer perceptron with one hidden layer, in numpy alone.",
        epilog=USAGE,
        formatter_class=raw,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        text = inspect.getdoc(command.run) or ""
        title = text.partition("\n")[0].rstrip(".")
        sub = commands.add_parser(
            name, help=title[:1].lower() + title[1:], description=text, formatter_class=raw
        )
        if command.options:
            command.options(sub)
    return top


def whole(text: str, low: int = 0, most: int = 10**15) -> int:
    """Read a whole number from `low` to `most`, for argparse."""
    if not text.isdecimal() or len(text) > SHORT or not low <= int(text) <= most:
        raise argparse.ArgumentTypeError(
            f"{shown(text)} is not a whole number >= {low} and <= {most:,}"
        )
    return int(text)


def folder_option(sub: Parser, name: str, default: Path | None, means: str) -> None:
    """Add an option that names a folder."""
    sub.add_argument(name, type=Path, metavar="FOLDER", default=default, help=means)


def positive(text: str) -> int:
    """Read a whole number >= 1, for argparse."""
    return whole(text, low=1)


def jobs(text: str) -> int:
    """Read how many processes to start, for argparse."""
    return whole(text, low=1, most=MOST_JOBS)


@contextlib.contextmanager
def what_is_missing_named() -> Iterator[None]:
    """Say in one line which package an import lacks."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise SettingsError(f"{error.name} is not installed; pip install {error.name}") from error


# --- data ----------------------------------------------------------------------------------------


def run_data(_: argparse.Namespace) -> int:
    """Find, check or download the data sets.

    Fashion-MNIST is looked for in $MLP_DATA, data/ and ../shared/data/, each file checked
    against its published MD5 sum. What is missing is downloaded into $MLP_DATA or data/.
    The two circles are generated, unless there is a $MLP_DATA/circles.txt.
    """
    for name, path, downloaded in data.locate():
        print(f"{name}: {'downloaded to' if downloaded else 'found,'} {path}, MD5 sum right")
    for part in ("train", "t10k"):
        n, d = data.fashion_mnist(part).X.shape
        print(f"Fashion-MNIST, {part}: {n:,} examples of {d} pixels")
    circles = data.circles()
    counts = np.bincount(circles.y)
    print(f"two circles: {len(circles.y):,} points, {counts} in the classes 0 and 1")
    return 0


# --- train ---------------------------------------------------------------------------------------


def train_options(sub: Parser) -> None:
    """The experiment file, and where results go; every key of the file stands in the help."""
    sub.add_argument(
        "experiment", type=Path, help="settings, such as experiments/fashion-mnist.yml"
    )
    folder_option(sub, "--results", data.ROOT / "results", "where to write (default: %(default)s)")
    keys = {
        key: (rule.means, _values(rule.right, rule.default))
        for key, rule in experiment.RULES.items()
    }
    for setting in fields(Settings):
        if setting.name != "seed":
            values = _values(setting.metadata["right"], setting.default)
            keys[setting.name] = (setting.metadata["means"], values)
    table = "\n".join(f"  {key:12} {means}\n{'':15}{right}" for key, (means, right) in keys.items())
    sub.epilog = (
        f"Keys of the file, each with its meaning and its values:\n{table}\n\nOr one key alone:\n"
        f"  {'average':12} the name of an experiment whose networks are averaged"
    )


def _values(right: str, default: object) -> str:
    """What the value of a key may be, and what it is where it is not given."""
    return right if default is MISSING else f"{right} (default: {str(default).lower()})"


def run_train(options: argparse.Namespace) -> int:
    """Run an experiment file and record it.

    Writes log.csv, settings.yml, summary.yml, predictions.npy and confusion.csv into
    FOLDER/NAME/seed-S/, NAME being the name of the file. A checkpoint is kept after each
    epoch: after Ctrl-C, or anything worse, the same command goes on and ends with the same
    numbers. A finished run is left as it is. One BLAS thread computes, so that the figures
    do not depend on the number of cores.
    """
    chosen = ensemble.load(options.experiment)
    with threadpool_limits(1):
        if isinstance(chosen, ensemble.Average):
            print(ensemble.describe(ensemble.run(chosen, options.results)))
            return 0
        for folder in experiment.run(chosen, options.results):
            print(experiment.describe(folder))
    return 0


# --- search --------------------------------------------------------------------------------------


def search_options(sub: Parser) -> None:
    """The search file, where results go, and what runs the trials."""
    sub.add_argument("search", type=Path, help="settings, such as experiments/searches/plain.yml")
    folder_option(
        sub,
        "--results",
        data.ROOT / "results" / "searches",
        "where to write (default: %(default)s)",
    )
    sub.add_argument(
        "--jobs",
        type=jobs,
        default=2,
        help="trials at a time, one thread each (default: %(default)s)",
    )
    sub.add_argument(
        "--backend",
        default="loky",
        help="joblib's name of where the trials run: loky is processes on this machine, dask or "
        "ray a cluster (pip install distributed, or ray) (default: %(default)s)",
    )
    sub.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="of Dask's scheduler, such as tcp://10.0.0.1:8786 (default: one is started here)",
    )


def run_search(options: argparse.Namespace) -> int:
    """Search over settings by validation error.

    A search file is an experiment file in which some settings are open:

      eta: {low: 0.01, high: 1, log: true}     a range
      K: [20, 50, 100]                         a list of values
      search: {method: grid}                   every combination, or
      search: {method: random, trials: 30, seed: 0}

    With `first: 3, factor: 3` in `search`, hopeless trials are stopped by successive halving:
    all train 3 epochs, the best third of them 9, and so on. With several seeds, all this is
    done with the first of them; what reaches the last round is run with the others, too, and
    the best mean is chosen. Test examples are not looked at.

    FOLDER/NAME/trials.csv gets a line for each trial and round as it ends, finals.csv one for
    each finalist and seed, and best.yml is an experiment file with the best settings.
    Interrupted anywhere, the same command goes on and ends with the same tables.
    """
    with what_is_missing_named():
        from mlp.lab import search  # only here, as searches need joblib
    chosen = space.load(options.search)
    with search.workers(options.backend, options.jobs, options.cluster):
        folder = search.run(chosen, options.results)
    several = len(chosen.seeds) > 1
    for row in (search.finalists(folder) if several else search.table(folder))[:10]:
        print("  ".join(f"{name} {value}" for name, value in row.items()))
    print(f"{folder / 'best.yml'}: the best settings as an experiment; python -m mlp train runs it")
    return 0


# --- verify --------------------------------------------------------------------------------------


def verify_options(sub: Parser) -> None:
    """What to verify and how much of it, and where it is."""
    sub.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="of a recorded experiment, average or search, such as searches/plain (default: all)",
    )
    sub.add_argument(
        "--epochs", type=positive, metavar="N", help="the first N epochs alone (default: all)"
    )
    sub.add_argument(
        "--minutes",
        type=positive,
        default=10,
        metavar="M",
        help="how long it may take where no NAME is given (default: %(default)s)",
    )
    sub.add_argument("--full", action="store_true", help="all epochs, however long it takes")
    sub.add_argument(
        "--renew",
        action="store_true",
        help="where only the code differs and all figures come out bit for bit, "
        "let the results name the code of now",
    )
    sub.add_argument("--jobs", type=jobs, default=2, help="runs at a time (default: %(default)s)")
    folder_option(
        sub,
        "--experiments",
        data.ROOT / "experiments",
        "where the files of settings are (default: %(default)s)",
    )
    folder_option(
        sub, "--results", data.ROOT / "results", "where the results are (default: %(default)s)"
    )


def run_verify(options: argparse.Namespace) -> int:
    """Run recorded results again, and compare.

    First the results as they stand: that they belong to this code, these data and these settings;
    that log, summary, predictions and confusion counts agree, and were not edited since. Then the
    runs: on the kernel of BLAS that they were recorded with, every figure of every epoch must be
    the same bit for bit. On another one, the losses of the first ten minibatches must be the same
    to a relative 1e-5, and the mean over seeds of each figure at the chosen epoch (or the last one
    that was run) within four standard deviations over seeds.

    Without a NAME, cheap results are run wholly, of the others as many first epochs as fit. Exit
    status 1 if anything disagrees.
    """
    with what_is_missing_named():
        from mlp.lab import recorded, verify  # only here, as searches need joblib
    names = options.names or recorded.names(options.experiments)
    results = {name: recorded.load(name, options.experiments, options.results) for name in names}
    unlimited = options.names or options.epochs or options.full
    verdicts = verify.verify(
        results,
        epochs=options.epochs or recorded.WHOLE,
        seconds=math.inf if unlimited else 60 * options.minutes,
        at_once=options.jobs,
    )
    agree = True
    for verdict in verdicts:
        of = results[verdict.name]
        renewed = options.renew and verify.renewable(verdict, of)
        if renewed:
            verify.renew(of)
        agree = agree and (verdict.agrees or renewed)
        print(verify.describe(verdict, renewed=renewed))
    return int(not agree)


# --- check ---------------------------------------------------------------------------------------


def check_options(sub: Parser) -> None:
    """The sizes of the network, what it is drawn from, and the step of the differences."""
    sub.add_argument("--d", type=positive, default=5, help="inputs (default: %(default)s)")
    sub.add_argument("--d_h", type=positive, default=4, help="hidden units (default: %(default)s)")
    sub.add_argument("--m", type=positive, default=3, help="classes (default: %(default)s)")
    sub.add_argument(
        "--K", type=positive, default=7, help="examples in the minibatch (default: %(default)s)"
    )
    sub.add_argument(
        "--seed", type=whole, default=0, help="of parameters and data (default: %(default)s)"
    )
    sub.add_argument(
        "--epsilon",
        type=float,
        default=1e-5,
        help="step of the differences, 1e-6 to 1e-4 (default: %(default)s)",
    )


def run_check(options: argparse.Namespace) -> int:
    """Check the gradients of a random network.

    Compares back-propagation with forward difference (the assignment's ratio, between 0.99
    and 1.01), central difference and complex step, for every scalar parameter, with elastic
    net; and the loop with the matrix form, which may differ by what rounding explains. Exit
    status 1 if anything disagrees.
    """
    if not 1e-6 <= options.epsilon <= 1e-4:
        raise SettingsError(f"epsilon is {options.epsilon}; it must be between 1e-6 and 1e-4")
    params, x, y = _network(options)
    gradient = model.bprop(params, model.fprop(params, x), y)
    looped = loop.bprop(params, x, y)
    bound = gradcheck.rounding(params, x, y)
    lambdas = Lambdas(0.01, 0.02, 0.03, 0.04)
    rows = gradcheck.compare(
        lambda p: regularized_risk(p, model.risk(p, x, y), lambdas),
        grad_regularized_risk(params, gradient, lambdas),
        params,
        options.epsilon,
        bound,
    )
    _print(rows)
    failed = sum(not row.passed for row in rows)
    parted = gradcheck.disagreements(looped, gradient, bound)
    difference = looped.map(lambda a, b: np.abs(a - b), gradient)
    print(
        f"{len(rows)} parameters, {failed} disagree; largest relative error against the complex "
        f"step {max(row.complex_error for row in rows):.1e}\n"
        f"loop against matrix, {parted} disagree; largest difference {_largest(difference):.1e}, "
        f"where rounding explains up to {_largest(bound):.1e}\n"
        f"nearest kink at {gradcheck.distance_to_kink(params, x):.1e}"
    )
    return int(failed > 0 or parted > 0)


def _network(options: argparse.Namespace) -> tuple[Params, Array, Array]:
    """Random parameters, biases included, K columns x and their classes y."""
    n_theta = options.d_h * (options.d + 1) + options.m * (options.d_h + 1)
    if n_theta * options.K > MOST:
        raise SettingsError(
            f"{n_theta:,} parameters, one by one, on {options.K:,} examples take too long; "
            "choose smaller --d, --d_h, --m or --K"
        )
    rng = np.random.default_rng(options.seed)
    params = model.init(rng, options.d, options.d_h, options.m)
    params = params.map(lambda p: p + 0.1 * rng.standard_normal(p.shape))
    x = rng.standard_normal((options.d, options.K))
    y = rng.integers(0, options.m, options.K)
    return params, x, y


def _print(rows: list[gradcheck.Row]) -> None:
    print(
        f"{'parameter':>12} {'back-prop.':>13} {'difference':>13} {'ratio':>9} {'complex step':>13}"
    )
    for row in rows:
        verdict = "" if row.passed else "  <- disagrees"
        print(
            f"{row.name:>12} {row.gradient:13.6e} {row.forward:13.6e} {row.ratio:9.6f} "
            f"{row.complex_step:13.6e}{verdict}"
        )


def _largest(values: Params) -> float:
    return max(float(array.max()) for array in values)


# --- bench ---------------------------------------------------------------------------------------


def bench_options(sub: Parser) -> None:
    """How much to measure, and where to write it."""
    sub.add_argument("--quick", action="store_true", help="a few cases, to see that it works")
    sub.add_argument(
        "--repetitions",
        type=positive,
        default=5,
        metavar="N",
        help="of each measurement (default: %(default)s)",
    )
    folder_option(
        sub,
        "--results",
        None,
        "where to write (default: results/bench; with --quick: _output/bench)",
    )


def run_bench(options: argparse.Namespace) -> int:
    """Measure the time of an epoch, method against method.

    Times loop, matrix calculus, its fast twin, the matrix products alone, PyTorch,
    scikit-learn, and JAX by jitted steps and by a jitted scan, for K of 10, 100 and 1000 and
    d_h of 32 to 1024, with and without elastic net, with one and all threads; each method in a
    process of its own, methods in turn, those of others as their users run them. Writes, a line
    per repetition and with what it was measured on beside it in a .yml,

      epoch.csv    whole epochs, loop against matrix calculus
      tricks.csv   what each trick of the fast twin saves
      cost.csv     all the rest

    Takes about half an hour on a quiet machine. PyTorch, scikit-learn and JAX are measured
    where they are installed: pip install torch scikit-learn jax.
    """
    with what_is_missing_named():
        from mlp.bench import suite  # only here, as the students' edition has none
    usual = data.ROOT / ("_output" if options.quick else "results") / "bench"
    suite.run(options.results or usual, repetitions=options.repetitions, quick=options.quick)
    return 0


# --- all of them ---------------------------------------------------------------------------------

COMMANDS = {
    "data": Command(run_data),
    "train": Command(run_train, train_options),
    "search": Command(run_search, search_options),
    "verify": Command(run_verify, verify_options),
    "check": Command(run_check, check_options),
    "bench": Command(run_bench, bench_options),
}


if __name__ == "__main__":
    sys.exit(main())
