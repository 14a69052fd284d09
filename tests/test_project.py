"""What holds for the project as a whole: imports between rooms, pins, versions, the pages on it."""

import re
import shutil
import subprocess
import sys
import tomllib

import grimp
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mlp.data import ROOT

ROOMS = ("mlp", "figures", "literate", "derivations", "render", "grading")
CONTRACTS = "from importlinter.cli import lint_imports_command as main; main()"


# --- imports between the rooms ---------------------------------------------------------------


@pytest.fixture
def copy(tmp_path):
    """The rooms and their contracts in a folder where they may be broken."""
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def contracts_of(folder):
    return subprocess.run(
        [sys.executable, "-c", CONTRACTS, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(folder)},
        check=False,
    )


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("mlp/functions.py", "mlp.train"),
        ("mlp/model.py", "mlp.penalty"),
        ("mlp/train.py", "mlp.lab"),
        ("mlp/lab/__init__.py", "mlp.bench"),
        ("mlp/bench/__init__.py", "figures"),
        ("figures/__init__.py", "literate"),
        ("literate/__init__.py", "derivations"),
        ("derivations/__init__.py", "render"),
    ],
)
def test_an_import_against_the_order_of_the_rooms_is_refused(copy, module, imported):
    with (copy / module).open("a") as file:
        file.write(f"\nimport {imported}\n")
    done = contracts_of(copy)
    assert done.returncode == 1
    importer = module.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    assert f"{importer} -> {imported}" in done.stdout


def test_a_module_of_the_package_without_a_place_among_the_layers_is_refused(copy):
    (copy / "mlp" / "extra.py").write_text("")
    done = contracts_of(copy)
    assert done.returncode == 1
    assert "mlp.extra" in done.stdout


def room(module):
    """The room that a module lives in, by the name that it has in the drawing."""
    first, *rest = module.split(".")
    return rest[0] if rest and rest[0] in ("lab", "bench") else first


def test_the_drawing_of_the_rooms_shows_the_imports_as_they_are():
    graph = grimp.build_graph(*ROOMS, cache_dir=None)
    imports = set()
    for importer in graph.modules - {"mlp.__main__", "mlp.commands"}:
        for imported in graph.find_modules_directly_imported_by(importer):
            imports.add((room(importer), room(imported)))
    within = {(name, name) for name, _ in imports}
    page = (ROOT / "ARCHITECTURE.md").read_text()
    drawing = page.partition("```mermaid")[2].partition("```")[0]
    arrows = re.findall(r"^ *(\w+)(?:\[.*\])? --> (\w+)$", drawing, re.M)
    assert set(arrows) == imports - within


@pytest.mark.parametrize("page", ["README.md", "ARCHITECTURE.md"])
def test_the_pages_on_the_project_name_every_room(page):
    named = set(re.findall(r"`(\w+)/`", (ROOT / page).read_text()))
    assert set(ROOMS) | {"tests"} <= named


# --- pins and versions -----------------------------------------------------------------------


def names(requirements):
    return {canonicalize_name(Requirement(text).name) for text in requirements}


@pytest.mark.parametrize(
    ("file", "extras"),
    [
        ("requirements.txt", ["lab", "report"]),
        ("requirements-dev.txt", ["lab", "report", "dev"]),
        ("requirements-bench.txt", ["lab", "report", "bench"]),
    ],
)
def test_what_the_project_asks_for_is_pinned_with_hashes_and_without_addresses(file, extras):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"]]
    for extra in extras:
        asked += project["optional-dependencies"][extra]
    text = (ROOT / file).read_text()
    pins = re.findall(r"^(\S+==.*?) \\\n    --hash=sha256:[0-9a-f]{64}", text, re.M)
    assert len(pins) == len(re.findall(r"^[^\s#]", text, re.M))
    assert names(asked) - {"torch"} <= names(pins)  # requirements-torch.txt says why
    assert "://" not in text


def test_all_pages_name_the_same_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    changes = (ROOT / "CHANGELOG.md").read_text()
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == version
    assert re.findall(r"^## \[(\d+\.\d+\.\d+)\]", changes, re.M)[0] == version
