"""What a statement is about: the shapes of its symbols, their definitions, the examples.

All of it is given by the caller, from the assignment; nothing is taken from what is to be proven.
Everything that belongs to one example (x, h^a, L) has its examples as columns: one, the K of a
minibatch, or the n of the data set. A definition is written for one example.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from derivations.latex import Node

LETTERS = frozenset("ijklpqr")  # the indices; no symbol can have one of these names
EXAMPLES = "examples"  # the axis that has one place for each example
Shape = tuple[str, ...]  # the sizes of the axes; () for a scalar


class MisfitError(ValueError):
    """An expression that makes no sense for any sizes: shapes or indices do not fit."""


@dataclass(frozen=True, eq=False)
class Context:
    """Shapes and definitions of symbols, and the examples that a statement is about.

    `shapes` gives a symbol's rows and columns, "1" for one, EXAMPLES for one column an example;
    () for a scalar. A symbol in `definitions` stands for that expression; the definition of a
    vector of parameters is the tuple of its parts. `sizes` are the names of sizes, and `counts`
    says which of them counts the entries of which vector. `classes` names the classes of examples
    and the size that bounds them, `arguments` what a symbol may be written as a function of,
    `positive` what is greater than 0, `ones` what holds nothing but ones. `examples` is "1" for a
    statement about one example and `minibatch` for one about a minibatch; `data` counts the data
    set. A step of gradient descent makes `risk` smaller, at the learning rate `rate`.
    """

    shapes: Mapping[str, Shape]
    definitions: Mapping[str, Node] = field(default_factory=dict)
    sizes: frozenset[str] = frozenset()
    counts: Mapping[str, str] = field(default_factory=dict)
    classes: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, Shape] = field(default_factory=dict)
    positive: frozenset[str] = frozenset()
    ones: frozenset[str] = frozenset()
    examples: str = "1"
    minibatch: str = "K"
    data: str = "n"
    risk: Node | None = None
    rate: str = r"\eta"

    def __post_init__(self) -> None:
        if unknown := self.definitions.keys() - self.shapes.keys():
            raise ValueError(f"no shape is given for {', '.join(sorted(unknown))}")

    def about(self, name: str) -> tuple["Context", ...]:
        """What the definition of a symbol may be about: one example, if it belongs to one."""
        return (self.of_one,) if EXAMPLES in self.shapes[name] else (self, self.of_minibatch)

    @cached_property
    def of_one(self) -> "Context":
        """The same for a single example."""
        return self if self.examples == "1" else replace(self, examples="1")

    @cached_property
    def of_minibatch(self) -> "Context":
        """The same for a minibatch."""
        return self if self.examples != "1" else replace(self, examples=self.minibatch)

    def parts(self, name: str) -> tuple[str, ...]:
        """The symbols that a vector of parameters is made of; none for what is no such vector."""
        definition = self.definitions.get(name)
        if definition is None or definition.op != "tuple":
            return ()
        return tuple(part.name for part in definition.args)

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The vectors of parameters, and their parts."""
        vectors = {name for name in self.definitions if self.parts(name)}
        return frozenset(vectors).union(*(self.parts(name) for name in vectors))

    def depends(self, name: str, other: str) -> bool:
        """Whether a symbol is made of another one, or of its parts, by the definitions."""
        targets = {other, *self.parts(other)}
        return name in targets or any(self.depends(used, other) for used in self.uses[name])

    def height(self, name: str) -> int:
        """How many definitions deep a symbol is; 0 for one that has no definition."""
        return self._heights[name] if name in self.uses else 0

    @cached_property
    def uses(self) -> Mapping[str, frozenset[str]]:
        """For each symbol, those that its definition speaks of."""
        empty = frozenset[str]()
        return {
            name: frozenset(_symbols(self.definitions[name])) & self.shapes.keys()
            if name in self.definitions
            else empty
            for name in self.shapes
        }

    @cached_property
    def _heights(self) -> Mapping[str, int]:
        found: dict[str, int] = {}
        waiting = set(self.uses)
        while waiting:
            ready = {name for name in waiting if self.uses[name] <= found.keys()}
            if not ready:
                raise ValueError(f"circular definitions: {', '.join(sorted(waiting))}")
            for name in ready:
                below = [found[used] for used in self.uses[name]]
                found[name] = 1 + max(below) if below else 0
            waiting -= ready
        return found


def _symbols(node: Node) -> Iterator[str]:
    return (part.name for part in node.walk() if part.op == "symbol")
