"""Like terms of sums, and numbers in products."""

from collections import defaultdict
from fractions import Fraction

from derivations.forms import (
    ONE,
    factors_of,
    negative,
    normal,
    product_of,
    reciprocal,
    sum_of,
    terms_of,
)
from derivations.latex import Node


def collected(node: Node) -> Node:
    """The expression with the like terms of each sum put together."""
    return _combined(node, ("add",))


def computed(node: Node) -> Node:
    """The same, and with the numbers of each product multiplied."""
    return _combined(node, ("add", "mul", "neg"))


def _combined(node: Node, kinds: tuple[str, ...]) -> Node:
    args = tuple(_combined(arg, kinds) for arg in node.args)
    node = normal(Node(node.op, node.name, args))
    if node.op in kinds:
        terms: dict[Node, Fraction] = defaultdict(Fraction)
        for term in terms_of(node):
            number, rest = split(term)
            terms[rest] += number
        return sum_of(_times(number, rest) for rest, number in terms.items())
    return node


def split(term: Node) -> tuple[Fraction, Node]:
    """The number in a term, and its other factors."""
    if term.op == "neg":
        number, rest = split(term.args[0])
        return -number, rest
    number, others = Fraction(1), []
    for factor in factors_of(term):
        if factor.op == "number":
            number *= int(factor.name)
        elif factor.op == "div" and factor.args[1].op == "number":
            number /= int(factor.args[1].name)
        else:
            others.append(factor)
    return number, product_of(others)


def _times(number: Fraction, rest: Node) -> Node:
    above, below = (Node("number", str(n)) for n in (abs(number.numerator), number.denominator))
    parts = [above, rest] if below == ONE else [above, reciprocal(below), rest]
    return product_of(parts) if number >= 0 else negative(product_of(parts))
