"""Which submissions have the same shape of derivations or code: a hint to look, no more.

Names and numbers of code, and the letters of formulas, do not count, nor does layout. What is left
is cut into overlapping pieces, of which winnowing keeps some (Schleimer, Wilkerson and Aiken,
*Winnowing*, SIGMOD 2003): wherever two texts share a long enough stretch, they share one of these.
What the students were given, and what much of the class has in common, is taken out.
"""

import ast
import json
import sys
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence, Set
from hashlib import blake2b
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from derivations.read import macros, tokens
from grading.submission import opened
from literate.reader import parse

LONG = {"code": 24, "formulas": 12}  # tokens of a piece
WINDOW = 8  # pieces, of which the one with the least digest is kept
COMMON = 0.2  # of the class: what more of them have is nobody's own
FEW = 3  # submissions, which are never much of a class
ENOUGH = 20  # pieces of one's own, below which nothing is said
ALIKE = 0.5  # share of pieces in common from which on two are listed
LARGEST = 2**20  # characters of a file that is read


class Prints(NamedTuple):
    """Digests of pieces, of all code and of all displayed formulas."""

    code: frozenset[int]
    formulas: frozenset[int]


class Pair(NamedTuple):
    """Two submissions, and the share of what either has that both have; 0 if that is little."""

    first: str
    second: str
    code: float
    formulas: float


NOTHING = Prints(frozenset(), frozenset())


def prints(files: Mapping[str, str]) -> Prints:
    """The digests of a submission's files, by name. What cannot be read has none."""
    code, formulas = set[int](), set[int]()
    for name, text in files.items():
        if name.endswith(".py"):
            code |= _winnowed(_shape_of_code(text), LONG["code"])
    text = files.get("report.qmd", "")
    report, known = parse(text), macros(text)
    for chunk in report.chunks:
        code |= _winnowed(_shape_of_code(chunk.code), LONG["code"])
    for display in report.displays:
        try:
            found = [token.text for token in tokens(display.latex, display.line, known)]
        except ValueError:
            continue  # a macro without end
        formulas |= _winnowed(_shape_of_formula(found), LONG["formulas"])
    return Prints(frozenset(code), frozenset(formulas))


def alike(of: Mapping[str, Prints]) -> list[Pair]:
    """The pairs that share at least ALIKE, the most alike first."""
    own = _own(of)
    pairs = [
        Pair(
            one,
            other,
            _shared(own[one].code, own[other].code),
            _shared(own[one].formulas, own[other].formulas),
        )
        for one, other in combinations(sorted(own), 2)
    ]
    found = [pair for pair in pairs if max(pair.code, pair.formulas) >= ALIKE]
    return sorted(found, key=lambda pair: (-pair.code - pair.formulas, pair))


def _own(of: Mapping[str, Prints]) -> dict[str, Prints]:
    """What each has that not much of the class has."""
    code, formulas = (_common([each[kind] for each in of.values()]) for kind in (0, 1))
    return {name: Prints(each.code - code, each.formulas - formulas) for name, each in of.items()}


def _common(of: Sequence[Set[int]]) -> set[int]:
    """The pieces that much of the class has."""
    counts = Counter(piece for each in of for piece in each)
    return {piece for piece, count in counts.items() if count > max(FEW, COMMON * len(of))}


def _shared(one: Set[int], other: Set[int]) -> float:
    """What two have in common, of what either has (the Jaccard index)."""
    if min(len(one), len(other)) < ENOUGH:
        return 0.0
    return len(one & other) / len(one | other)


# --- shapes --------------------------------------------------------------------------------------


def _shape_of_code(text: str) -> list[str]:
    """The kinds of the nodes of a syntax tree, depth first; of names, none."""
    try:
        waiting: list[ast.AST] = [ast.parse(text)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found = []
    while waiting:
        node = waiting.pop()
        if not isinstance(node, ast.expr_context):
            found.append(type(node).__name__)
            waiting += reversed([child for child in ast.iter_child_nodes(node) if _counts(child)])
    return found


def _counts(node: ast.AST) -> bool:
    """Whether a node is more than a text that nobody uses, such as a docstring."""
    return not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _shape_of_formula(found: Sequence[str]) -> list[Hashable]:
    """The tokens of a formula, each letter told by the place at which it comes first."""
    letters: dict[str, int] = {}
    return [
        letters.setdefault(token, len(letters)) if len(token) == 1 and token.isalpha() else token
        for token in found
    ]


def _winnowed(shape: Sequence[Hashable], long: int) -> set[int]:
    """The least digest of each window of pieces."""
    pieces = [_digest(shape[i : i + long]) for i in range(max(0, len(shape) - long + 1))]
    last = max(1, len(pieces) - WINDOW + 1)
    return {min(pieces[i : i + WINDOW]) for i in range(last)} if pieces else set()


def _digest(piece: Sequence[Hashable]) -> int:
    return int.from_bytes(blake2b(repr(piece).encode(), digest_size=6).digest(), "big")


# --- of a submission, in a process of its own ----------------------------------------------------


def sources(folder: Path) -> Iterator[tuple[str, str]]:
    """Names and texts of a submission's report and Python files."""
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if (path.suffix == ".py" or name == "report.qmd") and path.is_file():
            with path.open(encoding="utf-8", errors="replace") as file:
                yield name, file.read(LARGEST)


def main(path: str) -> None:
    """Print the digests of a submission as JSON."""
    with opened(path) as folder:
        found = prints(dict(sources(folder)))
    print(json.dumps({kind: sorted(digests) for kind, digests in found._asdict().items()}))


def read(text: str) -> Prints:
    """What `main` has printed. Raises ValueError."""
    try:
        said = json.loads(text)
        return Prints(*(frozenset(map(int, said[kind])) for kind in Prints._fields))
    except (KeyError, TypeError) as error:
        raise ValueError(f"no digests: {error!r}") from error


if __name__ == "__main__":
    main(sys.argv[1])
