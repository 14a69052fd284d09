"""Evaluates the nodes of a statement at a random point, derivatives by the complex step.

A quantity has the value that the package computes. Once one of the quantities in between is
perturbed, as o^a is in ∂L/∂o^a, what depends on it follows the definitions in the report: the
network is then the composition of the displays h^a = …, h^s = …, o^a = … themselves.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np

from derivations import meaning
from derivations.latex import Node

STEP = 1e-30  # of the complex step: exact to rounding, however small
TOLERANCE = 1e-9


class WrongError(ValueError):
    """An expression that makes no sense: shapes do not fit, an index is out of range."""


def close(a: Any, b: Any) -> bool:
    """Whether two values have one shape and agree to 1e-9."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        raise WrongError(f"shape {a.shape} on the left, {b.shape} on the right")
    scale = max(1.0, float(np.abs(a).max(initial=0)), float(np.abs(b).max(initial=0)))
    return bool(np.all(np.abs(a - b) <= TOLERANCE * scale))


@dataclass(frozen=True)
class World:
    """One random point, seen with some quantities overridden and some indices fixed."""

    leaves: Mapping[str, Any]
    definitions: Mapping[str, Node]
    batch: bool
    overrides: Mapping[str, Any] = field(default_factory=dict)
    indices: Mapping[str, int] = field(default_factory=dict)
    complex_step: bool = False
    memo: dict[Any, Any] = field(default_factory=dict)  # what has been computed at this point
    upstream: dict[str, set[str]] = field(default_factory=dict)  # what each definition depends on

    # The value of a name.

    def get(self, name: str) -> Any:
        """The value of a symbol."""
        if name in self.indices:
            return self.indices[name]
        if name not in self.memo:
            self.memo[name] = self._get(name)
        return self.memo[name]

    def _get(self, name: str) -> Any:
        if name in self.overrides:
            return self.overrides[name]
        if name in self.leaves and name not in self.definitions:
            return self.leaves[name]
        if name in meaning.QUANTITIES and not self.follows(name):
            return _squeeze(meaning.QUANTITIES[name](self.leaves))
        if name not in self.definitions:
            raise WrongError(f"{name} is not in the table of meanings, and no display defines it")
        if self.batch and name in meaning.COLUMNS:
            columns = [np.atleast_2d(self.column(i).get(name)) for i in range(meaning.SIZES["K"])]
            return np.concatenate(columns, axis=1)
        return replace(self, indices={}).value(self.definitions[name])

    def follows(self, name: str) -> bool:
        """Whether the quantity depends on one that is overridden, by the report's definitions."""
        if name not in self.upstream:
            seen, todo = {name}, [name]
            while todo:
                here = self.definitions.get(todo.pop(), Node("number"))
                new = {n.name for n in here.walk() if n.op == "symbol"} - seen
                seen |= new
                todo += new
            self.upstream[name] = seen
        return not self.upstream[name].isdisjoint(self.overrides)

    def column(self, i: int) -> "World":
        """The world of one example of the minibatch."""

        def only(values: Mapping[str, Any]) -> dict[str, Any]:
            cut = {k: v[:, i : i + 1] for k, v in values.items() if k in meaning.COLUMNS}
            return {**values, **cut}

        leaves = only(self.leaves)
        leaves[meaning.CLASS] = int(leaves[meaning.CLASS][0, 0])
        return replace(
            self, leaves=leaves, batch=False, overrides=only(self.overrides), indices={}, memo={}
        )

    def override(self, name: str, value: Any) -> "World":
        """The world in which a quantity has another value, and what depends on it follows."""
        if np.shape(value) != np.shape(self.get(name)):
            raise WrongError(f"{name} of shape {np.shape(value)}, not {np.shape(self.get(name))}")
        if name == r"\theta":
            leaves, start = dict(self.leaves), 0
            for part in meaning.PARAMETERS:
                size = np.size(leaves[part])
                leaves[part] = value[start : start + size].reshape(leaves[part].shape)
                start += size
            return replace(self, leaves=leaves, memo={})
        if name in self.leaves:
            return replace(self, leaves={**self.leaves, name: value}, memo={})
        return replace(self, overrides={**self.overrides, name: value}, memo={})

    def example(self, i: int) -> "World":
        """The world of one example of the data set, or of the minibatch."""
        if self.batch:
            return self.column(i - 1)
        x, y = self.leaves["data x"][:, i - 1 : i], int(self.leaves["data y"][0, i - 1])
        return self.override(meaning.INPUT, x).override(meaning.CLASS, y)

    def bind(self, **indices: int) -> "World":
        """The world with more indices fixed; it shares what has been computed."""
        return replace(self, indices={**self.indices, **indices})

    # The value of a node.

    def value(self, node: Node) -> Any:
        """The value of an expression: a scalar, or a matrix; a relation gives a truth value."""
        method: Callable[[Node], Any] | None = getattr(self, "_" + node.op, None)
        if method is None:
            raise WrongError(f"cannot evaluate {node.op} {node.name}".rstrip())
        return method(node)

    def values(self, node: Node) -> list[Any]:
        """The values of a node's parts."""
        return [self.value(arg) for arg in node.args]

    def _number(self, node: Node) -> Any:
        return float(node.name) if "." in node.name else int(node.name)

    def _symbol(self, node: Node) -> Any:
        return self.get(node.name)

    def _bracket(self, node: Node) -> Any:
        return self.value(node.args[0])

    def _true(self, node: Node) -> Any:
        return True

    def _neg(self, node: Node) -> Any:
        return -np.asarray(self.value(node.args[0]))

    def _add(self, node: Node) -> Any:
        total, *rest = self.values(node)
        for term in rest:
            if np.shape(total) != np.shape(term):
                raise WrongError(f"a sum of shapes {np.shape(total)} and {np.shape(term)}")
            total = total + term
        return total

    def _mul(self, node: Node) -> Any:
        a, b = self.values(node)
        if np.ndim(a) == 0 or np.ndim(b) == 0:
            return np.multiply(a, b)
        if a.shape[1] != b.shape[0]:
            raise WrongError(f"a product of shapes {a.shape} and {b.shape}")
        return _squeeze(a @ b)

    def _odot(self, node: Node) -> Any:
        a, b = self.values(node)
        if np.shape(a) != np.shape(b):
            raise WrongError(f"an elementwise product of shapes {np.shape(a)} and {np.shape(b)}")
        return np.multiply(a, b)

    def _div(self, node: Node) -> Any:
        a, b = self.values(node)
        if np.ndim(b) != 0:
            raise WrongError(f"a division by an array of shape {np.shape(b)}")
        return np.divide(a, b)

    def _pow(self, node: Node) -> Any:
        base, exponent = node.args
        if base == Node("symbol", "e"):
            return np.exp(self.value(exponent))
        a = self.value(base)
        if np.ndim(a) != 0:
            raise WrongError(f"a power of an array of shape {np.shape(a)}")
        return np.power(np.multiply(1.0, a), self.value(exponent))

    def _norm(self, node: Node) -> Any:
        if node.name not in meaning.NORMS:
            raise WrongError(f"an unknown norm, {node.name!r}")
        return meaning.NORMS[node.name](self.value(node.args[0]))

    def _abs(self, node: Node) -> Any:
        return meaning.FUNCTIONS["abs"](self.value(node.args[0]))

    def _sqrt(self, node: Node) -> Any:
        return np.sqrt(self.value(node.args[0]))

    def _transpose(self, node: Node) -> Any:
        a = self.value(node.args[0])
        if np.ndim(a) != 2:
            raise WrongError("the transpose of a scalar")
        return a.T

    def _call(self, node: Node) -> Any:
        args = self.values(node)
        name = node.name.rstrip("'")
        if node.name == name:
            return _squeeze(meaning.FUNCTIONS[name](*args))
        (x,) = (np.asarray(a, float) for a in args)
        slope = meaning.FUNCTIONS[name](x + STEP * 1j).imag / STEP
        return (
            np.where(x == 0, meaning.AT_KINK[name](x), slope) if name in meaning.AT_KINK else slope
        )

    def _indicator(self, node: Node) -> Any:
        return np.multiply(1.0, self.value(node.args[0]))

    def _relation(self, node: Node) -> Any:
        values = self.values(node)
        truth: Any = True
        for name, (a, b) in zip(node.name.split(), pairwise(values), strict=True):
            truth = np.logical_and(truth, compare(name, np.real(a), np.real(b)))
        return truth

    def _cases(self, node: Node) -> Any:
        rows = [row.args for row in node.args]
        held = [value for value, condition in rows if self.value(condition)]
        if not held:
            raise WrongError("none of the cases holds")
        if len(held) > 1 and rows[-1][1].op != "true":
            raise WrongError("two of the cases hold at once")
        if held[0].op != "relation":
            return self.value(held[0])
        first, *rest = self.values(held[0])  # a chain within one case: d/dx x = 1
        if not all(close(first, other) for other in rest):
            raise WrongError("the two sides within a case differ")
        return first

    def _matrix(self, node: Node) -> Any:
        return np.block([self.values(row) for row in node.args])

    def _tuple(self, node: Node) -> Any:
        return np.concatenate([np.reshape(v, (-1, 1)) for v in self.values(node)])

    def _shaped(self, node: Node) -> Any:
        value, *sizes = self.values(node)
        shape = tuple(int(size) for size in sizes)
        if np.shape(value) != shape:
            raise WrongError(f"the shape is {np.shape(value)}, not {shape}")
        return value

    def _set(self, node: Node) -> Any:
        members = [a for a in node.args if a.op != "dots"]
        values = [self.value(a) for a in members]
        if len(members) < len(node.args):
            return np.arange(int(values[0]), int(values[-1]) + 1)
        return np.sort(np.concatenate([np.ravel(v) for v in values]))

    def _index(self, node: Node) -> Any:
        base, *places = node.args
        if base.op == "transpose" and len(places) == 1:
            raise WrongError("one index on a transpose")
        a, at = self.value(base), [int(self.value(place)) - 1 for place in places]
        sizes = axes(a, len(at))
        for place, size in zip(at, sizes, strict=True):
            if not 0 <= place < size:
                raise WrongError(f"index {place + 1} on an axis of size {size}")
        return a.reshape(sizes)[tuple(at)]

    def _example(self, node: Node) -> Any:
        base, i = node.args
        return self.example(int(self.value(i))).value(base)

    def _apply(self, node: Node) -> Any:
        base, *args = node.args
        name = base.args[0].name if base.op == "index" else base.name
        choices = [c for c in meaning.ARGUMENTS[name] if len(c) == len(args)]
        if not choices:
            raise WrongError(f"{name} with {len(args)} arguments")
        world = self
        for leaf, arg in zip(choices[0], args, strict=True):
            if arg != Node("symbol", leaf):
                world = world.override(leaf, self.value(arg))
        return world.value(base)

    def _sum(self, node: Node) -> Any:
        terms = [world.value(node.args[-1]) for world in self.over(node)]
        return sum(terms[1:], terms[0]) if terms else 0

    def _prod(self, node: Node) -> Any:
        return np.prod([world.value(node.args[-1]) for world in self.over(node)])

    def over(self, node: Node) -> list["World"]:
        """The worlds over which a sum runs."""
        *bounds, body = node.args
        size = self.sizes(body).get(node.name)
        if len(bounds) == 2:
            first, last = (int(self.value(b)) for b in bounds)
            if size is not None and (first, last) != (1, size):
                raise WrongError(
                    f"{node.name} runs from {first} to {last} on an axis of size {size}"
                )
            return [self.bind(**{node.name: i}) for i in range(first, last + 1)]
        if size is None:
            raise WrongError(f"a sum over {node.name}, which has no bounds and stands on no axis")
        worlds = [self.bind(**{node.name: i}) for i in range(1, size + 1)]
        return [w for w in worlds if not bounds or w.value(bounds[0])]

    def _derivative(self, node: Node) -> Any:
        key = (node, tuple(sorted(self.indices.items())))
        if key not in self.memo:
            self.memo[key] = self.differentiate(*node.args)
        return self.memo[key]

    def differentiate(self, of: Node, by: Node) -> Any:
        """The derivative by a symbol, whole or one element, through what depends on it."""
        if self.complex_step:
            raise WrongError("a derivative within a derivative")
        symbol = by.args[0] if by.op == "index" else by
        if symbol.op != "symbol":
            raise WrongError(f"a derivative with respect to {symbol.op}")
        base = np.asarray(self.get(symbol.name))

        def slope(place: tuple[int, ...]) -> Any:
            moved = base.astype(complex)
            moved[place] += STEP * 1j
            world = replace(self.override(symbol.name, moved), complex_step=True)
            return np.imag(world.value(of)) / STEP

        if by.op == "index":
            at = [int(self.value(place)) - 1 for place in by.args[1:]]
            sizes = axes(base, len(at))
            flat = int(np.ravel_multi_index(at, sizes))
            return slope(tuple(int(p) for p in np.unravel_index(flat, base.shape)))
        slopes = [slope(place) for place in np.ndindex(base.shape)]
        if np.ndim(slopes[0]) == 0:
            return np.reshape(slopes, base.shape)
        if all(a.shape[1] == 1 for a in (slopes[0], base)):
            return np.concatenate(slopes, axis=1)
        raise WrongError("a derivative of a matrix by a matrix")

    # What an index runs over.

    def sizes(self, node: Node) -> dict[str, int]:
        """The size of the axis on which each free index of an expression stands."""
        found: dict[str, int] = {}

        def meet(name: str, size: int) -> None:
            if found.setdefault(name, size) != size:
                raise WrongError(f"index {name} stands on axes of size {found[name]} and {size}")

        for arg in node.args[-1:] if node.op in ("sum", "prod") else node.args:
            for name, size in self.sizes(arg).items():
                if not (node.op in ("sum", "prod") and name == node.name):
                    meet(name, size)
        if node.op == "index":
            base, *places = node.args
            shape = axes(self.first().value(base), len(places))
            for place, size in zip(places, shape, strict=True):
                if place.op == "symbol" and place.name not in self.leaves:
                    meet(place.name, size)
        if node.op == "example" and node.args[1].op == "symbol":
            meet(node.args[1].name, meaning.SIZES["K" if self.batch else "n"])
        return found

    def first(self) -> "World":
        """The world in which every index that is not fixed is 1."""
        return self.bind(**{name: self.indices.get(name, 1) for name in "pqjkli"})


def axes(a: Any, count: int) -> tuple[int, ...]:
    """The sizes of the axes that `count` indices stand on."""
    shape = np.shape(a)
    if len(shape) == 2 and count == 1 and 1 in shape:
        return (max(shape),)
    if len(shape) != count:
        raise WrongError(f"{count} indices on an array of shape {shape}")
    return shape


def _squeeze(a: Any) -> Any:
    return np.reshape(a, ()) if np.size(a) == 1 else a


def compare(name: str, a: Any, b: Any) -> Any:
    """Whether a relation holds between two real values, elementwise."""
    if name == "=":
        return np.isclose(a, b, rtol=0, atol=TOLERANCE)
    tests: dict[str, Callable[[Any, Any], Any]] = {"<": np.less, ">": np.greater}
    tests |= {r"\leq": np.less_equal, r"\geq": np.greater_equal, r"\neq": np.not_equal}
    if name not in tests:
        raise WrongError(f"{name} within an expression")
    return tests[name](a, b)
