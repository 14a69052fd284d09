"""Times of an epoch, method against method."""

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
from mlp.bench.goals import RIVALS, ratios
from mlp.bench.results import Medians, Spread, Timing, medians


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
    "jax-step": Method("JAX, step", "#7A5195", "--", "x"),
    "jax-scan": Method("JAX, scan", "#7A5195", "-", "+"),
    "fast": Method("fast twin", BLUE, "-", "o"),
    "floor": Method("products alone", "black", ":", ""),
}
DRAWN = {key: method for key, method in METHODS.items() if key != "loop"}


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


def ratio_table(timings: Sequence[Timing]) -> str:
    """How many times faster than others the fast twin is: median and range over the hidden units.

    A row for each size of minibatch, without and with elastic net; the last column is for all
    threads, the others for one.
    """
    cores = max(t.threads for t in timings)
    alone, together = medians(timings, 1), medians(timings, cores)
    columns = [(rival, alone, METHODS[rival].name) for rival in RIVALS]
    columns.append(("pytorch", together, f"PyTorch, {cores} threads"))
    rows = []
    for K in _sizes(alone, "K"):
        for elastic in (False, True):
            found = [ratios(seconds, rival, elastic=elastic, K=K) for rival, seconds, _ in columns]
            rows.append([str(K), "elastic net" if elastic else "plain", *map(_range, found)])
    return table(["$K$", "", *(name for _, _, name in columns)], rows, "rl" + "r" * len(columns))


def _range(ratios: Sequence[float]) -> str:
    """Median, smallest and largest, if anything was measured."""
    if not ratios:
        return DASH
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


# --- the figure ------------------------------------------------------------------------------


def cost(timings: Sequence[Timing]) -> Figure:
    """Seconds for an epoch against the hidden units, one thread, no elastic net, for each K.

    Without the loop, which would flatten all others.
    """
    seconds = _plain(timings)
    values = _sizes(seconds, "K")
    figure, axes = plt.subplots(1, len(values), sharey=True, squeeze=False, figsize=(WIDTH, 2.5))
    axes[0, 0].set_ylabel("time of an epoch / s")
    for ax, K in zip(axes[0], values, strict=True):
        _draw_times(ax, {case: s for case, s in sorted(seconds.items()) if case.K == K})
        _label_sizes(ax, _sizes(seconds, "d_h"))
        ax.set_title(f"$K = {K}$")
        ax.set_xlabel("hidden units $d_h$")
    figure.legend(
        axes[0, 0].lines,
        [method.name for method in DRAWN.values()],
        loc="outside lower center",
        ncols=len(DRAWN),
        columnspacing=1.0,
        handlelength=1.6,
    )
    return figure


def _plain(timings: Iterable[Timing]) -> Medians:
    """Median seconds of the cases without elastic net, one thread."""
    return {case: s for case, s in medians(timings, threads=1).items() if not case.elastic}


def _sizes(cases: Iterable[Case], name: str) -> list[int]:
    """The values of K or d_h that occur."""
    return sorted({getattr(case, name) for case in cases})


def _draw_times(ax: Axes, seconds: Medians) -> None:
    """Draw a line for each method, its seconds against d_h."""
    for key, method in DRAWN.items():
        measured = [case for case in seconds if key in seconds[case]]
        ax.loglog(
            [case.d_h for case in measured],
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
