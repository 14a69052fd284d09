"""Parses the report's dialect of LaTeX: the tokens of a display become statements made of nodes.

A display holds statements. A statement is a chain of expressions with a relation between each two,
an expression is a sum of products of factors, and a factor is an atom with its superscripts,
subscripts and arguments. Some symbols have scripts in their names (h^a, W^{(1)}, d_h): `Names` says
which. An operator (a sum, a derivative) acts on the rest of its product.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple, NoReturn

from derivations.read import Token

RELATIONS = {"=", "<", ">", r"\leq", r"\geq", r"\neq", r"\in", r"\leftarrow"}
DOTS = (r"\dots", r"\ldots")
SEPARATORS = {",", ".", r"\qquad", r"\\", "&"}
CLOSING = {"(": ")", "[": "]", r"\{": r"\}", r"\lvert": r"\rvert", r"\lVert": r"\rVert"}
FONTS = {r"\mathbf", r"\mathcal", r"\hat", r"\tilde", r"\mathrm"}
NO_FACTOR = (
    RELATIONS | SEPARATORS | set(CLOSING.values()) | {r"\end", r"\text", r"\times", r"\odot"}
)


class ParseError(ValueError):
    """A display that is not in the dialect; the message says on which line and why."""


@dataclass(frozen=True)
class Node:
    """A node of an expression: what it is, its name where it has one, and its parts."""

    op: str
    name: str = ""
    args: tuple["Node", ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.op, self.name, self.args)))

    def __hash__(self) -> int:
        return self._hash  # type: ignore[attr-defined]

    def walk(self) -> Iterator["Node"]:
        """The node and all nodes below it."""
        yield self
        for arg in self.args:
            yield from arg.walk()


Letters = frozenset[tuple[str, Node]]  # letters of a derivation's own, and what they stand for


@dataclass(frozen=True)
class Step:
    """One relation of a chain, with what stands on its right."""

    relation: str
    right: Node
    source: str  # LaTeX of the right-hand side, macros expanded
    line: int = field(compare=False)
    reason: str = ""  # as in \why{chain rule}, without its spaces


@dataclass(frozen=True)
class Statement:
    """A chain: the first expression, then steps; it is claimed where all `conditions` hold.

    Statements are equal wherever they stand, so that what is known of one need not be found again.
    """

    first: Node
    source: str  # LaTeX of the first expression, macros expanded
    line: int = field(compare=False)
    steps: tuple[Step, ...] = ()
    conditions: tuple[Node, ...] = ()

    def as_node(self) -> Node:
        """The statement within an expression: true where each of its relations holds."""
        if not self.steps:
            return self.first
        parts = (self.first, *(step.right for step in self.steps))
        return Node("relation", " ".join(step.relation for step in self.steps), parts)

    @property
    def nodes(self) -> list[Node]:
        """Every node of the statement and of its conditions."""
        return [node for part in (self.as_node(), *self.conditions) for node in part.walk()]


class Names(NamedTuple):
    """What the parser has to know: names with scripts, functions, what may take arguments."""

    symbols: frozenset[str]
    functions: frozenset[str]
    applied: frozenset[str]


def parse(tokens: list[Token], names: Names) -> list[Statement]:
    """The statements of one display. Raises ParseError, also for an expression alone."""
    found = parse_loosely(tokens, names)
    for statement in found:
        if not statement.steps and statement.first.op != "shaped":
            raise ParseError(f"line {statement.line}: an expression alone states nothing")
    return found


def parse_loosely(tokens: list[Token], names: Names) -> list[Statement]:
    """The statements and the expressions of a formula. Raises ParseError."""
    return _Parser(tokens, names).statements()


def parse_expression(tokens: list[Token], names: Names) -> Node:
    """The one expression that the tokens make. Raises ParseError."""
    return _Parser(tokens, names).whole()


class _Parser:
    """Recursive descent: each method reads what it is named after, from `at` on."""

    def __init__(self, tokens: list[Token], names: Names) -> None:
        self.tokens, self.names, self.at = tokens, names, 0
        self.in_cases = False

    @property
    def now(self) -> str:
        return self.tokens[self.at].text if self.at < len(self.tokens) else ""

    @property
    def line(self) -> int:
        return self.tokens[min(self.at, len(self.tokens) - 1)].line if self.tokens else 0

    def fail(self, problem: str) -> NoReturn:
        raise ParseError(f"line {self.line}: {problem}")

    def take(self, expected: str = "") -> str:
        text = self.now
        if not text or (expected and text != expected):
            self.fail(f"{text or 'the end'!r} where {expected or 'more'!r} was expected")
        self.at += 1
        return text

    def skip(self, *texts: str) -> bool:
        found = self.now in texts
        self.at += found
        return found

    def group(self) -> list[Token]:
        """The tokens of a group without its braces, or a single token."""
        start = self.at
        if self.take() != "{":
            return self.tokens[start : self.at]
        depth = 1
        while depth:
            depth += {"{": 1, "}": -1}.get(self.take(), 0)
        return self.tokens[start + 1 : self.at - 1]

    def word(self) -> str:
        return "".join(_texts(self.group()))

    def inner(self) -> "_Parser":
        """A parser of the group that comes next."""
        return _Parser(self.group(), self.names)

    def whole(self) -> Node:
        """The expression that is all of what this parser has."""
        node = self.expression()
        if self.now:
            self.fail(f"{self.now!r} is left over")
        return node

    def source(self, start: int) -> str:
        return " ".join(t for t in _texts(self.tokens[start : self.at]) if t != "&")

    # Statements.

    def statements(self) -> list[Statement]:
        found: list[Statement] = []
        while self.now:
            if self.skip(r"\begin", r"\end"):
                self.word()
            elif self.skip(r"\text"):
                self.reason(found)
            elif not self.skip(*SEPARATORS, *DOTS):
                if self.now in RELATIONS and found:
                    found[-1] = self.chain(found[-1])
                else:
                    found.append(self.statement())
        if not found:
            self.fail("an empty display")
        return found

    def statement(self) -> Statement:
        line, start = self.line, self.at
        statement = Statement(self.expression(), self.source(start), line)
        while self.now in RELATIONS or self.next_row():
            statement = self.chain(statement)
        return statement

    def reason(self, found: list[Statement]) -> None:
        """Take the words in brackets behind a step as its reason."""
        word = self.word()
        if not word.startswith("(") or not found or not found[-1].steps:
            self.fail(f"the words {word!r} within a formula")
        *before, last = found[-1].steps
        if last.reason:
            self.fail("a step with two reasons")
        last = replace(last, reason=word.removeprefix("(").removesuffix(")"))
        found[-1] = replace(found[-1], steps=(*before, last))

    def next_row(self) -> bool:
        """Whether an alignment mark and a relation come next."""
        return (
            self.now == "&"
            and self.tokens[self.at + 1 :][:1] != []
            and (self.tokens[self.at + 1].text in RELATIONS)
        )

    def chain(self, statement: Statement) -> Statement:
        self.skip("&")
        line, relation = self.line, self.take()
        start = self.at
        right = self.space() if relation == r"\in" and self.skip(r"\mathbb") else self.expression()
        step = Step(relation, right, self.source(start), line)
        return replace(statement, steps=(*statement.steps, step))

    def space(self) -> Node:
        self.word()
        return Node("space", args=self.inner().sizes() if self.skip("^") else ())

    def sizes(self) -> tuple[Node, ...]:
        found = [self.term()]
        while self.skip(r"\times"):
            found.append(self.term())
        return tuple(found)

    # Expressions.

    def expression(self) -> Node:
        terms: list[Node] = []
        while True:
            start = self.at
            while terms and not self.in_cases and self.skip("&", r"\\"):
                pass  # a line may break before a sign
            if terms and self.now not in ("+", "-"):
                self.at = start
                return terms[0] if len(terms) == 1 else Node("add", args=tuple(terms))
            sign = self.take() if self.now in ("+", "-") else "+"
            term = self.term()
            terms.append(term if sign == "+" else Node("neg", args=(term,)))

    def term(self) -> Node:
        left = self.factor()
        while True:
            if self.skip(r"\odot"):  # binds weaker than a product
                return Node("odot", args=(left, self.term()))
            if self.skip("/"):
                left = Node("div", args=(left, self.factor()))
            elif self.skip(r"\cdot") or self.starts_factor():
                left = Node("mul", args=(left, self.factor()))
            else:
                return left

    def starts_factor(self) -> bool:
        named = self.now.startswith("\\") or self.now.isalnum()
        return self.now in CLOSING or (named and self.now not in NO_FACTOR)

    def factor(self) -> Node:
        if self.now in CLOSING:
            return self.scripts(self.bracket())
        if self.now.isdigit():
            return self.scripts(Node("number", self.number()))
        if self.now == "{":
            return self.scripts(self.inner().whole())
        if self.skip(r"\frac"):
            return self.scripts(self.fraction())
        if self.skip(r"\sum"):
            return self.sum()
        if self.skip(r"\underbrace"):
            inside = self.inner().whole()
            self.take("_")
            return Node("shaped", args=(inside, *self.inner().sizes()))
        if self.skip(r"\begin"):
            return self.cases()
        if self.skip(r"\underset"):
            return self.minimum()
        if self.skip(r"\cdot"):  # in the place of an argument
            return Node("symbol", r"\cdot")
        if not self.starts_factor():
            self.fail(f"{self.now or 'the end'!r} where a factor was expected")
        return self.named()

    def number(self) -> str:
        digits = ""
        while self.now.isdigit():
            digits += self.take()
        return digits

    def bracket(self) -> Node:
        opening = self.take()
        members = [self.member()]
        while self.skip(","):
            members.append(self.member())
        self.take(CLOSING[opening])
        if opening == r"\lvert":
            return Node("abs", args=(members[0],))
        if opening == r"\lVert":
            self.take("_")
            return Node("norm", self.word(), (members[0],))
        if opening == r"\{":
            return Node("set", args=tuple(members))
        return members[0] if len(members) == 1 else Node("tuple", args=tuple(members))

    def member(self) -> Node:
        return Node("dots") if self.skip(*DOTS) else self.statement().as_node()

    def fraction(self) -> Node:
        above, below = self.inner(), self.inner()
        if not above.differential():
            return Node("div", args=(above.whole(), below.whole()))
        if not below.differential():
            self.fail("a differential over none")
        of = above.whole() if above.now else self.factor()
        return Node("derivative", args=(of, below.whole()))

    def differential(self) -> bool:
        upright = _texts(self.tokens[self.at : self.at + 4]) == [r"\mathrm", "{", "d", "}"]
        self.at += 4 * upright
        return upright or self.skip(r"\partial")

    def sum(self) -> Node:
        self.take("_")
        below = self.inner()
        index = below.named().name
        below.take("=")
        self.take("^")
        return Node("sum", index, (below.whole(), self.inner().whole(), self.term()))

    def cases(self) -> Node:
        if self.word() != "cases":
            self.fail("an environment other than cases within an expression")
        self.in_cases = True
        rows: list[list[Node]] = [[]]
        while not self.skip(r"\end"):
            if self.skip(r"\\"):
                rows.append([])
            elif self.skip(r"\text"):
                rows[-1] += self.otherwise()
            elif not self.skip(*SEPARATORS):
                rows[-1].append(self.statement().as_node())
        self.word()
        self.in_cases = False
        return Node("cases", args=tuple(Node("row", args=tuple(row)) for row in rows))

    def otherwise(self) -> list[Node]:
        """The condition of the last case, or nothing for an `if` before a condition."""
        word = self.word()
        if word not in ("if", "otherwise"):
            self.fail(f"the word {word!r} before a condition")
        return [Node("true")] if word == "otherwise" else []

    def minimum(self) -> Node:
        domain = self.inner().statement().as_node()
        if self.word() != r"\arg\min":
            self.fail("something else than the arg min over a set")
        return Node("argmin", args=(domain, self.term()))

    # Names, and what belongs to them.

    def named(self) -> Node:
        """A symbol or a function."""
        base = self.take()
        if base in FONTS:
            base = ("" if base == r"\mathrm" else base + " ") + self.word()
        name = base.lstrip("\\")
        if name in self.names.functions:
            return self.function(name)
        if base == r"\mathbf 1" and _texts(self.tokens[self.at :][:3]) == ["_", "{", r"\{"]:
            self.take("_")
            return Node("indicator", args=(self.inner().bracket().args[0],))
        return self.scripts(Node("symbol", base))

    def function(self, name: str) -> Node:
        power: list[Node] = []
        arguments: list[Node] = []
        while self.now in ("'", "^", "_"):
            mark = self.take()
            if mark == "'":
                name += mark
            else:
                (power if mark == "^" else arguments).append(self.inner().whole())
        if self.now != "(":
            self.fail(f"{name} without brackets")
        inside = self.bracket()
        arguments += inside.args if inside.op == "tuple" else (inside,)
        call = Node("call", name, tuple(arguments))
        return self.scripts(Node("pow", args=(call, *power)) if power else call)

    def scripts(self, node: Node) -> Node:
        """The node with its superscripts, subscripts and arguments."""
        up: list[Token] = []
        down: list[Token] = []
        if node.op == "symbol" and self.skip("'"):
            node = Node("symbol", node.name + "'")
        while self.now in ("^", "_"):
            script = up if self.take() == "^" else down
            script += self.group()
        if node.op == "symbol":
            node, up, down = self.resolve(node.name, up, down)
        if _texts(up[:1]) == ["("]:  # an example of the data set
            end = _texts(up).index(")")
            node = Node("example", args=(node, self.of(up[1:end]).whole()))
            up = up[end + 1 :]
        if _texts(up) == [r"\top"]:
            node, up = Node("transpose", args=(node,)), []
        if down:
            node = Node("index", args=(node, *self.of(down).indices()))
        if up:
            node = Node("pow", args=(node, self.of(up).whole()))
        symbol = node.args[0] if node.op == "index" else node
        if self.now == "(" and symbol.op == "symbol" and symbol.name in self.names.applied:
            inside = self.bracket()
            node = Node("apply", args=(node, *(inside.args if inside.op == "tuple" else (inside,))))
        return node

    def of(self, tokens: list[Token]) -> "_Parser":
        return _Parser(tokens, self.names)

    def resolve(
        self, base: str, up: list[Token], down: list[Token]
    ) -> tuple[Node, list[Token], list[Token]]:
        """The longest known name that base and scripts make, and the scripts left over."""
        for below in [down, []]:
            for cut in range(len(up), -1, -1):
                above = "".join(["^", *_texts(up[:cut])]) if cut else ""
                name = base + above + ("".join(["_", *_texts(below)]) if below else "")
                if name in self.names.symbols:
                    return Node("symbol", name), up[cut:], [] if below else down
        return Node("symbol", base), up, down

    def indices(self) -> list[Node]:
        """The indices of a subscript, side by side: letters, digits, y, y_i."""
        found = []
        while self.now:
            digit = self.now.isdigit()
            found.append(
                Node("number", self.take()) if digit else self.scripts(Node("symbol", self.take()))
            )
        return found


def _texts(tokens: list[Token]) -> list[str]:
    return [token.text for token in tokens]
