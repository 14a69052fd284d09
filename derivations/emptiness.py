"""Statements that hold and say nothing: of numbers alone, the same twice, with an idle 0 or 1."""

from functools import cache

from derivations.forms import ZERO, normal
from derivations.latex import Node, Statement, Step

ONE = Node("number", "1")


@cache
def empty(statement: Statement, zeros: int = 0) -> tuple[int, str]:
    """Which step says nothing, counted from 1, and why; 0 and an empty text if none does.

    So many zeros may be added or subtracted on its right, where the question wants them written.
    """
    if not any(node.op in ("symbol", "call") for node in statement.nodes):
        return 1, "speaks of nothing but numbers"
    for node in statement.nodes:
        if node.op == "sum" and Node("symbol", node.name) not in node.args[-1].walk():
            return 1, f"a sum over {node.name}, which occurs nowhere in it"
        if node.op == "row" and _idle(node.args[1]):
            return 1, "a 0 is added, or a factor is 1, in a condition"
    before = statement.first
    for number, step in enumerate(statement.steps, 1):
        if _repeats(statement.first, step) or normal(step.right) == normal(before):
            return number, "the left-hand side occurs on the right"
        if _idle(step.right) > zeros:
            return number, "a 0 is added, or a factor is 1"
        before = step.right
    return 0, ""


def _repeats(first: Node, step: Step) -> bool:
    """Whether what is defined or differentiated on the left occurs on the right of an equation."""
    first = first.args[0] if first.op == "shaped" else first
    named = first.op in ("symbol", "derivative") or (first.op == "index" and first.args[0].name)
    return bool(named) and step.relation == "=" and first in step.right.walk()


def _idle(expression: Node) -> int:
    """How often an expression adds or subtracts 0; to multiply by 1 counts for a great many."""
    found = 0
    for node in expression.walk():
        if node.op == "add":
            found += sum(term in (ZERO, Node("neg", args=(ZERO,))) for term in node.args)
        if node.op in ("mul", "odot") and ONE in node.args:
            found += 100
    return found
