"""Derivatives by rules: linearity, product, power, chain; never by numbers.

The derivative of an entry by an entry of the same symbol is 1 where the places are the same, else
0. That of a quantity whose definition holds the symbol stays a Slope until the definition is put
in. Kinks have the derivative that the assignment prescribes: rect'(x) = [x > 0], 0 at 0.
"""

from collections.abc import Callable
from functools import reduce

from derivations.exact.normal import add, delta, exp, multiply, opened, power, step, total
from derivations.exact.polynomial import (
    ONE,
    ZERO,
    Atom,
    Delta,
    Entry,
    Exp,
    Function,
    Group,
    Monomial,
    Poly,
    Rational,
    Size,
    Slope,
    Sum,
    UndecidedError,
    poly,
    term,
    text,
)
from derivations.exact.signs import positive_atom

Depends = Callable[[str, str], bool]


def derivative(p: Poly, by: Entry, depends: Depends) -> Poly:
    """The derivative of p by an entry; `depends` says whether one symbol is made of another."""
    return add(_of_product(monomial, by, depends) * c for monomial, c in p.terms)


def _of_product(monomial: Monomial, by: Entry, depends: Depends) -> Poly:
    return add(
        term({**dict(monomial), atom: exponent - 1}, exponent) * inner
        for atom, exponent in monomial
        if (inner := _of_atom(atom, by, depends)).terms and _differentiable(atom, exponent)
    )


def _differentiable(atom: Atom, exponent: Rational) -> bool:
    """Whether the power has a derivative everywhere. A root has none at 0."""
    if exponent.denominator != 1 and not positive_atom(atom):
        raise UndecidedError(f"the derivative of a root of {text(atom)}")
    return True


def _of_atom(atom: Atom, by: Entry, depends: Depends) -> Poly:
    match atom:
        case Entry(name, places) if name == by.name:
            pairs = zip(places, by.places, strict=True)
            return multiply(delta(a, b) for a, b in pairs)
        case Entry(name, _):
            return poly(Slope(atom, by)) if depends(name, by.name) else ZERO
        case Size() | Delta():
            return ZERO
        case Exp(of):
            return exp(term(of)) * derivative(term(of), by, depends)
        case Group(of):
            return derivative(of, by, depends)
        case Sum():
            letters, body = opened(atom)
            inner = derivative(body, by, depends)
            return reduce(lambda p, letter: total(letter, p), letters, inner)
        case Function("log", of):
            return power(of, -1) * derivative(of, by, depends)
        case Function("rect", of):
            return step(of) * derivative(of, by, depends)
        case Function(name, of):
            inner = derivative(of, by, depends)
            if inner.terms:
                raise UndecidedError(f"the derivative of {name}")
            return ZERO
        case Slope():
            raise UndecidedError("a derivative of a derivative")
    return ONE
