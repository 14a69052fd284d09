"""The normal form of an expression: what is the same but for order and spelling becomes equal.

Terms and scalar factors are put in order, signs are drawn to the front, a quotient is a product
with a reciprocal, 0 and 1 vanish where they do nothing, and bound indices get names of their own.
No number is computed, no bracket is multiplied out and no fraction is cancelled: that takes a step.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache

from derivations import meaning
from derivations.latex import Node

ZERO, ONE = Node("number", "0"), Node("number", "1")
MIRRORED = {">": "<", r"\geq": r"\leq"}


def symbol(name: str) -> Node:
    """The node of a symbol."""
    return Node("symbol", name)


def negative(node: Node) -> Node:
    """Minus an expression; minus minus is nothing."""
    if node == ZERO:
        return node
    if node.op == "add":
        return Node("add", args=tuple(sorted((negative(arg) for arg in node.args), key=order)))
    return node.args[0] if node.op == "neg" else Node("neg", args=(node,))


def sum_of(terms: Iterable[Node]) -> Node:
    """The sum of terms in normal form."""
    flat: list[Node] = []
    for term in terms:
        flat += term.args if term.op == "add" else (term,)
    kept = sorted((term for term in flat if term != ZERO), key=order)
    if len(kept) > 1:
        return Node("add", args=tuple(kept))
    return kept[0] if kept else ZERO


def product_of(factors: Iterable[Node]) -> Node:
    """The product of factors in normal form; scalars come first, in order, and equals as powers."""
    positive, scalars, arrays = True, Counter[Node](), list[Node]()
    todo = list(factors)[::-1]
    while todo:
        factor = todo.pop()
        if factor.op == "neg":
            positive = not positive
            todo.append(factor.args[0])
        elif factor.op == "mul":
            todo += factor.args[::-1]
        elif is_array(factor):
            arrays.append(factor)
        else:
            base, exponent = power_of(factor)
            scalars[base] += exponent
    if ZERO in scalars:
        return ZERO
    kept = [raised(base, exponent) for base, exponent in scalars.items() if base != ONE]
    ordered = [*sorted(kept, key=order), *arrays]
    whole = Node("mul", args=tuple(ordered)) if len(ordered) > 1 else [*ordered, ONE][0]
    return whole if positive else negative(whole)


def power_of(node: Node) -> tuple[Node, int]:
    """Base and exponent of a power with a whole exponent, which every expression is."""
    if node.op == "pow" and node.args[1].op == "number":
        return node.args[0], int(node.args[1].name)
    return node, 1


def raised(base: Node, exponent: int) -> Node:
    """A power with a whole exponent."""
    if exponent == 1:
        return base
    return Node("pow", args=(base, Node("number", str(exponent))))


def reciprocal(node: Node) -> Node:
    """One divided by an expression."""
    if node == ONE:
        return ONE
    if node.op == "neg":
        return negative(reciprocal(node.args[0]))
    return Node("div", args=(ONE, node))


def terms_of(node: Node) -> tuple[Node, ...]:
    """The terms of a sum, or the expression itself."""
    return node.args if node.op == "add" else (node,)


def factors_of(node: Node) -> tuple[Node, ...]:
    """The factors of a product, equal ones one by one, or the expression itself."""
    found: list[Node] = []
    for factor in node.args if node.op == "mul" else (node,):
        base, exponent = power_of(factor)
        found += [base] * exponent if exponent > 1 else [factor]
    return tuple(found)


@cache
def order(node: Node) -> str:
    """What expressions are sorted by."""
    return f"{node.op} {node.name} {' '.join(map(order, node.args))}"


@cache
def is_array(node: Node) -> bool:
    """Whether an expression stands for a vector or a matrix, whose factors keep their order."""
    if node.op == "symbol":
        return node.name in meaning.ARRAYS
    if node.op == "call":
        name = node.name.rstrip("'")
        return name in ("softmax", "onehot") or (
            name in meaning.ELEMENTWISE and is_array(node.args[0])
        )
    if node.op == "sum":
        return is_array(node.args[-1])
    if node.op in ("example", "apply"):
        return is_array(node.args[0])
    if node.op in ("number", "index", "norm", "indicator", "relation", "cases"):
        return False
    return node.op in ("transpose", "tuple") or any(map(is_array, node.args))


@cache
def normal(node: Node) -> Node:
    """The normal form of an expression."""
    args = tuple(map(normal, node.args))
    build = BUILDERS.get(node.op)
    return build(node.name, args) if build else Node(node.op, node.name, args)


def _power(name: str, args: tuple[Node, ...]) -> Node:
    base, exponent = args
    if exponent == ONE:
        return base
    return Node("pow", args=args)


def _apply(name: str, args: tuple[Node, ...]) -> Node:
    base, *inputs = args
    usual = meaning.ARGUMENTS.get(base.args[0].name if base.op == "index" else base.name, [])
    alike = [i == symbol(leaf) for i, leaf in zip(inputs, usual, strict=False)]
    return base if usual and all(alike) else Node("apply", args=args)


def _call(name: str, args: tuple[Node, ...]) -> Node:
    if name.endswith("'") and args[0].op == "symbol" and args[0].name in meaning.FREE:
        return Node("derivative", args=(Node("call", name[:-1], args), args[0]))
    return Node("call", name, args)


def _index(name: str, args: tuple[Node, ...]) -> Node:
    base, *places = args
    if base.op == "derivative" and base.args[1].op == "symbol":
        what, by = base.args
        return Node("derivative", args=(what, Node("index", args=(by, *places))))
    return Node("index", args=args)


def _relation(name: str, args: tuple[Node, ...]) -> Node:
    if name in MIRRORED:
        return Node("relation", MIRRORED[name], args[::-1])
    if name in ("=", r"\neq"):
        return Node("relation", name, tuple(sorted(args, key=order)))
    return Node("relation", name, args)


def _sum(name: str, args: tuple[Node, ...]) -> Node:
    first, last, body = args
    if body.op == "neg":
        return negative(_sum(name, (first, last, body.args[0])))
    bound = f"#{1 + depth(body)}"
    return Node("sum", bound, (first, last, renamed(body, name, bound)))


@cache
def depth(node: Node) -> int:
    """How many sums stand within each other."""
    return (node.op == "sum") + max(map(depth, node.args), default=0)


@cache
def renamed(node: Node, old: str, new: str) -> Node:
    """The normal form with another name for an index."""
    if node == symbol(old):
        return symbol(new)
    return normal(Node(node.op, node.name, tuple(renamed(arg, old, new) for arg in node.args)))


def replaced(node: Node, old: Node, new: Node) -> Node:
    """The normal form with one expression in place of another."""
    if node == old:
        return new
    return normal(Node(node.op, node.name, tuple(replaced(arg, old, new) for arg in node.args)))


def unfolded(node: Node, letters: Mapping[str, Node]) -> Node:
    """The normal form with what letters stand for in their place."""
    if node.op == "symbol" and node.name in letters:
        return unfolded(normal(letters[node.name]), letters)
    return normal(Node(node.op, node.name, tuple(unfolded(arg, letters) for arg in node.args)))


BUILDERS = {
    "shaped": lambda name, args: args[0],
    "neg": lambda name, args: negative(args[0]),
    "add": lambda name, args: sum_of(args),
    "mul": lambda name, args: product_of(args),
    "div": lambda name, args: product_of((args[0], reciprocal(args[1]))),
    "pow": _power,
    "odot": lambda name, args: Node("odot", args=tuple(sorted(args, key=order))),
    "apply": _apply,
    "call": _call,
    "index": _index,
    "relation": _relation,
    "sum": _sum,
}
