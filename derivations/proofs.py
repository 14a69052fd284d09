"""Whether the steps of a question lead from one side of a claim to the other.

Expressions are nodes, and a step with a reason that has been judged joins two of them. What one
sees without a reason makes two expressions one: a function for its definition, a number that can
be computed, a component's derivative by itself or by another, an indicator whose case is assumed.
A claim that is stated outright joins nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from derivations import meaning
from derivations.arithmetic import computed
from derivations.entries import entry, inwards
from derivations.forms import ONE, ZERO, is_array, normal, replaced, symbol, unfolded
from derivations.latex import Node
from derivations.questions import Claim
from derivations.reading import Said
from derivations.rewrite import somewhere
from derivations.rules import definitions

SEEN = ("sigmoid", "tanh", "softplus", "softmax", "onehot")  # functions known by their definition
Equation = tuple[Node, Node]


@dataclass
class Joined:
    """Expressions that have been found equal, where something is assumed."""

    letters: Mapping[str, Node]
    assumed: frozenset[Node] = frozenset()
    parents: dict[Node, Node] = field(default_factory=dict)

    def find(self, node: Node) -> Node:
        """The representative of all expressions that equal this one."""
        node = seen(node, self.letters, self.assumed)
        while node in self.parents:
            node = self.parents[node]
        return node

    def join(self, a: Node, b: Node) -> None:
        """Take two expressions to be equal."""
        a, b = self.find(a), self.find(b)
        if a != b:
            self.parents[a] = b


def gap(claim: Claim, said: Sequence[Said], proven: Sequence[Equation]) -> str:
    """Empty if the claim has a proof, else what is missing in it; `proven` may be used."""
    if claim.relation != "=":
        return _sign_gap(claim, said, proven)
    if claim.cases:
        for case in claim.cases:
            if not _connected(claim, said, proven, case):
                return f"no steps lead from one side to the other in a case: {case.name}"
        return ""
    if _connected(claim, said, proven, None):
        return ""
    return "no steps lead from one side to the other"


def _connected(
    claim: Claim, said: Sequence[Said], proven: Sequence[Equation], case: Node | None
) -> bool:
    joined = _joined(claim, said, proven, case)
    left, right = claim.parts
    if case and case.name == "=":
        left, right = (replaced(side, *_equal(case)) for side in (left, right))
    if joined.find(left) == joined.find(right):
        return True
    if not is_array(left):
        return False
    return any(
        joined.find(inwards(entry(left, symbol(k))))
        == joined.find(inwards(entry(right, symbol(k))))
        for k in meaning.INDICES
    )


def _joined(
    claim: Claim, said: Sequence[Said], proven: Sequence[Equation], case: Node | None
) -> Joined:
    """What the steps of the question join, as far as they hold where the claim is made."""
    assumed = frozenset(c for c in (claim.where, case) if c)
    letters = {k: v for each in said for k, v in each.local if k not in meaning.FREE}
    joined = Joined(letters, assumed)
    for equation in [*proven, *steps(said, assumed)]:
        joined.join(*equation)
        if case and case.name == "=":
            joined.join(*(replaced(side, *_equal(case)) for side in equation))
    return joined


def steps(said: Sequence[Said], assumed: frozenset[Node]) -> Iterator[Equation]:
    """The steps with a reason that hold under the assumptions."""
    for each in said:
        if each.conditions <= assumed:
            sides = each.sides
            for number, step in enumerate(each.statement.steps):
                if step.relation == "=" and step.reason:
                    yield sides[number], sides[number + 1]


def _equal(case: Node) -> Equation:
    """Which index a case k = y replaces, and by what."""
    index, other = case.args
    return (index, other) if index.name in meaning.INDICES else (other, index)


def _sign_gap(claim: Claim, said: Sequence[Said], proven: Sequence[Equation]) -> str:
    """For a claim A > 0: an expression that equals A is said to be positive, and is seen to be."""
    joined = _joined(claim, said, proven, None)
    left, right = claim.parts
    for each in said:
        sides = each.sides
        for number, step in enumerate(each.statement.steps):
            before, after = sides[number], sides[number + 1]
            same = joined.find(before) == joined.find(left)
            said_so = step.relation == claim.relation == ">" and after == right == ZERO
            if same and said_so and positive(before):
                return ""
    return "nothing that is seen to be positive equals it"


def positive(node: Node) -> bool:
    """Whether an expression is positive as one sees: by exponentials, their sums and quotients."""
    if node.op == "call":
        return node.name == "exp"
    if node.op == "number":
        return node != ZERO
    parts = {"add": node.args, "mul": node.args, "div": node.args, "sum": node.args[-1:]}
    return node.op in parts and all(map(positive, parts[node.op]))


def seen(node: Node, letters: Mapping[str, Node], assumed: frozenset[Node]) -> Node:
    """The expression with all that one sees without a reason carried out."""
    node = unfolded(node, letters)
    for name in SEEN:
        while found := next(somewhere(definitions()[name], node), None):
            node = found
    return computed(_in_case(node, assumed))


def _in_case(node: Node, assumed: frozenset[Node]) -> Node:
    """Indicators, and derivatives of one component by another, as far as the case decides them."""
    node = normal(Node(node.op, node.name, tuple(_in_case(arg, assumed) for arg in node.args)))
    if node.op == "indicator":
        (relation,) = node.args
        if relation in assumed or (relation.name == "=" and relation.args[0] == relation.args[1]):
            return ONE
        if _opposite(relation) in assumed:
            return ZERO
    if node.op == "derivative" and node.args[0].op == node.args[1].op == "index":
        (base, *places), (by, *others) = node.args[0].args, node.args[1].args
        if base == by and len(places) == len(others) == 1:
            if places == others:
                return ONE
            if normal(Node("relation", r"\neq", (places[0], others[0]))) in assumed:
                return ZERO
    return node


def _opposite(relation: Node) -> Node:
    names = {"=": r"\neq", r"\neq": "="}
    return Node("relation", names.get(relation.name, ""), relation.args)
