"""One look for all figures: the style sheet, sizes, colours, and the export as a vector file."""

import os
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

FOLDER = Path(__file__).parent
WIDTH = 6.3  # inches, the width of the text
SMALL = 7.5  # points, of text within a figure

BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"  # of Okabe and Ito
CLASS_COLOURS = ("#00456F", "#C04A00")  # a dark blue and a dark orange


def use_style() -> None:
    """Give every figure from now on the look of the report."""
    os.environ.setdefault("SOURCE_DATE_EPOCH", "0")  # no date in the files: same run, same bytes
    plt.style.use(FOLDER / "report.mplstyle")


class Drawing(str):
    """The text of an SVG file, which a notebook shows as a picture."""

    def _repr_svg_(self) -> str:
        return self

    def __repr__(self) -> str:
        return "a figure"


def export(figure: Figure, name: str, folder: Path = FOLDER, *, moving: str = "") -> Drawing:
    """Draw the figure as figures/NAME.svg, and return it; it is drawn once, and then closed.

    `moving` is what it carries for the HTML, from `figures.moving`.
    """
    temporary = folder / f"{name}.{os.getpid()}.tmp"  # two renders at once do no harm
    carried = {"Description": moving} if moving else None
    figure.savefig(temporary, format="svg", bbox_inches="tight", metadata=carried)
    plt.close(figure)
    temporary.replace(folder / f"{name}.svg")
    return Drawing((folder / f"{name}.svg").read_text(encoding="utf-8"))
