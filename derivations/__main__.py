"""Holds a report against what is asked: `python -m derivations [report.qmd]`."""

import signal
import sys
from pathlib import Path

from derivations import REPORT, count, examine, faults
from derivations.questions import load


def main(arguments: list[str]) -> int:
    """Print a line for each question and the totals; 1 if anything is wrong, 2 without a report."""
    path = Path(arguments[0]) if arguments else REPORT
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        print(f"{path}: {error.strerror}; name the report, as in: report.qmd", file=sys.stderr)
        return 2
    examination = examine(text)
    for question, answers in examination.answers.items():
        proven = sum(answer.proven for answer in answers)
        print(f"{question:10} {proven} of {len(answers)} claims proven")
    wrong_lines = faults(load())
    s = count(examination, wrong_lines)
    print(f"{s.proven} of {s.claims} claims proven, {s.steps} steps in {s.displays} displays")
    for failure in examination.failures:
        print(f"{path}:{failure}")
    for failure in wrong_lines:
        print(f"mlp/{failure}")
    return 1 if s.failed else 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as in: make derivations | head
    sys.exit(main(sys.argv[1:]))
