"""Whatever stands in a file from outside is read, or refused in one line that names it.

A sample of inputs; `pytest --hypothesis-profile full tests/mlp/lab/test_hostile.py` tries more.
"""

import dataclasses
import gzip
import math
import shutil
import string

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlp import data, log
from mlp.data import DataError
from mlp.lab import ensemble, evidence, experiment, search, space, store, summary
from mlp.log import LogError
from mlp.messages import LONG, SHORT, line, shown
from mlp.settings import Settings, SettingsError
from tests.conftest import EXPERIMENT, changed
from tests.mlp.lab.conftest import SEARCH

REFUSALS = SettingsError, LogError, DataError

# --- inputs --------------------------------------------------------------------------------------

KINDS = st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.dates()
SCALARS = st.one_of(*KINDS, st.integers(-(10**420), 10**420), st.binary(max_size=5))
NAMES = SCALARS.filter(lambda key: key == key)  # nan is no key


def _lists_and_mappings(inside):
    return st.lists(inside, max_size=4) | st.dictionaries(NAMES, inside, max_size=4)


VALUES = st.recursive(SCALARS, _lists_and_mappings, max_leaves=8)
TAGS = "!!int", "!!float", "!!bool", "!!timestamp", "!!binary", "!!set", "!!omap", "!!null", "!x"
ODDITIES = [
    *("[" * 3000, "{a: " * 3000, "- " * 500, "? ", "&a [*a]", "*a", "<<: *a", "<<: {K: 3}", "---"),
    *("0x" + "F" * 9000, "1:" * 2000 + "1", ".inf", ".nan", "-0", "1e999", "2020-99-99", "..."),
    *('"\\ud800"', '"a\\0b"', "''", "|\n x", "é", "\x00", "\ufeff", "\x85", "\u2028"),
    *("..", "../x", "/etc/passwd", "[1, 1]", "[[1]]", "{}", "[]", "{low: 1, high: 2}"),
    *("{low: 1e-320, high: 1e99, log: true}", "{low: -1e400, high: .inf}", "%YAML 9.9"),
]
SETTINGS = [setting.name for setting in dataclasses.fields(Settings)]
KEYS = [*experiment.RULES, *SETTINGS, "search", "average"]
HOW = ["method", "trials", "seed", "first", "factor", "x"]


def mutated(content):
    """A strategy for bytes that differ from these in a few places, or end too soon."""
    place = st.integers(0, len(content))
    new = st.binary(max_size=6) | st.sampled_from([b"\n", b",", b"9" * 400, b"-"])
    edits = st.lists(st.tuples(place, st.integers(0, 12), new), max_size=3)

    def apply(edits, end):
        found = content
        for start, cut, put in edits:
            found = found[:start] + put + found[start + cut :]
        return found[:end]

    return st.builds(apply, edits, st.none() | place)


@st.composite
def texts(draw, text):
    """YAML like this text, with other values, tags and oddities here and there."""
    keys = yaml.safe_load(text)
    for _ in range(draw(st.integers(0, 2))):
        keys[draw(st.sampled_from(KEYS))] = draw(VALUES)
    if isinstance(keys.get("search"), dict) and draw(st.booleans()):
        keys["search"][draw(st.sampled_from(HOW))] = draw(VALUES)
    lines = yaml.safe_dump(keys, allow_unicode=draw(st.booleans())).splitlines()
    for _ in range(draw(st.integers(0, 2))):
        key, value = draw(st.sampled_from(KEYS)), draw(st.sampled_from(ODDITIES))
        tag = draw(st.sampled_from(["", "", *TAGS]))
        lines = [row for row in lines if not row.startswith(f"{key}:")]
        lines.insert(draw(st.integers(0, len(lines))), f"{key}: {tag} {value}")
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def assert_one_line(error, *names):
    """An error is one short line, which names these."""
    said = str(error)
    assert "\n" not in said
    assert len(said) < LONG + 200
    for name in names:
        assert str(name) in said


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("hostile")


# --- settings, names and values ------------------------------------------------------------------


@given(content=texts(EXPERIMENT) | mutated(EXPERIMENT.encode()) | st.binary())
def test_a_file_of_settings_is_an_experiment_or_refused_in_one_line(folder, content):
    path = folder / "small.yml"
    path.write_bytes(content)
    try:
        found = ensemble.load(path)
    except SettingsError as error:
        assert_one_line(error, path)
    else:
        assert found.name == "small"


@given(content=texts(SEARCH) | mutated(SEARCH.encode()))
def test_a_file_of_a_search_is_a_search_or_refused_in_one_line(folder, content):
    path = folder / "small.yml"
    path.write_bytes(content)
    try:
        found = space.load(path)
    except SettingsError as error:
        assert_one_line(error, path)
    else:
        assert 1 <= len(found.trials) <= space.MOST_TRIALS


ODD_NAMES = st.text(string.printable + "é\x00\ud800", max_size=8)


@given(name=ODD_NAMES | st.sampled_from(["..", "...", "a/..", "~"]))
def test_a_name_leads_into_the_folder_of_results_or_is_refused(folder, name):
    try:
        experiment.require_plain(name)
    except SettingsError as error:
        assert_one_line(error)
    else:
        assert (folder / name).resolve().parent == folder.resolve()


BOMBS = st.builds(lambda n: [[[["x" * n] * n] * n] * n], st.integers(0, 300))


@given(value=VALUES | st.lists(st.integers()) | BOMBS)
def test_any_value_is_shown_in_a_short_line(value):
    assert shown(value).isprintable()
    assert len(shown(value)) <= SHORT


@given(text=st.text(max_size=900))
def test_any_text_is_cut_to_a_line(text):
    assert line(text, SHORT).isprintable()
    assert len(line(text, SHORT)) <= SHORT


# --- logs, summaries, checkpoints ----------------------------------------------------------------

TINY = changed(seeds=[3], epochs=2, d_h=2, K=90)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The folder of a finished run."""
    (run,) = experiment.run(experiment.parse(TINY, "tiny"), tmp_path_factory.mktemp("recorded"))
    return run


@given(draw=st.data())
def test_a_log_is_read_or_refused_in_one_line(folder, recorded, draw):
    path = folder / "log.csv"
    path.write_bytes(draw.draw(mutated((recorded / "log.csv").read_bytes())))
    try:
        records = log.read(path)
    except LogError as error:
        assert_one_line(error, path)
    else:
        assert [record.epoch for record in records] == list(range(1, 1 + len(records)))


TRIALS = b"""round,trial,epochs,best_epoch,valid_error,valid_loss,d_h
1,0,1,1,0.5,0.5,2
1,1,1,1,0.25,0.5,5
"""


@given(content=mutated(TRIALS))
def test_a_table_of_trials_is_read_or_refused_in_one_line(folder, content):
    (folder / "trials.csv").write_bytes(content)
    (folder / "settings.yml").write_text("trials: [{d_h: 2}, {d_h: 5}]\n")
    try:
        rows = search.table(folder)
    except LogError as error:
        assert_one_line(error, folder / "trials.csv")
    else:
        assert all(row["d_h"] == (2, 5)[row["trial"]] for row in rows)


@given(draw=st.data())
def test_a_summary_is_read_or_refused_in_one_line(folder, recorded, draw):
    (folder / "summary.yml").write_bytes(
        draw.draw(mutated((recorded / "summary.yml").read_bytes()))
    )
    of_figures = experiment.describe, summary.pace, summary.machine, summary.first_losses
    for use in (*of_figures, summary.edited):
        try:
            use(folder)
        except SettingsError as error:
            assert_one_line(error, folder / "summary.yml")


def assert_possible_or_refused(path):
    """A checkpoint holds a state that training can leave behind, or is refused in one line."""
    try:
        state, seconds = store.restore(path)
    except SettingsError as error:
        assert_one_line(error, path, "delete it")
        return
    assert 1 <= state.chosen.epoch <= state.epoch
    assert 0 <= seconds < math.inf
    for params in (state.params, state.velocity, state.best):
        assert [array.shape for array in params] == [array.shape for array in state.params]
        assert all(np.isfinite(array).all() for array in params)


@given(draw=st.data())
def test_a_checkpoint_is_a_state_of_training_or_refused_in_one_line(folder, recorded, draw):
    path = folder / "checkpoint.npz"
    path.write_bytes(draw.draw(mutated((recorded / "checkpoint.npz").read_bytes())))
    assert_possible_or_refused(path)


ARRAYS = st.builds(
    lambda shape, dtype, value: np.full(shape, value).astype(dtype),
    st.sampled_from([(), (1,), (2, 2), (2, 1), (7,), (0, 2), (2, 2, 1)]),
    st.sampled_from(["f4", "f8", "f2", "i8", "U3", "?"]),
    st.sampled_from([0, 1, 2, 3.5, -1, 1e4]),
)


@given(draw=st.data())
def test_a_checkpoint_of_other_arrays_is_possible_or_refused_in_one_line(folder, recorded, draw):
    with np.load(recorded / "checkpoint.npz") as saved:
        arrays = dict(saved)
    for name in draw.draw(st.lists(st.sampled_from(sorted(arrays)), min_size=1, max_size=3)):
        arrays[name] = draw.draw(ARRAYS)
    np.savez(folder / "checkpoint.npz", **arrays)
    assert_possible_or_refused(folder / "checkpoint.npz")


@given(draw=st.data())
def test_a_run_whose_files_are_damaged_ends_or_is_refused_in_one_line(folder, recorded, draw):
    run = folder / "results" / "tiny" / "seed-3"
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(parents=True)
    contents = {path.name: path.read_bytes() for path in recorded.iterdir()}
    some = st.lists(st.sampled_from(sorted(contents)), max_size=2, unique=True)
    for name in draw.draw(some):
        contents[name] = draw.draw(st.none() | mutated(contents[name]))
    if draw.draw(st.booleans()):
        contents["summary.yml"] = None
    for name, content in contents.items():
        if content is not None:
            (run / name).write_bytes(content)
    try:
        experiment.describe(*experiment.run(experiment.parse(TINY, "tiny"), folder / "results"))
        faults = evidence.run_faults(run) + evidence.prediction_faults(run, None)
    except REFUSALS as error:
        assert_one_line(error, run)
    else:
        assert all("\n" not in fault for fault in faults)


# --- data ----------------------------------------------------------------------------------------

HEADER = b"\0\0\x08\3" + bytes([0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 3])
IDX = HEADER + bytes(range(18))


@given(content=mutated(gzip.compress(IDX)) | mutated(IDX).map(gzip.compress))
def test_an_idx_file_is_an_array_or_refused_in_one_line(folder, content):
    path = folder / "images.gz"
    path.write_bytes(content)
    try:
        found = data.read_idx(path)
    except DataError as error:
        assert_one_line(error, path)
    else:
        assert found.dtype == np.uint8
        assert found.size


CIRCLES = [b"0.5 0.25 1.0\n-0.5 0.75 0.0\n", b"1e300 1 1\ninf 1 0\n1e3 1 0\n"]


@given(content=st.sampled_from(CIRCLES).flatmap(mutated))
def test_a_file_of_circles_is_points_or_refused_in_one_line(folder, content):
    path = folder / "circles.txt"
    path.write_bytes(content)
    try:
        found = data.read_circles(path)
    except DataError as error:
        assert_one_line(error, path)
    else:
        assert np.abs(found.X).max() <= data.FARTHEST
        assert set(found.y.tolist()) == {0, 1}
        data.same_points(found, data.generate_circles(10))
