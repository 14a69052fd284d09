"""Rules that bring expressions into a normal form, each true for all sizes and values.

Products and sums are those of `polynomial`. Here are quotients, which are cancelled; exponentials,
exp(a + b) = exp(a) exp(b); logarithms, log(a b) = log(a) + log(b) for positive a and b; sums over
an index, from which factors are taken out that do not depend on it; and the two functions with a
kink from which all others are made, step(x) = [x > 0] and rect(x) = x [x > 0].
"""

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import lru_cache, reduce
from itertools import count, permutations
from operator import mul

from derivations.exact.polynomial import (
    CACHED,
    ONE,
    ONLY,
    ZERO,
    Atom,
    Delta,
    Entry,
    Exp,
    Function,
    Group,
    Index,
    Monomial,
    Poly,
    Rational,
    Size,
    Slope,
    Sum,
    UndecidedError,
    atoms,
    collect,
    divide,
    leading,
    poly,
    ratio,
    term,
    text,
)
from derivations.exact.signs import nonnegative, positive, positive_atom

Change = Callable[[Atom], Poly | None]
MOST_POWER = 8  # of what has several terms; a higher one is not multiplied out
MOST_BOUND = 4  # with more bound indices in one sum, their order is left as it is

_numbers = count(1)


def add(parts: Iterable[Poly]) -> Poly:
    """The sum of polynomials."""
    return collect(pair for part in parts for pair in part.terms)


def multiply(parts: Iterable[Poly]) -> Poly:
    """The product of polynomials."""
    return reduce(mul, parts, ONE)


def scale(p: Poly, number: Rational) -> Poly:
    """The multiple of a polynomial by a number that is not 0."""
    return p if number == 1 else Poly(frozenset((m, c * number) for m, c in p.terms))


# Quotients.


def power(p: Poly, exponent: Rational) -> Poly:
    """The power of p; one that is a fraction only of a product of what is positive."""
    if exponent < 0:
        return power(inverse(p), -exponent)
    if exponent.denominator == 1 and (len(p.terms) < 2 or exponent <= MOST_POWER):
        return multiply([p] * int(exponent))
    ((monomial, coefficient), *others) = p.terms or [(frozenset(), 0)]
    if others or coefficient != 1 or not all(_has_root(atom, e) for atom, e in monomial):
        raise UndecidedError(f"the power {exponent} of {text(p)}")
    return term({atom: e * exponent for atom, e in monomial})


def _has_root(atom: Atom, exponent: Rational) -> bool:
    return positive_atom(atom) or (exponent > 0 and nonnegative(poly(atom)))


def inverse(p: Poly) -> Poly:
    """1 / p, for p that is not zero; whoever divides has to know that."""
    p = cancel(p)
    if not p.terms:
        raise UndecidedError("a division by zero")
    unit, core = primitive(p)
    ((monomial, coefficient),) = unit.terms
    below = multiply(
        power(atom.of, -e) if isinstance(atom, Group) else term({atom: -e}) for atom, e in monomial
    )
    group = ONE if core == ONE else term({Group(core): -1})
    return below * group * ratio(1, coefficient)


def primitive(p: Poly) -> tuple[Poly, Poly]:
    """A single term and a polynomial whose product is p ≠ 0.

    The polynomial is the same for all multiples of p by a single term: no atom can be taken out of
    it, and its first coefficient is 1.
    """
    powers = [dict(monomial) for monomial, _ in p.terms]
    every = {atom for power in powers for atom in power}
    common = {atom: min(power.get(atom, 0) for power in powers) for atom in every}
    core = p * term({atom: -e for atom, e in common.items()})
    _, first = leading(core)
    return term(common, first), core * ratio(1, first)


def cancel(p: Poly) -> Poly:
    """The same number, over the least denominator that division finds: 0 is then seen as 0."""
    p = contract(p)
    least: dict[Group, Rational] = {}
    for monomial, _ in p.terms:
        for atom, e in monomial:
            if isinstance(atom, Group):
                least[atom] = min(least.get(atom, 0), e)
    if not least:
        return p
    above = add(_over(monomial, least) * coefficient for monomial, coefficient in p.terms)
    below: dict[Atom, Rational] = {}
    for group, exponent in least.items():
        while exponent < 0 and (quotient := divide(above, group.of)) is not None:
            above, exponent = quotient, exponent + 1
        below[group] = exponent
    return above * term(below)


def _over(monomial: Monomial, least: Mapping[Group, Rational]) -> Poly:
    """The numerator of a monomial over the common denominator."""
    powers = dict(monomial)
    raised = [power(group.of, powers.pop(group, 0) - e) for group, e in least.items()]
    return multiply(raised) * term(powers)


# Places.


def delta(a: Index, b: Index) -> Poly:
    """1 where two places are the same, else 0. Raises UndecidedError for different axes."""
    if a.size != b.size:
        raise UndecidedError(f"{text(a)} and {text(b)} are places on different axes")
    first, second = sorted((a, b), key=text)
    return ONE if a == b else poly(Delta(first, second))


def contract(p: Poly) -> Poly:
    """The same number, with indicators used: [a = b] f(b) is [a = b] f(a), and [C]² is [C]."""
    if not any(_indicates(atom) for atom in atoms(p)):
        return p
    return add(scale(_contracted(monomial), coefficient) for monomial, coefficient in p.terms)


def _indicates(atom: Atom) -> bool:
    """Whether an atom is 0 or 1."""
    return isinstance(atom, Delta) or (isinstance(atom, Function) and atom.name == "step")


def _contracted(monomial: Monomial) -> Poly:
    powers = {atom: 1 if _indicates(atom) else e for atom, e in monomial}
    deltas = sorted((atom for atom in powers if isinstance(atom, Delta)), key=text)
    rest = term({atom: e for atom, e in powers.items() if not isinstance(atom, Delta)})
    done: dict[Index, Index] = {}
    kept = ONE
    for old in deltas:
        a, b = (moved(place, done) for place in (old.a, old.b))
        if a != b:
            kept *= delta(a, b)
            kept_one, gone = (a, b) if b.of is None else (b, a)
            done = {place: moved(to, {gone: kept_one}) for place, to in done.items()}
            done[gone] = kept_one
    return kept * substitute(rest, done)


def moved(index: Index, to: Mapping[Index, Index]) -> Index:
    """The place after a substitution."""
    if index in to:
        return to[index]
    return Index(index.name, index.size, moved(index.of, to)) if index.of else index


def substitute(p: Poly, to: Mapping[Index, Index]) -> Poly:
    """The polynomial with places replaced."""

    def change(atom: Atom) -> Poly | None:
        if indices(atom).isdisjoint(to):
            return poly(atom)
        match atom:
            case Entry():
                return poly(_moved(atom, to))
            case Slope(of, by):
                return poly(Slope(_moved(of, to), _moved(by, to)))
            case Delta(a, b):
                return delta(moved(a, to), moved(b, to))
        return None

    return rebuild(p, change) if to else p


def _moved(entry: Entry, to: Mapping[Index, Index]) -> Entry:
    return Entry(entry.name, tuple(moved(place, to) for place in entry.places))


@lru_cache(CACHED)
def indices(atom: Atom) -> frozenset[Index]:
    """All places that an atom speaks of, without the bound ones."""
    match atom:
        case Entry(_, places):
            return frozenset(place for outer in places for place in _nested(outer))
        case Slope(of, by):
            return indices(of) | indices(by)
        case Delta(a, b):
            return frozenset([*_nested(a), *_nested(b)])
        case Exp(of):
            return _of_monomial(of)
        case Sum(over, of):
            return _of_monomial(of) - frozenset(over)
        case Function(_, inside) | Group(inside):
            return frozenset().union(*(_of_monomial(m) for m, _ in inside.terms))
    return frozenset()


def _nested(index: Index) -> list[Index]:
    return [index, *(_nested(index.of) if index.of else [])]


def _of_monomial(monomial: Monomial) -> frozenset[Index]:
    return frozenset().union(*(indices(atom) for atom, _ in monomial))


def fresh(size: str) -> Index:
    """A letter that occurs nowhere else; on an axis of size 1, its only place."""
    return ONLY if size == "1" else Index(f"~{next(_numbers)}", size)


# Sums.


def total(index: Index, p: Poly) -> Poly:
    """The sum of p over all places of an index."""
    if index == ONLY:
        return p
    return add(_total(index, m) * c for m, c in cancel(p).terms)


def _total(index: Index, monomial: Monomial) -> Poly:
    for atom, _ in monomial:
        if isinstance(atom, Delta) and index in (atom.a, atom.b):
            place = atom.a if atom.b == index else atom.b
            return substitute(term(monomial - {(atom, 1)}), {index: place})
    inside = frozenset((atom, e) for atom, e in monomial if index in indices(atom))
    outside = term(monomial - inside)
    return outside * (_sum((index,), inside) if inside else poly(Size(index.size)))


def _sum(over: tuple[Index, ...], monomial: Monomial) -> Poly:
    """The sum of a product; the sums among its factors become part of it.

    Where the sum over one of the indices is the denominator of the others, the two cancel first.
    """
    for atom, exponent in monomial:
        if isinstance(atom, Sum) and exponent > 0 and exponent.denominator == 1:
            letters, body = opened(atom)
            rest = term({**dict(monomial), atom: exponent - 1})
            return add(_sum(over + letters, m) * c for m, c in (rest * body).terms)
    if len(over) > 1 and any(isinstance(atom, Sum) for atom, _ in monomial):
        for index in over:
            inside = frozenset((atom, e) for atom, e in monomial if index in indices(atom))
            inner = _closed((index,), inside)
            if atoms(inner) <= {atom for atom, _ in monomial - inside}:
                others = (other for other in over if other != index)
                return reduce(
                    lambda p, other: total(other, p), others, term(monomial - inside) * inner
                )
    return _closed(over, monomial)


def opened(atom: Sum) -> tuple[tuple[Index, ...], Poly]:
    """The body of a sum, with fresh letters for its bound indices, and these letters."""
    letters = tuple(fresh(index.size) for index in atom.over)
    return letters, substitute(term(atom.of), dict(zip(atom.over, letters, strict=True)))


def _closed(over: tuple[Index, ...], monomial: Monomial) -> Poly:
    """The sum as an atom: its bound indices numbered, in the order that gives the first text."""
    level = _level(monomial) + 1
    by_size = sorted(over, key=lambda index: index.size)
    orders = permutations(by_size) if len(over) <= MOST_BOUND else [tuple(by_size)]
    sizes = [index.size for index in by_size]
    numbered = tuple(Index(f"#{level + n}", size) for n, size in enumerate(sizes))
    bodies = [
        substitute(term(monomial), dict(zip(order, numbered, strict=True)))
        for order in orders
        if [index.size for index in order] == sizes
    ]
    ((of, coefficient),) = min(bodies, key=text).terms
    return term({Sum(numbered, of): 1}, coefficient)


@lru_cache(CACHED)
def _level(monomial: Monomial) -> int:
    """The highest number that a bound index has within a monomial."""
    found = [0]
    for atom, _ in monomial:
        match atom:
            case Sum(over, of):
                found += [_level(of), *(int(index.name[1:]) for index in over)]
            case Exp(of):
                found.append(_level(of))
            case Function(_, inside) | Group(inside):
                found += [_level(m) for m, _ in inside.terms]
    return max(found)


# Functions.


def exp(p: Poly) -> Poly:
    """The exponential of a sum is a product with one factor for each term."""
    return multiply(_exp(m, c) for m, c in cancel(p).terms)


def _exp(monomial: Monomial, coefficient: Rational) -> Poly:
    """The exponential of one term; that of a logarithm is its argument."""
    if coefficient.denominator == 1 and len(monomial) == 1:
        ((atom, exponent),) = monomial
        if isinstance(atom, Function) and atom.name == "log" and exponent == 1:
            return power(atom.of, coefficient)
    return term({Exp(monomial): coefficient})


def log(p: Poly) -> Poly:
    """The logarithm of what is positive: factors that are positive come out of it."""
    p = cancel(p)
    if not p.terms:
        raise UndecidedError("the logarithm of zero")
    unit, core = primitive(p)
    ((monomial, coefficient),) = unit.terms
    if coefficient < 0:
        return poly(Function("log", p))
    apart = frozenset((atom, e) for atom, e in monomial if positive_atom(atom))
    whole = core * term(monomial - apart)
    parts = [_log(atom) * exponent for atom, exponent in apart]
    return add([*parts, _log_of_number(Fraction(coefficient)), _opaque("log", whole)])


def _log(atom: Atom) -> Poly:
    """The logarithm of a positive atom; that of an exponential is its exponent."""
    match atom:
        case Exp(of):
            return term(of)
        case Group(of):
            return _opaque("log", of)
    return _opaque("log", poly(atom))


def _opaque(name: str, p: Poly) -> Poly:
    return ZERO if name == "log" and p == ONE else poly(Function(name, p))


def _log_of_number(number: Fraction) -> Poly:
    """The logarithm of a fraction, by that of its prime factors."""
    primes: dict[Atom, Rational] = {}
    for part, sign in ((number.numerator, 1), (number.denominator, -1)):
        factor = 2
        while part > 1:
            while part % factor == 0:
                atom = Function("log", poly(factor))
                primes[atom] = primes.get(atom, 0) + sign
                part //= factor
            factor += 1
    return add(term({atom: 1}, times) for atom, times in primes.items())


def step(p: Poly) -> Poly:
    """1 where p > 0, else 0; positive factors do not matter."""
    _, core = _direction(cancel(p))
    if positive(core):
        return ONE
    return ZERO if nonnegative(-core) else poly(Function("step", core))


def rect(p: Poly) -> Poly:
    """The positive part of p: p where p > 0, else 0; positive factors may be taken out."""
    factor, core = _direction(cancel(p))
    if nonnegative(core):
        return factor * core
    return ZERO if nonnegative(-core) else factor * poly(Function("rect", core))


def _direction(p: Poly) -> tuple[Poly, Poly]:
    """A positive factor of p and the rest, which is the same for all positive multiples."""
    if not p.terms:
        return ONE, ZERO
    unit, core = primitive(p)
    ((monomial, coefficient),) = unit.terms
    apart = frozenset((atom, e) for atom, e in monomial if positive_atom(atom))
    size = max(coefficient, -coefficient)
    return term(apart, size), term(monomial - apart, ratio(coefficient, size)) * core


def function(name: str, p: Poly) -> Poly:
    """A function by name; one without a rule of its own stays as it is."""
    rules = {"exp": exp, "log": log, "step": step, "rect": rect}
    return rules[name](p) if name in rules else poly(Function(name, cancel(p)))


# Replacing atoms.


def rebuild(p: Poly, change: Change) -> Poly:
    """The polynomial with atoms replaced, at any depth: by `change`, where it gives something."""
    return add(scale(_rebuilt(monomial, change), c) for monomial, c in p.terms)


def _rebuilt(monomial: Monomial, change: Change) -> Poly:
    kept: dict[Atom, Rational] = {}
    others = ONE
    for atom, exponent in monomial:
        image = _image(atom, change)
        if image == poly(atom):
            kept[atom] = exponent
        else:
            others *= power(image, exponent)
    return others * term(kept)


def _image(atom: Atom, change: Change) -> Poly:
    image = change(atom)
    if image is not None:
        return image
    match atom:
        case Exp(of):
            return exp(rebuild(term(of), change))
        case Function(name, inside):
            return function(name, rebuild(inside, change))
        case Group(inside):
            return rebuild(inside, change)
        case Sum():
            letters, body = opened(atom)
            return reduce(lambda p, letter: total(letter, p), letters, rebuild(body, change))
    return poly(atom)
