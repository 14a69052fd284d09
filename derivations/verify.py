"""Verifies the statements of every display, and says of each display how, or why not.

A symbol that is no quantity of the network (u = …) is taken from the display that defines it, and
must be used: what uses it is what verifies it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from derivations import meaning
from derivations.evaluate import World, WrongError, holds
from derivations.latex import Node, ParseError, Statement, parse
from derivations.read import Display, Macro, displays, macros, tokens
from derivations.symbolic import Prover

POINTS = 6  # random points: every class is the right one once, scalars have either sign and are 0
BATCHES = 2  # random minibatches


@dataclass
class Verdict:
    """What the checker found about one display."""

    display: Display
    steps: int = 0
    how: str = ""  # it was verified
    reason: str = ""  # it is not checkable
    failure: str = ""

    @property
    def verified(self) -> bool:
        """Whether every step of the display is known to hold."""
        return bool(self.how) and not self.failure


@dataclass
class Reading:
    """A display as the parser understood it."""

    verdict: Verdict
    statements: list[Statement] = field(default_factory=list)
    batch: bool = False  # symbols stand for matrices with K columns


def check(text: str, symbolically: bool = True, only: int = 0) -> list[Verdict]:
    """Check the source of the report; one verdict for each display.

    With `only`, verify the display on that line alone, and what uses the symbols that it defines.
    """
    known = macros(text)
    readings = [_read(display, known) for display in displays(text)]
    definitions, questions = _network(readings)
    prover = Prover() if symbolically else None
    unused: dict[str, Verdict] = {}  # symbols of the report's own, such as u, until they are used
    watched: set[str] = set()
    for reading in readings:
        verdict, hows = reading.verdict, set()
        wanted = only in (0, verdict.display.line)
        for statement in reading.statements:
            name, names = _defined(statement), {node.name for node in statement.nodes}
            own = bool(name) and name not in meaning.QUANTITIES
            if own:
                definitions[name], unused[name] = statement.steps[0].right, verdict
                watched |= {name} if wanted else set()
                if prover:
                    prover.define(statement)
            else:
                unused = {key: unused[key] for key in unused if key not in names}
            if not wanted and not names & watched:
                continue
            verdict.failure = _early(statement, reading, readings, questions)
            verdict.failure = verdict.failure or _circular(statement)
            verdict.failure = verdict.failure or _fault(statement, reading, definitions)
            if verdict.failure:
                break
            verdict.steps += len(statement.steps) or 1  # a shape alone is a step
            proven = not own and prover is not None and prover.proves(statement)
            hows.add("symbolically" if proven else "by its use" if own else "numerically")
        verdict.how = " and ".join(sorted(hows))
    for name, verdict in unused.items():
        verdict.failure = verdict.failure or f"defines {name}, which no later display uses"
    return [reading.verdict for reading in readings]


def _read(display: Display, known: dict[str, Macro]) -> Reading:
    """Parse a display, and the conditions in the comments before it."""
    reading = Reading(Verdict(display))
    conditions = []
    try:
        for comment in display.comments:
            if comment.startswith("skip "):
                reading.verdict.reason = comment.removeprefix("skip ")
                return reading
            (condition,) = parse(tokens(comment, display.line, known), meaning.NAMES)
            conditions.append(condition.as_node())
        parsed = parse(tokens(display.latex, display.line, known), meaning.NAMES)
        reading.statements = [replace(s, conditions=tuple(conditions)) for s in parsed]
    except ParseError as error:
        reading.verdict.failure = f"cannot be read: {error}"
    reading.batch = any(_of_a_batch(n) for s in reading.statements for n in s.nodes)
    return reading


def _of_a_batch(node: Node) -> bool:
    """Whether the node makes sense for a minibatch alone: K, or an index that picks an example."""
    if node.op == "index" and node.args[0].name in meaning.COLUMNS:
        return len(node.args) == (2 if node.args[0].name in ("L", "y") else 3)
    return node.op == "symbol" and node.name in meaning.OF_A_BATCH


def _defined(statement: Statement) -> str:
    """The symbol that stands alone before the first equals sign, unless it is drawn at random."""
    first = statement.first.args[0] if statement.first.op == "apply" else statement.first
    drawn = first.name in meaning.DRAWN and first.name not in meaning.SCALARS
    if first.op != "symbol" or drawn or [s.relation for s in statement.steps[:1]] != ["="]:
        return ""
    return "" if first in statement.steps[0].right.walk() else first.name


def _network(readings: list[Reading]) -> tuple[dict[str, Node], dict[str, str]]:
    """For each quantity of the network, the first display that has it alone on the left.

    And for each that is a function, the question that defines it so.
    """
    found: dict[str, Node] = {}
    questions: dict[str, str] = {}
    for reading in readings:
        for statement in reading.statements:
            name = _defined(statement)
            if name in meaning.QUANTITIES and not (reading.batch and name in meaning.COLUMNS):
                found.setdefault(name, statement.steps[0].right)
                if name in meaning.ARGUMENTS:
                    questions.setdefault(name, reading.verdict.display.question)
    return found, questions


def _early(
    statement: Statement, reading: Reading, readings: list[Reading], questions: dict[str, str]
) -> str:
    """Which function the statement uses before the question that defines it."""
    order = [other.verdict.display.question for other in readings]
    now = order.index(reading.verdict.display.question)
    for name in {node.name for node in statement.nodes} & questions.keys():
        if now < order.index(questions[name]):
            return f"line {statement.line}: {name} is defined only in question {questions[name]}"
    return ""


def _circular(statement: Statement) -> str:
    """Which step says nothing: its two sides are the same, or the claim is its own reason."""
    first = before = statement.first
    first = first.args[0] if first.op == "shaped" else first
    named = first.op in ("symbol", "derivative") or (first.op == "index" and first.args[0].name)
    for number, step in enumerate(statement.steps, 1):
        itself = named and step.relation == "=" and first in step.right.walk()
        if step.right == before or itself:
            return f"step {number}, line {step.line}: the left-hand side occurs on the right"
        before = step.right
    return ""


def _fault(statement: Statement, reading: Reading, definitions: dict[str, Node]) -> str:
    """Empty if the statement holds wherever it is claimed, else which step fails and how."""
    step, problem = _verify(statement, reading.batch, frozenset(definitions.items()))
    line = statement.steps[step - 1].line if statement.steps else statement.line
    return f"step {step}, line {line}: {problem}" if problem else ""


@cache
def _verify(
    statement: Statement, batch: bool, definitions: frozenset[tuple[str, Node]]
) -> tuple[int, str]:
    """Which step fails and how, at random points; nothing of that if none does."""
    tested, number = 0, 1
    draws = (meaning.draw(seed, batch) for seed in range(BATCHES if batch else POINTS))
    worlds = (World(leaves, dict(definitions), batch) for leaves in draws)
    try:
        with np.errstate(all="ignore"):
            for world in (point for drawn in worlds for point in _points(drawn, statement)):
                left = world.value(statement.first)
                for number, step in enumerate(statement.steps, 1):
                    problem, left = _step(world, left, step.relation, step.right)
                    if problem:
                        return number, problem
                tested, number = tested + 1, 1
    except (ValueError, ArithmeticError, LookupError, TypeError) as error:
        return number, str(error)
    return 1, "" if tested else "no point satisfies the conditions, nothing was tested"


def _points(world: World, statement: Statement) -> Iterator[World]:
    """The world with the free indices at all of their values, where the conditions hold."""
    sizes = world.sizes(Node("all", args=(statement.as_node(), *statement.conditions)))
    left = world.sizes(statement.first)
    for step in statement.steps:
        if step.relation == "=" and (new := world.sizes(step.right).keys() - left):
            raise WrongError(f"index {', '.join(sorted(new))} occurs on the right alone")
    for values in product(*(range(1, size + 1) for size in sizes.values())):
        here = world.bind(**dict(zip(sizes, values, strict=True)))
        if all(here.value(condition) for condition in statement.conditions):
            yield here


def _step(world: World, left: Any, relation: str, node: Node) -> tuple[str, Any]:
    """What is wrong with one step, if anything, and the value of its right-hand side."""
    if node.op == "space":
        shape = tuple(int(world.value(size)) for size in node.args)
        fits = np.shape(left) == shape
        return "" if fits else f"the shape is {np.shape(left)}, not {shape}", left
    right = world.value(node)
    if relation == r"\in":
        return "" if np.isin(left, right).all() else f"{_show(left)} is not in {_show(right)}", left
    if relation == r"\leftarrow":
        left = _trained(world, left, {n.name for n in node.walk()})
        relation = "="
    if holds(relation, left, right):
        return "", right
    return f"the left-hand side is {_show(left)}, the right-hand side {_show(right)}", right


def _trained(world: World, old: Any, names: set[str]) -> Any:
    """What training makes of the old value, on the risk that the update names."""
    penalised = names.isdisjoint({r"\hat R", r"\hat R_K"}) or r"\mathcal L" in names
    data = not names.isdisjoint({r"\hat R", r"\tilde R"})
    new = meaning.trained(world.leaves, data, penalised)
    fits = [value for name, value in new.items() if np.array_equal(world.get(name), old)]
    if not fits:
        raise WrongError("an update of what training does not update")
    return fits[0]


def _show(value: Any) -> str:
    with np.printoptions(precision=4, suppress=True, threshold=6, edgeitems=2):
        return " ".join(str(np.asarray(value)).split())
