"""Evaluates the nodes of a statement at a point, derivatives by the complex step.

A symbol has the value that was drawn for it, or the one that `definitions` give it. Once one of
the quantities in between is moved, as o^a is in ∂L/∂o^a, what is defined from it follows. Shapes
are strict: nothing is broadcast, and the axes that an index stands on must be of one size.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from derivations import definitions as of
from derivations import meaning
from derivations.latex import Node

STEP = 1e-30  # of the complex step: exact to rounding, however small
TOLERANCE = 1e-9
MANY = 1000  # terms of a sum; no size comes near it


class WrongError(ValueError):
    """An expression that makes no sense: shapes do not fit, an index is out of range."""


def close(a: Any, b: Any) -> bool:
    """Whether two values agree to 1e-9. Raises WrongError where their shapes differ."""
    if np.shape(a) != np.shape(b):
        raise WrongError(f"shape {np.shape(a)} on the left, {np.shape(b)} on the right")
    scale = np.maximum(1, np.maximum(np.abs(a).max(initial=0), np.abs(b).max(initial=0)))
    return bool(np.all(np.abs(np.subtract(a, b)) <= TOLERANCE * scale))


def holds(relation: str, a: Any, b: Any) -> bool:
    """Whether a relation holds between two real values, for each pair of their elements."""
    if relation == "=":
        return close(a, b)
    tests: dict[str, Callable[[Any, Any], Any]] = {"<": np.less, ">": np.greater}
    tests |= {r"\leq": np.less_equal, r"\geq": np.greater_equal, r"\neq": np.not_equal}
    if relation not in tests:
        raise WrongError(f"{relation} within an expression")
    return bool(np.all(tests[relation](a, b)))


@dataclass(frozen=True)
class World:
    """One point, seen with some quantities moved and some indices fixed."""

    leaves: Mapping[str, Any]
    local: Mapping[str, Node]  # what the report's own symbols stand for, such as u
    batch: bool
    moved: Mapping[str, Any] = field(default_factory=dict)
    indices: Mapping[str, int] = field(default_factory=dict)
    perturbed: bool = False  # within a complex step
    memo: dict[Any, Any] = field(default_factory=dict)  # what has been computed at this point
    needs: dict[str, set[str]] = field(default_factory=dict)  # names that a value was found from
    asking: list[set[str]] = field(default_factory=list)  # the same, of what is being computed

    # The values of names.

    def get(self, name: str) -> Any:
        """The value of a symbol."""
        if name in self.indices:
            return self.indices[name]
        if name not in self.memo:
            self.asking.append(set())
            try:
                self.memo[name] = self.compute(name)
            finally:
                self.needs[name] = self.asking.pop() | {name}
        for asked in self.asking[-1:]:
            asked |= self.needs[name]
        return self.memo[name]

    def compute(self, name: str) -> Any:
        """The value of a symbol: moved, the report's own, drawn, or by its definition."""
        if name in self.moved:
            return self.moved[name]
        if name in self.local:
            return self.bind().value(self.local[name])
        if name in self.leaves:
            return self.leaves[name]
        if name in of.QUANTITIES:
            return _scalar(of.QUANTITIES[name](self.get))
        raise WrongError(f"{name} has no meaning: not in the table, defined by no display")

    def bind(self, **indices: int) -> "World":
        """The world with just these indices fixed; it shares what has been computed."""
        return replace(self, indices=indices)

    def move(self, name: str, value: Any) -> "World":
        """The world in which a quantity has another value, and what depends on it follows."""
        old = self.get(name)
        if np.shape(value) != np.shape(old):
            raise WrongError(f"{name} of shape {np.shape(value)}, not {np.shape(old)}")
        names = of.PARAMETERS if name == r"\theta" else (name,)
        kept = {
            key: known
            for key, known in self.memo.items()
            if isinstance(key, str) and self.needs[key].isdisjoint(names)
        }
        needs = {key: self.needs[key] for key in kept}
        return replace(self, moved=self.moved_by(name, value), memo=kept, needs=needs)

    def moved_by(self, name: str, value: Any) -> dict[str, Any]:
        """All that is moved, and a quantity, too; for all parameters together, each of them."""
        return {**self.moved, **(self.split(value) if name == r"\theta" else {name: value})}

    def split(self, theta: Any) -> dict[str, Any]:
        """The parameters of one column, by name."""
        shapes = [np.shape(self.leaves[name]) for name in of.PARAMETERS]
        parts = np.split(theta, np.cumsum([rows * columns for rows, columns in shapes])[:-1])
        pairs = zip(of.PARAMETERS, parts, shapes, strict=True)
        return {name: part.reshape(shape) for name, part, shape in pairs}

    # The values of nodes: a method for each kind of node, which gets the values of its parts.

    def value(self, node: Node) -> Any:
        """The value of an expression: a scalar or a matrix; of a relation, a truth value."""
        special: Callable[[Node], Any] | None = getattr(self, f"_{node.op}", None)
        if special is not None:
            return special(node)
        parts = [self.value(arg) for arg in node.args]
        if node.op not in OPERATIONS:
            raise WrongError(f"{node.op} {node.name} makes no sense here")
        return OPERATIONS[node.op](*parts)

    def _number(self, node: Node) -> Any:
        return int(node.name)

    def _symbol(self, node: Node) -> Any:
        return self.get(node.name)

    def _norm(self, node: Node) -> Any:
        if node.name not in of.NORMS:
            raise WrongError(f"an unknown norm, {node.name!r}")
        return of.NORMS[node.name](self.value(node.args[0]))

    def _call(self, node: Node) -> Any:
        args = [self.value(arg) for arg in node.args]
        name = node.name.rstrip("'")
        function = of.FUNCTIONS[name]
        if name == node.name:
            return _scalar(function(*args))
        (x,) = (np.asarray(arg, float) for arg in args)
        return np.imag(function(x + STEP * 1j)) / STEP

    def _indicator(self, node: Node) -> Any:
        (relation,) = node.args
        a, b = (np.real(self.value(arg)) for arg in relation.args)
        pairs = np.nditer([a, b, None], op_dtypes=[None, None, float])
        for x, y, out in pairs:
            out[...] = holds(relation.name, x, y)
        return pairs.operands[2]

    def _relation(self, node: Node) -> Any:
        values = pairwise(self.value(arg) for arg in node.args)
        return all(
            holds(name, np.real(a), np.real(b))
            for name, (a, b) in zip(node.name.split(), values, strict=True)
        )

    def _true(self, node: Node) -> Any:
        return True

    def _cases(self, node: Node) -> Any:
        rows = [row.args for row in node.args]
        met = [value for value, condition in rows if self.value(condition)]
        if not met:
            raise WrongError("none of the cases holds")
        if len(met) > 1 and rows[-1][1].op != "true":
            raise WrongError("two of the cases hold at once")
        if met[0].op != "relation":
            return self.value(met[0])
        if not self.value(met[0]):  # an equation within one case: d/dx x = 1
            raise WrongError("the two sides within a case differ")
        return self.value(met[0].args[0])

    def _set(self, node: Node) -> Any:
        first, *_, last = (self.value(arg) for arg in node.args if arg.op != "dots")
        if last > MANY:
            raise WrongError(f"a set of {last} numbers")
        return np.arange(int(first), int(last) + 1)

    def _index(self, node: Node) -> Any:
        base, *places = node.args
        if base.op == "transpose" and len(places) == 1:
            raise WrongError("one index on a transpose")
        return self.element(self.value(base), places)

    def element(self, a: Any, places: Sequence[Node]) -> Any:
        """The element of an array at places that count from 1."""
        at = tuple(int(self.value(place)) - 1 for place in places)
        sizes = axes(a, len(at))
        if not all(0 <= place < size for place, size in zip(at, sizes, strict=True)):
            raise WrongError(f"index {[place + 1 for place in at]} on axes of size {sizes}")
        return a.reshape(sizes)[at]

    def _example(self, node: Node) -> Any:
        base, i = node.args
        place = int(self.value(i)) - 1
        x, y = self.leaves["data x"][:, place : place + 1], int(self.leaves["data y"][0, place])
        return self.move(of.X, x).move("y", y).value(base)

    def _apply(self, node: Node) -> Any:
        base, *args = node.args
        name = base.args[0].name if base.op == "index" else base.name
        world = self
        for leaf, arg in zip(meaning.ARGUMENTS[name][: len(args)], args, strict=True):
            if arg != Node("symbol", leaf):
                world = world.move(leaf, self.value(arg))
        return world.value(base)

    def _sum(self, node: Node) -> Any:
        *bounds, body = node.args
        first, last = (int(self.value(bound)) for bound in bounds)
        if ("size", node) not in self.memo:
            self.memo["size", node] = self.sizes(body).get(node.name, last)
        if last > MANY:
            raise WrongError(f"a sum of {last} terms")
        if (first, last) != (1, self.memo["size", node]):
            size = self.memo["size", node]
            raise WrongError(f"{node.name} from {first} to {last} on an axis of size {size}")
        worlds = (self.bind(**{**self.indices, node.name: i}) for i in range(first, last + 1))
        return sum(world.value(body) for world in worlds)

    def _derivative(self, node: Node) -> Any:
        what, by = node.args
        symbol, *places = by.args if by.op == "index" else (by,)
        if self.perturbed or symbol.op != "symbol":
            raise WrongError("a derivative within a derivative, or by what is no symbol")
        key = (what, symbol, *(self.indices.get(name) for name in _letters(what)))
        if key not in self.memo:
            self.memo[key] = self.gradient(what, symbol.name)
        gradient = self.memo[key]
        return self.element(gradient, places) if places else gradient

    def gradient(self, what: Node, name: str) -> Any:
        """The derivatives by all elements of a symbol, through all that depends on it."""
        base = np.asarray(self.get(name))
        here = replace(self.move(name, base), perturbed=True)  # without what depends on the name

        def slope(place: tuple[int, ...]) -> Any:
            moved = base.astype(complex)
            moved[place] += STEP * 1j
            there = replace(here, moved=here.moved_by(name, moved), memo=dict(here.memo))
            return np.imag(there.value(what)) / STEP

        slopes = [slope(place) for place in np.ndindex(base.shape)]
        if np.ndim(slopes[0]) != 0:
            raise WrongError("a derivative of an array by an array")
        return np.reshape(slopes, base.shape)

    # What an index runs over.

    def sizes(self, node: Node) -> dict[str, int]:
        """The size of the axes on which each free index of an expression stands."""
        found: dict[str, int] = {}

        def meet(name: str, size: int) -> None:
            if found.setdefault(name, size) != size:
                raise WrongError(f"index {name} on axes of size {found[name]} and {size}")

        for arg in node.args:
            for name, size in self.sizes(arg).items():
                if node.op != "sum" or name != node.name:
                    meet(name, size)
        if node.op == "index":
            base, *places = node.args
            ones = self.bind(**{**dict.fromkeys(meaning.INDICES, 1), **self.indices})
            for place, size in zip(places, axes(ones.value(base), len(places)), strict=True):
                if place.op == "symbol" and place.name not in self.leaves:
                    meet(place.name, size)
        if node.op == "example" and node.args[1].op == "symbol":
            meet(node.args[1].name, self.leaves["n"])
        return found


@cache
def _letters(node: Node) -> tuple[str, ...]:
    """The indices that an expression may depend on."""
    return tuple(sorted({n.name for n in node.walk() if n.name in meaning.INDICES and n.name}))


def axes(a: Any, count: int) -> tuple[int, ...]:
    """The sizes of the axes that `count` indices stand on."""
    shape = np.shape(a)
    if len(shape) == 2 and count == 1 and 1 in shape:
        return (max(shape),)
    if len(shape) != count:
        raise WrongError(f"{count} indices on an array of shape {shape}")
    return shape


def _scalar(a: Any) -> Any:
    return np.reshape(a, ()) if np.size(a) == 1 else a


def _alike(a: Any, b: Any) -> None:
    if np.shape(a) != np.shape(b):
        raise WrongError(f"shapes {np.shape(a)} and {np.shape(b)} do not fit")


def _add(*terms: Any) -> Any:
    for term in terms:
        _alike(terms[0], term)
    return sum(terms[1:], terms[0])


def _odot(a: Any, b: Any) -> Any:
    _alike(a, b)
    return np.multiply(a, b)


def _mul(a: Any, b: Any) -> Any:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    _alike(a[0], b[:, 0])
    return _scalar(a @ b)


def _div(a: Any, b: Any) -> Any:
    _alike(b, 0)
    return np.divide(a, b)


def _pow(a: Any, b: Any) -> Any:
    if np.ndim(a) == 0:
        return np.power(np.multiply(1.0, a), b)
    _alike(a, a.T)
    if not close(a, a.T):
        raise WrongError("a power of a matrix that is not symmetric")
    values, vectors = np.linalg.eigh(a)
    return (vectors * values**b) @ vectors.T


def _transpose(a: Any) -> Any:
    if np.ndim(a) != 2:
        raise WrongError("the transpose of a scalar")
    return a.T


def _shaped(a: Any, *shape: int) -> Any:
    if np.shape(a) != shape:
        raise WrongError(f"the shape is {np.shape(a)}, not {shape}")
    return a


OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": _add,
    "neg": np.negative,
    "mul": _mul,
    "odot": _odot,
    "div": _div,
    "pow": _pow,
    "abs": of.FUNCTIONS["abs"],
    "transpose": _transpose,
    "shaped": _shaped,
    "tuple": lambda *parts: np.concatenate([np.reshape(part, (-1, 1)) for part in parts]),
}
