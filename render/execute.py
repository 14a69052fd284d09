"""Runs the chunks in a Jupyter kernel and puts their output in their place, as Markdown."""

import base64
import hashlib
import itertools
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from render.document import INLINE, ROOT, Chunk, Prose, ReportError

Output = list[dict[str, Any]]

# What the chunks read beside their own text: a change there makes every cached output stale.
WATCHED = (
    "mlp/**/*.py",
    "derivations/**/*.py",
    "results/**/*.*",
    "experiments/*",
    "figures/*.mplstyle",
)

SETUP = r"""
%config InlineBackend.figure_formats = ["svg"]
import re as _re
from IPython.core.formatters import format_display_data as _format
from IPython.display import display as _display
def _inline(*thunks):
    texts = []
    for thunk in thunks:
        value = thunk()
        escaped = _re.sub(r"([\\`*_{}\[\]()<>#+.!|$~^-])", r"\\\1", str(value))  # as Quarto does
        texts.append(_format(value)[0].get("text/markdown") or escaped)
    _display({"application/json": texts}, raw=True)
"""


class Cell(NamedTuple):
    """Code to run, where it stands, and what it reads beside the state of the kernel."""

    code: str
    line: int
    label: str
    reads: str = ""


class Session:
    """A kernel that lives from the first cell that must run, and the outputs known so far."""

    def __init__(self, cache: Path) -> None:
        """Outputs are kept as one JSON file a cell under `cache`."""
        self.cache = cache
        self.client: NotebookClient | None = None
        self.executed: list[str] = []  # keys of the cells that the living kernel has run

    def outputs(self, cells: list[Cell], salt: str, *, alive: bool = False) -> Iterator[Output]:
        """Yield the outputs of each cell, from the cache or from the kernel.

        A key covers everything a cell depends on: `salt`, the cells before it, its own code; and
        for its file, what it alone `reads`. Only what has no file runs, after what it builds on;
        if a living kernel is wanted, everything that it has not run yet.
        """
        keys, key = [], salt
        for cell in cells:
            key = hash_text(key + cell.code)
            keys.append(key)
        files = [
            self.cache / f"{hash_text(key + cell.reads)}.json"
            for key, cell in zip(keys, cells, strict=True)
        ]
        missing = {i for i, file in enumerate(files) if not file.exists()}
        same = (a == b for a, b in zip(self.executed, keys, strict=False))
        common = sum(itertools.takewhile(bool, same))
        if alive and common < len(cells):
            missing.add(common)
        if any(i >= common or not cells[i].reads for i in missing):
            first = min(common, *missing)
            if not first:
                self.close()
            missing, self.executed = set(range(first, len(cells))), keys[:first]
        for i, (cell, file) in enumerate(zip(cells, files, strict=True)):
            if i in missing:
                temporary = file.with_suffix(".tmp")
                temporary.write_text(json.dumps(self._run(cell)))
                temporary.replace(file)
                self.executed[i:] = keys[i : max(i + 1, len(self.executed))]
            yield json.loads(file.read_text())

    def _run(self, cell: Cell) -> Output:
        if self.client is None:
            self.cache.mkdir(parents=True, exist_ok=True)
            self.client = NotebookClient(
                nbformat.v4.new_notebook(),
                kernel_name="python3",
                extra_arguments=["--log-level=ERROR"],
                resources={"metadata": {"path": str(ROOT)}},
            )
            self.client.create_kernel_manager()
            inline = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
            self.client.start_new_kernel(env=os.environ | inline | {"PYTHONPATH": str(ROOT)})
            self.client.start_new_kernel_client()
            self._run(Cell(SETUP, 0, "set-up"))
        run = nbformat.v4.new_code_cell(cell.code)
        self.client.nb.cells.append(run)
        try:
            self.client.execute_cell(run, len(self.client.nb.cells) - 1)
        except CellExecutionError as error:
            traceback = next(o["traceback"] for o in run.outputs if "traceback" in o)
            trace = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(traceback))
            raise ReportError(
                f"report.qmd:{cell.line}: chunk {cell.label} raised\n{trace}"
            ) from error
        for output in run.outputs:
            if output["output_type"] == "stream" and output["name"] == "stderr":
                sys.stderr.write(output["text"])
        outputs: Output = json.loads(json.dumps(run.outputs))
        return outputs

    def close(self) -> None:
        """End the kernel."""
        if self.client is not None:
            self.client._cleanup_kernel()
        self.client, self.executed = None, []


def salt(root: Path = ROOT) -> str:
    """A hash of everything that chunks may read."""
    digest = hashlib.sha256(sys.version.encode())
    for pattern in WATCHED:
        for path in sorted(root.glob(pattern)):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def run_parts(
    parts: list[Prose | Chunk], session: Session, *, alive: bool = False
) -> Iterator[tuple[Prose | Chunk, Output]]:
    """Yield each part with its outputs; the values of inline code come as one JSON list."""
    prose = "".join(part.text for part in parts if isinstance(part, Prose))
    displays = "".join(re.findall(r"\$\$.*?\$\$", prose, re.S))
    cells = []
    for part in parts:
        if isinstance(part, Chunk):
            cells.append(Cell(part.code, part.line, part.label))
        elif expressions := INLINE.findall(part.text):
            thunks = ", ".join(f"lambda: ({expression})" for expression in expressions)
            cells.append(Cell(f"_inline({thunks})", part.line, f"inline code {expressions}"))
    # What reports on the derivations reads the very text of their displays.
    cells = [c._replace(reads=displays) if "checked" in c.code else c for c in cells]
    outputs = session.outputs(cells, salt(), alive=alive)
    for part in parts:
        has_cell = isinstance(part, Chunk) or INLINE.search(part.text)
        yield part, next(outputs) if has_cell else []


def weave(parts: list[Prose | Chunk], session: Session, figures: Path, *, echo: bool) -> str:
    """Markdown of the whole report, figures written as files into the folder `figures`."""
    texts = []
    for part, outputs in run_parts(parts, session):
        if isinstance(part, Chunk):
            texts.append(_chunk(part, outputs, figures, echo=echo))
        else:
            values = outputs[0]["data"]["application/json"] if outputs else []
            pieces = INLINE.split(part.text)[::2]
            texts.append("".join(itertools.chain(*zip(pieces, [*values, ""], strict=True))))
    return "\n\n".join(texts) + "\n"


def hash_text(text: str) -> str:
    """A short name for a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _chunk(chunk: Chunk, outputs: Output, figures: Path, *, echo: bool) -> str:
    options = chunk.options
    if not options.get("include", True):
        return ""
    texts = []
    if options.get("echo", echo):
        texts.append(f"```python\n{chunk.code}\n```")
    if options.get("output", True):
        texts += [text for output in outputs if (text := _output(chunk, output, figures))]
    if str(options.get("label", "")).startswith("fig-") and not any("](" in t for t in texts):
        raise ReportError(f"report.qmd:{chunk.line}: chunk {chunk.label} shows no figure")
    for prefix in ("tbl", "lst"):
        if f"{prefix}-cap" in options:
            texts = [f"::: {{#{options['label']}}}", *texts, options[f"{prefix}-cap"], ":::"]
    return "\n\n".join(texts)


def _output(chunk: Chunk, output: dict[str, Any], figures: Path) -> str:
    if output["output_type"] == "stream":
        return "" if output["name"] == "stderr" else f"```\n{output['text'].rstrip()}\n```"
    data = output["data"]
    if "text/markdown" in data:
        return str(data["text/markdown"])
    for mime, suffix in (("image/svg+xml", "svg"), ("image/png", "png")):
        if mime in data:
            content = data[mime]
            raw = content.encode() if suffix == "svg" else base64.b64decode(content)
            file = figures / f"{chunk.options.get('label', hash_text(content))}.{suffix}"
            file.write_bytes(raw)
            alt = chunk.options.get("fig-alt", "").strip().replace('"', "'")
            label = chunk.options.get("label", "")
            attributes = f'{{#{label} fig-alt="{alt}"}}' if label.startswith("fig-") else ""
            return f"![{chunk.options.get('fig-cap', '').strip()}]({file}){attributes}"
    if "text/plain" in data:
        return f"```\n{data['text/plain']}\n```"
    raise ReportError(
        f"report.qmd:{chunk.line}: {chunk.label} shows {', '.join(data)}, unknown here"
    )
