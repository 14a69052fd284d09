"""Reads questions.yml: the claims of each question, their contexts, and what may be supposed."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

from derivations import meaning
from derivations.forms import normal
from derivations.latex import Node, Statement, parse, parse_expression
from derivations.read import Macro, macros, tokens

FILE = Path(__file__).with_name("questions.yml")
KINDS = ("show", "express", "cases", "state", "given", "define", "update", "pose", "shape", "numpy")
OPTIONS = {"code", "where", "in", "form", "context", "values", "distinguish", "to"}
Spelling = tuple[str, ...]  # the tokens of a formula
ONE, MINIBATCH = "one example", "minibatch"


@dataclass(frozen=True)
class Claim:
    """What the report has to say and to bear out in a question."""

    question: str  # as in b.7
    kind: str  # one of KINDS
    text: str  # its LaTeX
    asked: bool  # by the assignment, or else added by the report
    context: str
    parts: tuple[Node, ...]  # in normal form: both sides, or what is expressed
    relation: str = ""
    inside: frozenset[Node] = frozenset()  # what the right side may hold; functions as bare calls
    where: Node | None = None
    label: str = ""  # of the equation, and of the line of code
    matrix: bool = False  # without index or sum
    rows: tuple[tuple[Node, Node], ...] = ()  # of a case distinction: condition, value
    cases: tuple[Node, ...] = ()  # that a proof may distinguish
    becomes: Node | None = None  # the value of what is updated

    @property
    def sides(self) -> tuple[Node, Node]:
        """What an equation stands between. Raises ValueError for a claim that is none."""
        left, right = self.parts
        return left, right

    def __str__(self) -> str:
        domain = f" where {_plain(self.where)}" if self.where else ""
        return f"{self.kind} {self.text}{domain}"


@dataclass(frozen=True)
class Question:
    """What one question, or one derived section, has to hold."""

    name: str
    claims: tuple[Claim, ...] = ()
    contexts: frozenset[str] = frozenset({ONE})
    let: Mapping[str, Node] = field(default_factory=dict)  # what a letter stands for here
    supposed: frozenset[Spelling] = frozenset()  # relations that are named, not claimed
    unread: frozenset[Spelling] = frozenset()  # formulas that are left alone

    @property
    def domains(self) -> frozenset[Node]:
        """The conditions to which a statement may be restricted."""
        return frozenset(claim.where for claim in self.claims if claim.where)

    @property
    def labels(self) -> frozenset[str]:
        """The labels of its equations."""
        return frozenset(claim.label for claim in self.claims if claim.label)


@dataclass(frozen=True)
class Questions:
    """All questions, in order, and the definitions that they give."""

    questions: Mapping[str, Question]
    definitions: Mapping[str, Statement]
    macros: Mapping[str, Macro]  # that the file is written with

    def __iter__(self) -> Iterator[Question]:
        return iter(self.questions.values())

    @cached_property
    def equations(self) -> Mapping[str, frozenset[tuple[Node, Node]]]:
        """For each question, the equations that it claims, either way round."""
        return {
            q.name: frozenset(
                pair
                for claim in q.claims
                if claim.relation == "="
                for pair in (claim.sides, claim.sides[::-1])
            )
            for q in self
        }

    def get(self, name: str) -> Question | None:
        """The question of that name, if there is one."""
        return self.questions.get(name)


@cache
def load(path: Path = FILE) -> Questions:
    """The questions of a file. Raises ValueError, with the question, for what it cannot hold."""
    return read(yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader))


def read(data: Mapping[str, Any]) -> Questions:
    """The questions of a mapping as in questions.yml."""
    reader = _Reader(data["macros"])
    definitions = {
        name: reader.statement(latex) for name, latex in (data.get("definitions") or {}).items()
    }
    reader.definitions = definitions
    questions = {name: reader.question(name, held) for name, held in data["questions"].items()}
    return Questions(questions, definitions, reader.macros)


class _Reader:
    """Reads LaTeX by the file's own macros."""

    def __init__(self, spelling: str) -> None:
        self.macros = macros(spelling)
        self.definitions: Mapping[str, Statement] = {}

    def statement(self, latex: str) -> Statement:
        (statement,) = parse(tokens(str(latex), 0, self.macros), meaning.NAMES)
        return statement

    def expression(self, latex: object) -> Node:
        return parse_expression(tokens(str(latex), 0, self.macros), meaning.NAMES)

    def statements(self, latex: str) -> list[Statement]:
        return parse(tokens(latex, 0, self.macros), meaning.NAMES)

    def spelling(self, latex: str) -> tuple[str, ...]:
        return tuple(token.text for token in tokens(latex, 0, self.macros))

    def conditions(self, latex: str) -> tuple[Node, ...]:
        return tuple(normal(s.as_node()) for s in self.statements(latex)) if latex else ()

    def question(self, name: str, held: Mapping[str, Any]) -> Question:
        default = held.get("context", ONE)
        groups = [(True, held.get("claims", [])), (False, held.get("also", []))]
        try:
            claims = tuple(
                self.claim(name, entry, asked, entry.get("context", default.split(",")[0]))
                for asked, entries in groups
                for entry in entries
            )
            let = {
                self.expression(letter).name: self.expression(latex)
                for letter, latex in held.get("let", {}).items()
            }
            supposed = frozenset(map(self.spelling, held.get("supposed", [])))
            unread = frozenset(map(self.spelling, held.get("unread", [])))
        except (ValueError, KeyError) as error:
            raise ValueError(f"questions.yml, {name}: {error}") from error
        contexts = {c.strip() for c in default.split(",")} | {claim.context for claim in claims}
        if unknown := contexts - {ONE, MINIBATCH}:
            raise ValueError(f"questions.yml, {name}: unknown context {sorted(unknown)[0]!r}")
        return Question(name, claims, frozenset(contexts), let, supposed, unread)

    def claim(self, question: str, entry: Mapping[str, Any], asked: bool, context: str) -> Claim:
        (kind,) = [key for key in entry if key in KINDS]
        if unknown := entry.keys() - OPTIONS - {kind}:
            raise ValueError(f"{sorted(unknown)[0]!r} is no part of a claim")
        text = str(entry[kind])
        parts, relation = self.parts(kind, text)
        where = self.conditions(entry.get("where", ""))
        to = entry.get("to")
        return Claim(
            question,
            kind,
            text,
            asked,
            context,
            parts,
            relation,
            inside=frozenset(self.atoms(str(entry.get("in", "")))),
            where=where[0] if where else None,
            label=entry.get("code", ""),
            matrix=entry.get("form") == "matrix",
            rows=tuple(
                (self.conditions(condition)[0], self.expression(value))
                for condition, value in entry.get("values", {}).items()
            ),
            cases=self.conditions(entry.get("distinguish", "")),
            becomes=self.expression(to) if to else None,
        )

    def parts(self, kind: str, text: str) -> tuple[tuple[Node, ...], str]:
        """What a claim is about, in normal form, and the relation between its two sides."""
        if kind == "numpy":
            return (), ""
        if kind == "shape":
            return tuple(normal(s.as_node()) for s in self.statements(text)), r"\in"
        if kind in ("express", "cases", "update"):
            return (normal(self.expression(text)),), ""
        statement = self.definitions[text] if kind == "given" else self.statement(text)
        (step,) = statement.steps
        return (normal(statement.first), normal(step.right)), step.relation

    def atoms(self, latex: str) -> Iterator[Node]:
        """What may stand on a right side: expressions, and names of functions."""
        for part in latex.split(", ") if latex else ():
            function = re.fullmatch(r"\\([a-z]+'?)", part)
            if part == r"\ind":
                yield Node("indicator")
            elif function and function[1].rstrip("'") in meaning.NAMES.functions:
                yield Node("call", function[1])
            else:
                yield normal(self.expression(part))


def _plain(node: Node) -> str:
    """A condition as one reads it."""
    names = {r"\neq": "≠", "<": "<", "=": "="}
    left, right = (_words(arg) for arg in node.args)
    return f"{left} {names.get(node.name, node.name)} {right}"


def _words(node: Node) -> str:
    if node.op == "index":
        return _words(node.args[0]) + "_" + "".join(map(_words, node.args[1:]))
    return node.name.split()[-1].replace("^(", "").replace(")", "")
