import numpy as np

from figures.rungs import errors_table, rungs, runs_table, settings_table
from mlp.lab import ensemble
from mlp.settings import Settings


def test_rungs_show_the_median_of_runs_and_the_nets_averaged(records):
    nets = [ensemble.Record(n, 0.1 / n, 0.0, 0.2 / n, 0.0) for n in (1, 2)]
    better = [record._replace(valid_error=0.1) for record in records[:4]]
    left, right = rungs({"one": [records[:3], better, better], "two": [records]}, nets).axes
    one, two = left.lines
    assert one.get_ydata().tolist() == [10, 10, 10]
    assert len(two.get_ydata()) == len(records)
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["one", "two"]
    valid, test = right.lines
    np.testing.assert_allclose(valid.get_xydata(), [[1, 10], [2, 5]])
    np.testing.assert_allclose(test.get_ydata(), [20, 10])


def test_errors_stand_with_deviations_and_the_interval_of_the_test_error():
    runs = {
        "valid_error": {"mean": 0.125, "std": 0.001},
        "test_error": {"mean": 0.2, "std": 0.002},
    }
    average = ensemble.Record(3, valid_error=0.11, valid_loss=0.5, test_error=0.1, test_loss=0.6)
    assert errors_table({"plain": runs}, average, n=10_000).splitlines()[2:] == [
        "| 1 | plain | 12.50 | 0.10 | 20.00 | 0.20 | 19.22 to 20.78 |",
        "| 2 | average of 3 networks | 11.00 | – | 10.00 | – | 9.41 to 10.59 |",
    ]


def test_settings_stand_in_columns_with_a_dash_for_what_is_not_used():
    plain = Settings(d_h=3, eta=0.1, epochs=5)
    more = Settings(d_h=3, eta=0.1, epochs=5, shifts=1, flips=True, mirrored=True, l12=5e-5)
    rows = settings_table({"a": plain, "b": more}).splitlines()
    assert rows[0] == "|  | a | b |"
    assert r"| $\lambda_{12}$ | – | $5.0\times 10^{-5}$ |" in rows
    assert "| training images | – | mirrored, shifted by up to 1 pixel |" in rows
    assert rows[-1] == "| epochs | 5 | 5 |"


def test_figures_of_runs_stand_with_their_deviations():
    of = {f"{p}_{k}": {"mean": 0.1, "std": 0.01} for p in ("train", "valid", "test")
          for k in ("error", "loss")}  # fmt: skip
    of["test_loss"] = {"mean": 0.25, "std": 0.002}
    assert runs_table(of).splitlines()[2:] == [
        "| error / % | 10.000 ± 1.000 | 10.000 ± 1.000 | 10.000 ± 1.000 |",
        "| average loss / nat | 0.100 ± 0.010 | 0.100 ± 0.010 | 0.250 ± 0.002 |",
    ]


def test_images_that_are_only_shifted_are_not_called_mirrored():
    rows = settings_table({"a": Settings(d_h=3, eta=0.1, epochs=5, shifts=2)}).splitlines()
    assert "| training images | shifted by up to 2 pixels |" in rows
