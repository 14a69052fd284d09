"""Equality decided by cases: over the sign of what stands in a kink, over places that may coincide.

Within a case, [a > 0] and rect(a) are known, and so is [k = y]. What vanishes in every case that
the facts leave open vanishes.
"""

from collections.abc import Iterator
from dataclasses import replace

from derivations.exact.normal import cancel, rebuild, substitute
from derivations.exact.polynomial import (
    ONE,
    ZERO,
    Atom,
    Delta,
    Entry,
    Function,
    Poly,
    atoms,
    poly,
    text,
)
from derivations.exact.signs import Facts, nonnegative, nonzero, positive, scaled
from derivations.exact.unfolding import everywhere

MOST_CASES = 4  # distinctions within each other


def given(p: Poly, facts: Facts) -> Poly:
    """The polynomial where the facts hold."""

    def change(atom: Atom) -> Poly | None:
        match atom:
            case Function("step", of) if positive(of, facts):
                return ONE
            case Function("rect", of) if positive(of, facts):
                return of
            case Function("step" | "rect", of) if nonnegative(-of, facts):
                return ZERO
            case Delta() if atom in facts.different:
                return ZERO
        return None

    known = any(change(atom) is not None for atom in everywhere(p))
    return cancel(rebuild(p, change) if known else p)


def vanishes(p: Poly, facts: Facts, depth: int = MOST_CASES) -> list[str] | None:
    """The distinctions by which p is seen to be 0, or none if it is not seen."""
    p = given(p, facts)
    if not p.terms:
        return []
    distinctions = _distinctions(p)
    if not depth or not distinctions:
        return None
    atom = min(distinctions, key=lambda distinction: (len(text(distinction)), text(distinction)))
    names = [_question(atom)]
    for inner, facts_here in _cases(atom, p, facts):
        further = vanishes(inner, facts_here, depth - 1)
        if further is None:
            return None
        names += further
    return names


def _distinctions(p: Poly) -> set[Atom]:
    """The atoms that cases can be made of: those that speak of no bound index."""
    found: set[Atom] = set()
    for atom in everywhere(p):
        if isinstance(atom, Delta) or (
            isinstance(atom, Function) and atom.name in ("step", "rect")
        ):
            found.add(atom)
    return {atom for atom in found if "#" not in text(atom)}


def _cases(atom: Atom, p: Poly, facts: Facts) -> Iterator[tuple[Poly, Facts]]:
    match atom:
        case Delta(a, b):
            gone, kept = (a, b) if a.of is None else (b, a)
            yield substitute(p, {gone: kept}), facts
            yield p, replace(facts, different=facts.different | {atom})
        case Function(_, of):
            for side in (of, -of):
                yield p, replace(facts, positive=facts.positive | {scaled(side)})
            if not nonzero(of, facts):
                yield _where_zero(p, of), facts


def _where_zero(p: Poly, of: Poly) -> Poly:
    """The polynomial where `of` is 0; an entry that alone is 0 is so everywhere."""
    entry = next((atom for atom in atoms(of) if of in (poly(atom), -poly(atom))), None)

    def change(atom: Atom) -> Poly | None:
        if isinstance(atom, Function) and atom.name in ("step", "rect") and atom.of in (of, -of):
            return ZERO
        return ZERO if atom == entry and isinstance(atom, Entry) else None

    return rebuild(p, change)


def _question(atom: Atom) -> str:
    if isinstance(atom, Delta):
        return f"whether {text(atom.a)} = {text(atom.b)}"
    sides = [atom.of, -atom.of] if isinstance(atom, Function) else []
    return f"the sign of {min(map(text, sides), key=len)}"
