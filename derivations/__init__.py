r"""Holds the mathematics of report.qmd against what is asked: `python -m derivations`.

What is asked stands in `questions.yml`, as claims of each question. `examine` finds each claim
among the displays of the report, and sees to it that all they say holds: every step is tried at
points of several sizes and on the kinks, against the `definitions` of the assignment; every reason
beside a step is judged by `rules.yml`; and a claim that is to be shown needs a path of judged steps
from one side to the other. `exact` proves steps for all sizes and values, where it can. `inline`
reads the formulas within lines, and `program` holds the lines of code that carry out an equation
against the same definitions.

In reading order:

* `read`, `latex`, `meaning`: formulas of the report, parsed; what its names are;
* `questions`, `reading`: what is asked, and what is said, each statement with its context;
* `definitions`, `points`, `evaluate`, `verify`: what a statement is worth at points, and tried;
* `forms`, `rewrite`, `arithmetic`, `calculus`, `entries`, `reasons`: normal forms and what a reason
  allows; `proofs`: paths of such steps; `emptiness`: what says nothing;
* `claims`, `inline`, `examine`: what is found; `support`: on what it rests; `program`: the code;
* `feedback`: what a student is told of all this.

A display may be preceded by a comment for the checker, `<!-- check: x \neq 0 -->`, which says where
its statements hold, if the question allows that domain. A new letter is defined by a display of its
own (u = …) before it is used.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from derivations.examine import Examination, examine
from derivations.points import POINTS, SIZES
from derivations.program import faults
from derivations.questions import load
from derivations.support import Support, supports
from literate.reader import REPORT

__all__ = ["REPORT", "Examination", "Summary", "count", "examine", "faults", "rests", "summary"]


@dataclass(frozen=True)
class Summary:
    """How much of the report's mathematics has been verified; figures for its appendix."""

    questions: int
    claims: int
    asked: int  # of these, by the assignment
    proven: int
    displays: int
    steps: int
    symbolic: int  # steps that are proven, for all sizes and all values
    numeric: int  # steps that hold at all points that were tried
    reasons: int
    inlines: int  # formulas within lines that have a relation or a shape
    lines: int  # of the program
    failed: int

    @property
    def in_words(self) -> str:
        """A sentence, without its full stop: how many steps are proven, and what the others are."""
        proven = "are proven for all sizes and all values"
        if not self.numeric:
            return f"All {self.steps} steps {proven}"
        others = "other one holds" if self.numeric == 1 else f"other {self.numeric} hold"
        points = f"at {POINTS} points of {len(SIZES)} sets of sizes"
        return f"{self.symbolic} of {self.steps} steps {proven}, the {others} {points}"


def summary(text: str) -> Summary:
    """Examine a report and count; some seconds, and far less once it has been examined."""
    return count(examine(text), faults(load()))


def count(examination: Examination, wrong_lines: Sequence[str] = ()) -> Summary:
    """The figures of an examination, and of what is wrong with lines of the program."""
    answers = [a for found in examination.answers.values() for a in found]
    said = [s for v in examination.verdicts for s in v.said]
    steps = rests(examination)
    symbolic = sum(step.symbolic for step in steps)
    return Summary(
        questions=len(examination.answers),
        claims=len(answers),
        asked=sum(a.claim.asked for a in answers),
        proven=sum(a.proven for a in answers),
        displays=len(examination.verdicts),
        steps=len(steps),
        symbolic=symbolic,
        numeric=len(steps) - symbolic,
        reasons=sum(bool(step.reason) for s in said for step in s.statement.steps),
        inlines=sum(r.verified for r in examination.remarks),
        lines=len({a.claim.label for a in answers} - {""}),
        failed=len(examination.failures) + len(wrong_lines) + sum(s.refuted for s in steps),
    )


def rests(examination: Examination, question: str = "") -> list[Support]:
    """What each step rests on that has been found to hold, in one question or in all."""
    return [
        support
        for verdict in examination.verdicts
        if not verdict.failure and question in ("", verdict.display.question)
        for said in verdict.tried
        for support in supports(said)
    ]
