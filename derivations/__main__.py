"""Holds a report against what is asked: `python -m derivations [report.qmd]`."""

import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from derivations import REPORT, Examination, count, examine, faults, rests
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
    print(*lines(examination), sep="\n")
    wrong_lines = faults(load())
    s = count(examination, wrong_lines)
    print(
        f"{s.proven} of {s.claims} claims proven; {s.steps} steps in {s.displays} displays: "
        f"{s.symbolic} for all sizes and values, {s.numeric} at points of several sizes; "
        f"{s.reasons} reasons, {s.inlines} formulas within lines, {s.lines} lines of code"
    )
    for failure in examination.failures:
        print(f"{path}:{failure}")
    for failure in wrong_lines:
        print(f"mlp/{failure}")
    return 1 if s.failed else 0


def lines(examination: Examination) -> Iterator[str]:
    """For each question: its claims, and on what the steps of its displays rest."""
    for question, answers in examination.answers.items():
        if not answers:
            continue
        states = Counter(answer.state for answer in answers)
        found = ", ".join(f"{number} {state}" for state, number in states.items())
        steps = Counter(str(step) for step in rests(examination, question))
        held = ", ".join(f"{number} {how}" for how, number in steps.items())
        yield f"{question:10} {found:12} {held and 'steps: '}{held}"
        for answer in answers:
            if not answer.proven:
                yield f"{'':10} {answer.claim}: {answer.problem}"


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as in: make derivations | head
    sys.exit(main(sys.argv[1:]))
