"""The claims of each question, proven from the submission's own LaTeX by `derivations`."""

from dataclasses import dataclass

from derivations import Examination, examine
from derivations.claims import Answer
from grading.items import Finding, absent

WORDS = {
    "show": "show",
    "express": "write",
    "cases": "distinguish",
    "state": "state",
    "given": "the definition: ",
    "define": "define",
    "update": "a step for",
    "pose": "the problem",
    "shape": "dimensions",
    "numpy": "in numpy: ",
}


@dataclass(frozen=True)
class Asked:
    """A claim that the assignment asks for, in words and as LaTeX, and what was found."""

    words: str
    latex: str
    finding: Finding


@dataclass(frozen=True)
class Proven:
    """What was found in one question."""

    claims: tuple[Asked, ...]
    wrong: tuple[Finding, ...]  # statements that do not hold, whatever they are for


def findings(text: str) -> dict[str, Proven]:
    """What was found in each question, a.1 to b.18, of a report's source."""
    examination = examine(text)
    return {
        question: Proven(
            tuple(_asked(answer) for answer in answers if answer.claim.asked),
            tuple(_wrong(examination, question)),
        )
        for question, answers in examination.answers.items()
    }


def _asked(answer: Answer) -> Asked:
    claim = answer.claim
    named = claim.kind in ("given", "numpy")  # by a name, not by a formula
    domain = str(claim).partition(" where ")[2]
    words = f"{WORDS[claim.kind]}{claim.text if named else ''}"
    words += f", where {domain}" if domain else ""
    return Asked(words, "" if named else claim.text, _finding(answer))


def _finding(answer: Answer) -> Finding:
    if answer.proven:
        numpy = answer.claim.kind == "numpy"
        return Finding(1.0, "the line is quoted" if numpy else "proven", line=answer.line)
    if answer.state == "missing":
        return absent(answer.problem)
    return Finding(0.0, answer.problem, line=answer.line)


def _wrong(examination: Examination, question: str) -> list[Finding]:
    """The statements of a question that do not hold."""
    displays = [
        Finding(0.0, verdict.failure, line=verdict.display.line)
        for verdict in examination.verdicts
        if verdict.failure and verdict.display.question == question
    ]
    return displays + [
        Finding(0.0, remark.failure, line=remark.inline.line)
        for remark in examination.remarks
        if remark.failure and remark.inline.question == question
    ]
