"""Tries the steps of a statement at points: wherever it is claimed, every one has to hold."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from derivations import points
from derivations.evaluate import World, WrongError, holds
from derivations.latex import Letters, Node, Statement

BATCHES = 6  # points at which a statement about a minibatch is tried


@dataclass(frozen=True)
class Trial:
    """What came of trying a statement: the step that fails and how, or at how many points not."""

    points: int = 0
    sizes: int = 0  # sets of sizes among them
    step: int = 0
    problem: str = ""


@cache
def attempt(
    statement: Statement, batch: bool, local: Letters, becomes: Node | None = None
) -> Trial:
    """Try a statement at all points; `becomes` is what a left side becomes, in an update."""
    tried: set[int] = set()
    equal = [True] * len(statement.steps)  # whether a step with an inequality is an equality
    number = 1
    try:
        with np.errstate(all="ignore"):
            for point in range(BATCHES if batch else points.POINTS):
                for here in _everywhere(_world(point, batch, local), statement):
                    left = here.value(statement.first)
                    for number, step in enumerate(statement.steps, 1):
                        if step.relation == r"\leftarrow":
                            left = here.value(becomes) if becomes else None
                        problem, right = _step(left, step.relation, step.right, here)
                        if problem:
                            return Trial(step=number, problem=problem)
                        equal[number - 1] &= step.relation in WEAK and holds("=", left, right)
                        left = right
                    tried.add(point)
                    number = 1
    except (ValueError, ArithmeticError, LookupError, TypeError, RecursionError) as error:
        return Trial(step=number, problem=str(error))
    if not tried:
        return Trial(step=1, problem="no point satisfies the conditions, nothing was tried")
    if weak := [i for i, step in enumerate(statement.steps, 1) if equal[i - 1]]:
        return Trial(step=weak[0], problem="weaker than what holds: the two sides are equal")
    return Trial(len(tried), len({point % len(points.SIZES) for point in tried}))


@cache
def _world(point: int, batch: bool, local: Letters) -> World:
    """The world at a point; what is computed in it is kept for all statements."""
    return World(_leaves(point, batch), dict(local), batch)


@cache
def _leaves(point: int, batch: bool) -> Mapping[str, Any]:
    return points.draw(point, batch)


WEAK = (r"\leq", r"\geq")


def _everywhere(world: World, statement: Statement) -> Iterator[World]:
    """The world with the free indices at all of their values, where the conditions hold."""
    sizes = world.sizes(Node("all", args=(statement.as_node(), *statement.conditions)))
    left = world.sizes(statement.first)
    for step in statement.steps:
        if step.relation == "=" and (new := world.sizes(step.right).keys() - left):
            raise WrongError(f"index {', '.join(sorted(new))} occurs on the right alone")
    cases = [
        row.args[1]
        for node in statement.as_node().walk()
        if node.op == "cases"
        for row in node.args
    ]
    for values in product(*(range(1, size + 1) for size in sizes.values())):
        here = world.bind(**dict(zip(sizes, values, strict=True)))
        if all(here.value(condition) for condition in statement.conditions):
            yield here
        elif any(case.op != "true" and here.value(case) for case in cases):
            raise WrongError("a case holds outside the domain")


def _step(left: Any, relation: str, node: Node, world: World) -> tuple[str, Any]:
    """What is wrong with one step, if anything, and the value of its right-hand side."""
    if node.op == "space":
        shape = tuple(int(world.value(size)) for size in node.args)
        fits = np.shape(left) == shape
        return "" if fits else f"the shape is {np.shape(left)}, not {shape}", left
    right = world.value(node)
    if relation == r"\in":
        return "" if np.isin(left, right).all() else f"{_show(left)} is not in {_show(right)}", left
    if relation == r"\leftarrow":
        if left is None:
            raise WrongError("no question asks for this update")
        relation = "="
    if holds(relation, left, right):
        return "", right
    return f"the left-hand side is {_show(left)}, the right-hand side {_show(right)}", right


def _show(value: Any) -> str:
    with np.printoptions(precision=4, suppress=True, threshold=6, edgeitems=2):
        return " ".join(str(np.asarray(value)).split())
