"""Random expressions in the report's notation, whose shapes fit, to try the prover's rules on."""

from collections.abc import Callable
from random import Random

from derivations.latex import Node

SIZES = ["d", "d_h", "m"]
MATRICES = {
    ("d", "1"): [r"\mathbf x"],
    ("d_h", "d"): [r"\mathbf W^(1)"],
    ("d_h", "1"): [r"\mathbf b^(1)", r"\mathbf h^a", r"\mathbf h^s"],
    ("m", "d_h"): [r"\mathbf W^(2)"],
    ("m", "1"): [r"\mathbf b^(2)", r"\mathbf o^a", r"\mathbf o^s", r"\mathbf 1_m"],
}
SCALARS = ["x", r"\lambda_11", r"\eta", "d", "m", "L"]
LETTERS = "pqrkl"


def symbol(name: str) -> Node:
    return Node("symbol", name)


def call(name: str, *args: Node) -> Node:
    return Node("call", name, args)


class Expressions:
    """Draws expressions; `letters` are the indices of the sums around, with their sizes."""

    def __init__(self, rng: Random, derivatives: bool = True) -> None:
        self.rng, self.derivatives = rng, derivatives
        self.letters: dict[str, str] = {}

    def any_shape(self) -> tuple[str, str]:
        return self.rng.choice(list(MATRICES))

    def matrix(self, rows: str, columns: str, depth: int) -> Node:
        """An expression of this shape, which is not that of a scalar."""
        names = MATRICES.get((rows, columns), [])
        if depth <= 0 and names:
            return symbol(self.rng.choice(names))
        if depth <= 0 and (columns, rows) in MATRICES:
            return Node("transpose", args=(symbol(self.rng.choice(MATRICES[columns, rows])),))
        if depth <= 0:
            return self.product(rows, columns, depth)
        return self.rng.choice(self.matrix_rules(rows, columns))(rows, columns, depth - 1)

    def matrix_rules(self, rows: str, columns: str) -> list[Callable[[str, str, int], Node]]:
        rules = [self.total, self.hadamard, self.product, self.multiple, self.turned, self.applied]
        if columns == "1":
            rules.append(self.softmax)
        if self.derivatives and (rows, columns) in MATRICES:
            rules.append(self.gradient)
        return rules

    def total(self, rows: str, columns: str, depth: int) -> Node:
        parts = [self.matrix(rows, columns, depth), self.matrix(rows, columns, 0)]
        return Node("add", args=(parts[0], Node("neg", args=(parts[1],))))

    def hadamard(self, rows: str, columns: str, depth: int) -> Node:
        return Node("odot", args=(self.matrix(rows, columns, depth), self.matrix(rows, columns, 0)))

    def product(self, rows: str, columns: str, depth: int) -> Node:
        outer = "1" not in (rows, columns)
        between = self.rng.choice(SIZES + ["1"] * outer) if depth > 0 or not outer else "1"
        depth = min(depth, 1)
        return Node(
            "mul",
            args=(self.matrix(rows, between, depth - 1), self.matrix(between, columns, depth - 1)),
        )

    def multiple(self, rows: str, columns: str, depth: int) -> Node:
        return Node("mul", args=(self.scalar(depth), self.matrix(rows, columns, 0)))

    def turned(self, rows: str, columns: str, depth: int) -> Node:
        return Node("transpose", args=(self.matrix(columns, rows, depth),))

    def applied(self, rows: str, columns: str, depth: int) -> Node:
        names = ["tanh", "sigmoid", "rect", "abs", "softplus"]
        # Within a derivative, those that have none at 0 and those that are one do not occur.
        names += ["sign", "rect'"] if self.derivatives else []
        return call(self.rng.choice(names), self.matrix(rows, columns, depth))

    def softmax(self, rows: str, columns: str, depth: int) -> Node:
        return call("softmax", self.matrix(rows, columns, depth))

    def gradient(self, rows: str, columns: str, depth: int) -> Node:
        by = symbol(self.rng.choice(MATRICES[rows, columns][:3]))
        return Node("derivative", args=(self.without_derivatives().scalar(depth), by))

    def without_derivatives(self) -> "Expressions":
        inner = Expressions(self.rng, derivatives=False)
        inner.letters = dict(self.letters)
        return inner

    def scalar(self, depth: int) -> Node:
        if depth <= 0:
            return self.leaf()
        rules = [
            self.plus,
            self.times,
            self.ratio,
            self.sum,
            self.norm,
            self.function,
            self.bilinear,
        ]
        return self.rng.choice(rules)(depth - 1)

    def leaf(self) -> Node:
        if self.letters and self.rng.random() < 0.7:
            letter, size = self.rng.choice(list(self.letters.items()))
            vectors = MATRICES[size, "1"]
            return Node("index", args=(symbol(self.rng.choice(vectors)), symbol(letter)))
        if self.rng.random() < 0.3:
            return Node("number", str(self.rng.randint(0, 3)))
        return symbol(self.rng.choice(SCALARS))

    def plus(self, depth: int) -> Node:
        return Node("add", args=(self.scalar(depth), Node("neg", args=(self.scalar(depth),))))

    def times(self, depth: int) -> Node:
        return Node("mul", args=(self.scalar(depth), self.scalar(depth)))

    def ratio(self, depth: int) -> Node:
        below = Node("add", args=(Node("number", "1"), call("exp", self.bounded(depth))))
        return Node("div", args=(self.scalar(depth), below))

    def bounded(self, depth: int) -> Node:
        return call("tanh", self.scalar(depth))

    def sum(self, depth: int) -> Node:
        letter = self.rng.choice([c for c in LETTERS if c not in self.letters])
        size = self.rng.choice(SIZES)
        self.letters[letter] = size
        body = self.scalar(depth)
        del self.letters[letter]
        return Node("sum", letter, (Node("number", "1"), symbol(size), body))

    def norm(self, depth: int) -> Node:
        matrix = self.matrix(*self.any_shape(), min(depth, 1))
        if self.rng.random() < 0.5:
            return Node("norm", "1", (matrix,))
        return Node("pow", args=(Node("norm", "2", (matrix,)), Node("number", "2")))

    def function(self, depth: int) -> Node:
        names = ["exp", "log", "rect", "abs", "sigmoid", "softplus"]
        name = self.rng.choice(names + ["tanh'"] * self.derivatives)
        inner = self.scalar(depth)
        if name == "exp":
            inner = self.bounded(depth)
        if name == "log":
            inner = Node("add", args=(Node("number", "2"), self.bounded(depth)))
            inner = call("exp", inner)
        return call(name, inner)

    def bilinear(self, depth: int) -> Node:
        rows, _ = self.any_shape()
        left = Node("transpose", args=(self.matrix(rows, "1", 0),))
        return Node("mul", args=(left, self.matrix(rows, "1", min(depth, 1))))
