"""What supports each step: a proof for all sizes and values, or trials at points."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from derivations.exact import REFUTED, Context, Proof, prove
from derivations.exact.assignment import context
from derivations.exact.shapes import with_names
from derivations.latex import Letters, Node, Statement
from derivations.points import POINTS, SIZES
from derivations.reading import Said
from derivations.verify import BATCHES


@dataclass(frozen=True)
class Support:
    """What supports one step of a statement."""

    said: Said
    step: int  # counted from 1
    proof: Proof

    @property
    def symbolic(self) -> bool:
        """Whether the step is proven, for all sizes and all values."""
        return self.proof.proven

    @property
    def refuted(self) -> bool:
        """Whether its shapes or its indices fit for no sizes."""
        return self.proof.verdict == REFUTED

    def __str__(self) -> str:
        if self.symbolic:
            return "for all sizes and values"
        points = BATCHES if self.said.batch else POINTS
        return f"at {points} points of {len(SIZES)} sizes, within 1e-9"


def supports(said: Said) -> Iterator[Support]:
    """What supports each step of a statement that has been found to hold."""
    proofs = _proofs(said.statement, said.batch, said.local, said.becomes)
    for number, proof in enumerate(proofs, 1):
        yield Support(said, number, proof)


@cache
def _proofs(statement: Statement, batch: bool, local: Letters, becomes: Node | None) -> list[Proof]:
    return prove(statement, _context("K" if batch else "1", local), becomes)


@cache
def _context(examples: str, local: Letters) -> Context:
    """The assignment's context, and what letters stand for."""
    return with_names(context(examples), dict(local))
