"""report.qmd as data: front matter, prose, chunks and their options, each with its line."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]

# The dialect: what the direct route understands. Anything else is refused, never dropped.
CHUNK_OPTIONS = {
    "label": str,
    "echo": bool,
    "include": bool,
    "output": bool,
    "fig-cap": str,
    "fig-alt": str,
    "tbl-cap": str,
    "lst-cap": str,
}
FORMATS = ("typst", "html", "pdf", "ipynb")
REFERENCES = {"eq": "Equation", "fig": "Figure", "tbl": "Table", "lst": "Listing", "sec": "Section"}

FENCE = re.compile(r"^(`{3,}|~{3,})(.*)$")
CHUNK = re.compile(r"^```+\s*\{python\}\s*$")
INLINE = re.compile(r"`\{python\}\s*([^`]+?)\s*`")


class ReportError(ValueError):
    """A fault in the report; the message names file, line and remedy."""


@dataclasses.dataclass(frozen=True)
class Prose:
    """Markdown between chunks."""

    text: str
    line: int


@dataclasses.dataclass(frozen=True)
class Chunk:
    """An executable chunk: its code without the option lines."""

    code: str
    line: int
    options: dict[str, Any]

    @property
    def label(self) -> str:
        """The label, or where the chunk stands."""
        return str(self.options.get("label", f"chunk in line {self.line}"))


def read(path: Path) -> tuple[dict[str, Any], list[Prose | Chunk]]:
    """Front matter and parts of a .qmd file. Raises ReportError where it leaves the dialect."""
    lines = path.read_text(encoding="utf-8").splitlines()
    parts: list[Prose | Chunk] = []
    meta: dict[str, Any] = {}
    start = 0
    if lines and lines[0] == "---":
        start = lines.index("---", 1) + 1
        meta = yaml.safe_load("\n".join(lines[1 : start - 1])) or {}
    prose, i, begun = [], start, start
    while i < len(lines):
        fence = FENCE.match(lines[i])
        if not fence:
            prose.append(lines[i])
            i += 1
            continue
        end = next((j for j in range(i + 1, len(lines)) if lines[j].rstrip() == fence[1]), None)
        if end is None:
            raise ReportError(f"{path.name}:{i + 1}: this fence is never closed")
        if CHUNK.match(lines[i]):
            if "".join(prose).strip():
                parts.append(Prose("\n".join(prose), begun + 1))
            parts.append(_chunk(path, lines[i + 1 : end], i + 1))
            prose, begun = [], end + 1
        elif fence[2].strip().startswith("{") and not fence[2].strip().startswith("{."):
            raise ReportError(f"{path.name}:{i + 1}: only {{python}} chunks run, not {fence[2]}")
        else:
            prose += lines[i : end + 1]
        i = end + 1
    if "".join(prose).strip():
        parts.append(Prose("\n".join(prose), begun + 1))
    return meta, parts


def _chunk(path: Path, lines: list[str], line: int) -> Chunk:
    head = [text for text in lines if text.startswith("#|")]
    try:
        options = yaml.safe_load("\n".join(text[2:] for text in head)) or {}
    except yaml.YAMLError as error:
        raise ReportError(f"{path.name}:{line}: chunk options are not YAML: {error}") from error
    for key, value in options.items():
        if key not in CHUNK_OPTIONS:
            known = ", ".join(CHUNK_OPTIONS)
            raise ReportError(f"{path.name}:{line}: unknown chunk option {key!r}; known: {known}")
        if type(value) is not CHUNK_OPTIONS[key]:
            kind = CHUNK_OPTIONS[key].__name__
            raise ReportError(f"{path.name}:{line}: {key} is {value!r}; it must be a {kind}")
    return Chunk("\n".join(lines[len(head) :]), line, options)
