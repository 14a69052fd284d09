"""Shapes in symbols: what an expression's sizes are, whatever numbers they stand for.

Nothing is broadcast. An index belongs to one axis, and a sum runs over all of one. As d, d_h, m, K
and n are different letters here, what fits in letters fits for all sizes, and nothing else does.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from derivations.exact.context import EXAMPLES, LETTERS, Context, MisfitError, Shape
from derivations.exact.functions import FUNCTIONS
from derivations.exact.polynomial import UndecidedError
from derivations.latex import Node

OF_COLUMNS = {"softmax", "logsumexp", "max"}
Letters = dict[str, str]  # an index, and the size of the axis that it stands on


def shape_of(node: Node, context: Context, letters: Letters) -> Shape:
    """The shape of an expression; `letters` gains the indices that occur in it, with their axes.

    Raises MisfitError where shapes or indices do not fit, UndecidedError for what has no rule.
    """
    return _Survey(context, letters).shape(node)


def class_size(node: Node, context: Context, letters: Letters) -> str:
    """How many classes there are, where a node is a class: y, y_i, or y^{(i)}."""
    return _Survey(context, letters).class_size(node)


def is_place(node: Node, context: Context) -> bool:
    """Whether a node names a place on an axis: a letter or a class."""
    base = node.args[0] if node.op in ("index", "example") else node
    return base.op == "symbol" and base.name in (LETTERS | context.classes.keys())


def with_names(context: Context, own: Mapping[str, Node]) -> Context:
    """The context in which a derivation has named these expressions; names keep known shapes.

    What has no shape, or none in letters, gets no name: statements about it are undecided.
    """
    for name, node in own.items():
        with suppress(UndecidedError, MisfitError):
            shapes = {name: shape_of(node, context, {}), **context.shapes}
            definitions = {**context.definitions, name: node}
            context = replace(context, shapes=shapes, definitions=definitions)
    return context


class _Survey:
    """One walk through an expression, with a method for each kind of node."""

    def __init__(self, context: Context, letters: Letters) -> None:
        self.context, self.letters = context, letters

    def shape(self, node: Node) -> Shape:
        rule = getattr(self, f"_{node.op}", None)
        if rule is None:
            raise UndecidedError(f"{node.op} has no rule here")
        found: Shape = rule(node)
        return found

    def scalar(self, node: Node) -> Shape:
        if shape := self.shape(node):
            raise MisfitError(f"a scalar is needed, not {show_shape(shape)}")
        return ()

    def meet(self, letter: str, size: str) -> None:
        if self.letters.setdefault(letter, size) != size:
            raise MisfitError(f"index {letter} on axes of size {self.letters[letter]} and {size}")

    # Names.

    def _number(self, node: Node) -> Shape:
        return ()

    def _symbol(self, node: Node) -> Shape:
        name = node.name
        if name in self.context.sizes:
            return ()
        if name not in self.context.shapes or name in LETTERS:
            raise UndecidedError(f"{name} has no meaning here")
        sizes = self.context.shapes[name]
        shape = tuple(self.context.examples if size == EXAMPLES else size for size in sizes)
        return () if shape == ("1", "1") else shape

    def _index(self, node: Node) -> Shape:
        base, *places = node.args
        axes = self.shape(base)
        if len(places) == 1 and len(axes) == 2 and "1" in axes and base.op != "transpose":
            axes = (axes[0] if axes[1] == "1" else axes[1],)
        if len(places) != len(axes):
            raise MisfitError(f"{len(places)} indices on {show_shape(axes)}")
        for place, size in zip(places, axes, strict=True):
            self.place(place, size)
        return ()

    def place(self, node: Node, size: str) -> None:
        """A place on an axis: a letter, or a class."""
        if node.op == "symbol" and node.name in LETTERS:
            self.meet(node.name, size)
        elif (known := self.class_size(node)) != size:
            raise MisfitError(f"a class of {known} on an axis of size {size}")

    def class_size(self, node: Node) -> str:
        """How many classes there are, where a node is a class: y, y_i, or y^{(i)}."""
        base = node.args[0] if node.op in ("index", "example") else node
        if base.name not in self.context.classes or len(node.args) not in (0, 2):
            raise UndecidedError("an index that is neither a letter nor a class")
        if node.op == "index":
            self.place(node.args[1], self.context.examples)
        if node.op == "example":
            self.place(node.args[1], self.context.data)
        if node.op == "symbol" and self.context.examples != "1":
            raise MisfitError(f"{base.name} stands for one class, but there are many examples")
        return self.context.classes[base.name]

    def _example(self, node: Node) -> Shape:
        base, i = node.args
        self.place(i, self.context.data)
        return self.one_example(base)

    def one_example(self, node: Node) -> Shape:
        """The shape where the network is given a single example."""
        return _Survey(self.context.of_one, self.letters).shape(node)

    def _apply(self, node: Node) -> Shape:
        base, *args = node.args
        for arg in args:
            if arg.op == "example":
                self.place(arg.args[1], self.context.data)
        return self.one_example(base) if args[0].op == "example" else self.shape(base)

    # Arithmetic.

    def _alike(self, node: Node) -> Shape:
        first, *others = (self.shape(arg) for arg in node.args)
        for other in others:
            if other != first:
                raise MisfitError(f"{show_shape(first)} and {show_shape(other)} do not fit")
        return first

    _add = _neg = _odot = _abs = _alike

    def _mul(self, node: Node) -> Shape:
        left, right = (self.shape(arg) for arg in node.args)
        if not left or not right:
            return left or right
        if left[1] != right[0]:
            raise MisfitError(f"{show_shape(left)} times {show_shape(right)} does not fit")
        shape = (left[0], right[1])
        return () if shape == ("1", "1") else shape

    def _div(self, node: Node) -> Shape:
        self.scalar(node.args[1])
        return self.shape(node.args[0])

    def _pow(self, node: Node) -> Shape:
        self.scalar(node.args[1])
        if self.shape(node.args[0]):
            raise UndecidedError("a power of a matrix")
        return ()

    def _transpose(self, node: Node) -> Shape:
        shape = self.shape(node.args[0])
        if not shape:
            raise MisfitError("the transpose of a scalar")
        return shape[::-1]

    def _norm(self, node: Node) -> Shape:
        self.shape(node.args[0])
        return ()

    def _sum(self, node: Node) -> Shape:
        first, last, body = node.args
        if first != Node("number", "1") or last.name not in self.context.sizes:
            raise UndecidedError("a sum that does not run from 1 to a size")
        if node.name not in LETTERS:
            raise UndecidedError(f"{node.name} is no letter for an index")
        inner = {**self.letters, node.name: last.name}
        shape = shape_of(body, self.context, inner)
        for letter, size in inner.items():
            if letter != node.name:
                self.meet(letter, size)
        return shape

    def _call(self, node: Node) -> Shape:
        name, args = node.name, node.args
        if name.removesuffix("'") in FUNCTIONS and len(args) == 1:
            return self.shape(args[0])
        if name == "max" and len(args) == 2:
            return self._alike(node)
        if name == "onehot" and len(args) == 2 and args[0].op == "symbol":
            return self.onehot(*args)
        if name not in OF_COLUMNS or len(args) != 1:
            raise UndecidedError(f"{node.name} of {len(args)} arguments has no rule")
        shape = self.shape(args[0])
        if not shape:
            raise MisfitError(f"{name} of a scalar")
        if name == "softmax":
            return shape
        return () if shape[1] == "1" else ("1", shape[1])

    def onehot(self, rows: Node, y: Node) -> Shape:
        """One column for each class of `y`: a class, or the row of the classes of a minibatch."""
        if y.op == "symbol" and y.name in self.context.classes:
            known, columns = self.context.classes[y.name], self.context.examples
        else:
            known, columns = self.class_size(y), "1"
        if known != rows.name:
            raise MisfitError(f"classes of {known} in {rows.name} rows")
        return (rows.name, columns)

    def _indicator(self, node: Node) -> Shape:
        return self._relation(node.args[0])

    def _relation(self, node: Node) -> Shape:
        """A condition: between numbers, of one shape, or between places on one axis."""
        if node.op != "relation" or len(node.args) != 2:
            raise UndecidedError("a condition that is not one relation")
        if not any(is_place(arg, self.context) for arg in node.args):
            return self._alike(node)
        sizes = [self.letters[arg.name] for arg in node.args if arg.name in self.letters]
        sizes += [self.class_size(arg) for arg in node.args if arg.name not in LETTERS]
        if not sizes:
            raise UndecidedError("indices whose axis is not known")
        for arg in node.args:
            self.place(arg, sizes[0])
        return ()

    def _derivative(self, node: Node) -> Shape:
        of, by = (self.shape(arg) for arg in node.args)
        if of and by:
            raise UndecidedError("the derivative of an array by an array")
        return of or by

    def _shaped(self, node: Node) -> Shape:
        inside, *sizes = node.args
        return check_shape(self.shape(inside), sizes)


def check_shape(shape: Shape, sizes: "list[Node] | tuple[Node, ...]") -> Shape:
    """The shape, if it is the one that is stated. Raises MisfitError if it is another one."""
    if any(size.op not in ("symbol", "number") for size in sizes):
        raise UndecidedError("a size that is neither a symbol nor a number")
    stated = tuple(size.name for size in sizes)
    if stated != shape:
        raise MisfitError(f"the shape is {show_shape(shape)}, not {show_shape(stated)}")
    return shape


def show_shape(shape: Shape) -> str:
    """A shape as one would write it."""
    return " × ".join(shape) if shape else "a scalar"
