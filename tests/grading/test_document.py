from dataclasses import replace

import numpy as np
import pytest

from figures import gradients, tables
from figures.circles import Panel, regions
from figures.curves import curves
from figures.style import export, use_style
from figures.times import epoch_table
from grading.document import Document, Seen, findings
from grading.items import Finding
from grading.rubric import load
from literate import shapes
from literate.source import quote
from mlp import data, gradcheck, log, loop, model
from mlp.bench.results import Spread
from mlp.data import Dataset
from mlp.train import Record

RUBRIC = load()
RNG = np.random.default_rng(5)
THETA = model.init(RNG, 2, 2, 2).map(lambda p: p + 0.1 * RNG.standard_normal(p.shape))
CIRCLES = data.generate_circles()
X10, Y10 = CIRCLES.X[:10].T, CIRCLES.y[:10]


def judged(label, text="", svg="", values=None, folder=None) -> Finding:
    """What is found where the report shows this under a label."""
    seen = Seen(text, (svg,) if svg else (), values or {}, folder, 12)
    return findings(Document({label: seen}, {}, {}), RUBRIC, [label])[label]


def named(params, name):
    return {f"{name}.{part}": array for part, array in params._asdict().items()}


# --- tables ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rows():
    return gradcheck.compare(lambda p: model.risk(p, X10, Y10), loop.bprop(THETA, X10, Y10), THETA)


VALUES = named(THETA, "theta") | {"x": X10, "y": Y10}


def test_a_table_of_gradients_is_recomputed(rows):
    assert set(Y10.tolist()) == {0, 1}
    found = judged("tbl-minibatch", gradients.check_table(rows), values=VALUES)
    assert (found.share, found.line) == (1.0, 12)


@pytest.mark.parametrize(
    ("change", "share"),
    [
        (lambda rows: [row._replace(gradient=-row.gradient) for row in rows], 0),
        (lambda rows: [row._replace(forward=1.1 * row.forward) for row in rows], 0),
        (lambda rows: rows[1:], 0),
        (lambda rows: rows[:-3], 9 / 12),
        (lambda rows: [*rows[:-1], rows[-1]._replace(gradient=0.5)], 11 / 12),
        (lambda rows: [], 0),
    ],
)
def test_a_table_of_gradients_earns_what_is_right_in_it(rows, change, share):
    found = judged(
        "tbl-minibatch",
        gradients.check_table(change(rows) or rows[:0]) if change(rows) else "",
        values=VALUES,
    )
    assert found.share == pytest.approx(share)


@pytest.mark.parametrize(
    "values",
    [
        {},
        VALUES | {"x": X10[:, :9]},
        VALUES | {"x": X10 * 1.2},
        VALUES | {"y": np.zeros(10, int)},
        VALUES | {"y": Y10 + 5},
        VALUES | {"theta.W1": np.ones((2, 3))},
        VALUES | named(THETA.map(np.zeros_like), "theta"),
    ],
)
def test_a_table_of_other_examples_or_of_no_network_earns_nothing(rows, values):
    assert judged("tbl-minibatch", gradients.check_table(rows), values=values).share == 0


def pairs(sign=1.0, several=(1, 10)):
    made = {}
    for K in several:
        x, y = X10[:, :K], Y10[:K]
        matrix = model.bprop(THETA, model.fprop(THETA, x), y)
        made[K] = loop.bprop(THETA, x, y), matrix.map(lambda g: sign * g)
    return gradients.pairs_table(made)


def test_a_table_of_loop_and_matrices_is_recomputed():
    assert judged("tbl-compare", pairs(), values=VALUES).share == 1
    assert judged("tbl-compare", pairs(-1.0), values=VALUES).share == 0
    assert judged("tbl-compare", pairs(several=(10,)), values=VALUES).share == 0
    assert judged("tbl-compare", pairs(several=(10, 1)), values=VALUES).share == 0


def test_a_table_of_shapes_needs_both_shapes_of_each_gradient():
    table = shapes.shapes_table(d=5, d_h=4, m=3, K=7)
    assert judged("tbl-shapes", table).share == 1
    assert judged("tbl-shapes", table.replace("times K", "times m")).share == pytest.approx(4 / 7)
    assert judged("tbl-shapes", table.replace("`grad_W2`", "`W2`")).share == pytest.approx(6 / 7)
    assert judged("tbl-shapes", "").share == 0


def test_a_table_of_times_says_what_was_measured(tmp_path):
    (tmp_path / "results" / "bench").mkdir(parents=True)
    source = data.ROOT / "results" / "bench" / "epoch.csv"
    (tmp_path / "results" / "bench" / "epoch.csv").write_bytes(source.read_bytes())
    from mlp.bench import results as bench

    timings = bench.read(source)
    looped, matrix = (bench.spread(timings, name) for name in ("loop", "matrix"))

    def shown(one: Spread, other: Spread) -> float:
        table = epoch_table({"loop over examples": one, "matrix calculus": other})
        return judged("tbl-epoch", table, folder=tmp_path).share

    assert shown(looped, matrix) == 1
    assert shown(matrix, looped) == 0
    assert shown(looped, looped) == 0.5


# --- the log, and curves --------------------------------------------------------------------------


def records(seed, epochs=12):
    rng = np.random.default_rng(seed)
    falling = np.exp(-np.arange(epochs))[:, None] + rng.uniform(0.1, 0.2, (epochs, 6))
    return [Record(i + 1, *map(float, row)) for i, row in enumerate(falling / 2)]


@pytest.fixture
def folder(tmp_path):
    """A submission with the logs of two runs."""
    for seed in (1, 2):
        run = tmp_path / RUBRIC.run.results / f"seed-{seed}"
        run.mkdir(parents=True)
        with log.Log(run / "log.csv", Record._fields, records(seed)):
            pass
    return tmp_path


def test_the_head_of_a_log_is_compared_with_the_file(folder):
    lines = (folder / RUBRIC.run.results / "seed-2" / "log.csv").read_text().splitlines()[:6]
    text = tables.excerpt(lines)
    assert judged("lst-log", text, folder=folder).share == 1
    assert judged("lst-log", text.replace("0.5", "0.6", 1), folder=folder).share == 0.8
    five = "\n".join(line.rpartition(" ")[0] for line in text.splitlines())
    assert not judged("lst-log", five, folder=folder).there


def drawn(runs, tmp_path):
    use_style()
    return export(curves(runs, 3), "curves", tmp_path)


def test_curves_are_those_of_a_log(folder, tmp_path):
    found = judged("fig-curves", svg=drawn(records(2), tmp_path), folder=folder)
    assert (found.share, found.says) == (1.0, f"as in {RUBRIC.run.results}/seed-2")


def test_curves_of_another_run_or_of_none_earn_nothing(folder, tmp_path):
    assert judged("fig-curves", svg=drawn(records(3), tmp_path), folder=folder).share == 0
    assert not judged("fig-curves", folder=folder).there
    assert judged("fig-curves", svg=drawn(records(2)[:-1], tmp_path), folder=folder).share == 0


def test_curves_with_one_line_wrong_earn_four_fifths(folder, tmp_path):
    wrong = [
        r._replace(test_error=o.test_error) for r, o in zip(records(2), records(3), strict=True)
    ]
    found = judged("fig-curves", svg=drawn(wrong, tmp_path), folder=folder)
    assert found.share == pytest.approx(0.8)
    assert "test error" in found.says


# --- decision regions -----------------------------------------------------------------------------


def shown_panels(nets, said=None):
    points = Dataset(CIRCLES.X[:50], CIRCLES.y[:50])
    panels = [Panel(f"{n}", net, points, points) for n, net in enumerate(nets)]
    values = {}
    for n, net in enumerate(nets):
        values |= named(net, f"panels.{n}.params")
        values |= {f"panels.{n}.{part}.X": points.X for part in ("train", "valid")}
        values |= {f"panels.{n}.{part}.y": points.y for part in ("train", "valid")}
    return panels, values


@pytest.fixture(scope="module")
def three():
    rng = np.random.default_rng(3)
    return [model.init(rng, 2, 3, 2).map(lambda p: p + rng.normal(size=p.shape)) for _ in range(3)]


def test_panels_have_the_errors_of_their_networks(three, tmp_path):
    use_style()
    panels, values = shown_panels(three)
    errors = {
        data.ROOT and round(float(np.mean(model.predict(n, CIRCLES.X[:50].T) != CIRCLES.y[:50])), 3)
        for n in three
    }
    assert len(errors) == 3  # so that it is seen when they are in another order
    svg = export(regions(panels, columns=3), "regions", tmp_path)
    assert judged("fig-l2", svg=svg, values=values).share == 1
    turned = export(regions(panels[::-1], columns=3), "regions", tmp_path)
    assert judged("fig-l2", svg=turned, values=values).share == pytest.approx(1 / 3)
    assert not judged("fig-l2", values=values).there


def test_one_network_three_times_or_other_points_earn_nothing(three, tmp_path):
    use_style()
    panels, values = shown_panels([three[0]] * 3)
    svg = export(regions(panels, columns=3), "regions", tmp_path)
    assert judged("fig-l2", svg=svg, values=values).share == 0
    panels, values = shown_panels(three)
    svg = export(regions(panels, columns=3), "regions", tmp_path)
    moved = values | {"panels.0.valid.X": values["panels.0.valid.X"] * 1.1}
    assert judged("fig-l2", svg=svg, values=moved).share == 0


# --- listings -------------------------------------------------------------------------------------


@pytest.fixture
def sources(tmp_path):
    (tmp_path / "mlp").mkdir()
    for name in ("loop", "model"):
        text = (data.ROOT / "mlp" / f"{name}.py").read_text()
        (tmp_path / "mlp" / f"{name}.py").write_text(text)
    return tmp_path


def test_a_listing_quotes_the_source_of_the_submission(sources):
    listing = quote(model.fprop, model.loss)
    assert judged("lst-fprop", listing, folder=sources).share == 1
    assert judged("lst-fprop", listing.replace("W1 @ x", "x @ W1"), folder=sources).share == 0.5
    assert judged("lst-fprop", quote(model.loss), folder=sources).share == 0.5
    assert not judged("lst-fprop", "no code", folder=sources).there
    assert judged("lst-fprop", "```python\ndef fprop(:\n```\n", folder=sources).share == 0


def test_a_listing_of_what_is_not_written_yet_earns_nothing(sources):
    path = sources / "mlp" / "loop.py"
    path.write_text("def bprop(params, x, y):\n    raise NotImplementedError\n")
    listing = f"```python\n{path.read_text()}```\n"
    found = judged("lst-loop", listing, folder=sources)
    assert (found.share, found.says) == (0.0, "loop.bprop is not written yet")


def test_what_could_not_be_shown_says_why():
    why = replace(Finding(0.0, "tbl-single: NameError: x"), there=False)
    document = Document({}, {"tbl-single": why}, {})
    assert findings(document, RUBRIC, ["tbl-single"]) == {"tbl-single": why}
