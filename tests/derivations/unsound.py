"""Edits the report, and looks for steps that are proven although they are false.

Run as `python -m tests.derivations.unsound [--count 200] [--seed 1] [report.qmd]`; all edits of
`mutate` with a large count. Exit status 1 if a step is proven that does not hold at random points.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from derivations import REPORT
from derivations.exact.__main__ import OWN, context_of, statements
from derivations.exact.prover import Proof, prove
from derivations.latex import ParseError
from derivations.read import displays, macros
from tests.derivations.edits import Edit, edits
from tests.derivations.referee import wrong_steps


class Judged(NamedTuple):
    """One step of an edited display: what the prover says of it, and what is wrong with it."""

    edit: Edit
    step: int
    proof: Proof
    wrong: str

    @property
    def unsound(self) -> bool:
        """Whether a false step is proven."""
        return self.proof.proven and bool(self.wrong)


def judged(text: str, count: int, seed: int) -> Iterator[Judged]:
    """The steps of the displays that edits have changed, in parts a and b."""
    known = macros(text)
    for edit in edits(text, count, seed):
        *_, display = (d for d in displays(edit.text) if d.line <= edit.line)
        if display.question[:1] not in ("a", "b") or display.question == "average":
            continue
        own = OWN.get(display.question, {})
        try:
            found = statements(display, known)
        except ParseError:
            continue
        for statement in found:
            context = context_of(display, statement)
            wrong = wrong_steps(statement, context.examples != "1", own)
            for step, proof in enumerate(prove(statement, context), 1):
                yield Judged(edit, step, proof, wrong.get(step, ""))


def main(arguments: list[str]) -> int:
    """Count what is said of false and of true steps; print those that are proven and false."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", nargs="?", type=Path, default=REPORT)
    parser.add_argument("--count", type=int, default=200, help="how many edits (default 200)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    counts: Counter[tuple[str, str]] = Counter()
    unsound = 0
    for step in judged(options.report.read_text(encoding="utf-8"), options.count, options.seed):
        counts["false" if step.wrong else "true", step.proof.verdict] += 1
        if step.unsound:
            unsound += 1
            print(f"line {step.edit.line}, step {step.step}: {step.wrong}\n  {step.edit.now}")
    for (truth, verdict), number in sorted(counts.items()):
        print(f"{truth:5} and {verdict:9} {number:5}")
    print(f"{unsound} false steps are proven")
    return 1 if unsound else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
