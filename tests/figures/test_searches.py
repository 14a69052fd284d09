import numpy as np

from figures.searches import finalists_table, strengths_table, tried


def test_a_search_is_shown_with_every_trial_against_every_setting():
    trials = [
        {"trial": number, "d_h": d_h, "eta": eta, "valid_error": 0.1 * d_h}
        for number, d_h, eta in ((2, 1, 0.1), (0, 2, 0.3), (1, 4, 0.02))
    ]
    figure = tried(trials, {"d_h": "width", "eta": "step"}, ringed={2})
    assert [ax.get_xlabel() for ax in figure.axes] == ["width", "step"]
    for ax, name in zip(figure.axes, ("d_h", "eta"), strict=True):
        dots, rings = (line.get_xydata() for line in ax.lines)
        expected = [[trial[name], 100 * trial["valid_error"]] for trial in trials]
        np.testing.assert_allclose(dots, expected)
        np.testing.assert_allclose(rings, expected[:1])


def test_finalists_have_a_row_each_with_the_settings_searched_over():
    trial = {"standardize": True, "d_h": 100, "eta": 0.0714, "l12": 1e-5, "l22": 0}
    trial |= {"valid_error": 0.11231, "deviation": 0.00121}
    names = {name: name for name in ("standardize", "d_h", "eta", "l12", "l22")}
    head, _, row = finalists_table([trial], names).splitlines()
    assert head == "| standardize | d_h | eta | l12 | l22 | validation error / % |"
    assert row == r"| yes | 100 | 0.0714 | $1.0\times 10^{-5}$ | 0 | 11.23 ± 0.12 |"


def test_strengths_of_the_penalty_stand_row_by_row_and_column_by_column():
    trials = [
        {"l11": l11, "l12": l12, "valid_error": l11 + l12, "deviation": 0.001}
        for l11, l12 in ((0, 0.1), (0.2, 0), (0, 0), (0.2, 0.1))
    ]
    head, _, *rows = strengths_table(trials).splitlines()
    assert head == (
        r"| $\lambda_{11}$ | $\lambda_{12} =$ 0 | $\lambda_{12} =$ $1.0\times 10^{-1}$ |"
    )
    assert [row.split(" | ")[1:] for row in rows] == [
        ["0.00 ± 0.10", "10.00 ± 0.10 |"],
        ["20.00 ± 0.10", "30.00 ± 0.10 |"],
    ]
