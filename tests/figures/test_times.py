import numpy as np

from figures.times import cost, epoch_table, ratio_table
from mlp.bench.case import Case, N
from mlp.bench.results import Spread, Timing


def timings(*cases, threads=1, **epochs):
    """A whole epoch by each method in each case, in so many seconds."""
    return [
        Timing(method, *case, threads, 1, N, seconds)
        for case in cases
        for method, seconds in epochs.items()
    ]


PLAIN, NET = Case(100, 512, elastic=False), Case(100, 512, elastic=True)


def test_spreads_stand_with_the_number_of_repetitions():
    table = epoch_table({"by loop": Spread(5, 2.0, 1.625, 6.0)})
    assert table.splitlines()[2:] == ["| by loop | 5 | 2.00 | 1.62 | 6.00 |"]


def test_ratios_are_medians_and_ranges_over_the_hidden_units():
    some = timings(PLAIN, fast=1, pytorch=1.15, sklearn=4)
    some += timings(PLAIN._replace(d_h=32), PLAIN._replace(d_h=64), fast=1, pytorch=2, sklearn=3)
    some += timings(PLAIN, fast=1, pytorch=1.25, threads=4)
    some += timings(NET, fast=2, pytorch=3)
    head, _, *rows = ratio_table(some).splitlines()
    assert head == (
        "| $K$ |  | PyTorch | scikit-learn | JAX, step | JAX, scan | PyTorch, 4 threads |"
    )
    assert rows == [
        "| 100 | plain | 2.00 (1.15–2.00) | 3.00 (3.00–4.00) | – | – | 1.25 (1.25–1.25) |",
        "| 100 | elastic net | 1.50 (1.50–1.50) | – | – | – | – |",
    ]


def test_the_figure_draws_each_method_but_the_loop_without_elastic_net():
    cases = [PLAIN, PLAIN._replace(K=10), PLAIN._replace(d_h=32), NET]
    some = timings(*cases, loop=9, fast=1)
    some += timings(Case(10, 32, elastic=False), fast=3)
    axes = cost(some).axes
    assert [ax.get_title() for ax in axes] == ["$K = 10$", "$K = 100$"]
    drawn = [line.get_xydata() for line in axes[0].lines if len(line.get_xydata())]
    np.testing.assert_array_equal(drawn, [[[32, 3], [512, 1]]])
    assert "JAX, scan" in [text.get_text() for text in axes[0].figure.legends[0].get_texts()]
