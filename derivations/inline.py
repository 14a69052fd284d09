"""Reads the formulas within lines: every one can be read, and a relation or a shape holds.

A relation that is only named, as a case or a supposition, has to be listed with the question. A
shape belongs to the formula before it in the sentence, and to those that `and` joins to it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

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
from derivations.reading import Spelling, of_a_batch, spelling_of
from derivations.verify import attempt


@dataclass(frozen=True)
class Remark:
    """What was found about one formula within a line."""

    inline: Inline
    verified: bool = False  # it has a relation or a shape, which holds
    failure: str = ""


def examine_inlines(text: str, questions: Questions) -> list[Remark]:
    """Every formula within a line, in the sections of all questions."""
    spelling = spelling_of(macros(text))
    found = inlines(text)
    remarks = []
    for number, inline in enumerate(found, 1):
        question = questions.get(inline.question)
        if question:
            remarks.append(_remark(found[:number], question, spelling))
    return remarks


def _remark(inlines: Sequence[Inline], question: Question, spelling: Spelling) -> Remark:
    """The last one of these formulas; those before it say what its shape is a shape of."""
    inline = inlines[-1]
    try:
        spelled = _spelled(inline.latex, spelling)
        if spelled in question.unread | question.supposed:
            return Remark(inline)
        if r"\times" in spelled:
            statements = tuple(_shapes(inlines, spelled, spelling))
        else:
            statements = _statements(spelled)
    except (ValueError, RecursionError) as error:
        return Remark(inline, failure=f"${inline.latex}$ cannot be read: {error}")
    for statement in statements:
        trial = attempt(statement, _batch(statement, question), _local(question))
        numbers = not any(node.op in ("symbol", "call") for node in statement.nodes)
        problem = trial.problem or ("" if numbers else empty(statement)[1])
        if problem:
            return Remark(inline, failure=f"${inline.latex}$: {problem}")
    return Remark(inline, verified=bool(statements))


@cache
def _spelled(latex: str, spelling: Spelling) -> tuple[str, ...]:
    """The tokens of a formula."""
    known = {name: Macro(arity, list(body)) for name, arity, body in spelling}
    return tuple(token.text for token in tokens(latex, 0, known))


@cache
def _statements(spelled: tuple[str, ...]) -> tuple[Statement, ...]:
    """What a formula states; one that ends in a relation goes on in code, and states nothing."""
    if len(spelled) == 1 and spelled[0].lstrip("\\") in meaning.NAMES.functions:
        return ()
    if spelled[-1] in RELATIONS:
        spelled = spelled[:-1]
    found = parse_loosely([Token(text, 0) for text in spelled], meaning.NAMES)
    return tuple(_primes(statement) for statement in found if statement.steps)


def _primes(statement: Statement) -> Statement:
    """The statement with v' read as the derivative of the letter v by x."""
    steps = tuple(replace(step, right=_prime(step.right)) for step in statement.steps)
    return replace(statement, first=_prime(statement.first), steps=steps)


def _prime(node: Node) -> Node:
    if node.op == "symbol" and node.name.endswith("'"):
        return Node("derivative", args=(symbol(node.name[:-1]), symbol("x")))
    return Node(node.op, node.name, tuple(map(_prime, node.args)))


def _shapes(
    inlines: Sequence[Inline], spelled: tuple[str, ...], spelling: Spelling
) -> Iterator[Statement]:
    """The shape as one of each quantity that the sentence speaks of."""
    space = Step(r"\in", Node("space", args=tuple(_sizes(spelled))), "", 0)
    subjects = 0
    for here, subject in zip(reversed(inlines), reversed(inlines[:-1]), strict=False):
        if here.before.strip() != "and" if subjects else not _same_sentence(here.before):
            break
        subjects += 1
        what = _expression(_spelled(subject.latex, spelling))
        yield Statement(what, subject.latex, 0, (space,))
    if not subjects:
        raise ValueError("no quantity before it in the sentence has this shape")


def _sizes(spelled: tuple[str, ...]) -> Iterator[Node]:
    """The sizes of a shape."""
    marks = [-1, *(i for i, text in enumerate(spelled) if text == r"\times"), len(spelled)]
    for start, end in pairwise(marks):
        yield _expression(spelled[start + 1 : end])


def _expression(spelled: tuple[str, ...]) -> Node:
    return parse_expression([Token(text, 0) for text in spelled], meaning.NAMES)


def _same_sentence(between: str) -> bool:
    return not re.search(r"\.\s|\n\s*\n", between)


def _batch(statement: Statement, question: Question) -> bool:
    """Whether the formula is about a minibatch: it says so, or the question is about no other."""
    return ONE not in question.contexts or any(map(of_a_batch, statement.nodes))


def _local(question: Question) -> Letters:
    return frozenset(question.let.items())
