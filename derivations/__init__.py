"""Checks the mathematics of report.qmd by machine."""

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
    """Check the report and count. Source: the displays of parts a and b."""
    return count(check(path.read_text(encoding="utf-8")))


def count(verdicts: list[Verdict]) -> Summary:
    """Count verdicts."""
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
