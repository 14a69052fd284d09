r"""Checks the mathematics of report.qmd by machine: `python -m derivations`, or `make derivations`.

Every display is read from the report itself, and each of its steps is verified: identities in
smooth functions of x by SymPy, all others at random points, with arrays of different sizes, to
1e-9. `read` finds the displays, `latex` parses them, `meaning` is the table of what the symbols
stand for, `evaluate` computes, `symbolic` proves, and `verify` puts it together.

A display may be preceded by comments for the checker: `<!-- check: x \neq 0 -->` says where its
statements hold, and `<!-- check: skip REASON -->` that there is nothing in it to be checked. A new
symbol is entered in `meaning`, or defined by a display of its own (u = ...) before it is used.
Every index runs over all values of the axis that it stands on; K, two indices on a layer, or L_i
make a statement one about a minibatch, whose examples are columns.
"""

from dataclasses import dataclass
from pathlib import Path

from derivations.verify import Verdict, check

REPORT = Path(__file__).resolve().parent.parent / "report.qmd"


@dataclass(frozen=True)
class Summary:
    """How much of the report's mathematics has been verified; figures for its appendix."""

    displays: int
    steps: int
    verified: int
    symbolic: int
    numeric: int
    not_checkable: int
    failed: int


def summary(path: Path = REPORT) -> Summary:
    """Check the report and count; some seconds, and far less once it has been checked."""
    return count(check(path.read_text(encoding="utf-8")))


def count(verdicts: list[Verdict]) -> Summary:
    """The figures of a check."""
    verified = [v for v in verdicts if v.verified]
    symbolic = sum("symbolically" in v.how for v in verified)
    return Summary(
        displays=len(verdicts),
        steps=sum(v.steps for v in verified),
        verified=len(verified),
        symbolic=symbolic,
        numeric=len(verified) - symbolic,
        not_checkable=sum(bool(v.reason) for v in verdicts),
        failed=sum(bool(v.failure) for v in verdicts),
    )
