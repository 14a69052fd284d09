import numpy as np
import pytest

from figures.gradients import check_table, derivatives_table, pairs_table, symbol
from mlp import functions, gradcheck, model
from mlp.model import Params
from tests.conftest import generic


@pytest.mark.parametrize(
    ("name", "latex"),
    [("W1[2, 1]", r"$\mathbf{W}^{(1)}_{21}$"), ("b2[3, 1]", r"$\mathbf{b}^{(2)}_{3}$")],
)
def test_symbols_are_those_of_the_mathematics(name, latex):
    assert symbol(name) == latex


def test_stated_derivatives_stand_beside_their_relative_errors():
    stated = {
        "$f'$": (functions.sigmoid, functions.sigmoid_prime),
        "$g'$": (functions.sigmoid, lambda x: 2 * functions.sigmoid_prime(x)),
    }
    right, wrong = derivatives_table(stated, np.linspace(-3, 3, 10)).splitlines()[2:]
    assert right.startswith("| $f'$ | $")
    assert "10^{-1}" not in right
    assert wrong.startswith("| $g'$ | $")
    assert wrong.count(r"$5.0\times 10^{-1}") == 2


def test_a_checked_gradient_has_a_row_for_each_parameter_and_shows_zero_as_agreement():
    params, x, y = generic(d=2, d_h=2, m=2, K=1)
    params = params._replace(b1=np.array([[-100.0], [1.0]]))  # the first hidden unit is off
    grad = model.bprop(params, model.fprop(params, x), y)
    rows = gradcheck.compare(lambda p: model.loss(model.fprop(p, x).oa, y).mean(), grad, params)
    lines = check_table(rows).splitlines()
    assert len(lines) == 2 + model.count(params)
    assert "nan" not in "".join(lines)
    assert "| 0.0000000 | 0.0000000 | 1.000000 |" in lines[2]


def test_pairs_of_gradients_stand_side_by_side_with_their_differences():
    ones = Params(*(np.ones((1, 1)) for _ in range(4)))
    twos = ones._replace(b2=np.array([[1.5]]))
    last = pairs_table({1: (ones, ones), 10: (ones, twos)}).splitlines()[-1]
    cells = [cell.strip() for cell in last.split("|")[2:-1]]
    one, more = "1.0000000000", "1.5000000000"
    assert cells == [one, one, "0", one, more, r"$5.0\times 10^{-1}$"]
