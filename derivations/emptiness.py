"""Statements that hold and say nothing: of numbers alone, the same twice, with an idle 0 or 1."""

from derivations.forms import ZERO, normal
from derivations.latex import Node, Statement

ONE = Node("number", "1")


def empty(statement: Statement, may_be_idle: bool = False) -> str:
    """Which step says nothing, if one does; 0 may be added where the question wants it written."""
    if not any(node.op in ("symbol", "call") for node in statement.nodes):
        return f"line {statement.line}: speaks of nothing but numbers"
    for node in statement.nodes:
        if node.op == "sum" and Node("symbol", node.name) not in node.args[-1].walk():
            return f"line {statement.line}: a sum over {node.name}, which occurs nowhere in it"
        if node.op == "row" and any(map(_idle, node.args[1].walk())):
            return f"line {statement.line}: a 0 is added, or a factor is 1, in a condition"
    first = before = statement.first
    first = first.args[0] if first.op == "shaped" else first
    named = first.op in ("symbol", "derivative") or (first.op == "index" and first.args[0].name)
    for number, step in enumerate(statement.steps, 1):
        itself = named and step.relation == "=" and first in step.right.walk()
        if itself or normal(step.right) == normal(before):
            return f"step {number}, line {step.line}: the left-hand side occurs on the right"
        if not may_be_idle and any(map(_idle, step.right.walk())):
            return f"step {number}, line {step.line}: a 0 is added, or a factor is 1"
        before = step.right
    return ""


def _idle(node: Node) -> bool:
    """Whether an expression adds or subtracts 0, or multiplies by 1."""
    terms = [arg.args[0] if arg.op == "neg" else arg for arg in node.args]
    return (node.op == "add" and ZERO in terms) or (node.op in ("mul", "odot") and ONE in node.args)
