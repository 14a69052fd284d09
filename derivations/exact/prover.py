"""Proves the steps of a statement, each on its own, for all sizes and all values.

A step A = B between matrices is proven at any row and column: the difference of the two entries is
0 as a normal form, or after definitions have been put in, or in every case of a distinction. What
is not proven is not refuted; refuted is only what makes no sense for any sizes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise

from derivations.exact.cases import vanishes
from derivations.exact.components import (
    Scope,
    definitions_of,
    entry_of,
    place_of,
    places_of,
    positive_symbols,
    scalar_of,
    value_of,
)
from derivations.exact.context import Context, MisfitError, Shape
from derivations.exact.normal import delta
from derivations.exact.polynomial import (
    ONE,
    ONLY,
    Delta,
    Index,
    Poly,
    UndecidedError,
    atoms,
    constant,
    text,
)
from derivations.exact.shapes import (
    Letters,
    check_shape,
    class_size,
    is_place,
    shape_of,
    show_shape,
)
from derivations.exact.signs import Facts, nonnegative, nonzero, positive, scaled
from derivations.exact.unfolding import Test, unfold
from derivations.latex import Node, Statement

PROVEN, UNDECIDED, REFUTED = "proven", "undecided", "refuted"
MOST_TERMS = 300  # a longer difference has never turned out to be 0, and takes long
SHORT = 80  # a difference of more characters tells nobody anything
COMPARED: dict[str, tuple[Test, int]] = {
    ">": (positive, 1),
    "<": (positive, -1),
    r"\geq": (nonnegative, 1),
    r"\leq": (nonnegative, -1),
    r"\neq": (nonzero, 1),
}


@dataclass(frozen=True)
class Proof:
    """What is known of one step: the verdict, how it was reached, which definitions were put in."""

    verdict: str
    how: str
    uses: tuple[str, ...] = ()

    @property
    def proven(self) -> bool:
        """Whether the step holds for all sizes and all values."""
        return self.verdict == PROVEN


def prove(statement: Statement, context: Context, becomes: Node | None = None) -> list[Proof]:
    """A proof for each step of a statement; one for a shape that stands alone.

    The statement is claimed where all its conditions hold. `becomes` is the new value of the
    left-hand side of an update; without it, that of a step of gradient descent.
    """
    claim = _Claim(context, statement.conditions, becomes)
    if not statement.steps:
        return [_attempt(partial(claim.shape_alone, statement.first))]
    proofs, left = [], statement.first
    for step in statement.steps:
        proofs.append(_attempt(partial(claim.step, left, step.relation, step.right)))
        if step.right.op != "space":
            left = step.right
    return proofs


def _attempt(proof: Callable[[], Proof]) -> Proof:
    try:
        return proof()
    except MisfitError as error:
        return Proof(REFUTED, str(error))
    except UndecidedError as error:
        return Proof(UNDECIDED, str(error))


@dataclass
class _Claim:
    """A statement in its context: the axes of its letters, and what it is claimed under."""

    context: Context
    conditions: Sequence[Node]
    becomes: Node | None
    letters: Letters = field(default_factory=dict)

    def step(self, left: Node, relation: str, right: Node) -> Proof:
        """The proof of one step."""
        if relation == r"\in":
            return self.member(left, right)
        if relation == r"\leftarrow":
            return self.update(left, right)
        if relation != "=":
            return self.compare(left, relation, right)
        if right.op == "tuple":
            return self.stacked(left, right)
        if right.op == "cases":
            return self.by_rows(left, right)
        return self.by_rows(right, left) if left.op == "cases" else self.equal(left, right)

    # Shapes and sets.

    def shape(self, node: Node) -> Shape:
        """The shape of an expression; its letters are known from here on."""
        return shape_of(node, self.context, self.letters)

    def same_shape(self, left: Node, right: Node) -> Shape:
        """The shape of both sides."""
        shape, other = self.shape(left), self.shape(right)
        if other != shape:
            sides = f"{show_shape(shape)} on the left, {show_shape(other)} on the right"
            raise MisfitError(sides)
        return shape

    def no_new_letters(self, left: Node, right: Node) -> None:
        """Refuse an index that occurs on the right-hand side alone."""
        self.shape(left)
        before = set(self.letters)
        self.shape(right)
        if alone := self.letters.keys() - before:
            raise MisfitError(f"index {', '.join(sorted(alone))} occurs on the right alone")

    def shape_alone(self, node: Node) -> Proof:
        """The proof that an expression has the shape that is written below it."""
        if node.op != "shaped":
            raise UndecidedError("an expression alone states nothing")
        self.shape(node)
        return Proof(PROVEN, "shape")

    def member(self, left: Node, right: Node) -> Proof:
        """The proof that the left-hand side is in a space of arrays, or among the classes."""
        if right.op == "space":
            check_shape(self.shape(left), right.args)
            return Proof(PROVEN, "shape")
        bound = class_size(left, self.context, self.letters)
        if right == Node("set", args=(Node("number", "1"), Node("dots"), Node("symbol", bound))):
            return Proof(PROVEN, "definition of a class")
        raise UndecidedError("a set without a rule")

    # Equations.

    def equal(self, left: Node, right: Node) -> Proof:
        """The proof that two expressions are equal, entry by entry."""
        self.no_new_letters(left, right)
        shape = self.same_shape(left, right)
        if left == right:
            return Proof(PROVEN, "both sides are the same")
        if left.op == "symbol" and self.context.definitions.get(left.name) == right:
            return Proof(PROVEN, "definition", (left.name,))
        return self.vanishing(self.difference(left, right, shape))

    def stacked(self, left: Node, right: Node) -> Proof:
        """The proof that a vector of parameters is made of these parts."""
        if left.op == "symbol" and self.context.definitions.get(left.name) == right:
            return Proof(PROVEN, "definition", (left.name,))
        raise UndecidedError("a tuple that defines nothing known")

    def update(self, left: Node, right: Node) -> Proof:
        """The proof that the right-hand side is what the left one is to become."""
        if self.becomes is not None:
            return self.equal(self.becomes, right)
        proof = self.equal(self.descent(left), right)
        return replace(proof, how=f"gradient descent: {proof.how}")

    def descent(self, parameter: Node) -> Node:
        """What a step of gradient descent makes of a parameter: θ - η ∂R/∂θ."""
        if self.context.risk is None:
            raise UndecidedError("what is to be minimised is not said")
        if parameter.name not in self.context.parameters:
            raise UndecidedError("a step for what is no parameter")
        slope = Node("derivative", args=(self.context.risk, parameter))
        step = Node("mul", args=(Node("symbol", self.context.rate), slope))
        return Node("add", args=(parameter, Node("neg", args=(step,))))

    def by_rows(self, left: Node, cases: Node) -> Proof:
        """The proof of a case distinction: each row where its condition holds, and one holds."""
        if any(len(row.args) != 2 for row in cases.args):
            raise UndecidedError("a case without a value or a condition")
        shape, remaining = self.shape(left), ONE
        proofs = []
        for value, condition in (row.args for row in cases.args):
            weight = remaining
            if condition.op != "true":
                indicator = Node("indicator", args=(condition,))
                self.shape(indicator)
                weight = scalar_of(indicator, self.scope)
            chain = [left, value]
            if value.op == "relation" and set(value.name.split()) == {"="}:
                chain = [left, *value.args]
            for a, b in pairwise(chain):
                if self.same_shape(a, b) != shape:
                    raise MisfitError("the shapes within a case differ")
                proofs.append(self.vanishing(self.difference(a, b, shape) * weight))
            remaining -= weight
        proofs.append(self.vanishing(remaining))
        uses = tuple(dict.fromkeys(name for proof in proofs for name in proof.uses))
        proven = Proof(PROVEN, "each case by itself, and exactly one of them holds", uses)
        return next((proof for proof in proofs if not proof.proven), proven)

    def difference(self, left: Node, right: Node, shape: Shape) -> Poly:
        """The difference of two expressions of one shape, at any row and column."""
        scope = self.scope
        ends = zip(("row", "column"), shape or ("1", "1"), strict=True)
        i, j = (Index(name, size) if size != "1" else ONLY for name, size in ends)
        return entry_of(value_of(left, scope), i, j) - entry_of(value_of(right, scope), i, j)

    def vanishing(self, p: Poly) -> Proof:
        """The proof that a polynomial is 0, with as few definitions put in as will do."""
        scope, uses = self.scope, list[str]()
        first = p
        while True:
            distinctions = vanishes(p, scope.facts)
            if distinctions is not None:
                by = f"by cases, {' and '.join(dict.fromkeys(distinctions))}: "
                how = f"{by if distinctions else ''}normal forms agree"
                return Proof(PROVEN, how, tuple(dict.fromkeys(uses)))
            further = unfold(p, scope.definitions, self.context.depends)
            if further is None or len(p.terms) > MOST_TERMS:
                by = f" by {text(first)}" if len(text(first)) <= SHORT else ""
                return Proof(UNDECIDED, f"normal forms differ{by}")
            p, name = further
            uses.append(name)

    # Inequalities, and what is given.

    def compare(self, left: Node, relation: str, right: Node) -> Proof:
        """The proof of an inequality between all entries."""
        if relation not in COMPARED:
            raise UndecidedError(f"{relation} has no rule here")
        test, sign = COMPARED[relation]
        difference = self.difference(left, right, self.same_shape(left, right))
        if self.scope.certain(test, difference * sign):
            return Proof(PROVEN, "signs of the terms")
        raise UndecidedError("the signs of the terms do not tell")

    @property
    def scope(self) -> Scope:
        """The letters that have occurred, and what holds where the statement is claimed."""
        for condition in self.conditions:
            self.shape(condition)
        letters, definitions = places_of(self.letters), definitions_of(self.context)
        scope = Scope(self.context, letters, positive_symbols(self.context), definitions)
        for condition in self.conditions:
            scope = replace(scope, facts=_with(scope, condition))
        return scope


def _with(scope: Scope, condition: Node) -> Facts:
    """The facts of a scope, and a condition: a > b, a < b, a ≠ b, or k ≠ y for places."""
    facts, relation = scope.facts, condition.name
    if condition.op != "relation" or relation not in (">", "<", r"\neq"):
        raise UndecidedError("a condition without a rule")
    left, right = condition.args
    if is_place(left, scope.context) and relation == r"\neq":
        same = delta(place_of(left, scope), place_of(right, scope))
        apart = frozenset(atom for atom in atoms(same) if isinstance(atom, Delta))
        return replace(facts, different=facts.different | apart)
    difference = scaled(scalar_of(left, scope) - scalar_of(right, scope))
    if constant(difference) is not None:
        raise UndecidedError("a condition that says nothing")
    if relation == r"\neq":
        return replace(facts, nonzero=facts.nonzero | {difference, -difference})
    signed = difference if relation == ">" else -difference
    if -signed in facts.positive:
        raise UndecidedError("conditions that contradict each other")
    return replace(facts, positive=facts.positive | {signed})
