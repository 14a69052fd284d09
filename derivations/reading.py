"""Reads the report's displays as statements, each with its question, context and letters."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from itertools import combinations

from derivations import meaning
from derivations.forms import normal
from derivations.latex import Letters, Node, Statement, parse
from derivations.questions import MINIBATCH, ONE, Question, Questions
from derivations.read import Display, Macro, displays, macros, tokens

Spelling = frozenset[tuple[str, int, tuple[str, ...]]]  # macros: name, arity, body


@dataclass(frozen=True)
class Said:
    """A statement where it stands; equal ones say the same, on whatever line they stand."""

    statement: Statement
    question: str
    label: str  # of its equation
    line: int = field(compare=False)  # of its display
    batch: bool = False  # symbols stand for matrices with K columns
    local: Letters = frozenset()  # what letters mean here
    letter: str = ""  # that it defines
    becomes: Node | None = None  # what its left side becomes, in an update

    @cached_property
    def conditions(self) -> frozenset[Node]:
        """Where it is claimed, in normal form."""
        return frozenset(map(normal, self.statement.conditions))

    @cached_property
    def sides(self) -> list[Node]:
        """What its relations stand between, in normal form."""
        return [normal(self.statement.first), *(normal(s.right) for s in self.statement.steps)]

    @property
    def equations(self) -> list[tuple[Node, Node]]:
        """Each two of its sides with nothing but equals signs between, if it holds everywhere."""
        if self.statement.conditions or self.letter:
            return []
        sides, relations = self.sides, [step.relation for step in self.statement.steps]
        return [
            (sides[a], sides[b])
            for a, b in combinations(range(len(sides)), 2)
            if set(relations[a:b]) == {"="}
        ]


@dataclass
class Reading:
    """A display as it was understood: its statements, or why there are none."""

    display: Display
    said: list[Said] = field(default_factory=list)
    failure: str = ""


def read(text: str, questions: Questions) -> list[Reading]:
    """Every display of the report."""
    spelling = spelling_of(macros(text))
    readings = [Reading(display, *_parsed(display, spelling)) for display in displays(text)]
    letters: dict[str, dict[str, Node]] = {}  # for each question, those that have been met
    for reading in readings:
        name = reading.display.question
        question = questions.get(name)
        met = letters.setdefault(name, dict(question.let) if question else {})
        reading.said = [_in_place(said, question, met) for said in reading.said]
        if question:
            reading.failure = reading.failure or _misplaced(reading, question)
        for said in reading.said:
            if said.letter:
                problem = _meaningless(said, met)
                reading.failure = reading.failure or problem
                met |= {} if problem else {said.letter: said.statement.steps[0].right}
    return readings


def spelling_of(known: Mapping[str, Macro]) -> Spelling:
    """The macros as a value that results can be kept for."""
    return frozenset((name, m.arity, tuple(m.body)) for name, m in known.items())


@cache
def _parsed(display: Display, spelling: Spelling) -> tuple[list[Said], str]:
    """What a display says, where the comments before it say so; or why it cannot be read."""
    known = {name: Macro(arity, list(body)) for name, arity, body in spelling}
    try:
        conditions = []
        for comment in display.comments:
            (condition,) = parse(tokens(comment, display.line, known), meaning.NAMES)
            conditions.append(condition.as_node())
        parsed = parse(tokens(display.latex, display.line, known), meaning.NAMES)
    except (ValueError, RecursionError) as error:
        return [], f"cannot be read: {error}"
    statements = [replace(s, conditions=tuple(conditions)) for s in parsed]
    return [Said(s, display.question, display.label, display.line) for s in statements], ""


def _meaningless(said: Said, letters: Mapping[str, Node]) -> str:
    """Why a letter gets no meaning: it has one, or what it stands for has none."""
    if said.letter in letters:
        return f"defines {said.letter} a second time"
    names = {node.name for node in said.statement.steps[0].right.walk() if node.op == "symbol"}
    unknown = names - letters.keys() - meaning.LEAVES - meaning.NAMES.symbols - {*meaning.INDICES}
    return f"defines {said.letter} by {min(unknown)}, which has no meaning" if unknown else ""


def _misplaced(reading: Reading, question: Question) -> str:
    """What in a display its question does not allow: a label, a domain, a context."""
    if hidden := [name for name in reading.display.divs if name.startswith("content-")]:
        return f"not in every document: it stands in {hidden[0]}"
    label = reading.display.label
    if label and label not in question.labels:
        return f"no claim of {question.name} bears the label {label}"
    for said in reading.said:
        if not said.conditions <= question.domains:
            return "restricted to a domain that the question does not allow"
        context = MINIBATCH if said.batch else ONE
        if context not in question.contexts:
            return f"{question.name} is not about a {context}"
    return ""


def _in_place(said: Said, question: Question | None, letters: Mapping[str, Node]) -> Said:
    """The statement with its context, and with what letters mean at its place."""
    claims = question.claims if question else ()
    first = normal(said.statement.first)
    free = {claim.parts[0].name for claim in claims if claim.kind == "define"}
    updates = [c.becomes for c in claims if c.kind == "update" and c.parts == (first,)]
    marked = any(map(of_a_batch, said.statement.nodes))
    return replace(
        said,
        batch=marked or (question is not None and question.contexts == {MINIBATCH}),
        local=frozenset(letters.items()),
        letter=_letter(said.statement, free),
        becomes=updates[0] if updates else None,
    )


def of_a_batch(node: Node) -> bool:
    """Whether the node makes sense for a minibatch alone: K, or an index that picks an example."""
    if node.op == "index" and node.args[0].name in meaning.COLUMNS:
        return len(node.args) == (2 if node.args[0].name in meaning.ROWS else 3)
    return node.op == "symbol" and node.name in meaning.OF_A_BATCH


def _letter(statement: Statement, free: set[str]) -> str:
    """The letter that a statement defines: one without a meaning, or one that may be given any."""
    first = statement.first
    known = meaning.LEAVES | meaning.NAMES.symbols
    if first.op != "symbol" or [s.relation for s in statement.steps] != ["="]:
        return ""
    if first.name in known and not (first.name in meaning.FREE and first.name in free):
        return ""
    return "" if first in statement.steps[0].right.walk() else first.name
