"""Components: an expression in matrices becomes an expression in their entries.

A matrix is a rule that gives the entry at a row and a column. A product of matrices is a sum over
the index between them, a transpose swaps the two, and an elementwise function acts on each entry.
The shapes are known to fit: `shapes` has seen the expression before.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache

from derivations.exact import functions
from derivations.exact.calculus import derivative
from derivations.exact.context import EXAMPLES, LETTERS, Context, MisfitError
from derivations.exact.normal import add, delta, fresh, inverse, multiply, power, step, total
from derivations.exact.polynomial import (
    ONE,
    ONLY,
    Entry,
    Index,
    Poly,
    Rational,
    Size,
    UndecidedError,
    atoms,
    constant,
    poly,
    ratio,
)
from derivations.exact.shapes import Letters, is_place, shape_of
from derivations.exact.signs import NONE, Facts, nonzero, positive
from derivations.exact.unfolding import Definition, Definitions, Test, certainly
from derivations.latex import Node


@dataclass(frozen=True)
class Matrix:
    """A matrix of symbolic size, by its entries."""

    rows: str
    columns: str
    at: Callable[[Index, Index], Poly]

    def map(self, change: Callable[[Poly], Poly]) -> "Matrix":
        """The matrix with each entry changed."""
        return Matrix(self.rows, self.columns, lambda i, j: change(self.at(i, j)))


CONTEXTS = 64  # that are in use at the same time, at most
Value = Poly | Matrix


@dataclass(frozen=True)
class Scope:
    """The context, which place each letter stands for, what is given, and the example looked at."""

    context: Context
    letters: Mapping[str, Index] = field(default_factory=dict)
    facts: Facts = NONE
    definitions: Definitions = field(default_factory=dict)
    example: Index = ONLY

    def certain(self, test: Test, p: Poly) -> bool:
        """Whether p passes a test, by the definitions if need be."""
        return certainly(test, p, self.facts, self.definitions, self.context.depends)


def value_of(node: Node, scope: Scope) -> Value:
    """The value of an expression: a polynomial, or a matrix of polynomials."""
    rule = RULES.get(node.op)
    if rule is None:
        raise UndecidedError(f"{node.op} has no rule here")
    return rule(node, scope)


def scalar_of(node: Node, scope: Scope) -> Poly:
    """The value of an expression that is a scalar."""
    return scalar(value_of(node, scope))


def scalar(value: Value) -> Poly:
    """The value, if it is no matrix."""
    if isinstance(value, Matrix):
        raise UndecidedError("a matrix where a scalar is needed")
    return value


def entry_of(value: Value, i: Index, j: Index) -> Poly:
    """An entry of a matrix; of a scalar, itself."""
    return value.at(i, j) if isinstance(value, Matrix) else value


def places_of(letters: Letters) -> dict[str, Index]:
    """For each letter, any place on its axis."""
    return {
        letter: ONLY if size == "1" else Index(letter, size) for letter, size in letters.items()
    }


@lru_cache(CONTEXTS)
def definitions_of(context: Context) -> Definitions:
    """The definition of every symbol that has one, as a polynomial in the entries of others.

    What has no rule, such as the largest score, or not the shape that it is given, stays a name; a
    size that counts parameters is the sum of the sizes of their arrays.
    """
    found: dict[str, Definition] = {}
    for name in sorted(context.definitions, key=context.height):
        for about in context.about(name):
            with suppress(UndecidedError, MisfitError):
                found[name] = _defined(name, about, dict(found))
                break
    for name, vector in context.counts.items():
        if not context.parts(vector):
            continue
        entries = (multiply(_size(s) for s in context.shapes[p]) for p in context.parts(vector))
        found[name] = Definition((), add(entries), 1)
    return found


def _defined(name: str, context: Context, known: Definitions) -> Definition:
    """One definition; for a quantity of an example, at the one example there is."""
    definition, axes = context.definitions[name], context.shapes[name]
    if _has_maximum(definition):
        raise UndecidedError("its derivative would not be known where two numbers are the same")
    if shape_of(definition, context, {}) != shape_of(Node("symbol", name), context, {}):
        raise MisfitError(f"the definition of {name} has another shape")
    ends = [ONLY if size in ("1", EXAMPLES) else Index(f"~{size}", size) for size in axes]
    value = value_of(definition, Scope(context, {}, positive_symbols(context), known))
    places = tuple(place for place, size in zip(ends, axes, strict=True) if size != "1")
    return Definition(places, entry_of(value, *(ends or (ONLY, ONLY))), context.height(name))


def positive_symbols(context: Context) -> Facts:
    """What is given in every statement: the symbols that are positive."""
    return Facts(positive=frozenset(poly(Entry(name)) for name in context.positive))


def _size(name: str) -> Poly:
    return ONE if name == "1" else poly(Size(name))


# Names.


def _number(node: Node, scope: Scope) -> Value:
    return poly(int(node.name))


def _symbol(node: Node, scope: Scope) -> Value:
    name, context = node.name, scope.context
    if name in context.sizes:
        return poly(Size(name))
    if name not in context.shapes or name in context.classes:
        raise UndecidedError(f"{name} is no number")
    axes = context.shapes[name]
    if not axes:
        return poly(Entry(name))
    rows, columns = (context.examples if size == EXAMPLES else size for size in axes)

    def at(i: Index, j: Index) -> Poly:
        if name in context.ones:
            return ONE
        column = scope.example if columns == "1" else j
        places = zip(axes, (i, column), strict=True)
        return poly(Entry(name, tuple(place for size, place in places if size != "1")))

    return Matrix(rows, columns, at) if (rows, columns) != ("1", "1") else at(ONLY, ONLY)


def place_of(node: Node, scope: Scope) -> Index:
    """A place on an axis: a letter, or the class of an example."""
    if node.op == "symbol" and node.name in LETTERS:
        return scope.letters[node.name]
    base = node.args[0] if node.op in ("index", "example") else node
    example = place_of(node.args[1], scope) if node.args else scope.example
    return Index("y", scope.context.classes[base.name], of=example)


def _index(node: Node, scope: Scope) -> Value:
    base, *nodes = node.args
    value = value_of(base, scope)
    places = [place_of(place, scope) for place in nodes]
    if not isinstance(value, Matrix):
        raise UndecidedError("an index on a scalar")
    if len(places) == 1:
        places = [*places, ONLY] if value.columns == "1" else [ONLY, *places]
    return value.at(*places)


def _example(node: Node, scope: Scope) -> Value:
    base, i = node.args
    return value_of(base, replace(scope, context=scope.context.of_one, example=place_of(i, scope)))


def _apply(node: Node, scope: Scope) -> Value:
    """A quantity of the network at an example of the data set, or where we are anyway."""
    base, *args = node.args
    ways = {arg.op for arg in args}
    if ways == {"example"} and len({arg.args[1] for arg in args}) == 1:
        inner = _example(Node("example", args=(base, args[0].args[1])), scope)
        names = [arg.args[0].name for arg in args]
    elif ways == {"symbol"}:
        inner, names = value_of(base, scope), [arg.name for arg in args]
    else:
        raise UndecidedError("an argument that is neither a symbol nor an example of the data set")
    symbol = base.args[0].name if base.op == "index" else base.name
    if names != list(scope.context.arguments.get(symbol, ()))[: len(names)]:
        raise UndecidedError(f"{symbol} of {', '.join(names)}")
    return inner


# Arithmetic.


def _entrywise(combine: Callable[[list[Poly]], Poly]) -> Callable[[Node, Scope], Value]:
    def rule(node: Node, scope: Scope) -> Value:
        values = [value_of(arg, scope) for arg in node.args]
        first = values[0]
        if not isinstance(first, Matrix):
            return combine([entry_of(value, ONLY, ONLY) for value in values])
        return Matrix(
            first.rows, first.columns, lambda i, j: combine([entry_of(v, i, j) for v in values])
        )

    return rule


def _mul(node: Node, scope: Scope) -> Value:
    left, right = (value_of(arg, scope) for arg in node.args)
    if not isinstance(left, Matrix):
        return right.map(lambda p: left * p) if isinstance(right, Matrix) else left * right
    if not isinstance(right, Matrix):
        return left.map(lambda p: p * right)

    def at(i: Index, j: Index) -> Poly:
        between = fresh(left.columns)
        return total(between, left.at(i, between) * right.at(between, j))

    whole = Matrix(left.rows, right.columns, at)
    return whole if (left.rows, right.columns) != ("1", "1") else at(ONLY, ONLY)


def _div(node: Node, scope: Scope) -> Value:
    above, below = value_of(node.args[0], scope), scalar_of(node.args[1], scope)
    if not scope.certain(nonzero, below):
        raise UndecidedError("a division by what may be zero")
    by = inverse(below)
    return above.map(lambda p: p * by) if isinstance(above, Matrix) else above * by


def _pow(node: Node, scope: Scope) -> Value:
    below, above = node.args
    number = constant(scalar_of(above, scope))
    if number is None:
        raise UndecidedError("an exponent that is no number")
    if below.op == "norm" and below.name == "2":
        return _norm_to(number, below, scope)
    base = scalar_of(below, scope)
    if number < 0 and not scope.certain(nonzero, base):
        raise UndecidedError("a division by what may be zero")
    return power(base, number)


def _transpose(node: Node, scope: Scope) -> Value:
    value = value_of(node.args[0], scope)
    if not isinstance(value, Matrix):
        raise UndecidedError("the transpose of a scalar")
    return Matrix(value.columns, value.rows, lambda i, j: value.at(j, i))


def _norm(node: Node, scope: Scope) -> Value:
    if node.name == "2":
        return _norm_to(1, node, scope)
    if node.name != "1":
        raise UndecidedError("a norm without a rule")
    return _over_entries(functions.absolute, node.args[0], scope)


def _norm_to(exponent: Rational, node: Node, scope: Scope) -> Poly:
    """The power of an L2 norm: half of it is that of the sum of the squares."""
    squares = _over_entries(lambda p: p * p, node.args[0], scope)
    if exponent < 0 and not scope.certain(nonzero, squares):
        raise UndecidedError("a division by what may be zero")
    return power(squares, ratio(exponent, 2))


def _over_entries(change: Callable[[Poly], Poly], node: Node, scope: Scope) -> Poly:
    value = value_of(node, scope)
    if not isinstance(value, Matrix):
        return change(value)
    i, j = fresh(value.rows), fresh(value.columns)
    return total(i, total(j, change(value.at(i, j))))


def _sum(node: Node, scope: Scope) -> Value:
    _, last, body = node.args
    letter = fresh(last.name)
    value = value_of(body, replace(scope, letters={**scope.letters, node.name: letter}))
    if isinstance(value, Matrix):
        return value.map(lambda p: total(letter, p))
    return total(letter, value)


def _call(node: Node, scope: Scope) -> Value:
    name, args = node.name, node.args
    if name == "onehot":
        return _onehot(args[1], scope)
    if name == "max" and len(args) == 2:
        return _entrywise(lambda pair: functions.maximum(*pair))(node, scope)
    value = value_of(args[0], scope)
    if name in ("softmax", "logsumexp") and isinstance(value, Matrix):
        return _of_columns(name, value)
    if name.removesuffix("'") not in functions.FUNCTIONS or len(args) != 1:
        raise UndecidedError(f"{name} has no rule here")

    def of(p: Poly) -> Poly:
        return functions.apply(name, p, lambda q: scope.certain(positive, q))

    return value.map(of) if isinstance(value, Matrix) else of(value)


def _of_columns(name: str, scores: Matrix) -> Value:
    rows, columns = scores.rows, scores.columns

    def softmax(k: Index, j: Index) -> Poly:
        return functions.softmax(lambda place: scores.at(place, j), rows, k)

    def logsumexp(_: Index, j: Index) -> Poly:
        return functions.logsumexp(lambda place: scores.at(place, j), rows)

    if name == "softmax":
        return Matrix(rows, columns, softmax)
    return logsumexp(ONLY, ONLY) if columns == "1" else Matrix("1", columns, logsumexp)


def _onehot(y: Node, scope: Scope) -> Value:
    single = y.op != "symbol" or scope.context.examples == "1"
    base = y.args[0] if y.op in ("index", "example") else y
    size = scope.context.classes[base.name]
    columns = "1" if single else scope.context.examples

    def at(k: Index, j: Index) -> Poly:
        return delta(k, place_of(y, scope) if single else Index("y", size, of=j))

    return Matrix(size, columns, at)


def _indicator(node: Node, scope: Scope) -> Value:
    (relation,) = node.args
    left, right = relation.args
    if is_place(left, scope.context):
        same = delta(place_of(left, scope), place_of(right, scope))
        rules = {"=": same, r"\neq": 1 - same}
        if relation.name not in rules:
            raise UndecidedError(f"places compared by {relation.name}")
        return rules[relation.name]
    compare = COMPARISONS.get(relation.name)
    if compare is None:
        raise UndecidedError(f"the indicator of {relation.name}")
    return _entrywise(lambda pair: compare(pair[0] - pair[1]))(relation, scope)


COMPARISONS: dict[str, Callable[[Poly], Poly]] = {
    ">": step,
    "<": lambda p: step(-p),
    r"\geq": lambda p: 1 - step(-p),
    r"\leq": lambda p: 1 - step(p),
    "=": lambda p: 1 - step(p) - step(-p),
    r"\neq": lambda p: step(p) + step(-p),
}


# Derivatives.


def _derivative(node: Node, scope: Scope) -> Value:
    symbol = node.args[1].args[0] if node.args[1].op == "index" else node.args[1]
    if symbol.op != "symbol":
        raise UndecidedError("a derivative by what is no symbol")
    of, by = (value_of(arg, scope) for arg in node.args)
    if _has_maximum(node.args[0]):
        raise UndecidedError("the derivative of a maximum, where two numbers are the same")
    depends = scope.context.depends
    if isinstance(by, Matrix):
        whole, whole_by = entry_of(of, ONLY, ONLY), by
        return Matrix(
            by.rows,
            by.columns,
            lambda i, j: derivative(whole, _entry(whole_by.at(i, j)), depends),
        )
    entry = _entry(by)
    if isinstance(of, Matrix):
        return of.map(lambda p: derivative(p, entry, depends))
    return derivative(of, entry, depends)


def _has_maximum(node: Node) -> bool:
    return any(inner.op == "call" and inner.name == "max" for inner in node.walk())


def _entry(p: Poly) -> Entry:
    found = list(atoms(p))
    if len(found) == 1 and isinstance(found[0], Entry) and p == poly(found[0]):
        return found[0]
    raise UndecidedError("a derivative by what is no symbol")


def _shaped(node: Node, scope: Scope) -> Value:
    return value_of(node.args[0], scope)


RULES: dict[str, Callable[[Node, Scope], Value]] = {
    "number": _number,
    "symbol": _symbol,
    "index": _index,
    "example": _example,
    "apply": _apply,
    "add": _entrywise(add),
    "neg": _entrywise(lambda parts: -parts[0]),
    "odot": _entrywise(lambda parts: parts[0] * parts[1]),
    "abs": _entrywise(lambda parts: functions.absolute(parts[0])),
    "mul": _mul,
    "div": _div,
    "pow": _pow,
    "transpose": _transpose,
    "norm": _norm,
    "sum": _sum,
    "call": _call,
    "indicator": _indicator,
    "derivative": _derivative,
    "shaped": _shaped,
}
