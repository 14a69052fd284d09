import pytest

from mlp.bench import results
from mlp.bench.case import Case
from mlp.bench.results import Saving


def test_a_table_is_read_back_with_what_it_was_measured_on(tmp_path, timings):
    some = timings(loop=1.0, fast=0.5)
    some.append(some[0]._replace(elastic=True))
    path = tmp_path / "bench" / "cost.csv"
    results.write(path, some, {"data": "random", "cores": 2})
    assert results.read(path) == some
    assert results.read_about(path) == {"data": "random", "cores": 2}
    assert sorted(p.name for p in path.parent.iterdir()) == ["cost.csv", "cost.yml"]


def test_savings_are_differences_by_trick_and_shape(tmp_path):
    times = [(9, 8), (7, 3), (6, 4)]
    rows = [Saving("strips", 10, 32, i, *pair) for i, pair in enumerate(times)]
    rows += [row._replace(d_h=128, twin=10) for row in rows]
    results.write(tmp_path / "tricks.csv", rows, {})
    saved = results.read_savings(tmp_path / "tricks.csv")
    assert saved == {"strips": {(10, 32): [1, 4, 2], (10, 128): [-1, -3, -4]}}


def test_medians_are_of_whole_epochs(timings):
    some = timings(loop=2.0)
    assert results.spread(some, "loop") == pytest.approx((5, 2.0, 1.6, 6.0))
    assert results.medians(some, 1) == {Case(100, 512, False): {"loop": pytest.approx(2.0)}}
    assert results.medians(some, 4) == {}


def test_scatter_is_the_slowest_over_the_fastest_repetition(timings):
    some = [t for t in timings(loop=2, fast=1, matrix=5) if t.repetition != 3 or t.method == "fast"]
    scatter = results.scatter(some, 1)
    assert scatter.median == pytest.approx(1.1 / 0.8)
    assert scatter.largest == pytest.approx(3 / 0.8)
