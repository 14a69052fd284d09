"""What a figure carries for the HTML, where a slider moves it: through networks, or step by step.

It stands in the SVG file, as its description. So one chunk serves all formats: where nothing reads
the description, the figure stands still; in the HTML, render/templates/moving.js draws from it.
"""

import json
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.artist import Artist
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure

from figures.circles import EDGE, REGION_COLOURS, SHADES, Panel
from figures.curves import PARTS
from figures.style import CLASS_COLOURS
from mlp.functions import Array
from mlp.train import evaluate

DIGITS = 4  # enough for a picture
SYMBOLS = {"$": "", r"\lambda": "λ", "d_h": "dₕ"}  # of titles, in plain text
CURVES = [
    {"part": key, "name": part.name, "colour": part.colour, "dashed": part.line != "-"}
    for key, part in PARTS.items()
    if key != "test"
]


def through(slider: str, panels: Sequence[Panel], epochs: Sequence[int] = ()) -> str:
    """JSON with the networks of panels of the same data; `slider` says what it goes through.

    With the epoch of each, they are those of one run, and curves of their errors and losses follow.
    """
    shades = LinearSegmentedColormap.from_list("regions", REGION_COLOURS, SHADES)
    first = panels[0]
    carried = {
        "slider": slider,
        "frames": [_frame(panel) for panel in panels],
        "edge": EDGE,
        "shades": [to_hex(shades(band)) for band in range(SHADES)],
        "points": [
            {"colour": colour, "at": _short(first.train.X[first.train.y == c])}
            for c, colour in enumerate(CLASS_COLOURS)
        ],
        "ringed": _short(first.ringed),
        "epochs": [int(epoch) for epoch in epochs],
        "curves": CURVES,
    }
    return json.dumps(carried, separators=(",", ":"))


class Step(NamedTuple):
    """A step of a drawing: what it brings, and where it ends; the equation that it carries out."""

    words: str
    end: float  # on the axis across
    label: str = ""  # as in eq-ha


def stepwise(drawing: Figure, steps: Sequence[Step]) -> str:
    """Name all that is drawn after the step that it belongs to; JSON with the steps.

    The steps go from left to right or from right to left; the last one ends beyond everything.
    """
    (ax,) = drawing.axes
    way = 1 if steps[-1].end > steps[0].end else -1
    ends = [way * step.end for step in steps]
    places: list[tuple[Artist, float]] = [(text, text.get_position()[0]) for text in ax.texts]
    for patch in ax.patches:
        extent = patch.get_window_extent().transformed(ax.transData.inverted())
        places.append((patch, (extent.x0 + extent.x1) / 2))
    for i, (artist, x) in enumerate(places):
        artist.set_gid(f"step-{bisect_left(ends, way * x)}-{i}")
    named = [{"words": step.words, "label": step.label} for step in steps]
    return json.dumps({"slider": "step", "steps": named}, separators=(",", ":"))


def _frame(panel: Panel) -> dict[str, Any]:
    """A network, and its error and loss in each part of the data."""
    title = panel.title
    for symbol, plain in SYMBOLS.items():
        title = title.replace(symbol, plain)
    parts = {"train": panel.train, "valid": panel.valid}
    judged = {part: evaluate(panel.params, data) for part, data in parts.items()}
    W1, b1, W2, b2 = map(_short, panel.params)
    return {
        "title": title,
        "W1": W1,
        "b1": b1,
        "W2": W2,
        "b2": b2,
        "error": {part: 100 * float(error) for part, (error, _) in judged.items()},
        "loss": {part: float(loss) for part, (_, loss) in judged.items()},
    }


def _short(values: Array) -> Any:
    """Numbers of few digits, in lists as deep as the array."""
    if values.ndim > 1:
        return [_short(row) for row in values]
    return [float(f"{value:.{DIGITS}g}") for value in values]
