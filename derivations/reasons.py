"""Judges the reason beside a step: whether the step is an instance of what the reason allows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from derivations import arithmetic, calculus, entries, meaning
from derivations.forms import factors_of, normal
from derivations.latex import Letters, Node, Step, parse
from derivations.questions import Questions, load
from derivations.read import macros, tokens
from derivations.rewrite import LETTERS, Equation, Move, somewhere

FILE = Path(__file__).with_name("rules.yml")
TIMES = 4  # places at which a move is made in one step
MANY = 400  # expressions that are looked at on the way
Pair = tuple[Node, Node]
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

    letters: Letters = frozenset()
    formulas: Mapping[str, Sequence[Pair]] = field(default_factory=dict)  # by question, in order
    asked: Mapping[str, frozenset[Pair]] = field(default_factory=dict)  # of these, claims

    def of(self, name: str, question: str) -> tuple[Pair, ...]:
        """The formulas that a move may use in a question: of other questions, claims alone."""
        if name == "lemma":
            return tuple(self.formulas.get(question, ()))
        other = name.removeprefix("question ")
        if name == "last question":
            *_, other = ("", *(before for before in self.formulas if before != question))
        asked = self.asked.get(other, frozenset())
        return tuple(pair for pair in self.formulas.get(other, ()) if pair in asked)


def fault(question: str, step: Step, left: Node, right: Node, known: Known) -> str:
    """Empty if the reason of a step allows it, else what is wrong; the sides in normal form."""
    rules = load_rules()
    if step.relation != "=":
        return "a reason beside what is no equation"
    if step.reason not in rules:
        return "its reason is in no table"
    moves = {move for lists in rules[step.reason][1] for moves in lists for move in moves}
    facts = {move: known.of(move, question) for move in moves if _refers(move)}
    return _fault(step.reason, left, right, known.letters, frozenset(facts.items()))


def _refers(move: str) -> bool:
    """Whether a move uses formulas of the report."""
    return move in ("lemma", "last question") or move.startswith("question ")


@cache
def _fault(
    reason: str, left: Node, right: Node, letters: Letters, facts: frozenset[tuple[str, Any]]
) -> str:
    name, alternatives = load_rules()[reason]
    for moves, back in alternatives:
        for one, other in ((left, right), (right, left)):
            around = _Around(one, other, dict(letters), dict(facts))
            ends = around.reached(other, back)
            if not ends.isdisjoint(around.reached(one, moves)):
                return ""
    return f"not an instance of its reason, {name!r}"


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


@dataclass(frozen=True)
class _Around:
    """What surrounds a move: both sides of the step, letters, and formulas for some moves."""

    one: Node
    other: Node
    letters: Mapping[str, Node]
    facts: Mapping[str, Sequence[Pair]]

    def reached(self, start: Node, moves: Sequence[str]) -> set[Node]:
        """What an expression can become by moves, one after the other."""
        found = {start}
        for name in moves:
            if name in TIDY:
                found = {TIDY[name](node) for node in found}
            elif name == "letters":
                found = {unfolded(node, self.letters) for node in found}
            else:
                found = _repeated(found, self.move(name))
        return found

    def move(self, name: str) -> Move:
        """The move of a name in rules.yml."""
        if "=" in name:
            return equation(name)
        if name in MOVES:
            return MOVES[name]
        if name == "chain":
            return lambda node: _chained(node, self.other)
        if name == "lemma":
            return _facts([pair for pair in self.facts[name] if self.one not in pair])
        if name in self.facts:
            return _facts(self.facts[name])
        if name == "definition":
            return lambda node: (new for move in definitions().values() for new in move(node))
        if name.startswith("definition of "):
            return definitions()[name.removeprefix("definition of ")]
        raise ValueError(f"rules.yml: {name!r} is no move")


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
