"""Judges proofs by numbers, with the numerical evaluation of displays, which shares no rule.

`number` gives the value of a normal form at a random point, `problems` says what is wrong with the
steps of a statement. Where these disagree with the prover, one of the two is wrong.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise, product
from typing import Any, cast

import numpy as np

from derivations import definitions as of_assignment
from derivations import meaning, points
from derivations.evaluate import STEP, World, holds
from derivations.exact.assignment import node as exact_node
from derivations.exact.polynomial import (
    ONLY,
    Atom,
    Delta,
    Entry,
    Exp,
    Function,
    Group,
    Index,
    Monomial,
    Poly,
    Size,
    Slope,
    Sum,
)
from derivations.latex import Node, Statement

FUNCTIONS = {"log": np.log, "step": lambda x: x > 0, "rect": lambda x: max(x, 0.0), "cos": np.cos}
WEAK = (r"\leq", r"\geq")
POINTS = 6
BATCHES = 2
Own = Mapping[str, str]


def worlds(batch: bool) -> Iterator[World]:
    """Random points, where quantities in between follow the assignment's definitions."""
    for number in range(BATCHES if batch else POINTS):
        yield World(points.draw(number, batch), {}, batch)


def column(world: World, at: int) -> World:
    """The world of one example of a minibatch."""
    x, y = world.leaves[of_assignment.X][:, at : at + 1], int(world.leaves["y"][0, at])
    return World({**world.leaves, of_assignment.X: x, "y": y}, {}, batch=False)


@dataclass(frozen=True)
class Point:
    """A random point, and at which place each index of a normal form stands, from 0."""

    world: World
    places: Mapping[Index, int] = field(default_factory=dict)

    def number(self, p: Poly) -> float:
        """The value of a normal form."""
        return float(sum(float(c) * self.product(monomial) for monomial, c in p.terms))

    def product(self, monomial: Monomial) -> float:
        return float(np.prod([self.atom(atom) ** float(e) for atom, e in monomial]))

    def size(self, name: str) -> int:
        return int(self.world.get(name))

    def place(self, index: Index) -> int:
        if index == ONLY:
            return 0
        return self.example(index.of).leaves["y"] - 1 if index.of else self.places[index]

    def example(self, column: Index) -> World:
        """The world of a single example, of a minibatch or of the data set."""
        key = ("example", column.size, self.place(column))
        if key not in self.world.memo:
            self.world.memo[key] = self.look_at(column)
        return cast(World, self.world.memo[key])

    def look_at(self, column: Index) -> World:
        leaves, at = self.world.leaves, self.place(column)
        if column == ONLY:
            return self.world
        if column.size == "K":
            return column(self.world, at)
        single = column(self.world, 0) if self.world.batch else self.world
        at_example = single.move(of_assignment.X, leaves["data x"][:, at : at + 1])
        return at_example.move("y", int(leaves["data y"][0, at]))

    def seen(self, entry: Entry) -> tuple[World, list[int]]:
        """The world in which to look an entry up, and where it then stands."""
        *_, last = entry.places or [ONLY]
        if entry.name in meaning.COLUMNS and last.size != "K":
            return self.example(last), [self.place(place) for place in entry.places[:-1]]
        return self.world, [self.place(place) for place in entry.places if place != ONLY]

    def entry(self, entry: Entry) -> float:
        world, at = self.seen(entry)
        return float(np.real(_squeezed(world.get(entry.name))[tuple(at)]))

    def slope(self, of: Entry, by: Entry) -> float:
        """The derivative of one entry by another one, by the complex step."""
        world, at = self.seen(of)
        _, by_at = self.seen(by)
        key = ("moved", by.name, *by_at)
        if key not in world.memo:
            moved = np.array(world.get(by.name), dtype=complex)
            _squeezed(moved)[tuple(by_at)] += STEP * 1j
            world.memo[key] = replace(world.move(by.name, moved), perturbed=True)
        slopes = np.imag(world.memo[key].get(of.name)) / STEP
        return float(_squeezed(slopes)[tuple(at)])

    def atom(self, atom: Atom) -> float:
        match atom:
            case Entry():
                return self.entry(atom)
            case Size(name):
                return self.size(name)
            case Exp(of):
                return float(np.exp(self.product(of)))
            case Function(name, of):
                return float(FUNCTIONS[name](self.number(of)))
            case Delta(a, b):
                return float(self.place(a) == self.place(b))
            case Group(of):
                return self.number(of)
            case Slope(of, by):
                return self.slope(of, by)
            case Sum(over, of):
                ranges = [range(self.size(index.size)) for index in over]
                points = (
                    replace(self, places={**self.places, **dict(zip(over, at, strict=True))})
                    for at in product(*ranges)
                )
                return sum(point.product(of) for point in points)
        raise AssertionError(atom)


def _squeezed(array: Any) -> Any:
    """The array without its axes of size 1, on which no entry has a place."""
    return np.reshape(array, [size for size in np.shape(array) if size > 1])


def expanded(node: Node, own: Own) -> Node:
    """The expression with the names that a derivation gives replaced by what they stand for."""
    if node.op == "symbol" and node.name in own:
        return exact_node(own[node.name])
    return Node(node.op, node.name, tuple(expanded(arg, own) for arg in node.args))


def wrong_steps(statement: Statement, batch: bool, own: Own) -> dict[int, str]:
    """Which steps do not hold at random points, counted from 1, and why."""
    sides = [expanded(side, own) for side in (statement.first, *(s.right for s in statement.steps))]
    conditions = [expanded(condition, own) for condition in statement.conditions]
    found: dict[int, str] = {}
    with np.errstate(all="ignore"):
        for number, (left, right) in enumerate(pairwise(sides), 1):
            relation = statement.steps[number - 1].relation
            left = left if left.op != "space" else sides[0]
            if problem := _problem(left, relation, right, conditions, batch):
                found[number] = problem
        if not statement.steps and (problem := _problem(sides[0], "", sides[0], [], batch)):
            found[1] = problem
    return found


def _problem(left: Node, relation: str, right: Node, conditions: list[Node], batch: bool) -> str:
    try:
        for world in worlds(batch):
            for here in _everywhere(world, [left, right, *conditions]):
                if all(here.value(condition) for condition in conditions) and not _holds(
                    here, left, relation, right
                ):
                    return "the two sides differ"
    except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError) as error:
        return str(error)
    return ""


def _everywhere(world: World, nodes: list[Node]) -> Iterator[World]:
    """The world with the free indices at all of their values."""
    sizes = world.sizes(Node("all", args=tuple(nodes)))
    for values in product(*(range(1, size + 1) for size in sizes.values())):
        yield world.bind(**dict(zip(sizes, values, strict=True)))


def _holds(world: World, left: Node, relation: str, right: Node) -> bool:
    if relation == r"\leftarrow":
        slope = Node("derivative", args=(Node("symbol", r"\hat R"), left))
        step = Node("mul", args=(Node("symbol", r"\eta"), slope))
        left, relation = Node("add", args=(left, Node("neg", args=(step,)))), "="
    value = world.value(left)
    if right.op == "space":
        return np.shape(value) == tuple(int(world.value(size)) for size in right.args)
    if relation == r"\in":
        return bool(np.isin(value, world.value(right)).all())
    other = world.value(right)
    if relation in WEAK and holds("=", value, other):
        return True  # equal but for rounding
    return not relation or holds(relation, value, other)
