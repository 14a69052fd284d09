"""Reads the formulas within lines: every one can be read, and a relation or a shape holds.

A relation that is only named, as a case or a supposition, has to be listed with the question. A
shape belongs to the formula before it in the sentence, and to those that `and` joins to it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from derivations import meaning
from derivations.emptiness import empty
from derivations.forms import symbol
from derivations.latex import (
    RELATIONS,
    Letters,
    Node,
    Statement,
    Step,
    parse_expression,
    parse_loosely,
)
from derivations.questions import ONE, Question, Questions
from derivations.read import Inline, Macro, Token, inlines, macros, tokens
from derivations.reading import of_a_batch
from derivations.verify import attempt


@dataclass(frozen=True)
class Remark:
    """What was found about one formula within a line."""

    inline: Inline
    verified: bool = False  # it has a relation or a shape, which holds
    failure: str = ""


def examine_inlines(text: str, questions: Questions) -> list[Remark]:
    """Every formula within a line, in the sections of all questions."""
    known = macros(text)
    found = inlines(text)
    remarks = []
    for number, inline in enumerate(found, 1):
        question = questions.get(inline.question)
        if question:
            remarks.append(_remark(found[:number], question, known))
    return remarks


def _remark(inlines: Sequence[Inline], question: Question, known: dict[str, Macro]) -> Remark:
    """The last one of these formulas; those before it say what its shape is a shape of."""
    inline = inlines[-1]
    try:
        spelled = tokens(inline.latex, inline.line, known)
        spelling = tuple(token.text for token in spelled)
        if spelling in question.unread | question.supposed:
            return Remark(inline)
        if r"\times" in spelling:
            statements = list(_shapes(inlines, spelled, known))
        else:
            statements = [s for s in _statements(spelled) if s.steps]
        for statement in statements:
            trial = attempt(statement, _batch(statement, question), _local(question))
            numbers = not any(node.op in ("symbol", "call") for node in statement.nodes)
            problem = trial.problem or ("" if numbers else empty(statement))
            if problem:
                return Remark(inline, failure=f"${inline.latex}$: {problem}")
    except ValueError as error:
        return Remark(inline, failure=f"${inline.latex}$ cannot be read: {error}")
    return Remark(inline, verified=bool(statements))


def _statements(spelled: list[Token]) -> list[Statement]:
    """What a formula states; one that ends in a relation goes on in code, and states nothing."""
    if len(spelled) == 1 and spelled[0].text.lstrip("\\") in meaning.NAMES.functions:
        return []
    if "".join(token.text for token in spelled[-4:]).endswith(tuple(RELATIONS)):
        spelled = spelled[:-1]
    return [_primes(statement) for statement in parse_loosely(spelled, meaning.NAMES)]


def _primes(statement: Statement) -> Statement:
    """The statement with v' read as the derivative of the letter v by x."""
    steps = tuple(replace(step, right=_prime(step.right)) for step in statement.steps)
    return replace(statement, first=_prime(statement.first), steps=steps)


def _prime(node: Node) -> Node:
    if node.op == "symbol" and node.name.endswith("'"):
        return Node("derivative", args=(symbol(node.name[:-1]), symbol("x")))
    return Node(node.op, node.name, tuple(map(_prime, node.args)))


def _shapes(
    inlines: Sequence[Inline], spelled: list[Token], known: dict[str, Macro]
) -> Iterator[Statement]:
    """The shape as one of each quantity that the sentence speaks of."""
    sizes = [parse_expression(part, meaning.NAMES) for part in _split(spelled, r"\times")]
    line = inlines[-1].line
    space = Step(r"\in", Node("space", args=tuple(sizes)), "", line)
    subjects = 0
    for here, subject in zip(reversed(inlines), reversed(inlines[:-1]), strict=False):
        joined = here.before.strip() == "and" if subjects else _same_sentence(here.before)
        if not joined:
            break
        subjects += 1
        what = parse_expression(tokens(subject.latex, subject.line, known), meaning.NAMES)
        yield Statement(what, subject.latex, line, (space,))
    if not subjects:
        raise ValueError("no quantity before it in the sentence has this shape")


def _same_sentence(between: str) -> bool:
    return ". " not in " ".join(between.split()) and ".\n" not in between and "\n\n" not in between


def _split(spelled: list[Token], separator: str) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    for token in spelled:
        if token.text == separator:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _batch(statement: Statement, question: Question) -> bool:
    """Whether the formula is about a minibatch: it says so, or the question is about no other."""
    return ONE not in question.contexts or any(map(of_a_batch, statement.nodes))


def _local(question: Question) -> Letters:
    return frozenset(question.let.items())
