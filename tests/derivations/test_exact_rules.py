from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derivations.evaluate import World
from derivations.exact.assignment import context
from derivations.exact.components import Scope, definitions_of, entry_of, value_of
from derivations.exact.normal import (
    cancel,
    contract,
    delta,
    exp,
    inverse,
    log,
    power,
    rect,
    step,
    substitute,
    total,
)
from derivations.exact.polynomial import (
    ONE,
    ONLY,
    ZERO,
    Entry,
    Index,
    Poly,
    Size,
    UndecidedError,
    divide,
    poly,
    text,
)
from derivations.exact.shapes import shape_of
from derivations.exact.unfolding import unfold
from tests.derivations.expressions import Expressions
from tests.derivations.referee import Point, worlds

X, Y = poly(Entry("x")), poly(Entry("y"))
J, K, L = (Index(letter, "m") for letter in "jkl")
LONGEST = 3000  # characters of a normal form; beyond, numbers take too long


def vector(place: Index) -> Poly:
    return poly(Entry("v", (place,)))


def matrix(row: Index, column: Index) -> Poly:
    return poly(Entry("A", (row, column)))


@st.composite
def polynomials(draw: st.DrawFn) -> Poly:
    p = ZERO
    for _ in range(draw(st.integers(1, 4))):
        exponents = [draw(st.integers(-2, 3)) for _ in range(2)]
        monomial = power(X, exponents[0]) * power(Y, exponents[1])
        p += monomial * Fraction(draw(st.integers(-5, 5)), draw(st.integers(1, 3)))
    return p


@given(polynomials(), polynomials())
def test_a_product_divided_by_a_factor_is_the_other_one(p: Poly, q: Poly) -> None:
    if q.terms:
        assert divide(p * q, q) == p


@given(polynomials(), polynomials(), polynomials())
def test_addition_and_multiplication_follow_the_laws(p: Poly, q: Poly, r: Poly) -> None:
    assert p * (q + r) == p * q + p * r
    assert (p * q) * r == p * (q * r)
    assert p - p == ZERO


def test_a_division_with_a_remainder_is_none() -> None:
    assert divide(X * X + 1, X + 1) is None
    assert divide(ONE, X + 1) is None
    assert divide(X * X - 1, X + 1) == X - 1


def test_a_quotient_is_cancelled() -> None:
    below = inverse(1 + exp(X))
    assert cancel(exp(X) * below + below) == ONE
    assert cancel((exp(X) * exp(X) - 1) * below) == exp(X) - 1
    assert inverse(1 + exp(-X)) == exp(X) * below
    assert cancel(below * inverse(1 + exp(Y)) * (1 + exp(X)) - inverse(1 + exp(Y))) == ZERO


def test_nothing_is_divided_by_zero() -> None:
    with pytest.raises(UndecidedError):
        inverse(exp(X) - exp(X))


def test_exponentials_and_logarithms_undo_each_other() -> None:
    assert exp(X + Y) == exp(X) * exp(Y)
    assert power(exp(X * Fraction(1, 2)), 2) == exp(X)
    assert exp(ZERO) == ONE
    assert log(exp(X) * (1 + exp(Y))) == X + log(1 + exp(Y))
    assert log(inverse(1 + exp(-X))) == -log(1 + exp(-X))
    assert log(poly(Fraction(12, 5))) == 2 * log(poly(2)) + log(poly(3)) - log(poly(5))
    assert exp(log(1 + exp(X)) * 2) == power(1 + exp(X), 2)


def test_a_logarithm_is_not_split_at_what_may_be_negative() -> None:
    assert log(X * Y) != log(X) + log(Y)
    assert log(-X) != log(X)


def test_a_sum_gives_up_what_does_not_depend_on_its_index() -> None:
    assert total(J, 2 * X * vector(J)) == 2 * X * total(J, vector(J))
    assert total(J, X) == X * poly(Size("m"))
    assert total(J, vector(J)) == total(K, vector(K))


def test_sums_may_change_places_and_products_of_sums_are_double_sums() -> None:
    assert total(J, total(K, matrix(J, K))) == total(K, total(J, matrix(J, K)))
    assert total(J, total(K, vector(J) * vector(K))) == power(total(J, vector(J)), 2)
    inner = total(K, matrix(J, K) * vector(K))
    assert total(J, vector(J) * inner) == total(K, vector(K) * total(J, matrix(J, K) * vector(J)))


def test_a_double_sum_is_another_one_with_its_matrix_transposed() -> None:
    once = total(J, total(K, matrix(J, K) * vector(K) * exp(vector(J))))
    turned = total(J, total(K, matrix(K, J) * vector(K) * exp(vector(J))))
    assert once != turned


def test_a_sum_that_is_its_own_denominator_cancels() -> None:
    column = total(J, exp(matrix(J, K)))
    share = exp(matrix(L, K)) * inverse(column)
    assert total(L, share) == ONE
    assert total(K, total(L, share)) == poly(Size("m"))
    assert total(L, total(K, share)) == poly(Size("m"))


def test_a_delta_picks_one_term_of_a_sum() -> None:
    assert total(J, delta(J, K) * vector(J)) == vector(K)
    assert contract(delta(J, K) * vector(J) - delta(J, K) * vector(K)) == ZERO
    assert contract(delta(J, K) * delta(J, K)) == delta(J, K)
    assert contract(delta(J, K) * delta(K, L) * vector(L)) == contract(
        delta(J, K) * delta(J, L) * vector(J)
    )


def test_an_indicator_is_its_own_square() -> None:
    assert contract(step(X) * step(X)) == step(X)
    assert contract(delta(J, K) * delta(J, K) * step(X)) == delta(J, K) * step(X)


def test_places_on_different_axes_are_not_compared() -> None:
    with pytest.raises(UndecidedError):
        delta(J, Index("p", "d"))


def test_a_substitution_does_not_reach_bound_indices() -> None:
    p = vector(J) * total(J, matrix(J, K))
    assert substitute(p, {J: L}) == vector(L) * total(J, matrix(J, K))
    assert substitute(p, {K: J}) == vector(J) * total(L, matrix(L, J))


def test_kinks_do_not_see_positive_factors() -> None:
    assert step(2 * exp(Y) * X) == step(X)
    assert rect(2 * exp(Y) * X) == 2 * exp(Y) * rect(X)
    assert step(exp(X)) == ONE
    assert step(-exp(X)) == ZERO
    assert rect(-exp(X)) == ZERO
    assert step(rect(X)) != ZERO
    assert step(-X) != step(X)


def test_the_text_of_a_normal_form_can_be_read() -> None:
    p = total(J, exp(vector(J)) * matrix(K, J)) - Fraction(1, 2) * power(X, 2)
    assert text(p) == "sum_#1≤m(A_k,#1 exp(v_#1)) - 1/2 x^2"


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 5))
def test_the_normal_form_of_an_expression_has_its_value(rng: Random, seed: int) -> None:
    drawn = Expressions(rng)
    scalar = rng.random() < 0.5
    expression = drawn.scalar(3) if scalar else drawn.matrix(*drawn.any_shape(), 2)
    about = context()
    shape = shape_of(expression, about, {})
    value = value_of(expression, Scope(about, definitions=definitions_of(about)))
    row, column = (Index(name, size) for name, size in zip("rk", shape or "11", strict=True))
    row, column = (ONLY if place.size == "1" else place for place in (row, column))
    form = entry_of(value, row, column)
    world = WORLDS[seed]
    with np.errstate(all="ignore"):
        expected = np.reshape(np.real(world.value(expression)), _numbers(world, shape))
        at = [rng.randrange(size) for size in expected.shape]
        point = Point(world, {row: at[0], column: at[1]})
        further = unfold(form, definitions_of(about), about.depends)
        for p in (form, further[0]) if further else (form,):
            if len(text(p)) < LONGEST and np.isfinite(expected[tuple(at)]):
                assert point.number(p) == pytest.approx(expected[tuple(at)], rel=1e-7, abs=1e-7)


WORLDS = list(worlds(batch=False))


def _numbers(world: World, shape: tuple[str, ...]) -> list[int]:
    return [int(world.get(size)) if size != "1" else 1 for size in shape or ("1", "1")]
