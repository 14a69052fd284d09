"""Polynomials with rational coefficients, in atoms with rational exponents.

An atom is a number that we do not look into: an entry of a matrix, an exponential, a sum over an
index. Exponents may be negative, so that x / y needs no rule of its own, and fractions, so that
exp(x/2) is exp(x) to the power of one half. Equal polynomials are equal objects.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

CACHED = 2**15  # what has been said of atoms is kept for so many of them; a report needs half
Rational: TypeAlias = int | Fraction
Monomial: TypeAlias = "frozenset[tuple[Atom, Rational]]"


class UndecidedError(ValueError):
    """What the rules do not reach; the message says what it is."""


@dataclass(frozen=True)
class Index:
    """A place on an axis of some size: a letter, which may be any place, or a class.

    A class has the example `of` which it is the class; y_i is Index("y", "m", of=i).
    """

    name: str
    size: str
    of: "Index | None" = None


ONLY = Index("1", "1")  # the one place on an axis of size 1


@dataclass(frozen=True)
class Entry:
    """An entry of a symbol's array, W_{jp}; a scalar has no places."""

    name: str
    places: tuple[Index, ...] = ()


@dataclass(frozen=True)
class Size:
    """The size of an axis, as a number: at least 1."""

    name: str


@dataclass(frozen=True)
class Exp:
    """The exponential of a product of atoms. That of a sum is a product of these."""

    of: Monomial


@dataclass(frozen=True)
class Function:
    """A function that has no rule for this argument: log, step, rect, and others by name."""

    name: str
    of: "Poly"


@dataclass(frozen=True)
class Delta:
    """1 where two places are the same, else 0."""

    a: Index
    b: Index


@dataclass(frozen=True)
class Sum:
    """The sum of a product over all places of the bound indices; their names are #1, #2, …."""

    over: tuple[Index, ...]
    of: Monomial


@dataclass(frozen=True)
class Group:
    """A polynomial of several terms, taken as one atom; it occurs as denominator alone."""

    of: "Poly"


@dataclass(frozen=True)
class Slope:
    """The derivative of one entry by another one, not yet worked out."""

    of: Entry
    by: Entry


Atom: TypeAlias = Entry | Size | Exp | Function | Delta | Sum | Group | Slope


@dataclass(frozen=True)
class Poly:
    """A sum of monomials with coefficients, none of them 0."""

    terms: frozenset[tuple[Monomial, Rational]]

    def __add__(self, other: "Poly | Rational") -> "Poly":
        return collect([*self.terms, *poly(other).terms])

    def __radd__(self, other: Rational) -> "Poly":
        return self + other

    def __neg__(self) -> "Poly":
        return self * -1

    def __sub__(self, other: "Poly | Rational") -> "Poly":
        return self + -poly(other)

    def __rsub__(self, other: Rational) -> "Poly":
        return -self + other

    def __mul__(self, other: "Poly | Rational") -> "Poly":
        right = poly(other).terms
        pairs = [(product(m, n), a * b) for m, a in self.terms for n, b in right]
        alone = len(self.terms) == 1 or len(right) == 1  # then no two terms can be alike
        return Poly(frozenset(pairs)) if alone else collect(pairs)

    def __rmul__(self, other: Rational) -> "Poly":
        return self * other


def collect(terms: Iterable[tuple[Monomial, Rational]]) -> Poly:
    """The polynomial with these terms, like ones added."""
    found: dict[Monomial, Rational] = {}
    for monomial, coefficient in terms:
        found[monomial] = found.get(monomial, 0) + coefficient
    return Poly(frozenset((m, c) for m, c in found.items() if c))


def ratio(a: Rational, b: Rational) -> Rational:
    """The quotient of two numbers, as a whole number where it is one."""
    quotient = Fraction(a) / b
    return quotient.numerator if quotient.denominator == 1 else quotient


def product(m: Monomial, n: Monomial) -> Monomial:
    """The product of two monomials: exponents of the same atom add up."""
    if not m or not n:
        return m or n
    powers = dict(m)
    for atom, exponent in n:
        powers[atom] = powers.get(atom, 0) + exponent
    return frozenset((atom, exponent) for atom, exponent in powers.items() if exponent)


def poly(value: "Poly | Atom | Rational") -> Poly:
    """A number or an atom as a polynomial."""
    if isinstance(value, Poly):
        return value
    if isinstance(value, int | Fraction):
        return Poly(frozenset([(frozenset(), value)] if value else []))
    return Poly(frozenset([(frozenset([(value, 1)]), 1)]))


def term(powers: "dict[Atom, Rational] | Monomial", coefficient: Rational = 1) -> Poly:
    """The polynomial of one term, with these powers of atoms."""
    if isinstance(powers, dict):
        powers = frozenset((atom, e) for atom, e in powers.items() if e)
    return Poly(frozenset([(powers, coefficient)]))


ZERO, ONE = poly(0), poly(1)


def constant(p: Poly) -> Rational | None:
    """The number that a polynomial is, if it is one."""
    if not p.terms:
        return 0
    ((monomial, coefficient), *others) = p.terms
    return None if others or monomial else coefficient


def atoms(p: Poly) -> frozenset[Atom]:
    """The atoms of a polynomial; not those within them."""
    return frozenset(atom for monomial, _ in p.terms for atom, _ in monomial)


@lru_cache(CACHED)
def text(thing: "Poly | Atom | Index") -> str:
    """The thing as one would write it; this also puts things in an order."""
    match thing:
        case Index(name, _, of):
            return f"{name}_{text(of)}" if of and of != ONLY else name
        case Entry(name, places):
            places_shown = ",".join(text(place) for place in places if place != ONLY)
            return _plain(name) + (f"_{places_shown}" if places_shown else "")
        case Size(name):
            return name
        case Exp(of):
            return f"exp({text_of(of)})"
        case Function("step", of):
            return f"[{text(of)} > 0]"
        case Function(name, of):
            return f"{name}({text(of)})"
        case Delta(a, b):
            return f"[{text(a)} = {text(b)}]"
        case Sum(over, of):
            return f"sum_{','.join(f'{i.name}≤{i.size}' for i in over)}({text_of(of)})"
        case Group(of):
            return f"({text(of)})"
        case Slope(of, by):
            return f"∂{text(of)}/∂{text(by)}"
        case Poly(terms):
            parts = sorted((text_of(monomial), c) for monomial, c in terms)
            return " + ".join(_multiple(c, of) for of, c in parts).replace("+ -", "- ") or "0"


@lru_cache(CACHED)
def text_of(monomial: Monomial) -> str:
    """A product of powers as one would write it."""
    powers = sorted((text(atom), exponent) for atom, exponent in monomial)
    return " ".join(name if e == 1 else f"{name}^{e}" for name, e in powers)


def _multiple(coefficient: Rational, of: str) -> str:
    if not of:
        return str(coefficient)
    return of if coefficient == 1 else f"{'-' if coefficient == -1 else f'{coefficient} '}{of}"


def _plain(name: str) -> str:
    r"""A name without its fonts: h^a for \mathbf h^a."""
    return " ".join(part for part in name.split() if part != r"\mathbf").replace("\\", "")


def leading(p: Poly) -> tuple[Monomial, Rational]:
    """The term that comes first; it makes a polynomial comparable with its multiples."""
    return min(p.terms, key=lambda pair: text_of(pair[0]))


def divide(p: Poly, q: Poly) -> Poly | None:
    """The polynomial p / q, or none if the quotient is no polynomial.

    Long division, with exponents in lexicographic order. Of each atom, the largest exponent of a
    product is the sum of the largest exponents of its factors, and the smallest likewise; so no
    term of the quotient may lie outside these bounds, and the division ends.
    """
    order = sorted(atoms(p) | atoms(q), key=text)

    def vectors(r: Poly) -> dict[tuple[Rational, ...], Rational]:
        powers = [(dict(m), c) for m, c in r.terms]
        return {tuple(power.get(atom, 0) for atom in order): c for power, c in powers}

    rest, divisor = vectors(p), vectors(q)
    if not rest:
        return ZERO
    axes = range(len(order))
    lower = [min(v[n] for v in rest) - min(v[n] for v in divisor) for n in axes]
    upper = [max(v[n] for v in rest) - max(v[n] for v in divisor) for n in axes]
    first = max(divisor)
    quotient = []
    while rest:
        last = max(rest)
        place = tuple(a - b for a, b in zip(last, first, strict=True))
        if any(not a <= e <= b for a, e, b in zip(lower, place, upper, strict=True)):
            return None
        factor = ratio(rest[last], divisor[first])
        quotient.append((place, factor))
        for vector, coefficient in divisor.items():
            at = tuple(a + b for a, b in zip(vector, place, strict=True))
            rest[at] = rest.get(at, 0) - factor * coefficient
            if not rest[at]:
                del rest[at]
    powers = ((zip(order, place, strict=True), c) for place, c in quotient)
    return collect((frozenset((a, e) for a, e in pairs if e), c) for pairs, c in powers)
