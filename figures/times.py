"""Times of an epoch, method against method, and what the tricks of the fast twin save."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from figures.style import BLUE, GREEN, ORANGE, PINK, WIDTH
from figures.tables import DASH, fixed, table
from mlp.bench.case import Case
from mlp.bench.goals import Goal, aim, over
from mlp.bench.results import Medians, Savings, Spread, Timing, medians
from mlp.bench.tricks import used


class Method(NamedTuple):
    """How a method is called and drawn."""

    name: str
    colour: str
    line: str
    marker: str


METHODS = {
    "loop": Method("loop", "#999999", "-", "v"),
    "matrix": Method("matrix calculus", PINK, "-.", "^"),
    "sklearn": Method("scikit-learn", GREEN, ":", "s"),
    "pytorch": Method("PyTorch", ORANGE, "--", "D"),
    "fast": Method("fast twin", BLUE, "-", "o"),
    "floor": Method("products alone", "black", ":", ""),
}
DRAWN = {key: method for key, method in METHODS.items() if key != "loop"}
SIZES = {"K": "minibatch", "d_h": "hidden units"}
MISSED, NO_GOAL = "†", "°"


# --- tables ----------------------------------------------------------------------------------


def epoch_table(spreads: Mapping[str, Spread]) -> str:
    """How the seconds for an epoch of each version spread over repetitions."""
    rows = [
        [
            version,
            str(spread.n),
            fixed(spread.median, 2),
            fixed(spread.low, 2),
            fixed(spread.high, 2),
        ]
        for version, spread in spreads.items()
    ]
    head = ["version", "repetitions", "median / s", "minimum / s", "maximum / s"]
    return table(head, rows, "lrrrr")


def cost_table(timings: Sequence[Timing]) -> str:
    """Median seconds for an epoch by every method, one thread, no elastic net."""
    rows = []
    for case, seconds in sorted(_plain(timings).items()):
        cells = [fixed(seconds[key], 2) if key in seconds else "" for key in METHODS]
        rows.append([str(case.K), str(case.d_h), *cells])
    head = ["$K$", "$d_h$", *(method.name for method in METHODS.values())]
    return table(head, rows, "r" * len(head))


def ratio_table(timings: Sequence[Timing]) -> str:
    """How the fast twin does against others; † marks missed goals, ° where none was set.

    The marks stand in front, so that the digits line up.
    """
    cores = max(t.threads for t in timings)
    alone, together = medians(timings, 1), medians(timings, cores)
    rows = []
    for K, d_h in sorted({(t.K, t.d_h) for t in timings}):
        plain, net = Case(K, d_h, elastic=False), Case(K, d_h, elastic=True)
        cells = [
            _against(rival, case, 1, alone)
            for rival in ("pytorch", "sklearn")
            for case in (plain, net)
        ]
        cells.append(_against("floor", plain, 1, alone))
        cells += [_against("pytorch", case, cores, together) for case in (plain, net)]
        rows.append([str(K), str(d_h), *cells])
    head = ["$K$", "$d_h$", "PyTorch", "and net", "scikit-learn", "and net", "products"]
    head += [f"PyTorch, {cores} threads", "and net"]
    return table(head, rows, "r" * len(head))


def _against(rival: str, case: Case, threads: int, seconds: Medians) -> str:
    """The twin's ratio to a rival, with a mark; nothing where the rival was not measured."""
    if rival not in seconds[case]:
        return ""
    ratio, wanted = over(seconds[case], rival), aim(rival, case, threads)
    if wanted is None:
        mark = NO_GOAL
    elif Goal(rival, case, wanted, ratio).met:
        mark = ""
    else:
        mark = MISSED
    return mark + fixed(ratio, 2)


def savings_table(savings: Savings) -> str:
    """Median microseconds that each trick saves in a minibatch; a dash where it is not used."""
    shapes = list(next(iter(savings.values())))
    rows = []
    for trick, by_shape in savings.items():
        cells = [
            fixed(statistics.median(by_shape[shape]), 1) if used(trick, *shape) else DASH
            for shape in shapes
        ]
        rows.append([trick, *cells])
    head = ["", *(f"$K = {K}$, $d_h = {d_h}$" for K, d_h in shapes)]
    return table(head, rows, "l" + "r" * len(shapes))


def goal(rival: str, K: int, d_h: int = 512, threads: int = 1) -> str:
    """The goal of the fast twin against a rival, without elastic net, as a number in the text.

    Raises ValueError where none was set.
    """
    wanted = aim(rival, Case(K, d_h, elastic=False), threads)
    if wanted is None:
        where = f"K = {K}, d_h = {d_h} and {threads} threads"
        raise ValueError(f"no goal is set against {rival} for {where}; see mlp/bench/goals.py")
    return f"{wanted:g}"


# --- the figure ------------------------------------------------------------------------------


def cost(timings: Sequence[Timing]) -> Figure:
    """Seconds for an epoch, one thread, no elastic net: against d_h above, against K below.

    Without the loop, which would flatten all others.
    """
    seconds = _plain(timings)
    figure = plt.figure(figsize=(WIDTH, 4.6))
    above, below = figure.subfigures(2, 1, squeeze=False)[:, 0]
    for part, given, size in ((above, "K", "d_h"), (below, "d_h", "K")):
        values = _sizes(seconds, given)
        axes = part.subplots(1, len(values), sharey=True, squeeze=False)[0]
        axes[0].set_ylabel("time of an epoch / s")
        for ax, value in zip(axes, values, strict=True):
            some = {c: s for c, s in sorted(seconds.items()) if getattr(c, given) == value}
            _draw_times(ax, some, size)
            _label_sizes(ax, _sizes(seconds, size))
            ax.set_title(f"${given} = {value}$")
            ax.set_xlabel(f"{SIZES[size]} ${size}$")
    figure.legend(
        above.axes[0].lines,
        [method.name for method in DRAWN.values()],
        loc="outside lower center",
        ncols=len(DRAWN),
        columnspacing=1.0,
    )
    return figure


def _plain(timings: Iterable[Timing]) -> Medians:
    """Median seconds of the cases without elastic net, one thread."""
    return {case: s for case, s in medians(timings, threads=1).items() if not case.elastic}


def _sizes(cases: Iterable[Case], name: str) -> list[int]:
    """The values of K or d_h that occur."""
    return sorted({getattr(case, name) for case in cases})


def _draw_times(ax: Axes, seconds: Medians, size: str) -> None:
    """Draw a line for each method, its seconds against K or d_h."""
    for key, method in DRAWN.items():
        measured = [case for case in seconds if key in seconds[case]]
        ax.loglog(
            [getattr(case, size) for case in measured],
            [seconds[case][key] for case in measured],
            color=method.colour,
            linestyle=method.line,
            marker=method.marker,
            markersize=3,
        )


def _label_sizes(ax: Axes, sizes: Sequence[int]) -> None:
    """Put ticks at the sizes that were measured, and at 1, 3, 10, … seconds."""
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.set_xticks([], minor=True)
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.set_yticks([], minor=True)
