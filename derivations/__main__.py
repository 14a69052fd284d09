"""Checks every display: `python -m derivations [report.qmd]`."""

import signal
import sys
from pathlib import Path

from derivations import REPORT, count
from derivations.verify import check


def main(arguments: list[str]) -> int:
    """Print a line for each display and the totals; 1 if one is wrong, 2 without a report."""
    path = Path(arguments[0]) if arguments else REPORT
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        print(f"{path}: {error.strerror}; name the report, as in: report.qmd", file=sys.stderr)
        return 2
    verdicts = check(text)
    for v in verdicts:
        d = v.display
        said = f"verified {v.how}" if v.verified else f"not checkable: {v.reason}"
        said = f"WRONG: {v.failure}" if v.failure else said
        steps = f"{v.steps} step{'s'[: v.steps != 1]}"
        print(f"{d.question:9} line {d.line:4}  {d.label:20} {steps:8} {said}")
    s = count(verdicts)
    print(
        f"{s.displays} displays: {s.verified} verified ({s.steps} steps), "
        f"{s.not_checkable} not checkable, {s.failed} wrong"
    )
    for v in verdicts:
        if v.failure:
            print(f"{path}:{v.display.line}: question {v.display.question}: {v.failure}")
    return 1 if s.failed else 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as in: make derivations | head
    sys.exit(main(sys.argv[1:]))
