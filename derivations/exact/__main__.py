"""Prints what is proven of parts a and b: `python -m derivations.exact [report.qmd]`."""

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

from derivations.exact.assignment import NAMES, context
from derivations.exact.context import Context
from derivations.exact.prover import Proof, prove
from derivations.latex import Statement, parse
from derivations.read import Display, Macro, displays, macros, tokens
from literate.reader import REPORT

OF_A_MINIBATCH = {"K", r"\mathbf 1_K", r"\hat R_K", r"\mathbf y"}
GRADIENT = r"\frac{\partial}{\partial \theta}"
OWN = {  # names that the derivations give: what they stand for, in the section that gives them
    "a.4": {"u": r"\exp(x) - \exp(-x)", "v": r"\exp(x) + \exp(-x)"},
    "b.3": {"c": r"\max(\mathbf{o}^a)"},
    "b.4": {"c": r"\max(\mathbf{o}^a)"},
    "b.6": {r"\mathbf v": rf"{GRADIENT} \hat{{R}}"},
    "b.18": {r"\mathbf v": rf"{GRADIENT} \left[ \hat{{R}}_{{K}} + \mathcal{{L}} \right]"},
}


class Found(NamedTuple):
    """A display, and what is known of each of its steps."""

    display: Display
    proofs: list[Proof]

    @property
    def proven(self) -> bool:
        """Whether every step of the display is proven."""
        return bool(self.proofs) and all(proof.proven for proof in self.proofs)


def survey(text: str) -> list[Found]:
    """What is proven of the displays of parts a and b; of those to be skipped, nothing."""
    known = macros(text)
    found = []
    for display in displays(text):
        if display.question[:1] not in ("a", "b") or display.question == "average":
            continue
        proofs = [
            proof
            for statement in statements(display, known)
            for proof in prove(statement, context_of(display, statement))
        ]
        found.append(Found(display, proofs))
    return found


def statements(display: Display, known: dict[str, Macro]) -> list[Statement]:
    """The statements of a display, each claimed where the comments before it say."""
    if any(comment.startswith("skip ") for comment in display.comments):
        return []

    def read(latex: str) -> list[Statement]:
        return parse(tokens(latex, display.line, known), NAMES)

    conditions = tuple(read(comment)[0].as_node() for comment in display.comments)
    return [replace(statement, conditions=conditions) for statement in read(display.latex)]


def context_of(display: Display, statement: Statement) -> Context:
    """The context of a statement: its section's, for one example unless it speaks of K."""
    minibatch = display.question == "b-batch" or any(
        node.name in OF_A_MINIBATCH for node in statement.nodes
    )
    return _context("K" if minibatch else "1", display.question)


@cache
def _context(examples: str, question: str) -> Context:
    return context(examples, OWN.get(question, {}))


def table(found: list[Found]) -> Iterator[str]:
    """The lines of the table: for each section, then each step that is not proven."""
    yield f"{'section':10} {'displays':>8} {'proven':>7} {'steps':>7} {'proven':>7}"
    sections = list(dict.fromkeys(f.display.question for f in found))
    for section in [*sections, "all"]:
        here = [f for f in found if section in (f.display.question, "all")]
        steps = [proof for f in here for proof in f.proofs]
        counts = len(here), sum(f.proven for f in here), len(steps), sum(p.proven for p in steps)
        yield "{:10} {:8} {:7} {:7} {:7}".format(section, *counts)
    for f in found:
        for number, proof in enumerate(f.proofs, 1):
            if not proof.proven:
                yield f"line {f.display.line}, step {number}: {proof.verdict}: {proof.how}"


def main(arguments: list[str]) -> int:
    """Print the table, and how long the proofs took."""
    path = Path(arguments[0]) if arguments else REPORT
    text = path.read_text(encoding="utf-8")
    start = time.process_time()
    found = survey(text)
    seconds = time.process_time() - start
    print("\n".join(table(found)))
    print(f"{seconds:.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
