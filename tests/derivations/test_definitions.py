import math

import numpy as np
import pytest

from derivations import definitions as of
from derivations import points
from derivations.evaluate import World, close
from derivations.latex import Node
from derivations.questions import load
from derivations.verify import attempt

NUMBERS = [-2.0, -0.5, 0.0, 0.5, 3.0]


@pytest.mark.parametrize("x", NUMBERS)
def test_functions_of_a_number_are_those_of_the_assignment(x: float) -> None:
    assert of.sigmoid(x) == pytest.approx(1 / (1 + math.exp(-x)))
    assert of.tanh(x) == pytest.approx(math.tanh(x))
    assert of.softplus(x) == pytest.approx(math.log(1 + math.exp(x)))
    assert of.sign(x) == (1 if x > 0 else -1 if x < 0 else 0)
    assert of.rect(x) == max(0, x)
    assert of.absolute(x) == abs(x)


@pytest.mark.parametrize(("function", "slope"), [(of.rect, 0.0), (of.absolute, 0.0)])
def test_derivatives_at_a_kink_are_those_that_the_assignment_asks_for(function, slope) -> None:
    assert np.imag(function(np.asarray(0.0) + 1e-30j)) / 1e-30 == slope


def test_a_network_worked_out_by_hand() -> None:
    values = {
        of.X: np.array([[1.0], [2.0]]),
        of.W1: np.array([[1.0, -1.0], [2.0, 0.5]]),
        of.B1: np.array([[0.5], [-1.0]]),
        of.W2: np.array([[1.0, 1.0], [0.0, -1.0]]),
        of.B2: np.array([[0.0], [2.0]]),
        "y": 2,
    }

    def get(name: str):
        return values[name] if name in values else of.QUANTITIES[name](get)

    assert get(of.HA).tolist() == [[-0.5], [2.0]]
    assert get(of.HS).tolist() == [[0.0], [2.0]]
    assert get(of.OA).tolist() == [[2.0], [0.0]]
    assert get("L") == pytest.approx(2 + math.log(1 + math.exp(-2)))
    assert get(r"\theta").ravel().tolist() == [1, -1, 2, 0.5, 0.5, -1, 1, 1, 0, -1, 0, 2]


def test_the_penalty_worked_out_by_hand() -> None:
    strengths = dict(zip(points.LAMBDAS, [1.0, 10.0, 100.0, 1000.0], strict=True))
    values = {of.W1: np.array([[1.0, -2.0]]), of.W2: np.array([[3.0], [-4.0]]), **strengths}
    assert of.penalty(values.__getitem__) == 1 * 3 + 10 * 5 + 100 * 7 + 1000 * 25


@pytest.mark.parametrize("name", load().definitions)
def test_every_definition_in_the_file_of_questions_holds(name: str) -> None:
    batch = name == "minibatch risk"
    assert attempt(load().definitions[name], batch, frozenset()).problem == ""


@pytest.mark.parametrize("what", ["L", r"\hat R", r"\hat R_K", r"\mathcal L"])
def test_the_complex_step_agrees_with_finite_differences(what: str) -> None:
    world = World(points.draw(4, batch=what == r"\hat R_K"), {}, batch=what == r"\hat R_K")
    gradient = world.gradient(Node("symbol", what), of.W2)
    base, step = np.array(world.get(of.W2)), 1e-6
    for place in np.ndindex(base.shape):
        if base[place] == 0:
            continue  # a kink of the penalty
        there = base.copy()
        there[place] += step
        change = (world.move(of.W2, there).get(what) - world.get(what)) / step
        assert change == pytest.approx(gradient[place], abs=1e-4)


def test_sizes_differ_within_a_set_and_between_sets() -> None:
    for sizes in points.SIZES:
        assert len(set(sizes.values())) == len(sizes)
    for letter in points.SIZES[0]:
        assert len({sizes[letter] for sizes in points.SIZES}) == len(points.SIZES) >= 3


@pytest.mark.parametrize("number", range(points.POINTS))
def test_every_point_stands_on_kinks(number: int) -> None:
    world = World(points.draw(number, batch=False), {}, batch=False)
    for name in (of.X, of.W1, of.W2, of.HA):
        assert 0 in world.get(name)
        assert np.count_nonzero(world.get(name)) > 0
    scores = np.sort(world.get(of.OA).ravel())
    assert scores[-1] == scores[-2]


def test_scalars_have_either_sign_and_are_zero() -> None:
    assert {np.sign(x) for x in points.SCALAR_VALUES} == {-1, 0, 1}


def test_close_values_agree_to_nine_digits() -> None:
    assert close(1.0, 1 + 1e-10)
    assert not close(1.0, 1 + 1e-8)
