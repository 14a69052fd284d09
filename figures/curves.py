"""Learning curves: error and average loss of the parts of the data, epoch by epoch."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.style import BLUE, GREEN, ORANGE, WIDTH
from mlp.train import Record


class Part(NamedTuple):
    """How a part of the data is drawn."""

    name: str
    colour: str
    line: str


PARTS = {
    "train": Part("training", BLUE, "-"),
    "valid": Part("validation", ORANGE, "--"),
    "test": Part("test", GREEN, ":"),
}


class Kind(NamedTuple):
    """A kind of figure of the log, and how it is drawn."""

    name: str
    scale: float
    label: str


KINDS = (Kind("error", 100, "error / %"), Kind("loss", 1, "average loss / nat"))


def curves(records: Sequence[Record], chosen: int, runs: Sequence[Sequence[Record]] = ()) -> Figure:
    """Error and average loss on train, validation and test against the epoch; `chosen` marked.

    Behind them a band from the lowest to the highest of `runs`, of as many epochs.
    """
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 2.2))
    draw_bands(axes, runs)
    draw_curves(axes, records, chosen, PARTS)
    return figure


def draw_bands(axes: Iterable[Axes], runs: Sequence[Sequence[Record]]) -> None:
    """Draw the range over runs of errors and losses, a band per part of the data."""
    for ax, (kind, scale, _) in zip(axes, KINDS, strict=True):
        for part in PARTS if runs else ():
            values = [[scale * getattr(r, f"{part}_{kind}") for r in run] for run in runs]
            epochs = [record.epoch for record in runs[0]]
            low, high = np.min(values, axis=0), np.max(values, axis=0)
            ax.fill_between(epochs, low, high, color=PARTS[part].colour, alpha=0.25, lw=0)


def draw_curves(
    axes: Iterable[Axes], records: Sequence[Record], chosen: int, parts: Iterable[str]
) -> None:
    """Draw errors into one pair of axes and losses into the other, a line per part of the data."""
    epochs = [record.epoch for record in records]
    for ax, (kind, scale, label) in zip(axes, KINDS, strict=True):
        for part in parts:
            name, colour, line = PARTS[part]
            values = [scale * getattr(record, f"{part}_{kind}") for record in records]
            ax.plot(epochs, values, line, color=colour, label=name)
            ax.plot(chosen, values[chosen - 1], "o", color=colour, ms=4)
        ax.axvline(chosen, color="0.6", lw=0.8, zorder=0, label=f"chosen epoch, {chosen}")
        ax.set_ylim(bottom=0)
        ax.set(xlabel="epoch", ylabel=label)
        ax.legend(loc="lower left")
