import ast
import shutil
import subprocess
import sys

import numpy as np
import pytest

from mlp.data import ROOT, Dataset, Splits
from mlp.lab import origin

READING = {"mlp.files", "mlp.messages"}  # what data and settings are read by


@pytest.fixture
def package(tmp_path):
    """A copy of the package, to be changed."""
    shutil.copytree(origin.PACKAGE, tmp_path / "mlp", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "mlp"


def changed(package):
    """The modules whose digests differ in a changed copy."""
    old, new = origin.code(origin.TRAINING), origin.code(origin.TRAINING, package)
    assert set(old) <= set(new)
    return [module for module in new if new[module] != old.get(module)]


def edit(package, module, old, new):
    path = package / f"{module}.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_what_trains_is_every_module_that_training_loads_but_for_what_is_recorded_itself():
    code = (
        "import sys; import mlp.train, mlp.fast; from pathlib import Path; "
        "print(*sorted(n for n, m in sys.modules.items() if n.startswith('mlp.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert loaded > origin.GIVEN
    assert set(origin.code(origin.TRAINING)) == loaded - origin.GIVEN - READING


def test_a_copy_of_the_code_has_the_same_digests(package):
    assert changed(package) == []


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("model", "hs = rect(ha)", "hs = rect(ha + 0)"),
        ("functions", "return np.maximum(0, x)", "return np.maximum(1, x)"),
        ("penalty", "l12 * grad_l2_squared(W1)", "l11 * grad_l2_squared(W1)"),
        ("fast", "STRIP = 2**15", "STRIP = 2**14"),
        ("train", "p - eta * v", "p - v * eta"),
    ],
)
def test_a_module_whose_code_is_changed_is_named(package, module, old, new):
    edit(package, module, old, new)
    assert changed(package) == [f"mlp.{module}"]


def test_how_data_and_settings_are_read_may_change(package):
    edit(package, "settings", "default=0.0", "default=0.5")
    edit(package, "data", "def split(", "def divide(")
    assert changed(package) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Squared L2 norm of all entries', '"""Sum of squares of all entries'),
        ("# @eq-l2-squared", "# the sum of squares"),
        ("return np.sum(np.square(x))", "return np.sum(\n        np.square(x),\n    )"),
        ("def l1(", "\n\n# --- norms ---\n\n\ndef l1("),
        ('"""The basic functions of part a', '"""Basic functions'),
    ],
)
def test_comments_docstrings_and_layout_may_change(package, old, new):
    edit(package, "functions", old, new)
    assert changed(package) == []


def test_a_string_that_is_used_is_code(package):
    edit(package, "train", 'schedule == "constant"', 'schedule == "cosine"')
    assert changed(package) == ["mlp.train"]


def test_what_training_does_not_import_may_change(package):
    edit(package, "log", "class Log", "class Table")
    assert changed(package) == []


def test_a_module_that_training_comes_to_import_counts_from_then_on(package):
    (package / "distort.py").write_text("from mlp import loop\n")
    edit(package, "regularize", "import numpy", "import mlp.distort\nimport numpy")
    assert changed(package) == ["mlp.distort", "mlp.loop", "mlp.regularize"]


def test_what_records_results_does_not_count(package):
    edit(package, "train", "import math", "import math\nfrom mlp.lab import store")
    assert changed(package) == ["mlp.train"]


def test_the_form_of_a_tree_leaves_out_what_versions_of_python_leave_empty():
    tree = ast.parse("def f(x): return x")
    with_empty = ast.parse("def f(x): return x")
    with_empty.body[0].type_params = []
    with_empty.body[0].type_comment = None
    assert origin.form(tree) == origin.form(with_empty)
    assert origin.form(tree) != origin.form(ast.parse("def f(x): return 'x'"))
    assert repr(origin.form(ast.parse("a = 1"))) != repr(origin.form(ast.parse("a = 1.0")))


# --- data ----------------------------------------------------------------------------------------


@pytest.fixture
def splits():
    rng = np.random.default_rng(0)
    return Splits(*(Dataset(rng.random((n, 3)), rng.permutation(n)) for n in (5, 4, 3)))


def test_the_data_are_told_part_by_part(splits):
    digests = origin.arrays(splits)
    assert list(digests) == ["train", "valid", "test"]
    assert len(set(digests.values())) == 3
    assert origin.arrays(splits) == digests


@pytest.mark.parametrize(
    "change",
    [
        lambda X, y: (X[::-1], y),
        lambda X, y: (X, y[::-1]),
        lambda X, y: (X.astype(np.float32), y),
        lambda X, y: (X.T, y),
        lambda X, y: (X + 1e-15, y),
        lambda X, y: (X[:0], y[:0]),
    ],
)
def test_another_order_another_type_and_the_last_bit_of_data_are_noticed(splits, change):
    other = splits._replace(valid=Dataset(*change(*splits.valid)))
    old, new = origin.arrays(splits), origin.arrays(other)
    assert old["valid"] != new["valid"]
    assert (old["train"], old["test"]) == (new["train"], new["test"])


def test_the_same_numbers_in_another_layout_are_the_same_data(splits):
    X, y = splits.train
    other = splits._replace(train=Dataset(np.asfortranarray(X), y))
    assert origin.arrays(other) == origin.arrays(splits)
