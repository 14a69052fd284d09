"""Figures and tables of the report: decision regions, learning curves, gradient tables.

Functions that draw return the figure; functions that tabulate return a Markdown table.
"""

import os
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from mlp.bench.case import Case
from mlp.bench.goals import Goal, aim, over
from mlp.bench.results import Timing, medians
from mlp.bench.tricks import used
from mlp.data import CLASSES, ROOT, Dataset
from mlp.functions import Array
from mlp.gradcheck import Row
from mlp.lab.experiment import Experiment
from mlp.model import Params, fprop
from mlp.settings import Settings
from mlp.train import Record, evaluate

POWER = re.compile(r"\\times 10\^\{-?(\d+)\}\$$")
CLASS_COLOURS = ("#00456F", "#C04A00")  # darker than the regions they lie on
REGION_COLOURS = ("#8DB4D6", "#DCE5EC", "#FDEAD9")  # ever lighter, so that grey tells them apart
PARTS = {"train": ("#0072B2", "-"), "valid": ("#D55E00", "--"), "test": ("#009E73", ":")}
PART_NAMES = {"train": "training", "valid": "validation", "test": "test"}


def use_style() -> None:
    """Give every figure from now on the look of the report."""
    os.environ.setdefault("SOURCE_DATE_EPOCH", "0")  # no date in the files: same run, same bytes
    plt.style.use(ROOT / "figures" / "report.mplstyle")


class Drawing(str):
    """The text of an SVG file, which a notebook shows as a picture."""

    def _repr_svg_(self) -> str:
        return self

    def __repr__(self) -> str:
        return "a figure"


def export(figure: Figure, name: str, folder: Path = ROOT / "figures") -> Drawing:
    """Draw the figure as figures/NAME.svg, and return it; it is drawn once, and then closed."""
    temporary = folder / f"{name}.{os.getpid()}.tmp"  # two renders at once do no harm
    figure.savefig(temporary, format="svg", bbox_inches="tight")
    plt.close(figure)
    temporary.replace(folder / f"{name}.svg")
    return Drawing((folder / f"{name}.svg").read_text(encoding="utf-8"))


# --- tables ----------------------------------------------------------------------------------


def table(head: Sequence[str], rows: Iterable[Sequence[str]], align: str) -> str:
    """A Markdown table; `align` has l, r or c for each column. A 0 stands at the decimal point."""
    marks = {"l": ":--", "r": "--:", "c": ":-:"}
    columns = [_at_the_point(column) for column in zip(*rows, strict=True)]
    lines = [head, [marks[a] for a in align], *zip(*columns, strict=True)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _at_the_point(column: Sequence[str]) -> list[str]:
    r"""Powers of ten with short exponents, and zeros among them, padded; no \phantom in Typst."""
    lengths = {cell: len(found[1]) for cell in column if (found := POWER.search(cell))}
    if not lengths:
        return list(column)
    longest = max(lengths.values())
    digit = r"\,\,"  # as wide as a digit of an exponent
    padded = {cell: cell[:-1] + digit * (longest - n) + "$" for cell, n in lengths.items()}
    padded["0"] = "$0" + digit * (longest - 1) + r"\quad\quad\quad\quad$"
    return [padded.get(cell, cell) for cell in column]


def fixed(value: float, digits: int) -> str:
    """A number with a fixed number of decimals and a true minus sign."""
    return f"{value:.{digits}f}".replace("-", "−")


def scientific(value: float) -> str:
    """A number as 1.2 × 10⁻⁹ in LaTeX, or 0."""
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.1e}".split("e")
    return rf"${mantissa}\times 10^{{{int(exponent)}}}$"


def symbol(name: str) -> str:
    """The LaTeX symbol of a row's name: of W1[2, 1], W with superscript (1) and subscript 21."""
    array, _, index = name.partition("[")
    letter, layer = array[0], array[1]
    subscript = index.removesuffix("]").replace(", 1" if letter == "b" else ", ", "")
    return rf"$\mathbf{{{letter}}}^{{({layer})}}_{{{subscript}}}$"


def gradient_table(rows: Iterable[Row]) -> str:
    """One row per scalar parameter: back-propagation beside the three numerical estimates."""
    head = ["", "back-prop.", "finite diff.", "ratio"]
    head += ["central diff.", "its rel. error", "complex step", "its rel. error"]
    return table(
        head,
        (
            [
                symbol(row.name),
                fixed(row.gradient, 7),
                fixed(row.forward, 7),
                fixed(row.ratio, 6),
                fixed(row.central, 7),
                scientific(row.central_error),
                fixed(row.complex_step, 7),
                scientific(row.complex_error),
            ]
            for row in rows
        ),
        "lrrrrrrr",
    )


def percent(proportion: float) -> str:
    """A proportion as a number of percent, to two decimals."""
    return f"{100 * proportion:.2f}"


def trials_table(trials: Sequence[dict[str, Any]], n: int) -> str:
    """The first n trials of a search: settings, epochs trained, lowest validation error."""
    rows = (
        [
            str(trial["d_h"]),
            str(trial["K"]),
            f"{trial['eta']:.3f}",
            str(trial["epochs"]),
            fixed(100 * trial["valid_error"], 2),
        ]
        for trial in trials[:n]
    )
    return table(
        ["$d_h$", "$K$", "$\\eta$", "epochs trained", "validation error / %"], rows, "rrrrr"
    )


def excerpt(lines: Sequence[str]) -> str:
    """Lines of a log in aligned columns, figures rounded to four decimals."""
    head, *rows = (line.split(",") for line in lines)
    cells = [head, *([row[0], *(f"{float(cell):.4f}" for cell in row[1:])] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lined_up = ([f"{c:>{w}}" for c, w in zip(row, widths, strict=True)] for row in cells)
    return "\n".join("  ".join(row) for row in lined_up)


def gradient_pairs(pairs: Mapping[int, tuple[Params, Params]]) -> str:
    """The gradients by loop and by matrix for each K: a row per scalar parameter."""
    head, rows = [""], []
    for K in pairs:
        head += [f"loop, $K = {K}$", f"matrix, $K = {K}$", r"$\left|\text{difference}\right|$"]
    shapes = next(iter(pairs.values()))[0]
    for name, array in zip(Params._fields, shapes, strict=True):
        for index in np.ndindex(array.shape):
            row = [symbol(f"{name}[{', '.join(str(i + 1) for i in index)}]")]
            for a, b in ([getattr(grad, name)[index] for grad in pair] for pair in pairs.values()):
                row += [fixed(float(a), 10), fixed(float(b), 10), scientific(abs(float(a - b)))]
            rows.append(row)
    return table(head, rows, "l" + "rrr" * len(pairs))


# --- decision regions ------------------------------------------------------------------------


class Panel(NamedTuple):
    """One picture of decision regions: its title, the network, its data, points to be ringed."""

    title: str
    params: Params
    train: Dataset
    valid: Dataset
    ringed: Array = np.empty((0, 2))  # (n, 2)


def errors(panels: Iterable[Panel]) -> tuple[list[float], list[float]]:
    """Training and validation errors of the panels."""
    pairs = [[evaluate(p.params, part)[0] for part in (p.train, p.valid)] for p in panels]
    training, validation = zip(*pairs, strict=True)
    return list(training), list(validation)


def regions(panels: Sequence[Panel], columns: int = 4) -> Figure:
    """Decision regions in a grid; each panel says its training and validation error.

    Shaded by the probability of class 1; the line is where both classes are equally probable.
    """
    rows = -(-len(panels) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(6.3, 1.85 * rows), sharex=True, sharey=True, squeeze=False
    )
    for ax, panel in zip(axes.flat, panels, strict=False):
        draw_regions(ax, panel)
    for ax in axes.flat[len(panels) :]:
        ax.set_visible(False)
    return figure


def draw_regions(ax: Axes, panel: Panel) -> None:
    """Draw one panel into existing axes."""
    u = np.linspace(-1.35, 1.35, 136)
    grid = np.stack([a.ravel() for a in np.meshgrid(u, u)])
    p_1 = fprop(panel.params, grid).os[1].reshape(u.size, u.size)
    shades = LinearSegmentedColormap.from_list("regions", REGION_COLOURS)
    ax.contourf(u, u, p_1, np.linspace(0, 1, 11), cmap=shades)
    ax.contour(u, u, p_1, [0.5], colors="black", linewidths=0.8)
    size = 1.6 if len(panel.train.y) > 200 else 2.8  # hundreds of larger points would merge
    for c, marker in ((0, "o"), (1, "^")):
        points = panel.train.X[panel.train.y == c]
        ax.plot(*points.T, marker, color=CLASS_COLOURS[c], ms=size, mew=0)
    ax.plot(*panel.ringed.T, "o", mfc="none", mec="black", ms=5.5, mew=0.5)
    (training,), (validation,) = errors([panel])
    ax.set_title(panel.title, pad=3)
    ax.set_xlabel(rf"train {100 * training:.1f} %, valid {100 * validation:.1f} %", fontsize=7.5)
    ax.set(xticks=[], yticks=[], aspect="equal")
    for spine in ax.spines.values():
        spine.set_visible(False)


def early_stopping(panels: Sequence[Panel], records: Sequence[Record], chosen: int) -> Figure:
    """Decision regions at several epochs of one run, above its curves with the chosen epoch."""
    figure = plt.figure(figsize=(6.3, 3.9))
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=(1.85, 2.05))[:, 0]
    for ax, panel in zip(above.subplots(1, len(panels)), panels, strict=True):
        draw_regions(ax, panel)
    draw_curves(below.subplots(1, 2), records, chosen, ("train", "valid"))
    return figure


# --- learning curves -------------------------------------------------------------------------


def curves(records: Sequence[Record], chosen: int) -> Figure:
    """Error and average loss on train, validation and test against the epoch; `chosen` marked."""
    figure, axes = plt.subplots(1, 2)
    draw_curves(axes, records, chosen, PARTS)
    return figure


def draw_curves(
    axes: Iterable[Axes], records: Sequence[Record], chosen: int, parts: Iterable[str]
) -> None:
    """Draw errors into one pair of axes and losses into the other, a line per part of the data."""
    epochs = [record.epoch for record in records]
    kinds = (("error", 100, "error / %"), ("loss", 1, "average loss / nat"))
    for ax, (kind, scale, label) in zip(axes, kinds, strict=True):
        for part in parts:
            colour, line = PARTS[part]
            values = [scale * getattr(record, f"{part}_{kind}") for record in records]
            ax.plot(epochs, values, line, color=colour, label=PART_NAMES[part])
            ax.plot(chosen, values[chosen - 1], "o", color=colour, ms=4)
        ax.axvline(chosen, color="0.6", lw=0.8, zorder=0, label=f"chosen epoch, {chosen}")
        ax.set_ylim(bottom=0)
        ax.set(xlabel="epoch", ylabel=label)
        if kind == "error":
            ax.legend()


# --- searches and rungs ------------------------------------------------------------------------


def tried(trials: Sequence[dict[str, Any]], names: dict[str, str], ringed: set[int]) -> Figure:
    """Validation error of the trials of a search against each setting, those in `ringed` ringed.

    `names` gives the label of each setting.
    """
    figure, axes = plt.subplots(1, len(names), sharey=True, figsize=(6.3, 2.2))
    for ax, (name, label) in zip(axes, names.items(), strict=True):
        for some, look in (
            (trials, {"color": "#0072B2", "ms": 4, "alpha": 0.7, "mew": 0}),
            (
                [trial for trial in trials if trial["trial"] in ringed],
                {"mfc": "none", "mec": "black", "ms": 7.5, "mew": 0.7},
            ),
        ):
            errors = [100 * trial["valid_error"] for trial in some]
            ax.plot([trial[name] for trial in some], errors, "o", **look)
        ax.set(xlabel=label, xscale="log")
        ax.margins(x=0.15)
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter("{x:g}")
        ax.minorticks_off()
    axes[0].set_ylabel("validation error / %")
    return figure


def settings_table(experiments: Mapping[str, Experiment]) -> str:
    """The settings of experiments, a column each; a dash for what is not used."""
    columns = [_told(experiment.settings) for experiment in experiments.values()]
    rows = [[what, *(column[what] for column in columns)] for what in columns[0]]
    return table(["", *experiments], rows, "l" + "c" * len(columns))


def _told(s: Settings) -> dict[str, str]:
    pixels = "pixel" if s.shifts == 1 else "pixels"
    moved = ["mirrored"] * s.flips + [f"shifted by up to {s.shifts} {pixels}"] * bool(s.shifts)
    return {
        "hidden units $d_h$": str(s.d_h),
        "minibatch size $K$": str(s.K),
        r"step size $\eta$": f"{s.eta:g}",
        "schedule": s.schedule,
        r"momentum $\mu$": f"{s.momentum:g}" if s.momentum else "–",
        r"$\lambda_{11}$": scientific(s.l11) if s.l11 else "–",
        r"$\lambda_{12}$": scientific(s.l12) if s.l12 else "–",
        r"$\lambda_{21}$": scientific(s.l21) if s.l21 else "–",
        r"$\lambda_{22}$": scientific(s.l22) if s.l22 else "–",
        "smoothing $s$": f"{s.smoothing:g}" if s.smoothing else "–",
        r"whitening $\varepsilon$": f"{s.whiten:g}" if s.whiten else "–",
        "training images": ", ".join(moved) or "–",
        "averaged answers": "to image and mirror image" if s.mirrored else "–",
        "epochs, at most": str(s.epochs),
        "patience in epochs": str(s.patience) if s.patience < s.epochs else "–",
    }


def rungs(logs: dict[str, list[list[Record]]], nets: Sequence[Any]) -> Figure:
    """Validation error against the epoch, median and range of runs; errors against `nets`.

    Epochs that not all runs of a rung have reached are left out.
    """
    figure, (left, right) = plt.subplots(1, 2, gridspec_kw={"width_ratios": (3, 2)})
    styles = zip(("0.3", "#D55E00", "#0072B2"), ("-", "--", "-."), strict=True)
    for (name, runs), (colour, line) in zip(logs.items(), styles, strict=False):
        by_epoch = list(zip(*runs, strict=False))
        band = np.array([[100 * record.valid_error for record in some] for some in by_epoch])
        epochs = range(1, 1 + len(band))
        left.fill_between(epochs, band.min(1), band.max(1), color=colour, alpha=0.2, lw=0)
        left.plot(epochs, np.median(band, axis=1), line, color=colour, lw=1, label=name)
    ticks = (8, 9, 10, 12, 14, 16)
    left.set(xlabel="epoch", ylabel="validation error / %", yscale="log")
    left.set_yticks(ticks, [str(tick) for tick in ticks])
    left.minorticks_off()
    left.legend()
    for part in ("valid", "test"):
        colour, line = PARTS[part]
        errors = [100 * getattr(record, f"{part}_error") for record in nets]
        right.plot(
            range(1, 1 + len(nets)), errors, f"o{line}", color=colour, label=PART_NAMES[part]
        )
    right.set(xlabel="number of networks averaged", ylabel="error / %")
    right.set_xticks(range(1, 1 + len(nets)))
    right.legend()
    return figure


# --- Fashion-MNIST ---------------------------------------------------------------------------


def notice(text: str) -> Figure:
    """A line in place of a figure that cannot be drawn here."""
    figure, ax = plt.subplots(figsize=(6.3, 0.5))  # axes, as the notebook shows no figure without
    ax.axis("off")
    ax.text(0.5, 0.5, text, ha="center", va="center", style="italic")
    return figure


def examples(X: Array, y: Array, predicted: Array, columns: int = 10) -> Figure:
    """Images in a grid, each with its true class, and with the predicted one where it differs."""
    rows = -(-len(y) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(6.3, 0.85 * rows), squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for ax, image, true, guess in zip(axes.flat, X, y, predicted, strict=False):
        ax.imshow(image.reshape(28, 28), cmap="gray_r", interpolation="nearest")
        ax.set_title(CLASSES[true], fontsize=7.5, pad=2)
        if guess != true:
            ax.text(
                0.5,
                -0.04,
                CLASSES[guess],
                ha="center",
                va="top",
                fontsize=7.5,
                color=CLASS_COLOURS[1],
                transform=ax.transAxes,
            )
    return figure


def confusion(counts: Array) -> Figure:
    """How often each true class (rows) was taken for each class (columns): (10, 10) counts."""
    m = len(CLASSES)
    figure, ax = plt.subplots(figsize=(3.5, 3.05))
    ax.imshow(np.log1p(counts), cmap="Blues", vmax=np.log1p(counts.max()) * 1.1)
    for i, j in np.ndindex(m, m):
        if counts[i, j]:
            colour = "white" if counts[i, j] > 300 else "black"
            ax.text(j, i, str(counts[i, j]), ha="center", va="center", fontsize=7.5, color=colour)
    ax.set_xticks(range(m), CLASSES, rotation=45, ha="right")
    ax.set_yticks(range(m), CLASSES)
    ax.set(xlabel="predicted class", ylabel="true class")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return figure


# --- times -----------------------------------------------------------------------------------

METHODS = {  # name, colour, line and marker
    "loop": ("loop", "#999999", "-", "v"),
    "matrix": ("matrix calculus", "#CC79A7", "-.", "^"),
    "sklearn": ("scikit-learn", "#009E73", ":", "s"),
    "pytorch": ("PyTorch", "#D55E00", "--", "D"),
    "fast": ("fast twin", "#0072B2", "-", "o"),
    "floor": ("products alone", "black", ":", ""),
}


def cost_table(results: Sequence[Timing]) -> str:
    """Median seconds for an epoch by every method, one thread, no elastic net."""
    return table(
        ["$K$", "$d_h$", *(name for name, *_ in METHODS.values())],
        (
            [
                str(case.K),
                str(case.d_h),
                *(fixed(s[m], 2) if m in s else "" for m in METHODS),
            ]
            for case, s in sorted(medians(results, 1).items())
            if not case.elastic
        ),
        "r" * (2 + len(METHODS)),
    )


def ratio_table(results: Sequence[Timing]) -> str:
    """How the fast twin does against others; † marks missed goals, ° where none was set.

    The marks stand in front, so that the digits line up.
    """
    cores = max(t.threads for t in results)
    columns = [("pytorch", 1), ("sklearn", 1), ("floor", 1), ("pytorch", cores)]

    def cell(rival: str, threads: int, case: Case) -> str:
        seconds = medians(results, threads)[case]
        if rival not in seconds:
            return ""
        ratio, wanted = over(seconds, rival), aim(rival, case, threads)
        if wanted is None:
            return "°" + fixed(ratio, 2)
        return ("" if Goal(rival, case, wanted, ratio).met else "†") + fixed(ratio, 2)

    head = ["$K$", "$d_h$", "PyTorch", "and net", "scikit-learn", "and net", "products"]
    head += [f"PyTorch, {cores} threads", "and net"]
    rows = []
    for K, d_h in sorted({(t.K, t.d_h) for t in results}):
        cells = [
            cell(rival, threads, Case(K, d_h, elastic))
            for rival, threads in columns
            for elastic in (False, True)
            if not (rival == "floor" and elastic)
        ]
        rows.append([str(K), str(d_h), *cells])
    return table(head, rows, "r" * len(head))


def savings_table(saved: dict[str, dict[tuple[int, int], list[float]]]) -> str:
    """Median microseconds that each trick saves in a minibatch; a dash where it is not used."""
    shapes = list(next(iter(saved.values())))
    return table(
        ["", *(f"$K = {K}$, $d_h = {d_h}$" for K, d_h in shapes)],
        (
            [
                trick,
                *(
                    fixed(statistics.median(by[shape]), 1) if used(trick, *shape) else "–"
                    for shape in shapes
                ),
            ]
            for trick, by in saved.items()
        ),
        "l" + "r" * len(shapes),
    )


def plot_cost(results: Sequence[Timing]) -> Figure:
    """Seconds for an epoch, one thread, no elastic net: against d_h above, against K below.

    Without the loop, which would flatten all others.
    """
    seconds = {case: s for case, s in medians(results, 1).items() if not case.elastic}
    methods = {method: look for method, look in METHODS.items() if method != "loop"}
    Ks, d_hs = sorted({c.K for c in seconds}), sorted({c.d_h for c in seconds})
    figure = plt.figure(figsize=(6.3, 4.6))
    parts: Any = figure.subfigures(2, 1)
    upper, lower = parts
    for axes, values, name, other, label in (
        (upper.subplots(1, len(Ks), sharey=True, squeeze=False)[0], Ks, "K", "d_h", "hidden units"),
        (
            lower.subplots(1, len(d_hs), sharey=True, squeeze=False)[0],
            d_hs,
            "d_h",
            "K",
            "minibatch",
        ),
    ):
        axes[0].set_ylabel("time of an epoch / s")
        for ax, value in zip(axes, values, strict=True):
            cases = sorted(c for c in seconds if getattr(c, name) == value)
            for method, (_, colour, line, marker) in methods.items():
                measured = [c for c in cases if method in seconds[c]]
                x = [getattr(c, other) for c in measured]
                ax.loglog(
                    x, [seconds[c][method] for c in measured],
                    color=colour, linestyle=line, marker=marker, markersize=3,
                )  # fmt: skip
            ticks = d_hs if other == "d_h" else Ks
            ax.set_xticks(ticks, [str(t) for t in ticks])
            ax.set_xticks([], minor=True)
            ax.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
            ax.yaxis.set_major_formatter("{x:g}")
            ax.set_yticks([], minor=True)
            ax.set_title(f"${name} = {value}$")
            ax.set_xlabel(f"{label} ${other}$")
    figure.legend(
        upper.axes[0].lines,
        [label for label, *_ in methods.values()],
        loc="outside lower center",
        ncols=len(methods),
        columnspacing=1.0,
    )
    return figure
