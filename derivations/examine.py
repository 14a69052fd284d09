"""Examines a report: what it says has to hold, and what is asked has to be said."""

from dataclasses import dataclass, field, replace

from derivations.claims import Answer, Section, answers
from derivations.emptiness import empty
from derivations.forms import ZERO, normal
from derivations.inline import Remark, examine_inlines
from derivations.questions import Question, Questions, load
from derivations.read import Display, quoted
from derivations.reading import Reading, Said, read
from derivations.reasons import Known, Pair, fault
from derivations.verify import attempt

Stated = dict[str, list[Pair]]  # formulas by question, in the order of the report


@dataclass
class Verdict:
    """What was found about one display."""

    display: Display
    said: list[Said] = field(default_factory=list)
    tried: list[Said] = field(default_factory=list)  # of these; not letters, not a problem posed
    failure: str = ""


@dataclass
class Examination:
    """What was found about a report."""

    verdicts: list[Verdict]
    remarks: list[Remark] = field(default_factory=list)
    answers: dict[str, list[Answer]] = field(default_factory=dict)  # by question

    @property
    def failures(self) -> list[str]:
        """Everything that is wrong or missing, with question and line."""
        wrong = [
            f"{v.display.line}: question {v.display.question}: {v.failure}"
            for v in self.verdicts
            if v.failure
        ]
        wrong += [
            f"{r.inline.line}: question {r.inline.question}: {r.failure}"
            for r in self.remarks
            if r.failure
        ]
        missing = [
            f"{a.line}: question {a.claim.question}: {a.claim}: {a.problem}"
            for answers in self.answers.values()
            for a in answers
            if not a.proven
        ]
        return wrong + missing


def examine(text: str, questions: Questions | None = None) -> Examination:
    """Examine the source of a report, by default against what the assignment asks."""
    questions = load() if questions is None else questions
    result = Examination([], examine_inlines(text, questions))
    stated: Stated = {}
    for reading in read(text, questions):
        name = reading.display.question
        stated.setdefault(name, [])
        verdict = _verdict(reading, questions, stated)
        result.verdicts.append(verdict)
        if not verdict.failure:
            stated[name] += [e for said in reading.said for e in said.equations]
    _unused(result.verdicts)
    holding = [said for v in result.verdicts if not v.failure for said in v.said]
    labels = quoted(text)
    for question in questions:
        said = [each for each in holding if each.question == question.name]
        section = Section(tuple(said), labels.get(question.name, frozenset()))
        found = answers(question.claims, section)
        result.answers[question.name] = [_blamed(a, result.verdicts) for a in found]
    return result


def _blamed(answer: Answer, verdicts: list[Verdict]) -> Answer:
    """The answer with the display that is wrong in its place, if a claim is missing for that."""
    for verdict in () if answer.proven else verdicts:
        here = verdict.failure and verdict.display.question == answer.claim.question
        labelled = answer.claim.label and verdict.display.label == answer.claim.label
        says = any(answer.claim.parts[:1] == (side,) for s in verdict.said for side in s.sides)
        if here and (labelled or says):
            return replace(answer, line=verdict.display.line, problem=verdict.failure)
    return answer


def _verdict(reading: Reading, questions: Questions, stated: Stated) -> Verdict:
    verdict = Verdict(reading.display, reading.said, failure=reading.failure)
    question = questions.get(reading.display.question)
    for said in () if verdict.failure else reading.said:
        number, problem = _problem(said, questions, stated)
        if problem:
            steps = said.statement.steps
            line = steps[number - 1].line if steps else said.statement.line
            verdict.failure = f"step {number}, line {line}: {problem}"
            break
        if not (said.letter or (question and posed(said, question))):
            verdict.tried.append(said)
    return verdict


def _problem(said: Said, questions: Questions, stated: Stated) -> tuple[int, str]:
    """Which step of a statement is wrong, counted from 1, and how; an empty text if none is."""
    question = questions.get(said.question)
    found = empty(said.statement, _zeros(said, question))
    if not found[1]:
        found = _reasons(said, questions, stated)
    if found[1] or said.letter or (question and posed(said, question)):
        return found
    trial = attempt(said.statement, said.batch, said.local, said.becomes)
    return trial.step, trial.problem


def _zeros(said: Said, question: Question | None) -> int:
    """How many zeros that change nothing the question wants written down, as in 1 - 0."""
    for claim in question.claims if question else ():
        if claim.parts[:1] == (said.sides[0],):
            if claim.kind == "cases":
                return sum(node == ZERO for _, value in claim.rows for node in value.walk())
            if ZERO in claim.inside and claim.where in said.conditions:
                return 1
    return 0


def _reasons(said: Said, questions: Questions, stated: Stated) -> tuple[int, str]:
    """Which step is no instance of the reason beside it, and what is wrong with it."""
    known = Known(said.local, stated, questions.equations)
    reasoned = any(step.reason for step in said.statement.steps)
    for number, step in enumerate(said.statement.steps, 1):
        if reasoned and not step.reason:
            return number, "no reason, where others have one"
        if step.reason:
            left, right = said.sides[number - 1 : number + 1]
            problem = fault(said.question, step, left, right, known)
            if problem:
                return number, problem
    return 0, ""


def posed(said: Said, question: Question) -> bool:
    """Whether a statement is a problem that the question wants posed."""
    steps = said.statement.steps
    return any(
        claim.kind == "pose" and claim.parts == (said.sides[0], normal(steps[0].right))
        for claim in question.claims
        if len(steps) == 1
    )


def _unused(verdicts: list[Verdict]) -> None:
    """Mark displays that define a letter which nothing after them in their question uses."""
    for number, verdict in enumerate(verdicts):
        for letter in [said.letter for said in verdict.said if said.letter]:
            later = [
                said for v in verdicts[number:] for said in v.said if letter in dict(said.local)
            ]
            if not any(node.name == letter for said in later for node in said.statement.nodes):
                verdict.failure = (
                    verdict.failure or f"defines {letter}, which no later display uses"
                )
