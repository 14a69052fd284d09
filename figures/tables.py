"""Markdown tables, the numbers in them, and lines of a log in columns."""

import re
from collections.abc import Iterable, Sequence

DASH = "–"  # stands for what is not there
MARKS = {"l": ":--", "r": "--:", "c": ":-:"}  # how Markdown aligns a column
POWER = re.compile(r"\\times 10\^\{-?(\d+)\}\$$")  # with the digits of the exponent
DIGIT_OF_EXPONENT = r"\,\,"  # a space of that width; Typst has no \phantom
POWER_WITHOUT_DIGITS = r"\quad\quad\quad\quad"  # and one as wide as what follows a mantissa


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], align: str, widths: Sequence[int] = ()
) -> str:
    """A Markdown table; `align` has l, r or c for each column. A 0 stands at the decimal point.

    The columns of a table that is wider than the page have equal widths, or these relative ones.
    """
    columns = [_at_the_point(column) for column in zip(*rows, strict=True)]
    stretched = zip(align, widths or [1] * len(align), strict=True)
    marks = [MARKS[letter].replace("-", "-" * width, 1) for letter, width in stretched]
    lines = [head, marks, *zip(*columns, strict=True)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _at_the_point(column: Sequence[str]) -> list[str]:
    """The cells of a column; powers of ten with short exponents, and zeros among them, padded."""
    exponents = [POWER.search(cell) for cell in column]
    lengths = [len(found[1]) for found in exponents if found]
    if not lengths:
        return list(column)
    longest = max(lengths)
    padded = []
    for cell, found in zip(column, exponents, strict=True):
        if found:
            padding = DIGIT_OF_EXPONENT * (longest - len(found[1]))
            padded.append(f"{cell.removesuffix('$')}{padding}$")
        elif cell == "0":
            padding = DIGIT_OF_EXPONENT * (longest - 1) + POWER_WITHOUT_DIGITS
            padded.append(f"$0{padding}$")
        else:
            padded.append(cell)
    return padded


def fixed(value: float, digits: int) -> str:
    """A number with a fixed number of decimals and a true minus sign."""
    return f"{value:.{digits}f}".replace("-", "−")


def percent(proportion: float) -> str:
    """A proportion as a number of percent, to two decimals."""
    return fixed(100 * proportion, 2)


def scientific(value: float) -> str:
    """A number as 1.2 × 10⁻⁹ in LaTeX, or 0."""
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.1e}".split("e")
    return rf"${mantissa}\times 10^{{{int(exponent)}}}$"


def excerpt(lines: Sequence[str]) -> str:
    """Lines of a log in aligned columns, figures rounded to four decimals."""
    head, *rows = (line.split(",") for line in lines)
    cells = [head]
    for epoch, *figures in rows:
        cells.append([epoch, *(f"{float(figure):.4f}" for figure in figures)])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    aligned = []
    for row in cells:
        padded = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        aligned.append("  ".join(padded))
    return "\n".join(aligned)
