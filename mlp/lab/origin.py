"""What a result depends on: the code that computed it and its data, each told by a digest.

The code is that of modules of the package, found from their imports. What counts of it is what
Python runs: comments, docstrings and layout may change, and a result still belongs to its code.
"""

import ast
import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mlp.data import Splits
from mlp.functions import Array

PACKAGE = Path(__file__).resolve().parents[1]
TRAINING = ("mlp.train", "mlp.fast")  # what trains and evaluates, with all that these import
RECORDING = "mlp.lab."
GIVEN = {"mlp.data", "mlp.settings"}  # what these give is recorded itself: arrays and settings


def digest(*contents: bytes | memoryview) -> str:
    """The first 16 hexadecimal digits of the SHA-256 sum of these, one after the other."""
    total = hashlib.sha256()
    for content in contents:
        total.update(content)
    return total.hexdigest()[:16]


# --- code ----------------------------------------------------------------------------------------


def code(roots: Iterable[str], package: Path = PACKAGE) -> dict[str, str]:
    """The digest of each module that the roots import, directly or not, and of the roots.

    `package` is the folder of the modules. Its __init__ files, which compute nothing, its `lab`,
    which records what others compute, and what reads data and settings do not count.
    """
    digests: dict[str, str] = {}
    waiting = sorted(roots, reverse=True)
    while waiting:
        module = waiting.pop()
        if module not in digests:
            digests[module], imported = _read(_file(module, package), package)
            waiting.extend(imported)
    return dict(sorted(digests.items()))


@functools.cache
def _read(path: Path, package: Path) -> tuple[str, frozenset[str]]:
    """The digest of a module, and what it imports; as it was when this process first asked."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return digest(repr(form(tree)).encode()), frozenset(imports(tree, package))


def imports(tree: ast.Module, package: Path = PACKAGE) -> set[str]:
    """The modules of the package that this code imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            names.add(f"{node.module}")
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    modules = {name for name in names if _file(name, package).is_file()}
    return {name for name in modules - GIVEN if not name.startswith(RECORDING)}


def _file(module: str, package: Path) -> Path:
    """Where a module of this name is, if it is one."""
    return package.parent / (module.replace(".", "/") + ".py")


def form(node: object) -> object:
    """A syntax tree as nested lists without docstrings, alike in all versions of Python."""
    if isinstance(node, list):
        return [form(part) for part in node]
    if not isinstance(node, ast.AST):
        return node
    fields = []
    for name, value in ast.iter_fields(node):
        if name == "body" and _has_docstring(node):
            value = value[1:]
        if value not in (None, []):  # versions differ in what they leave empty
            fields.append((name, form(value)))
    return [type(node).__name__, *fields]


def _has_docstring(node: ast.AST) -> bool:
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None


# --- data ----------------------------------------------------------------------------------------


def arrays(splits: Splits) -> dict[str, str]:
    """The digest of the examples and classes of each part, as they are when training begins."""
    return {name: digest(*_bytes(X), *_bytes(y)) for name, (X, y) in splits._asdict().items()}


def _bytes(array: Array) -> tuple[bytes, memoryview]:
    """Type and shape, and the numbers."""
    return f"{array.dtype} {array.shape}".encode(), np.ascontiguousarray(array).data
