"""Definitions put in: a quantity stands as a name until its definition is needed.

Most steps hold whatever the quantities are that they speak of. Where they do not, the quantity that
lies highest, the risk before the loss, the loss before the outputs, is replaced by its definition.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from derivations.exact.calculus import Depends, derivative
from derivations.exact.normal import cancel, rebuild, substitute
from derivations.exact.polynomial import (
    Atom,
    Entry,
    Exp,
    Function,
    Group,
    Index,
    Monomial,
    Poly,
    Size,
    Slope,
    Sum,
    atoms,
    poly,
)
from derivations.exact.signs import Facts

Test = Callable[[Poly, Facts], bool]


class Definition(NamedTuple):
    """What a symbol's entry at `places` is, and how many definitions deep."""

    places: tuple[Index, ...]
    form: Poly
    height: int


Definitions = Mapping[str, Definition]


def unfold(p: Poly, definitions: Definitions, depends: Depends) -> tuple[Poly, str] | None:
    """The polynomial with its highest symbol replaced by its definition, and that symbol."""
    known = {name for name in map(_name, everywhere(p)) if name in definitions}
    if not known:
        return None
    name = max(known, key=lambda known_name: (definitions[known_name].height, known_name))
    definition = definitions[name]

    def at(places: tuple[Index, ...]) -> Poly:
        return substitute(definition.form, dict(zip(definition.places, places, strict=True)))

    def change(atom: Atom) -> Poly | None:
        match atom:
            case Entry(symbol, places) if symbol == name:
                return at(places)
            case Slope(Entry(symbol, places), by) if symbol == name:
                return derivative(at(places), by, depends)
            case Size(symbol) if symbol == name:
                return definition.form
        return None

    return cancel(rebuild(p, change)), name


def certainly(
    test: Test, p: Poly, facts: Facts, definitions: Definitions, depends: Depends
) -> bool:
    """Whether a test is passed by p, or by what p is by the definitions."""
    while not test(p, facts):
        further = unfold(p, definitions, depends)
        if further is None:
            return False
        p, _ = further
    return True


def everywhere(p: Poly) -> Iterator[Atom]:
    """All atoms of a polynomial, and all that are within these."""
    for atom in atoms(p):
        yield atom
        match atom:
            case Exp(of) | Sum(_, of):
                yield from _within(of)
            case Function(_, inside) | Group(inside):
                yield from everywhere(inside)


def _within(monomial: Monomial) -> Iterator[Atom]:
    for atom, _ in monomial:
        yield from everywhere(poly(atom))


def _name(atom: Atom) -> str:
    match atom:
        case Entry(name, _) | Slope(Entry(name, _), _) | Size(name):
            return name
    return ""
