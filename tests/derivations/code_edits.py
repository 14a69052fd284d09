"""Edits of the program: one place of one line that carries an equation out.

An edit is noticed if `derivations.program` finds the line, or a step of training, at fault, or else
if the package's own tests fail. Each is tried in a process of its own, on a copy of the package.
"""

import ast
import io
import random
import re
import shutil
import subprocess
import sys
import tempfile
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from literate.source import PACKAGE, ROOT

FILES = ("model", "loop", "penalty", "regularize", "fast")
JUDGES = {
    "derivations": (
        "-c",
        "from derivations import faults; from derivations.questions import load; "
        "raise SystemExit(bool(faults(load())))",
    ),
    "tests": (
        *("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"),
        *(f"tests/mlp/test_{file}.py" for file in (*FILES, "train", "functions")),
    ),
}
SKIPPED = ("class ", "def ", "return Params(", "assert ", "import ", "from ", "pieces = ")
PATTERNS = [
    (r" \+ ", " - "),
    (r" - ", " + "),
    (r" \* ", " / "),
    (r" / ", " * "),
    (r"(\w+(?:\.\w+)*) @ (\w+(?:\.\w+)*)", r"\2 @ \1"),
    (r" @ ", " * "),
    (r"\.T\b", ""),
    (r"(?<=W2)(?= @)", ".T"),
    (r"> 0", ">= 0"),
    (r"\b2 \* ", "3 * "),
    (r"\b1 - ", "2 - "),
    (r"axis=0", "axis=1"),
    (r"axis=1", "axis=0"),
    (r", keepdims=True", ""),
    (r"\bsum\(", "mean("),
    (r"np\.add\(", "np.subtract("),
    (r"np\.subtract\(", "np.add("),
    (r"np\.multiply\(", "np.divide("),
    (r"np\.divide\(", "np.multiply("),
    (r"np\.add\.reduce", "np.maximum.reduce"),
    (r"np\.maximum\.reduce", "np.minimum.reduce"),
    (r"np\.greater\(", "np.greater_equal("),
    (r"np\.exp\(", "np.tanh("),
    (r"\bl11\b", "l12"),
    (r"\bl12\b", "l11"),
    (r"\bl21\b", "l22"),
    (r"\bl22\b", "l21"),
    (r"\bl1\(", "l2_squared("),
    (r"\bl2_squared\(", "l1("),
    (r"\bgrad_l1\(", "grad_l2_squared("),
    (r"\bact\.hs\b", "act.ha"),
    (r"(?<!rect_prime\()\bact\.ha\b", "act.hs"),  # behind rect', the sign of hs is that of ha
    (r"\bact\.os\b", "act.oa"),
    (r"\bgrad_ha\b(?= @| =)", "grad_hs"),
    (r"\brect\(", "rect_prime("),
    (r"\brect_prime\(", "rect("),
    (r"\bsoftmax\(", "logsumexp("),
    (r"\blogsumexp\(", "softmax("),
    (r"\bonehot\(m, y\)", "0"),
    (r"\bactive\b(?=, out)", "1"),
    (r" \+ b[12]\b", ""),
    (r" / K\b", ""),
    (r"/ t\.shape\[1\]", "/ 1"),
    (r"\beta_i\b(?=\))", "2 * eta_i"),
    (r"\beta \* ", ""),
    (r"\bmu\b(?=, out)", "1"),
    (r"== i\b|\[i\]", "[0]"),
]  # fmt: skip


class CodeEdit(NamedTuple):
    """One edit of a line of the package."""

    file: str
    line: int
    was: str
    now: str


def code_edits(count: int, seed: int) -> list[CodeEdit]:
    """Up to `count` different edits, drawn with the seed."""
    every = sorted({edit for file in FILES for edit in _of_a_file(file)})
    return random.Random(seed).sample(every, min(count, len(every)))


def _of_a_file(file: str) -> Iterator[CodeEdit]:
    text = (PACKAGE / f"{file}.py").read_text(encoding="utf-8")
    code = _code_lines(text) - _set_up(text)
    for number, row in enumerate(text.split("\n"), 1):
        statement = row.split("  # ")[0]
        if number not in code or not row.startswith("    ") or row.strip().startswith(SKIPPED):
            continue
        for pattern, new in PATTERNS:
            for found in re.finditer(pattern, statement):
                now = statement[: found.start()] + found.expand(new) + statement[found.end() :]
                if now != statement:
                    yield CodeEdit(file, number, row, now + row[len(statement) :])


def _code_lines(text: str) -> set[int]:
    """The lines with code that is no text in quotes."""
    found = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.NAME, tokenize.OP, tokenize.NUMBER):
            found.add(token.start[0])
    return found


def _set_up(text: str) -> set[int]:
    """The lines of constructors: which buffers and blocks there are changes no equation."""
    constructors = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.name == "__init__"
    ]
    return {n for node in constructors for n in range(node.lineno, (node.end_lineno or 0) + 1)}


def notices(edit: CodeEdit) -> str:
    """What notices an edit: the derivations, the tests of the package; empty if nothing does.

    Raises RuntimeError if the same fails without the edit.
    """
    rows = (PACKAGE / f"{edit.file}.py").read_text(encoding="utf-8").split("\n")
    rows[edit.line - 1] = edit.now
    for name, command in JUDGES.items():
        if _fails(edit.file, "\n".join(rows), command):
            if _fails_anyway(command):
                raise RuntimeError(f"the {name} fail without any edit of the program")
            return name
    return ""


@cache
def _fails_anyway(command: tuple[str, ...]) -> bool:
    """Whether a command fails on the package as it is."""
    return _fails("model", (PACKAGE / "model.py").read_text(encoding="utf-8"), command)


def _fails(file: str, text: str, command: tuple[str, ...]) -> bool:
    """Whether a command fails on a copy of the package in which a file has another text."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for path in ROOT.iterdir():
            if path != PACKAGE and not path.name.startswith("."):
                (copy / path.name).symlink_to(path)
        shutil.copytree(PACKAGE, copy / "mlp", ignore=shutil.ignore_patterns("__pycache__"))
        (copy / "mlp" / f"{file}.py").write_text(text, encoding="utf-8")
        environment = {"PYTHONPATH": folder, "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, "-B", *command],
            cwd=copy,
            env=environment,
            capture_output=True,
            check=False,
        )
    return done.returncode != 0
