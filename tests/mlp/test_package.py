import importlib.metadata
import math
import os
import shutil
import subprocess
import sys
import time
import tomllib
import venv
import zipfile

import pytest
from packaging.requirements import Requirement

import mlp
from mlp.data import IN_CHECKOUT, ROOT

BUILD = "from setuptools import build_meta; build_meta.build_wheel('.')"
CIRCLES = "data: circles\nvalid: 100\nseeds: [0]\nd_h: 5\neta: 0.3\nepochs: 2\nK: 50\n"
SEARCH = CIRCLES.replace("d_h: 5", "d_h: [2, 3]") + "search: {method: grid}\n"
EXAMPLES = """
import doctest, importlib, pkgutil, mlp
failed, attempted = doctest.testmod(mlp)
for found in pkgutil.iter_modules(mlp.__path__, "mlp."):
    more = doctest.testmod(importlib.import_module(found.name))
    failed, attempted = failed + more.failed, attempted + more.attempted
print(failed, "failed of", attempted)
"""
COMMAND = """
from importlib.metadata import entry_points
(command,) = entry_points(group="console_scripts", name="mlp")
print(command.load()(["check"]))
"""


def own_environment():
    """The variables of this process without those that lead Python back to this checkout."""
    dropped = ("PYTHON", "MLP_")
    return {name: value for name, value in os.environ.items() if not name.startswith(dropped)}


# --- what the package offers -----------------------------------------------------------------


def test_the_public_interface_can_be_imported_and_is_documented():
    assert mlp.__all__ == sorted(set(mlp.__all__))
    for name in mlp.__all__:
        found = getattr(mlp, name)
        assert found.__doc__, name
        assert found.__module__ in {f"mlp.{home}" for home in mlp.HOMES}, name


def test_a_name_that_is_not_in_the_interface_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'mlp' has no attribute 'np'"):
        mlp.np  # noqa: B018


def test_importing_the_package_takes_little_more_than_importing_numpy():
    least = {"numpy": math.inf, "mlp": math.inf}
    for _ in range(5):
        for name in least:
            begun = time.perf_counter()
            subprocess.run([sys.executable, "-c", f"import {name}"], cwd=ROOT, check=True)
            least[name] = min(least[name], time.perf_counter() - begun)
    assert least["mlp"] < 1.3 * least["numpy"]


def test_in_a_checkout_everything_starts_from_its_top():
    assert IN_CHECKOUT
    assert (ROOT / "report.qmd").is_file()


# --- installed, out of reach of the checkout -------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The package as it is built from what a clone holds."""
    source = tmp_path_factory.mktemp("source")
    for room in ("mlp", "figures", "literate", "derivations", "render"):
        shutil.copytree(ROOT / room, source / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "data", source / "data", ignore=shutil.ignore_patterns("*-ubyte*"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    subprocess.run([sys.executable, "-c", BUILD], cwd=source, capture_output=True, check=True)
    return next(source.glob("*.whl"))


def required():
    """What the package requires without extras, and all that this requires in turn."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    waiting, found = [Requirement(text) for text in project["dependencies"]], {}
    while waiting:
        requirement = waiting.pop()
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if wanted and requirement.name not in found:
            found[requirement.name] = importlib.metadata.distribution(requirement.name)
            waiting += [Requirement(text) for text in found[requirement.name].requires or []]
    return found.values()


@pytest.fixture(scope="module")
def installed(tmp_path_factory, wheel):
    """Run the Python of an environment that holds the package and what it requires alone."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    site = next(folder.glob("lib/python*/site-packages"))
    zipfile.ZipFile(wheel).extractall(site)
    for distribution in required():
        for name in {file.parts[0] for file in distribution.files} - {"..", "__pycache__"}:
            (site / name).symlink_to(distribution.locate_file(name))

    def run(folder, *arguments, **variables):
        return subprocess.run(
            [python, *arguments],
            cwd=folder,
            env=own_environment() | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_wheel_holds_the_package_and_its_checksums_and_claims_no_other_name(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"mlp"}
    assert "mlp/checksums/fashion-mnist.md5" in names
    here = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("mlp/**/*.py")}
    assert {name for name in names if name.endswith(".py")} == here


def test_the_package_and_what_it_requires_are_small(wheel):
    files = [distribution.locate_file(f) for distribution in required() for f in distribution.files]
    assert sum(file.stat().st_size for file in files if file.is_file()) < 150e6
    assert wheel.stat().st_size < 1e6


def test_the_command_stands_for_the_command_line(installed, tmp_path):
    done = installed(tmp_path, "-c", COMMAND)
    assert done.stdout.endswith("\n0\n"), done.stderr


def test_a_circles_file_trains_and_results_stand_in_the_working_folder(installed, tmp_path):
    (tmp_path / "small.yml").write_text(CIRCLES)
    done = installed(tmp_path, "-m", "mlp", "train", "small.yml")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "results" / "small" / "seed-0" / "summary.yml").is_file()


@pytest.mark.parametrize("variables", [{}, {"MLP_DATA": "elsewhere"}])
def test_data_are_looked_for_in_the_working_folder_and_checked(installed, tmp_path, variables):
    folder = tmp_path / variables.get("MLP_DATA", "data")
    folder.mkdir()
    (folder / "train-images-idx3-ubyte.gz").write_text("something else")
    done = installed(tmp_path, "-m", "mlp", "data", **variables)
    assert done.returncode == 2
    assert f"{folder.name}/train-images-idx3-ubyte.gz: MD5 sum" in done.stderr
    assert done.stderr.endswith("delete it and run: python -m mlp data\n")
    assert done.stderr.count("\n") == 1


def test_a_search_without_joblib_says_in_one_line_what_it_needs(installed, tmp_path):
    (tmp_path / "small.yml").write_text(SEARCH)
    done = installed(tmp_path, "-m", "mlp", "search", "small.yml")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "mlp search: joblib is not installed; pip install joblib\n"
    assert not (tmp_path / "results").exists()


def test_examples_in_docstrings_run(installed, tmp_path):
    done = installed(tmp_path, "-c", EXAMPLES)
    assert done.stdout.startswith("0 failed"), done.stdout + done.stderr
    assert int(done.stdout.split()[-1]) > 20
