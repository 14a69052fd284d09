import numpy as np

from figures.searches import strengths_table, trials_table, tried


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


def test_trials_have_a_row_each_with_the_settings_searched_over():
    trial = {"d_h": 100, "K": 50, "eta": 0.0714, "epochs": 18, "valid_error": 0.11231}
    assert trials_table([trial]).splitlines()[2:] == ["| 100 | 50 | 0.071 | 18 | 11.23 |"]


def test_strengths_of_the_elastic_net_are_powers_of_ten():
    trial = {"l11": 0, "l12": 2e-5, "epochs": 10, "valid_error": 0.0987}
    rows = strengths_table([trial]).splitlines()[2:]
    assert rows == [r"| 0 | $2.0\times 10^{-5}$ | 10 | 9.87 |"]
