"""Signs: which polynomials are positive, or not zero, for all values of what is in them.

A sum of terms is positive if none is negative and one is positive; a product if all factors are.
An exponential, a size and a denominator of positive terms are positive; a square is not negative.
"""

from dataclasses import dataclass, field

from derivations.exact.polynomial import (
    Atom,
    Delta,
    Exp,
    Function,
    Group,
    Monomial,
    Poly,
    Rational,
    Size,
    Sum,
    leading,
    poly,
    ratio,
    term,
)


@dataclass(frozen=True)
class Facts:
    """What is given: which polynomials are positive, or not zero, and which places differ."""

    positive: frozenset[Poly] = field(default_factory=frozenset)
    nonzero: frozenset[Poly] = field(default_factory=frozenset)
    different: frozenset[Delta] = field(default_factory=frozenset)


NONE = Facts()


def scaled(p: Poly) -> Poly:
    """A positive multiple of p: its first coefficient is 1 or -1."""
    if not p.terms:
        return p
    _, first = leading(p)
    return p * ratio(1, max(first, -first))


def positive(p: Poly, facts: Facts = NONE) -> bool:
    """Whether p > 0 is certain."""
    if scaled(p) in facts.positive:
        return True
    return nonnegative(p, facts) and any(
        all(positive_atom(atom, facts) for atom, _ in monomial) for monomial, _ in p.terms
    )


def nonnegative(p: Poly, facts: Facts = NONE) -> bool:
    """Whether p ≥ 0 is certain."""
    if scaled(p) in facts.positive:
        return True
    return all(c > 0 and _nonnegative_monomial(m, facts) for m, c in p.terms)


def nonzero(p: Poly, facts: Facts = NONE) -> bool:
    """Whether p ≠ 0 is certain."""
    if scaled(p) in facts.nonzero or positive(p, facts) or positive(-p, facts):
        return True
    if len(p.terms) != 1:
        return False
    ((monomial, _),) = p.terms
    return all(
        isinstance(atom, Group) or (len(monomial) > 1 and nonzero(poly(atom), facts))
        for atom, _ in monomial
    )


def positive_atom(atom: Atom, facts: Facts = NONE) -> bool:
    """Whether an atom is certain to be positive."""
    match atom:
        case Exp() | Size():
            return True
        case Sum(_, of):
            return all(positive_atom(inner, facts) for inner, _ in of)
        case Group(of):
            return positive(of, facts)
    return poly(atom) in facts.positive


def _nonnegative_monomial(m: Monomial, facts: Facts) -> bool:
    return all(_nonnegative_power(atom, exponent, facts) for atom, exponent in m)


def _nonnegative_power(atom: Atom, exponent: Rational, facts: Facts) -> bool:
    if exponent % 2 == 0 or positive_atom(atom, facts):
        return True
    match atom:
        case Delta() | Function("step" | "rect"):
            return True
        case Sum(_, of):
            return nonnegative(term(of), facts)
    return False
