"""Derivatives of expressions in normal form, by rule: what the reasons of the report speak of."""

from collections.abc import Iterator
from functools import cache

from derivations import definitions as of
from derivations import meaning, points
from derivations.evaluate import World
from derivations.forms import (
    ONE,
    ZERO,
    factors_of,
    negative,
    normal,
    power_of,
    product_of,
    raised,
    reciprocal,
    renamed,
    replaced,
    sum_of,
    symbol,
    terms_of,
)
from derivations.latex import Node
from derivations.rewrite import FRESH

LAYERS = {of.HA: (of.W1, of.X, of.B1), of.OA: (of.W2, of.HS, of.B2)}  # weights, inputs, biases


def slope(what: Node, by: Node) -> Node:
    """The derivative, not yet worked out."""
    return Node("derivative", args=(what, by))


@cache
def depends(what: Node, by: Node) -> bool:
    """Whether an expression may change with a symbol, or an element of it."""
    base = by.args[0] if by.op == "index" else by
    return any(
        node.op == "symbol" and (node == base or base.name in _sources(node.name))
        for node in what.walk()
    )


@cache
def _sources(name: str) -> frozenset[str]:
    """All names that a quantity is defined from, directly or not."""
    if name not in of.QUANTITIES:
        return frozenset()
    world = World(points.draw(0, batch=True), {}, batch=True)
    world.get(name)
    found = world.needs[name]
    whole = set() if found.isdisjoint(of.PARAMETERS) else {r"\theta"}
    return frozenset(found | whole)


def linear(node: Node) -> Iterator[Node]:
    """The derivative of a sum, term by term, with constant factors taken out; once."""
    if node.op != "derivative":
        return
    what, by = node.args
    if what.op == "add":
        yield sum_of(linearly(term, by) for term in what.args)
    elif what.op in ("mul", "neg", "sum"):
        found = linearly(what, by)
        if found != node:
            yield found


def linearly(what: Node, by: Node) -> Node:
    """The derivative of an expression, sums and constant factors taken out."""
    if not depends(what, by):
        return ZERO
    if what.op == "neg":
        return negative(linearly(what.args[0], by))
    if what.op == "add":
        return sum_of(linearly(term, by) for term in what.args)
    if what.op == "sum":
        first, last, body = what.args
        inside = linearly(renamed(body, what.name, FRESH), by)
        return normal(Node("sum", FRESH, (first, last, inside)))
    if what.op == "mul":
        constant = [f for f in factors_of(what) if not depends(f, by)]
        rest = [f for f in factors_of(what) if depends(f, by)]
        if constant:
            return product_of([*constant, linearly(product_of(rest), by)])
    return slope(what, by)


def collapse(node: Node) -> Iterator[Node]:
    """The one term of a sum of derivatives that is not zero: its index is that of `by`."""
    if node.op != "sum":
        return
    body = renamed(node.args[2], node.name, FRESH)
    for factor in factors_of(body):
        if factor.op == "derivative":
            index = _only(*factor.args)
            if index is not None:
                yield replaced(body, symbol(FRESH), index)


def _only(what: Node, by: Node) -> Node | None:
    """The value of the index of the sum at which alone `what` depends on `by`."""
    if by.op != "index":
        return None
    base, *places = by.args
    found: set[Node | None] = set()
    for node in what.walk():
        if node.op == "index" and node.args[0] == base and len(node.args) == len(by.args):
            pairs = list(zip(node.args[1:], places, strict=True))
            at = [b for a, b in pairs if a == symbol(FRESH)]
            fits = all(a in (b, symbol(FRESH)) for a, b in pairs)
            found.add(at[0] if len(at) == 1 and fits else None)
        elif node.op == "index" and depends(node.args[0], by):
            example = node.args[0].name in meaning.COLUMNS and base.name in meaning.COLUMNS
            last = node.args[-1] == symbol(FRESH)
            found.add(places[-1] if example and last and len(places) == 2 else None)
    return found.pop() if len(found) == 1 else None


def worked_out(node: Node) -> Node:
    """The expression with every derivative worked out that the elementary rules can do."""
    args = tuple(map(worked_out, node.args))
    node = normal(Node(node.op, node.name, args))
    return derivative(*node.args) if node.op == "derivative" else node


def derivative(what: Node, by: Node) -> Node:
    """The derivative by the elementary rules, as far as they go."""
    if what == by:
        return ONE
    if not depends(what, by):
        return ZERO
    if what.op in ("neg", "add", "sum"):
        taken = linearly(what, by)
        if what.op == "sum":
            return next(map(worked_out, collapse(taken)), slope(what, by))
        parts = [worked_out(term) for term in terms_of(taken)]
        return sum_of(parts)
    if what.op == "mul":
        first, *others = factors_of(what)
        rest = product_of(others)
        return sum_of(
            [product_of([derivative(first, by), rest]), product_of([first, derivative(rest, by)])]
        )
    if what.op == "div":
        below = what.args[1]
        return negative(product_of([derivative(below, by), reciprocal(raised(below, 2))]))
    if what.op == "pow" and power_of(what)[1] > 1:
        base, exponent = power_of(what)
        factors = [Node("number", str(exponent)), raised(base, exponent - 1)]
        return product_of([*factors, derivative(base, by)])
    if what.op == "call" and len(what.args) == 1:
        return _of_a_function(what, by)
    if what.op == "index":
        return _of_an_element(what, by)
    return slope(what, by)


def _of_a_function(what: Node, by: Node) -> Node:
    (inner,) = what.args
    if what.name == "exp":
        outer = what
    elif what.name == "log":
        outer = reciprocal(inner)
    elif inner == by and by.op == "symbol":
        return slope(what, by)
    elif what.name in meaning.ELEMENTWISE:
        outer = Node("call", what.name + "'", (inner,))
    else:
        return slope(what, by)
    return product_of([outer, derivative(inner, by)])


def _of_an_element(what: Node, by: Node) -> Node:
    """The derivative of an element of a layer, by what it is computed from."""
    base, *places = what.args
    if base == (by.args[0] if by.op == "index" else by):
        return slope(what, by)
    if base.name in LAYERS:
        return _of_a_preactivation(base.name, places, by)
    if base.name == of.HS:
        inner = Node("index", args=(symbol(of.HA), *places))
        if inner == by:
            return Node("call", "rect'", (inner,))
    return slope(what, by)


def _of_a_preactivation(name: str, places: list[Node], by: Node) -> Node:
    """Of Σ W_kr h_r + b_k, by one of W, h and b in the same row and column."""
    unit, *example = places
    weights, below, biases = map(symbol, LAYERS[name])
    what = Node("index", args=(symbol(name), *places))
    if by.op != "index":
        return slope(what, by)
    base, *at = by.args
    if base == weights and at[0] == unit:
        return Node("index", args=(below, at[1], *example))
    if base == biases and at == [unit]:
        return ONE
    if base == below and at[1:] == example:
        return Node("index", args=(weights, unit, at[0]))
    return slope(what, by)
