"""Learning curves: error and average loss of the parts of the data, epoch by epoch."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.style import BLUE, GREEN, ORANGE
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
            name, colour, line = PARTS[part]
            values = [scale * getattr(record, f"{part}_{kind}") for record in records]
            ax.plot(epochs, values, line, color=colour, label=name)
            ax.plot(chosen, values[chosen - 1], "o", color=colour, ms=4)
        ax.axvline(chosen, color="0.6", lw=0.8, zorder=0, label=f"chosen epoch, {chosen}")
        ax.set_ylim(bottom=0)
        ax.set(xlabel="epoch", ylabel=label)
        if kind == "error":
            ax.legend()
