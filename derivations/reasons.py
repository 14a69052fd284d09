"""Judges the reason beside a step: whether the step is an instance of what the reason allows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from derivations import arithmetic, calculus, entries, meaning
from derivations.forms import factors_of, normal
from derivations.latex import Node, parse
from derivations.questions import Questions, load
from derivations.read import macros, tokens
from derivations.rewrite import LETTERS, Equation, Move, somewhere

FILE = Path(__file__).with_name("rules.yml")
TIMES = 4  # places at which a move is made in one step
MANY = 400  # expressions that are looked at on the way
TIDY: dict[str, Callable[[Node], Node]] = {
    "collect": arithmetic.collected,
    "derivatives": calculus.worked_out,
}
MOVES: dict[str, Callable[[Node], Iterator[Node]]] = entries.MOVES | {
    "linearity": calculus.linear,
    "one term": calculus.collapse,
}


@dataclass(frozen=True)
class Known:
    """What a step may refer to: the letters of its question, and formulas that stand before it."""

    letters: Mapping[str, Node]
    here: Sequence[tuple[Node, Node]] = ()  # equations of the same question
    last: Sequence[tuple[Node, Node]] = ()  # of the question before
    questions: Mapping[str, Sequence[tuple[Node, Node]]] = field(default_factory=dict)


def fault(reason: str, left: Node, right: Node, known: Known) -> str:
    """Empty if the reason, written without spaces, allows the step; else what is wrong with it."""
    rules = load_rules()
    if reason not in rules:
        return "its reason is in no table"
    for moves, back in rules[reason][1]:
        for one, other in ((left, right), (right, left)):
            ends = _reached(other, back, known, one)
            if not ends.isdisjoint(_reached(one, moves, known, other)):
                return ""
    return f"not an instance of its reason, {rules[reason][0]!r}"


@cache
def load_rules(path: Path = FILE) -> dict[str, tuple[str, list[tuple[list[str], list[str]]]]]:
    """For each reason, without spaces: its name, and the alternative lists of moves."""
    data: Mapping[str, Any] = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    rules = {}
    for name, alternatives in data.items():
        lists = [
            (entry["left"], entry["back"]) if isinstance(entry, dict) else (entry, [])
            for entry in alternatives
        ]
        rules["".join(name.split())] = (name, lists)
    return rules


def _reached(start: Node, moves: Sequence[str], known: Known, other: Node) -> set[Node]:
    """What an expression can become by moves, one after the other."""
    found = {start}
    for name in moves:
        if name in TIDY:
            found = {TIDY[name](node) for node in found}
        elif name == "letters":
            found = {unfolded(node, known.letters) for node in found}
        else:
            move = _move(name, known, start, other)
            found = _repeated(found, move)
    return found


def _repeated(found: set[Node], move: Move) -> set[Node]:
    """What a move makes of expressions at one or several places."""
    reached: set[Node] = set()
    for _ in range(TIMES):
        found = {new for node in found for new in somewhere(move, node)} - reached
        reached |= found
        if not found or len(reached) > MANY:
            break
    return reached


def unfolded(node: Node, letters: Mapping[str, Node]) -> Node:
    """The expression with what the letters stand for in their place."""
    if node.op == "symbol" and node.name in letters:
        return unfolded(normal(letters[node.name]), letters)
    return normal(Node(node.op, node.name, tuple(unfolded(arg, letters) for arg in node.args)))


def _move(name: str, known: Known, start: Node, other: Node) -> Move:
    """The move of a name in rules.yml."""
    if "=" in name:
        return equation(name)
    if name in MOVES:
        return MOVES[name]
    if name == "chain":
        return lambda node: _chained(node, other)
    if name == "lemma":
        return _facts([(a, b) for a, b in known.here if start not in (a, b)])
    if name == "last question":
        return _facts(known.last)
    if name.startswith("question "):
        return _facts(known.questions.get(name.removeprefix("question "), ()))
    if name == "definition":
        return lambda node: (new for move in definitions().values() for new in move(node))
    if name.startswith("definition of "):
        return definitions()[name.removeprefix("definition of ")]
    raise ValueError(f"rules.yml: {name!r} is no move")


@cache
def equation(latex: str) -> Equation:
    """The equation of a rule."""
    spelling = macros(questions_macros())
    (statement,) = parse(tokens(latex, 0, spelling), meaning.NAMES)
    (step,) = statement.steps
    return Equation(normal(statement.first), normal(step.right), LETTERS)


@cache
def questions_macros() -> str:
    """The macros that rules are written with: those of questions.yml."""
    path = FILE.with_name("questions.yml")
    data: Mapping[str, str] = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return data["macros"]


@cache
def definitions() -> dict[str, Equation]:
    """The definitions of questions.yml as equations; functions of x are so of anything."""
    questions: Questions = load()
    return {
        name: Equation(normal(s.first), normal(s.steps[0].right), frozenset({"x"}))
        for name, s in questions.definitions.items()
        if s.steps[0].relation == "="
    }


def _facts(equations: Sequence[tuple[Node, Node]]) -> Move:
    """The move that uses formulas, in either direction."""
    both = [Equation(*pair, frozenset()) for a, b in equations for pair in ((a, b), (b, a))]
    return lambda node: (new for fact in both for new in fact(node))


def _chained(node: Node, other: Node) -> Iterator[Node]:
    """The derivative through something else: a product of two, or a sum of such products."""
    if node.op != "derivative":
        return
    for part in other.walk():
        body = part.args[2] if part.op == "sum" else part
        factors = factors_of(body)
        for first in factors:
            second = [f for f in factors if f is not first]
            if len(second) == 1 and all(f.op == "derivative" for f in factors):
                (what, through), (inner, by) = first.args, second[0].args
                if (what, by) == node.args and through == inner:
                    yield part
