"""Parses the report's dialect of LaTeX: a display's tokens become statements made of nodes.

The grammar is that of the page: a display holds statements, a statement is a chain of expressions
with a relation between neighbours, an expression is a sum of products of factors, and a factor is
an atom with its superscripts, subscripts and arguments. A symbol's name may have scripts of its own
(h^a, W^{(1)}, d_h): `Names` says which ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from derivations.read import Token

RELATIONS = {"=", "<", ">", r"\leq", r"\geq", r"\neq", r"\in", r"\leftarrow", r"\approx"}
ARROWS = {r"\Rightarrow", r"\Longrightarrow", r"\implies", r"\iff", r"\Longleftrightarrow"}
SEPARATORS = {",", ".", ";", r"\quad", r"\qquad", r"\\", "&"} | ARROWS
OPENING = {"(": ")", "[": "]", r"\{": r"\}", "{": "}", r"\lvert": r"\rvert", r"\lVert": r"\rVert"}
WORDS = {r"\text", r"\mathrm", r"\mathbf", r"\mathcal", r"\mathbb", r"\hat", r"\tilde", r"\bar"}
LATEX_FUNCTIONS = {r"\exp", r"\log", r"\tanh", r"\max", r"\min"}


class ParseError(ValueError):
    """A display that is not in the dialect; the message names the line and the token."""


@dataclass(frozen=True)
class Node:
    """A node of an expression: what it is, its name where it has one, and its parts."""

    op: str
    name: str = ""
    args: tuple["Node", ...] = ()

    def walk(self) -> Iterator["Node"]:
        """This node and all nodes below it."""
        yield self
        for arg in self.args:
            yield from arg.walk()


class Step(NamedTuple):
    """One relation of a chain, between the expression before it and the one after it."""

    line: int
    relation: str
    right: Node
    source: str  # of the right-hand side


@dataclass
class Statement:
    """A chain: the first expression, then steps; it is claimed where all `conditions` hold."""

    line: int
    first: Node
    source: str  # of the first expression
    steps: list[Step] = field(default_factory=list)
    conditions: list[Node] = field(default_factory=list)

    def as_node(self) -> Node:
        """The chain as a node that is true where each of its relations holds."""
        if not self.steps:
            return self.first.args[0]
        names = " ".join(s.relation for s in self.steps)
        return Node("relation", names, (self.first, *(s.right for s in self.steps)))

    @property
    def nodes(self) -> list[Node]:
        """Every node of the statement and its conditions."""
        parts = [self.first, *(s.right for s in self.steps), *self.conditions]
        return [node for part in parts for node in part.walk()]


class Names(NamedTuple):
    """What the parser has to know: names with scripts, functions, what may take arguments."""

    symbols: frozenset[str]
    functions: frozenset[str]
    applied: frozenset[str]


def parse(tokens: list[Token], names: Names) -> list[Statement]:
    """The statements of one display. Raises ParseError."""
    return _Parser(tokens, names).statements()


class _Parser:
    def __init__(self, tokens: list[Token], names: Names) -> None:
        self.tokens, self.names, self.at = tokens, names, 0

    # Moving through the tokens.

    @property
    def now(self) -> str:
        return self.tokens[self.at].text if self.at < len(self.tokens) else ""

    @property
    def line(self) -> int:
        return self.tokens[min(self.at, len(self.tokens) - 1)].line

    def take(self, expected: str = "") -> str:
        text = self.now
        if not text or (expected and text != expected):
            raise ParseError(
                f"line {self.line}: {text or 'the end'!r} where {expected!r} was expected"
            )
        self.at += 1
        return text

    def skip(self, *texts: str) -> bool:
        if self.now in texts and self.now:
            self.at += 1
            return True
        return False

    def raw(self) -> list[Token]:
        """A group's tokens without the braces, or a single token."""
        start = self.at
        if not self.skip("{"):
            self.take()
            return self.tokens[start : self.at]
        depth = 1
        while depth:
            depth += {"{": 1, "}": -1}.get(self.take(), 0)
        return self.tokens[start + 1 : self.at - 1]

    def inner(self, tokens: list[Token]) -> "_Parser":
        return _Parser(tokens, self.names)

    def whole(self, tokens: list[Token]) -> Node:
        """The expression that these tokens are, all of them."""
        if not tokens:
            raise ParseError(f"line {self.line}: an empty group")
        parser = self.inner(tokens)
        node = parser.expression()
        if parser.now:
            raise ParseError(f"line {parser.line}: {parser.now!r} is left over")
        return node

    # Statements.

    def statements(self) -> list[Statement]:
        found: list[Statement] = []
        condition = new = False
        while self.now:
            if self.now in (r"\begin", r"\end") and self.environment_here() == "aligned":
                self.take()
                self.raw()
            elif self.now in SEPARATORS:
                new = new or self.now not in ("&",)
                self.take()
            elif self.now == r"\text":
                self.take()
                words = _words(self.raw())
                condition = words.split(" ")[0] in ("if", "for", "where", "when")
                new = True
            elif self.now in RELATIONS and found:
                self.chain(found[-1])
                new = False
            elif self.now in ("+", "-") and found and not new:
                raise ParseError(f"line {self.line}: {self.now!r} after a complete statement")
            else:
                statement = self.statement()
                if found and (condition or _is_condition(statement)):
                    found[-1].conditions.append(statement.as_node())
                else:
                    found.append(statement)
                condition = new = False
        lonely = next((s for s in found if not s.steps and s.first.op != "shaped"), None)
        if lonely or not found:
            line = lonely.line if lonely else self.line
            raise ParseError(f"line {line}: an expression without a relation states nothing")
        return found

    def environment_here(self) -> str:
        following = self.tokens[self.at + 2 : self.at + 9]
        return "".join(t.text for t in following).split("}")[0]

    def statement(self) -> Statement:
        line, start = self.line, self.at
        first = self.expression()
        statement = Statement(line, first, self.source(start))
        while self.now in RELATIONS or (self.now == "&" and self.next_is_relation()):
            self.chain(statement)
        return statement

    def next_is_relation(self) -> bool:
        following = [t.text for t in self.tokens[self.at + 1 : self.at + 2]]
        return bool(following) and following[0] in RELATIONS

    def chain(self, statement: Statement) -> None:
        self.skip("&")
        line, relation = self.line, self.take()
        self.skip("&")
        start = self.at
        right = self.space() if relation == r"\in" else self.expression()
        statement.steps.append(Step(line, relation, right, self.source(start)))

    def source(self, start: int) -> str:
        """The LaTeX of what has been read since `start`, macros expanded."""
        return " ".join(t.text for t in self.tokens[start : self.at] if t.text != "&")

    def space(self) -> Node:
        """What may stand after ∈: a real space, or a set."""
        if self.now != r"\mathbb":
            return self.expression()
        self.take()
        self.raw()
        sizes = self.sizes(self.inner(self.raw())) if self.skip("^") else []
        return Node("space", args=tuple(sizes))

    def shaped(self) -> Node:
        """An expression with its shape written under a brace."""
        self.take(r"\underbrace")
        inside = self.whole(self.raw())
        self.take("_")
        return Node("shaped", args=(inside, *self.sizes(self.inner(self.raw()))))

    def sizes(self, inside: "_Parser") -> list[Node]:
        found = [inside.expression(products=False)]
        while inside.skip(r"\times"):
            found.append(inside.expression(products=False))
        return found

    # Expressions.

    def expression(self, products: bool = True) -> Node:
        terms = []
        while True:
            # A line of `aligned` may break before a sign.
            start = self.at
            while terms and self.skip("&", r"\\", r"\quad", r"\qquad"):
                pass
            if terms and self.now not in ("+", "-"):
                self.at = start
                break
            negative = self.skip("-")
            if not negative:
                self.skip("+")
            term = self.term(products)
            terms.append(Node("neg", args=(term,)) if negative else term)
        return terms[0] if len(terms) == 1 else Node("add", args=tuple(terms))

    def term(self, products: bool = True) -> Node:
        left = self.factor()
        while True:
            if self.skip(r"\cdot"):
                left = Node("mul", args=(left, self.factor()))
            elif products and self.skip(r"\times"):
                left = Node("mul", args=(left, self.factor()))
            elif self.skip("/"):
                left = Node("div", args=(left, self.factor()))
            elif self.skip(r"\odot"):
                # Binds weaker than a product: A B ⊙ C D is (A B) ⊙ (C D).
                return Node("odot", args=(left, self.term(products)))
            elif self.starts_factor():
                left = Node("mul", args=(left, self.factor()))
            else:
                return left

    def starts_factor(self) -> bool:
        text = self.now
        if text in OPENING:
            return True
        if text.startswith("\\"):
            stops = RELATIONS | SEPARATORS | set(OPENING.values()) | {r"\end", r"\text", r"\times"}
            return text not in stops
        return text.isalnum()

    def factor(self) -> Node:
        text = self.now
        if text in OPENING and text != "{":
            return self.scripts(self.bracket())
        if text == "{":
            return self.scripts(self.whole(self.raw()))
        if text.isdigit():
            return self.scripts(Node("number", self.number()))
        if text == r"\frac":
            return self.scripts(self.fraction())
        if text == r"\sqrt":
            self.take()
            return Node("sqrt", args=(self.whole(self.raw()),))
        if text in (r"\sum", r"\prod"):
            return self.big()
        if text == r"\underbrace":
            return self.shaped()
        if text == r"\begin":
            return self.environment()
        return self.named()

    def number(self) -> str:
        digits = self.take()
        while self.now.isdigit() or (
            self.now == "."
            and self.tokens[self.at + 1 : self.at + 2]
            and self.tokens[self.at + 1].text.isdigit()
        ):
            digits += self.take()
        return digits

    def bracket(self) -> Node:
        opening = self.take()
        if opening == r"\{":
            members = [self.member()]
            while self.skip(","):
                members.append(self.member())
            self.take(r"\}")
            return Node("set", args=tuple(members))
        inside = self.statement()
        if opening == "(" and self.now == ",":
            members = [inside.first]
            while self.skip(","):
                members.append(self.expression())
            self.take(")")
            return Node("tuple", args=tuple(members))
        self.take(OPENING[opening])
        node = inside.as_node() if inside.steps else inside.first
        if opening == r"\lvert":
            return Node("abs", args=(node,))
        if opening == r"\lVert":
            self.take("_")
            return Node("norm", "".join(t.text for t in self.raw()), (node,))
        return Node("bracket", opening, (node,)) if opening == "(" else node

    def member(self) -> Node:
        if self.skip(r"\dots", r"\ldots", r"\cdots"):
            return Node("dots")
        return self.expression()

    def fraction(self) -> Node:
        self.take(r"\frac")
        above, below = self.raw(), self.raw()
        if not (_is_d(above) and _is_d(below)):
            return Node("div", args=(self.whole(above), self.whole(below)))
        by = self.whole(_after_d(below))
        of = _after_d(above)
        return Node("derivative", args=(self.whole(of) if of else self.factor(), by))

    def big(self) -> Node:
        op = self.take()[1:]
        below: list[Token] = []
        above: list[Token] = []
        while self.now in ("_", "^"):
            if self.take() == "_":
                below = self.raw()
            else:
                above = self.raw()
        body = self.term()
        if above:
            parser = self.inner(below)
            index = parser.expression()
            parser.take("=")
            first = self.whole(parser.tokens[parser.at :])
            return Node(op, index.name, (first, self.whole(above), body))
        parser = self.inner(below)
        bounds = [parser.expression()]
        while parser.skip(","):
            bounds.append(parser.expression())
        if parser.now:  # as in k ≠ y
            condition = self.inner(below).statement()
            return Node(op, condition.first.name, (condition.as_node(), body))
        for index in reversed(bounds):
            body = Node(op, index.name, (body,))
        return body

    def environment(self) -> Node:
        self.take(r"\begin")
        kind = "".join(t.text for t in self.raw())
        rows: list[list[Node]] = [[]]
        if kind not in ("cases", "pmatrix", "bmatrix"):
            raise ParseError(f"line {self.line}: unknown environment {kind!r}")
        while self.now != r"\end":
            if self.skip(r"\\"):
                rows.append([])
            elif self.skip("&", ".", ",", ";", r"\quad", r"\qquad"):
                continue
            elif self.skip(r"\text"):
                if _words(self.raw()) in ("otherwise", "else"):
                    rows[-1].append(Node("true"))
            elif self.skip(r"\vdots", r"\cdots", r"\ddots", r"\dots"):
                rows[-1].append(Node("dots"))
            else:
                inside = self.statement()
                rows[-1].append(inside.as_node() if inside.steps else inside.first)
        self.take()
        self.raw()
        cells = [Node("row", args=tuple(row)) for row in rows if row]
        return self.scripts(Node("cases" if kind == "cases" else "matrix", args=tuple(cells)))

    def named(self) -> Node:
        """A symbol or a function, with everything that belongs to it."""
        if self.now in (*RELATIONS, *SEPARATORS, "", "}", ")", "]", "&", "^", "_"):
            raise ParseError(
                f"line {self.line}: {self.now or 'the end'!r} where a factor was expected"
            )
        base = self.take()
        if base in WORDS:
            inside = [t.text for t in self.raw()]
            base = (
                "".join(inside) if base in (r"\mathrm", r"\text") else base + " " + "".join(inside)
            )
        if base.lstrip("\\") in self.names.functions:
            return self.function(base.lstrip("\\"))
        if base == r"\mathbf 1" and self.now == "_" and self.ahead(1, "{") and self.ahead(2, r"\{"):
            self.take()
            return self.indicator()
        return self.scripts(Node("symbol", base))

    def ahead(self, offset: int, text: str) -> bool:
        following = self.tokens[self.at + offset : self.at + offset + 1]
        return bool(following) and following[0].text == text

    def indicator(self) -> Node:
        inside = self.raw()[1:-1]
        return Node("indicator", args=(self.inner(inside).statement().as_node(),))

    def function(self, name: str) -> Node:
        power: Node | None = None
        arguments: list[Node] = []
        while self.now in ("'", "^", "_"):
            mark = self.take()
            if mark == "'":
                name += "'"
            elif mark == "^":
                power = self.whole(self.raw())
            else:
                arguments.append(self.whole(self.raw()))
        closing = OPENING.get(self.now, "")
        if self.skip("(", "["):
            arguments.append(self.expression())
            while self.skip(","):
                arguments.append(self.expression())
            self.take(closing)
        else:
            arguments.append(self.factor())
        call = Node("call", name, tuple(arguments))
        return self.scripts(call if power is None else Node("pow", args=(call, power)))

    def scripts(self, node: Node) -> Node:
        """The node with its superscripts, subscripts and arguments."""
        up: list[Token] = []
        down: list[Token] = []
        while self.now in ("^", "_", "'"):
            mark = self.now
            if mark == "'":
                up.append(self.tokens[self.at])
                self.take()
            else:
                self.take()
                if mark == "^":
                    up += self.raw()
                else:
                    down += self.raw()
        if node.op == "symbol":
            node, up, down = self.resolve(node.name, up, down)
        while _texts(up)[:1] == ["'"]:
            node, up = Node("symbol", node.name + "'"), up[1:]
        if _texts(up)[:1] == ["("]:
            close = _texts(up).index(")")
            node, up = Node("example", args=(node, self.whole(up[1:close]))), up[close + 1 :]
        if _texts(up) == [r"\top"]:
            node, up = Node("transpose", args=(node,)), []
        if down:
            node = Node("index", args=(node, *self.inner(down).indices()))
        if up:
            node = Node("pow", args=(node, self.whole(up)))
        applied = node.args[0] if node.op == "index" else node
        if self.now == "(" and applied.op == "symbol" and applied.name in self.names.applied:
            self.take()
            arguments = [self.expression()]
            while self.skip(",", ";"):
                arguments.append(self.expression())
            self.take(")")
            node = Node("apply", args=(node, *arguments))
        if self.now in ("^", "_"):
            return self.scripts(node)
        return node

    def resolve(
        self, base: str, up: list[Token], down: list[Token]
    ) -> tuple[Node, list[Token], list[Token]]:
        """The longest known name that the base and its scripts make, and the scripts left over."""
        for below in (down, []) if down else ([],):
            for cut in range(len(up), -1, -1):
                name = name_of(base, _texts(up[:cut]), _texts(below))
                if name in self.names.symbols and (cut or below):
                    return Node("symbol", name), up[cut:], [] if below else down
        return Node("symbol", base), up, down

    def indices(self) -> list[Node]:
        """The indices of a subscript: letters, digits, y, y_i, side by side."""
        found = []
        while self.now:
            if self.skip(","):
                continue
            if self.now.isdigit():
                found.append(Node("number", self.number()))
            else:
                found.append(self.scripts(Node("symbol", self.take())))
        return found


def name_of(base: str, up: list[str], down: list[str]) -> str:
    """The name that a base symbol has with these scripts, as the table of meanings writes it."""
    return base + ("^" + "".join(up) if up else "") + ("_" + "".join(down) if down else "")


def _texts(tokens: list[Token]) -> list[str]:
    return [t.text for t in tokens]


def _words(tokens: list[Token]) -> str:
    text = "".join(_texts(tokens))
    starts = ("if", "for", "where", "when", "otherwise", "else")
    return next((w for w in starts if text.startswith(w)), text)


def _is_condition(statement: Statement) -> bool:
    if not statement.steps and statement.first.op == "bracket":
        return statement.first.args[0].op == "relation"
    return bool(statement.steps) and all(s.relation == r"\neq" for s in statement.steps)


def _is_d(tokens: list[Token]) -> bool:
    texts = _texts(tokens)
    return texts[:1] == [r"\partial"] or texts[:4] == [r"\mathrm", "{", "d", "}"]


def _after_d(tokens: list[Token]) -> list[Token]:
    return tokens[4:] if tokens[0].text == r"\mathrm" else tokens[1:]
