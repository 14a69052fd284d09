"""Definitions put in: a quantity stands as a name until its definition is needed.

Most steps hold whatever the quantities are that they speak of. Where they do not, the quantity that
lies highest, the risk before the loss, the loss before the outputs, is replaced by its definition.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from derivations.exact.calculus import Depends, derivative
from derivations.exact.normal import cancel, rebuild, substitute
from derivations.exact.polynomial import (
    CACHED,
    Atom,
    Entry,
    Exp,
    Function,
    Group,
    Index,
    Poly,
    Size,
    Slope,
    Sum,
    atoms,
    poly,
    term,
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
    """The polynomial with its highest symbol replaced by its definition, and that symbol.

    Derivatives come first, so that what they are multiplied by can stay a name.
    """
    present = everywhere(p)
    slopes = {a.of.name for a in present if isinstance(a, Slope)} & definitions.keys()
    names = slopes or {_name(a) for a in present} & definitions.keys()
    if not names:
        return None
    name = max(names, key=lambda known: (definitions[known].height, known))
    definition = definitions[name]

    def at(places: tuple[Index, ...]) -> Poly:
        return substitute(definition.form, dict(zip(definition.places, places, strict=True)))

    def change(atom: Atom) -> Poly | None:
        if all(_name(inner) != name for inner in within(atom)):
            return poly(atom)
        match atom:
            case Entry(symbol, places) if symbol == name and not slopes:
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


def everywhere(p: Poly) -> frozenset[Atom]:
    """All atoms of a polynomial, and all that are within these."""
    return frozenset().union(*(within(atom) for atom in atoms(p)))


@lru_cache(CACHED)
def within(atom: Atom) -> frozenset[Atom]:
    """An atom, and all atoms within it."""
    inside: frozenset[Atom] = frozenset()
    match atom:
        case Exp(of) | Sum(_, of):
            inside = everywhere(term(of))
        case Function(_, of) | Group(of):
            inside = everywhere(of)
    return inside | {atom}


def _name(atom: Atom) -> str:
    match atom:
        case Entry(name, _) | Slope(Entry(name, _), _) | Size(name):
            return name
    return ""
