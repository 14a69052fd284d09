"""What a figure carries for the HTML, where it moves: the networks that a slider goes through.

It stands in the SVG file, as its description. So one chunk serves all formats: where nothing reads
the description, the figure stands still; in the HTML, render/templates/moving.js draws from it.
"""

import json
from collections.abc import Sequence
from typing import Any

from matplotlib.colors import LinearSegmentedColormap, to_hex

from figures.circles import EDGE, REGION_COLOURS, SHADES, Panel
from figures.curves import PARTS
from figures.style import CLASS_COLOURS
from mlp.functions import Array
from mlp.train import Record, State, evaluate

DIGITS = 4  # enough for a picture
STEP = 50  # epochs from one network of a run to the next
STRIDE = 10  # and from one point of its curves to the next
SYMBOLS = {"$": "", r"\lambda": "λ", "d_h": "dₕ"}  # of titles, in plain text


def through(slider: str, panels: Sequence[Panel]) -> str:
    """JSON with the networks of panels of the same data; `slider` says what it goes through."""
    return _carried(slider, [(0, panel) for panel in panels], [])


def through_epochs(run: Sequence[tuple[Record, State]], panel: Panel, chosen: int) -> str:
    """JSON with networks of a run, also the chosen one, the data of a panel, and the curves."""
    epochs = sorted({1, chosen, *range(STEP, len(run) + 1, STEP)})
    frames = [
        (epoch, panel._replace(title=f"epoch {epoch}", params=run[epoch - 1][1].params))
        for epoch in epochs
    ]
    return _carried("epoch", frames, [record for record, _ in run[::STRIDE]])


def _carried(slider: str, frames: Sequence[tuple[int, Panel]], records: Sequence[Record]) -> str:
    """What a figure carries. Each frame has an epoch, where there are records."""
    _, first = frames[0]
    shades = LinearSegmentedColormap.from_list("regions", REGION_COLOURS, SHADES)
    carried = {
        "slider": slider,
        "frames": [_frame(*frame) for frame in frames],
        "edge": EDGE,
        "shades": [to_hex(shades(band)) for band in range(SHADES)],
        "points": [
            {"colour": colour, "at": _short(first.train.X[first.train.y == c])}
            for c, colour in enumerate(CLASS_COLOURS)
        ],
        "ringed": _short(first.ringed),
        "curves": [_curve(part, records) for part in ("train", "valid")] if records else [],
    }
    return json.dumps(carried, separators=(",", ":"))


def _frame(epoch: int, panel: Panel) -> dict[str, Any]:
    """A network, and its error and loss in each part of the data."""
    title = panel.title
    for symbol, plain in SYMBOLS.items():
        title = title.replace(symbol, plain)
    parts = {"train": panel.train, "valid": panel.valid}
    judged = {part: evaluate(panel.params, data) for part, data in parts.items()}
    W1, b1, W2, b2 = map(_short, panel.params)
    return {
        "title": title,
        "epoch": epoch,
        "W1": W1,
        "b1": b1,
        "W2": W2,
        "b2": b2,
        "error": {part: 100 * error for part, (error, _) in judged.items()},
        "loss": {part: loss for part, (_, loss) in judged.items()},
    }


def _curve(part: str, records: Sequence[Record]) -> dict[str, Any]:
    """Error and loss in a part of the data against the epoch."""
    return {
        "part": part,
        "name": PARTS[part].name,
        "colour": PARTS[part].colour,
        "dashed": PARTS[part].line != "-",
        "epoch": [record.epoch for record in records],
        "error": [100 * getattr(record, f"{part}_error") for record in records],
        "loss": [getattr(record, f"{part}_loss") for record in records],
    }


def _short(values: Array) -> Any:
    """Numbers of few digits, in lists as deep as the array."""
    if values.ndim > 1:
        return [_short(row) for row in values]
    return [float(f"{value:.{DIGITS}g}") for value in values]
