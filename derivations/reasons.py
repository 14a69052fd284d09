"""Judges the reason beside a step: whether the step is an instance of what the reason allows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from derivations import arithmetic, calculus, entries
from derivations.forms import factors_of, unfolded
from derivations.latex import Letters, Node, Step
from derivations.rewrite import Equation, Move, somewhere
from derivations.rules import definitions, equation, rules

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
    if step.relation != "=":
        return "a reason beside what is no equation"
    if step.reason not in rules():
        return "its reason is in no table"
    moves = {move for way in rules()[step.reason].ways for moves in way for move in moves}
    formulas = {move: known.of(move, question) for move in moves if _refers(move)}
    return _fault(step.reason, left, right, known.letters, frozenset(formulas.items()))


def _refers(move: str) -> bool:
    """Whether a move uses formulas of the report."""
    return move in ("lemma", "last question") or move.startswith("question ")


@cache
def _fault(
    reason: str,
    left: Node,
    right: Node,
    letters: Letters,
    formulas: frozenset[tuple[str, tuple[Pair, ...]]],
) -> str:
    rule = rules()[reason]
    for way in rule.ways:
        for one, other in ((left, right), (right, left)):
            judge = _Judge(one, other, dict(letters), dict(formulas))
            if not judge.reached(other, way.back).isdisjoint(judge.reached(one, way.there)):
                return ""
    return f"not an instance of its reason, {rule.name!r}"


@dataclass(frozen=True)
class _Judge:
    """Makes moves, in view of both sides of the step, of letters, and of formulas to refer to."""

    one: Node
    other: Node
    letters: Mapping[str, Node]
    formulas: Mapping[str, Sequence[Pair]]

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
        """The move of a name in rules.yml. Raises ValueError for one that has no meaning."""
        if "=" in name:
            return equation(name)
        if name in MOVES:
            return MOVES[name]
        if name == "chain":
            return lambda node: _chained(node, self.other)
        if name == "lemma":  # but not the claim itself
            return _by([pair for pair in self.formulas[name] if self.one not in pair])
        if name in self.formulas:
            return _by(self.formulas[name])
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


def _by(formulas: Sequence[Pair]) -> Move:
    """The move that uses formulas, in either direction."""
    both = [Equation(*pair, frozenset()) for a, b in formulas for pair in ((a, b), (b, a))]
    return lambda node: (new for formula in both for new in formula(node))


def _chained(node: Node, other: Node) -> Iterator[Node]:
    """The derivative through something else: a product of two, or a sum of such products."""
    if node.op != "derivative":
        return
    for part in other.walk():
        body = part.args[2] if part.op == "sum" else part
        factors = factors_of(body)
        if len(factors) == 2 and all(factor.op == "derivative" for factor in factors):
            for (what, through), (inner, by) in (
                (factors[0].args, factors[1].args),
                (factors[1].args, factors[0].args),
            ):
                if (what, by) == node.args and through == inner:
                    yield part
