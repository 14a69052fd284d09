"""Looks for each claim of a question among the statements that have been found to hold."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from derivations import proofs
from derivations.forms import ZERO, normal
from derivations.latex import Node
from derivations.questions import MINIBATCH, Claim
from derivations.reading import Said

ARITHMETIC = {"add", "neg", "mul", "odot", "div", "pow", "transpose", "tuple", "shaped"}
MISSING = "missing"
Finding = tuple[int, str]  # the place of a statement in its section, or -1; a problem, or empty


@dataclass(frozen=True)
class Answer:
    """What became of a claim: nothing is wrong with it, or it is missing, or a problem."""

    claim: Claim
    line: int = 0  # of the display that bears it out
    problem: str = MISSING

    @property
    def proven(self) -> bool:
        """Whether the report says what was asked, and it holds."""
        return not self.problem

    @property
    def state(self) -> str:
        """In a word: proven, missing or wrong."""
        if self.proven:
            return "proven"
        return MISSING if self.problem.startswith(MISSING) else "wrong"


@dataclass(frozen=True)
class Section:
    """What the report says in one question and what holds of it; the labels of quoted code."""

    said: tuple[Said, ...]
    quoted: frozenset[str] = frozenset()


def answers(claims: tuple[Claim, ...], section: Section) -> list[Answer]:
    """Look for each claim in its section; what has been shown may be used for the next claim."""
    found = _found(claims, section)
    lines = [section.said[place].line if place >= 0 else 0 for place, _ in found]
    return [
        Answer(claim, line, problem)
        for claim, line, (_, problem) in zip(claims, lines, found, strict=True)
    ]


@cache
def _found(claims: tuple[Claim, ...], section: Section) -> list[Finding]:
    found: list[Finding] = []
    proven: list[Claim] = []  # by a proof that holds everywhere
    for claim in claims:
        usable = [c.sides for c in proven if c.context == claim.context]
        found.append(_find(claim, section, usable))
        problem = found[-1][1]
        if not problem and claim.kind == "show" and claim.relation == "=" and not claim.where:
            proven.append(claim)
    return found


def _find(claim: Claim, section: Section, proven: Sequence[proofs.Equation]) -> Finding:
    if claim.kind == "numpy":
        return -1, "" if claim.text in section.quoted else MISSING
    fitting = [
        (place, said)
        for place, said in enumerate(section.said)
        if said.batch == (claim.context == MINIBATCH) and said.conditions <= {claim.where}
    ]
    if claim.kind == "shape":
        return _shape(claim, fitting)
    if claim.kind == "show" and not claim.label and not claim.cases:
        places = [place for place, said in fitting if _bears_out(claim, said)]
        gap = proofs.gap(claim, [said for _, said in fitting], proven)
        return places[0] if places else -1, gap and f"missing: {gap}"
    place, problem = -1, MISSING
    for here, said in fitting:
        if claim.label and said.label != claim.label:
            continue
        found = FINDERS[claim.kind](claim, said)
        if not found and claim.kind == "show":
            found = proofs.gap(claim, [said for _, said in fitting], proven)
        if not found:
            return here, ""
        if found != MISSING:
            place, problem = here, found
    if claim.label and problem == MISSING:
        problem = f"missing: no equation {claim.label} says it"
    return place, problem


def _bears_out(claim: Claim, said: Said) -> bool:
    """Whether a statement is the one in which a claim is shown, or begins to be."""
    relations = {step.relation for step in said.statement.steps}
    reasons = any(step.reason for step in said.statement.steps)
    return claim.parts[0] in said.sides and (
        reasons if claim.relation == "=" else claim.relation in relations
    )


def _express(claim: Claim, said: Said) -> str:
    first, *_ = said.sides
    problem = MISSING
    for step in said.statement.steps if first == claim.parts[0] else ():
        if step.relation != "=":
            break
        problem = _beyond(claim, step.right)
        if not problem:
            break
    return problem


def _update(claim: Claim, said: Said) -> str:
    relations = [step.relation for step in said.statement.steps]
    if relations != [r"\leftarrow"] or said.sides[0] != claim.parts[0]:
        return MISSING
    return _beyond(claim, said.statement.steps[0].right)


def _beyond(claim: Claim, right: Node) -> str:
    """How the right side goes beyond the terms and the form that are asked for."""
    if claim.matrix and any(node.op in ("index", "sum") for node in right.walk()):
        return "not in matrix form"
    for node in right.walk():
        if node.op == "index" and node.args[0].op in ARITHMETIC - {"transpose"}:
            return "an element of an expression, not element by element"
    found = foreign(right, claim.inside)
    return f"not in the terms asked for: {found.name or found.op}" if found else ""


def foreign(node: Node, inside: frozenset[Node]) -> Node | None:
    """The first part of an expression that is not among what it may hold, if there is one."""
    if normal(node) in inside:
        return None
    if node.op == "number":
        return node if node == ZERO else None
    parts: Sequence[Node] = node.args
    if node.op in ("call", "indicator"):
        if Node(node.op, node.name) not in inside:
            return node
        if node.op == "indicator":
            parts = [side for side in parts[0].args if side.op != "number"]
    elif node.op in ("index", "shaped"):
        parts = parts[:1]
    elif node.op == "sum":
        parts = parts[-1:]
    elif node.op not in ARITHMETIC:
        return node
    if node.op == "mul" and Node("number", "1") in parts:
        return Node("number", "1")
    return next((found for part in parts if (found := foreign(part, inside))), None)


def _state(claim: Claim, said: Said) -> str:
    sides = said.sides
    for number, step in enumerate(said.statement.steps):
        pair = tuple(sides[number : number + 2])
        turned = pair[::-1] if claim.relation == "=" else pair
        if step.relation == claim.relation and claim.parts in (pair, turned):
            return ""
    return MISSING


def _define(claim: Claim, said: Said) -> str:
    return _state(claim, said) if said.letter else MISSING


def _cases(claim: Claim, said: Said) -> str:
    last = said.statement.steps[-1].right if said.statement.steps else said.statement.first
    if said.sides[0] != claim.parts[0] or last.op != "cases":
        return MISSING
    rows = {(normal(condition), _value(value)) for value, condition in (r.args for r in last.args)}
    return "" if rows == set(claim.rows) else "not the cases, or not the values, asked for"


def _value(value: Node) -> Node:
    """The value in a case: the last side, if an equation leads to it."""
    led_to = value.op == "relation" and set(value.name.split()) == {"="}
    return value.args[-1] if led_to else value


def _shape(claim: Claim, fitting: Sequence[tuple[int, Said]]) -> Finding:
    stated = {part: place for place, said in fitting for part in _shapes(said)}
    for part in claim.parts:
        if part not in stated:
            return -1, f"missing: that of {part.args[0].name or part.args[0].op}"
    return stated[claim.parts[0]], ""


def _shapes(said: Said) -> Iterator[Node]:
    """Each shape that is stated, as a relation, in normal form."""
    for node in said.statement.as_node().walk():
        if node.op == "shaped":
            what, *size = node.args
            yield normal(Node("relation", r"\in", (what, Node("space", args=tuple(size)))))
        elif node.op == "relation" and node.name == r"\in":
            yield normal(node)


FINDERS: dict[str, Callable[[Claim, Said], str]] = {
    "express": _express,
    "update": _update,
    "state": _state,
    "given": _state,
    "define": _define,
    "pose": _state,
    "cases": _cases,
    "show": _state,
}
