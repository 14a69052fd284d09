"""Verifies the statements of every display, and says of each display how, or why not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from derivations import meaning
from derivations.evaluate import World, close, compare
from derivations.latex import Node, ParseError, Statement, parse
from derivations.read import Display, Macro, displays, macros, tokens
from derivations.symbolic import Prover

POINTS = 6  # random points: every class is the right one once, scalars have either sign and are 0


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
    statements: list[Statement]
    conditions: list[Node]  # from the comments before it
    batch: bool


def check(text: str, symbolically: bool = True, only: int = 0) -> list[Verdict]:
    """Check the source of the report; one verdict for each display of parts a and b.

    With `only`, verify the display on that line alone, and what uses the symbols that it defines.
    """
    known = macros(text)
    readings = [_read(display, known) for display in displays(text)]
    network = _definitions(readings)
    prover = Prover() if symbolically else None
    local: dict[str, Node] = {}
    unused: dict[str, Verdict] = {}
    watched: set[str] = set()
    for reading in readings:
        verdict, hows = reading.verdict, set()
        if verdict.reason or verdict.failure:
            continue
        for statement in reading.statements:
            name = _defined(statement)
            if name and name not in meaning.QUANTITIES:
                local[name], unused[name] = statement.steps[0].right, verdict
                hows.add("by its use")
                if prover is not None:
                    prover.define(statement)
                watched |= {name} if verdict.display.line == only else set()
                continue
            if only not in (0, verdict.display.line) and watched.isdisjoint(
                node.name for node in statement.nodes
            ):
                continue
            statement.conditions += reading.conditions
            failure = _verify(statement, {**network, **local}, reading.batch)
            if failure:
                verdict.failure = failure
                break
            verdict.steps += len(statement.steps) or 1  # a shape alone
            proven = prover is not None and prover.proves(statement)
            hows.add("symbolically" if proven else "numerically")
            for node in statement.nodes:
                unused.pop(node.name, None)
        verdict.how = " and ".join(sorted(hows))
    for name, verdict in unused.items():
        verdict.how, verdict.reason = "", f"defines {name}, which no later display uses"
    return [reading.verdict for reading in readings]


def _read(display: Display, known: dict[str, Macro]) -> Reading:
    reading = Reading(Verdict(display), [], [], display.label.startswith("eq-batch-"))
    try:
        for comment in display.comments:
            word, _, rest = comment.partition(" ")
            if word == "skip":
                reading.verdict.reason = rest.strip() or "no reason given"
                return reading
            if word not in ("definition", "batch"):
                for part in comment.split(","):
                    (condition,) = parse(tokens(part, display.line, known), meaning.NAMES)
                    reading.conditions.append(condition.as_node())
            reading.batch |= word == "batch"
        found = tokens(display.latex, display.line, known)
        reading.statements = parse(found, meaning.NAMES)
    except ParseError as error:
        reading.verdict.failure = f"cannot be read: {error}"
    reading.batch |= any(_of_a_batch(n) for s in reading.statements for n in s.nodes)
    return reading


def _of_a_batch(node: Node) -> bool:
    """Whether the node makes sense for a minibatch alone: K, or one example picked by an index."""
    if node.op == "index" and node.args[0].name in meaning.COLUMNS:
        return len(node.args) == (2 if node.args[0].name in ("L", meaning.CLASS) else 3)
    return node.op == "symbol" and node.name in meaning.BATCH_ONLY


def _defined(statement: Statement) -> str:
    """The symbol that stands alone before the first equals sign, unless it is drawn at random."""
    first = statement.first.args[0] if statement.first.op == "apply" else statement.first
    if first.op != "symbol" or not statement.steps or statement.steps[0].relation != "=":
        return ""
    drawn = first.name in meaning.draw(0, False) and first.name not in meaning.SCALARS
    uses_itself = any(node.name == first.name for node in statement.steps[0].right.walk())
    return "" if drawn or uses_itself else first.name


def _definitions(readings: list[Reading]) -> dict[str, Node]:
    """For each quantity of the network, the first display that has it alone on the left."""
    found: dict[str, Node] = {}
    for reading in readings:
        for statement in reading.statements:
            name = _defined(statement)
            if name in meaning.QUANTITIES and not (reading.batch and name in meaning.COLUMNS):
                found.setdefault(name, statement.steps[0].right)
    return found


def _verify(statement: Statement, definitions: Mapping[str, Node], batch: bool) -> str:
    """Empty if the statement holds wherever it is claimed, else which step fails and how."""
    if failure := _circular(statement):
        return failure
    tested = 0
    step, line = 0, statement.line
    try:
        with np.errstate(all="ignore"):
            for seed in range(POINTS):
                for world in _points(
                    World(meaning.draw(seed, batch), definitions, batch), statement
                ):
                    step, line = 0, statement.line
                    left = world.value(statement.first)
                    for step, (line, relation, node, _) in enumerate(statement.steps, 1):
                        problem, left = _step(world, left, relation, node)
                        if problem:
                            return f"step {step}, line {line}: {problem}"
                    tested += 1
    except (ValueError, ArithmeticError, LookupError, TypeError) as error:
        return f"step {max(step, 1)}, line {line}: {error}"
    return "" if tested else f"line {line}: no point satisfies the conditions, nothing was tested"


def _circular(statement: Statement) -> str:
    """Which step says nothing, because its two sides are the same or the claim is its own reason."""
    first = before = statement.first
    named = first.op in ("symbol", "derivative") or (first.op == "index" and first.args[0].name)
    for step, (line, relation, node, _) in enumerate(statement.steps, 1):
        if node == before:
            return f"step {step}, line {line}: both sides are the same"
        if relation == "=" and named and first in node.walk():
            return f"step {step}, line {line}: the left-hand side occurs on the right"
        before = node
    return ""


def _points(world: World, statement: Statement) -> Iterator[World]:
    """The world with the free indices at all of their values, where the conditions hold."""
    parts = [statement.first, *(s.right for s in statement.steps), *statement.conditions]
    sizes = world.sizes(Node("all", args=tuple(parts)))
    for values in product(*(range(1, size + 1) for size in sizes.values())):
        here = world.bind(**dict(zip(sizes, values, strict=True)))
        if all(np.all(here.value(condition)) for condition in statement.conditions):
            yield here


def _step(world: World, left: Any, relation: str, node: Node) -> tuple[str, Any]:
    """What is wrong with one step, if anything, and the value of its right-hand side."""
    if relation == r"\in":
        return _membership(world, left, node), left
    right = world.value(node)
    if relation == r"\leftarrow":
        return _update(world, left, node, right), right
    if relation == "=":
        holds = close(left, right)
    else:
        holds = bool(np.all(compare(relation, left, right)))
    if holds:
        return "", right
    return f"the left-hand side is {_show(left)}, the right-hand side {_show(right)}", right


def _membership(world: World, left: Any, node: Node) -> str:
    if node.op == "set":
        return "" if np.isin(left, world.value(node)).all() else f"{_show(left)} is not in the set"
    shape = tuple(int(world.value(size)) for size in node.args)
    shape = (*shape, 1) if len(shape) == 1 else shape
    return "" if np.shape(left) == shape else f"the shape is {np.shape(left)}, not {shape}"


def _update(world: World, left: Any, node: Node, right: Any) -> str:
    """An update must be the step that the training program takes, on the risk that it names."""
    names = {n.name for n in node.walk()}
    penalised = not names & {r"\hat R", r"\hat R_K"} or r"\mathcal L" in names
    after = meaning.after_update(world.leaves, bool(names & {r"\hat R", r"\tilde R"}), penalised)
    flat = {r"\theta": meaning.stack(after)}
    flat |= dict(zip(meaning.PARAMETERS, after, strict=True))
    fits = [v for k, v in flat.items() if close_or_shape(world.get(k), left)]
    return (
        "" if fits and close(fits[0], right) else f"training gives another step than {_show(right)}"
    )


def close_or_shape(a: Any, b: Any) -> bool:
    """Whether two values are of one shape and close."""
    return np.shape(a) == np.shape(b) and close(a, b)


def _show(value: Any) -> str:
    with np.printoptions(precision=4, suppress=True, threshold=6, edgeitems=2):
        return " ".join(str(np.asarray(value)).split())
