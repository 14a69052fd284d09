"""The entries of products of matrices: what (A B)_{jk} is, for the reasons that speak of it."""

from collections.abc import Callable, Iterator

from derivations import definitions as of
from derivations import meaning
from derivations.forms import ONE, normal, product_of, symbol
from derivations.latex import Node
from derivations.points import SHAPES
from derivations.rewrite import FRESH

ROWS = {of.X: "d", of.HA: "d_h", of.HS: "d_h", of.OA: "m", of.OS: "m"}
ROWS |= {name: rows for name, (rows, _) in SHAPES.items()}
MATRICES = {of.W1: "d", of.W2: "d_h"}


def entry(base: Node, *places: Node) -> Node:
    """An entry, in normal form."""
    return normal(Node("index", args=(base, *places)))


def size(node: Node) -> str:
    """The number of rows of a vector or a matrix, by its letter."""
    if node.op == "transpose":
        return MATRICES.get(node.args[0].name, "")
    if node.op == "derivative":
        return size(node.args[1])
    return ROWS.get(node.name, "")


def is_column(node: Node) -> bool:
    """Whether a matrix has a single column, when there is one example."""
    return bool(size(node)) and node.op != "transpose" and node.name not in MATRICES


def transposed(node: Node) -> Iterator[Node]:
    """Row and column change places."""
    if node.op == "index" and node.args[0].op == "transpose" and len(node.args) == 3:
        base, row, column = node.args
        yield entry(base.args[0], column, row)


def elementwise(node: Node) -> Iterator[Node]:
    """An element of a product, element by element, or of a function of all elements."""
    if node.op == "index" and node.args[0].op == "odot":
        base, *places = node.args
        yield product_of(inwards(entry(factor, *places)) for factor in base.args)


def inwards(node: Node) -> Node:
    """The element of a sum, a multiple or a function, by the elements of its parts."""
    if node.op != "index":
        return node
    base, *places = node.args
    if base.op in ("add", "neg"):
        return normal(Node(base.op, args=tuple(inwards(entry(a, *places)) for a in base.args)))
    if base.op == "call" and base.name.rstrip("'") in meaning.ELEMENTWISE:
        return Node("call", base.name, (inwards(entry(base.args[0], *places)),))
    return node


def outer(node: Node) -> Iterator[Node]:
    """An entry of the product of a column and a row."""
    if node.op != "index" or node.args[0].op != "mul" or len(node.args) != 3:
        return
    (left, right), (row, column) = node.args[0].args, node.args[1:]
    if is_column(left) and right.op == "transpose" and is_column(right.args[0]):
        yield product_of([entry(left, row), entry(right.args[0], column)])


def row_times_vector(node: Node) -> Iterator[Node]:
    """An element of the product of a matrix and a vector."""
    if node.op != "index" or node.args[0].op != "mul" or len(node.args) != 2:
        return
    (matrix, vector), (row,) = node.args[0].args, node.args[1:]
    if is_column(vector):
        index = symbol(FRESH)
        body = product_of([entry(matrix, row, index), entry(vector, index)])
        yield normal(Node("sum", FRESH, (ONE, symbol(size(vector)), body)))


MOVES: dict[str, Callable[[Node], Iterator[Node]]] = {
    "transpose": transposed,
    "elementwise product": elementwise,
    "column times row": outer,
    "matrix times vector": row_times_vector,
}
