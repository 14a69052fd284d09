"""Rewrites expressions in normal form by equations with capital letters for any expression.

In log(AB) = log(A) + log(B), each of A, B, C, D stands for any expression; in a sum and in a
product, for several terms or factors. Below a sum over i, A_i may hold the index and A may not. A
size M, a name X of a variable, and any free index may be anything, too.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

from derivations import meaning
from derivations.forms import (
    depth,
    factors_of,
    normal,
    product_of,
    renamed,
    sum_of,
    symbol,
    terms_of,
)
from derivations.latex import Node

LETTERS = frozenset("ABCDMX")
MANY = 10  # terms or factors among which a pattern is looked for
FRESH = "·"  # the index of a sum while its body is looked at

Binding = Mapping[str, Node]
Move = Callable[[Node], Iterator[Node]]


@dataclass(frozen=True)
class Equation:
    """Two patterns in normal form; what matches the left one may become the right one."""

    left: Node
    right: Node
    letters: frozenset[str] = LETTERS

    def __call__(self, node: Node) -> Iterator[Node]:
        """What the equation makes of an expression as a whole, or of some terms or factors."""
        for binding, rest in _matches(self, node):
            if rest:
                build = sum_of if node.op == "add" else product_of
                yield build([*rest, filled(self.right, binding)])
            else:
                yield filled(self.right, binding)


def somewhere(move: Move, node: Node) -> Iterator[Node]:
    """What a move makes of an expression at one place."""
    yield from move(node)
    if node.op == "sum":  # its index gets a name that no other sum has
        first, last, body = node.args
        own = f"◦{depth(body)}"
        for new in somewhere(move, renamed(body, node.name, own)):
            yield normal(Node("sum", own, (first, last, new)))
        return
    for number, arg in enumerate(node.args):
        for new in somewhere(move, arg):
            yield normal(
                Node(node.op, node.name, (*node.args[:number], new, *node.args[number + 1 :]))
            )


def _matches(equation: Equation, node: Node) -> Iterator[tuple[Binding, Sequence[Node]]]:
    """The ways in which the left pattern matches, and the terms or factors that it leaves."""
    left, letters = equation.left, equation.letters
    for binding in match(left, node, {}, letters):
        yield binding, ()
    if left.op == node.op and left.op in ("add", "mul"):
        parts = terms_of(node) if left.op == "add" else factors_of(node)
        if len(parts) > MANY:
            return
        for size in range(len(left.args), len(parts)):
            for chosen in combinations(range(len(parts)), size):
                some = [parts[i] for i in chosen]
                whole = Node(node.op, args=tuple(some))
                for binding in match(left, whole, {}, letters):
                    yield binding, [p for i, p in enumerate(parts) if i not in chosen]


def match(
    pattern: Node, node: Node, binding: Binding, letters: frozenset[str]
) -> Iterator[Binding]:
    """The ways in which a pattern matches an expression, given what its letters stand for."""
    name = _letter(pattern, letters)
    if name:
        if name in binding:
            if binding[name] == node:
                yield binding
        elif pattern.op == "index" or not _mentions(node, FRESH):
            yield {**binding, name: node}
        return
    if pattern.op != node.op:
        return
    if pattern.op in ("add", "mul"):
        split = terms_of if pattern.op == "add" else factors_of
        yield from _assign(list(split(pattern)), list(split(node)), binding, letters, pattern.op)
    elif pattern.op == "sum":
        yield from _match_sum(pattern, node, binding, letters)
    elif pattern.name == node.name and len(pattern.args) == len(node.args):
        yield from _each(pattern.args, node.args, binding, letters)


def _letter(pattern: Node, letters: frozenset[str]) -> str:
    """The letter that a pattern consists of, alone or with the index of a sum."""
    if pattern.op == "index" and pattern.args[1:] == (symbol(FRESH),):
        pattern = pattern.args[0]
        return pattern.name if pattern.name in letters else ""
    free = pattern.op == "symbol" and (pattern.name in letters or pattern.name in meaning.INDICES)
    return pattern.name if free else ""


def _mentions(node: Node, name: str) -> bool:
    return any(part.name == name for part in node.walk())


def _each(
    patterns: Sequence[Node], nodes: Sequence[Node], binding: Binding, letters: frozenset[str]
) -> Iterator[Binding]:
    """The ways in which patterns match expressions one by one."""
    if not patterns:
        yield binding
        return
    for found in match(patterns[0], nodes[0], binding, letters):
        yield from _each(patterns[1:], nodes[1:], found, letters)


def _match_sum(
    pattern: Node, node: Node, binding: Binding, letters: frozenset[str]
) -> Iterator[Binding]:
    wanted, body = (renamed(n.args[2], n.name, FRESH) for n in (pattern, node))
    for found in _each(pattern.args[:2], node.args[:2], binding, letters):
        yield from match(wanted, body, found, letters)


def _assign(
    patterns: list[Node], parts: list[Node], binding: Binding, letters: frozenset[str], op: str
) -> Iterator[Binding]:
    """The ways in which patterns match all of some terms or factors, in any order."""
    if not patterns or len(parts) > MANY:
        if not parts:
            yield binding
        return
    patterns = sorted(patterns, key=lambda p: (bool(_letter(p, letters)), p.op == "symbol"))
    first, *others = patterns
    build, split = (sum_of, terms_of) if op == "add" else (product_of, factors_of)
    name = _letter(first, letters)
    if name and name in binding:
        left = Counter(parts)
        left.subtract(Counter(split(binding[name])))
        if min(left.values()) >= 0:
            yield from _assign(others, list(left.elements()), binding, letters, op)
        return
    most = len(parts) - len(others) if name else 1
    least = most if name and not others else 1
    for size in range(least, most + 1):
        for chosen in combinations(range(len(parts)), size):
            some = build([parts[i] for i in chosen])
            rest = [part for i, part in enumerate(parts) if i not in chosen]
            for found in match(first, some, binding, letters):
                yield from _assign(others, rest, found, letters, op)


def filled(pattern: Node, binding: Binding) -> Node:
    """The pattern with what its letters stand for."""
    return _filled(pattern, tuple(binding.items()))


@cache
def _filled(pattern: Node, binding: tuple[tuple[str, Node], ...]) -> Node:
    known = dict(binding)
    if pattern.op == "symbol" and pattern.name in known:
        return known[pattern.name]
    if pattern.op == "index" and pattern.args[1:] == (symbol(FRESH),):
        return known.get(pattern.args[0].name, pattern)
    args = pattern.args
    if pattern.op == "sum":
        args = (*args[:2], renamed(args[2], pattern.name, FRESH))
        pattern = Node("sum", FRESH, args)
    return normal(Node(pattern.op, pattern.name, tuple(_filled(arg, binding) for arg in args)))
