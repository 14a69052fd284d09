"""Runs the chunks in a Jupyter kernel and puts their output in their place, as Markdown."""

import contextlib
import hashlib
import itertools
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from render.document import INLINE, ROOT, Part, ReportError

Output = list[dict[str, Any]]

# What the chunks read beside their own text: a change there makes every cached output stale.
WATCHED = ("mlp/*.py", "derivations/*.py", "results/**/*", "experiments/**/*", "figures/*.mplstyle")
# Code with these names has read the report itself: its mathematics, comments and headings.
READERS = re.compile(r"\b(checked|appendix)\b")
READ = re.compile(r"\$\$.*?\$\$[^\n]*|<!--.*?-->|^(?:#|\\newcommand)[^\n]*", re.S | re.M)

SETUP = r"""
%matplotlib inline
%config InlineBackend.figure_formats = ["svg"]
import re as _re
from IPython.display import Markdown as _Markdown, display as _display
def _inline(*thunks):
    values = [thunk() for thunk in thunks]
    escape = lambda text: _re.sub(r"([\\`*_{}\[\]()<>#+.!|$~^-])", r"\\\1", text)  # as Quarto does
    texts = [v.data if isinstance(v, _Markdown) else escape(str(v)) for v in values]
    _display({"application/json": texts}, raw=True)
"""


class Session:
    """A kernel that lives from the first cell that must run, and the outputs known so far."""

    def __init__(self, cache: Path) -> None:
        """Outputs are kept as one JSON file a cell under `cache`."""
        self.cache = cache
        self.client: NotebookClient | None = None
        self.kernel = contextlib.ExitStack()
        self.executed: list[str] = []  # keys of the cells that the living kernel has run

    def outputs(self, parts: list[Part], salt: str, *, warm: bool = False) -> Iterator[Output]:
        """Yield the outputs of each part with code, from the cache or from the kernel.

        A key covers what a cell depends on: `salt`, the cells before it, its own code. If any cell
        has no file for its key (or a warm kernel is wanted), those without one run, and all that
        the living kernel has not run yet. In the end, files that no cell asked for are removed.
        """
        cells = [part for part in parts if part.code]
        read = "".join(READ.findall("\n".join(part.prose for part in parts)))
        keys = list(itertools.accumulate([salt, *(cell.code for cell in cells)], _hash))[1:]
        files = [
            self.cache / f"{_hash(key, read) if READERS.search(cell.code) else key}.json"
            for key, cell in zip(keys, cells, strict=True)
        ]
        missing = {i for i, file in enumerate(files) if not file.exists()}
        if missing or warm:
            same = (ran == key for ran, key in zip(self.executed, keys, strict=False))
            common = sum(itertools.takewhile(bool, same))
            missing.update(range(common, len(cells)))
            del self.executed[common:]
            if not common:
                self.close()
        for i, (cell, file) in enumerate(zip(cells, files, strict=True)):
            if i in missing:
                temporary = file.with_suffix(".tmp")
                temporary.write_text(json.dumps(self._run(cell)))
                temporary.replace(file)
                self.executed[i:] = self.executed[i:] or [keys[i]]
            yield json.loads(file.read_text())
        for file in set(self.cache.glob("*.json")).difference(files):
            file.unlink()

    def _run(self, cell: Part) -> Output:
        if self.client is None:
            self.cache.mkdir(parents=True, exist_ok=True)
            self.client = NotebookClient(
                nbformat.v4.new_notebook(),
                extra_arguments=["--log-level=ERROR"],
                resources={"metadata": {"path": str(ROOT)}},
            )
            self.kernel.enter_context(self.client.setup_kernel())
            self._run(Part(0, SETUP))
        run = nbformat.v4.new_code_cell(cell.code)
        self.client.nb.cells.append(run)
        try:
            self.client.execute_cell(run, len(self.client.nb.cells) - 1)
        except CellExecutionError as error:
            trace = re.sub(r"\x1b\[[0-9;]*m", "", error.traceback)
            raise ReportError(f"report.qmd:{cell.line}: {cell.name} raised\n{trace}") from error
        return run.outputs

    def close(self) -> None:
        """End the kernel."""
        self.kernel.close()
        self.client, self.executed = None, []


def salt(root: Path = ROOT) -> str:
    """A hash of everything that chunks may read."""
    digest = hashlib.sha256(f"{sys.version}{SETUP}".encode())
    for path in sorted(itertools.chain(*map(root.glob, WATCHED))):
        if path.is_file():
            digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def weave(parts: list[Part], session: Session, figures: Path, *, echo: bool, notebook: bool) -> str:
    """Markdown of the whole report; figures become files."""
    texts = []
    outputs = iter(list(session.outputs(parts, salt())))
    for part in parts:
        shown = next(outputs) if part.code else []
        if part.options is None:
            values = shown[0]["data"]["application/json"] if shown else []
            pieces = INLINE.split(part.prose)[::2]
            texts.append("".join(itertools.chain(*zip(pieces, [*values, ""], strict=True))))
        else:
            if part.options.get("echo", echo):
                texts.append(f"```{{.python .cell-code}}\n{part.code}\n```")
            if part.options.get("output", True):
                texts.append(_shown(part, shown, figures, notebook))
    return "\n\n".join(texts) + "\n"


def _shown(chunk: Part, outputs: Output, figures: Path, notebook: bool) -> str:
    options, texts = chunk.options or {}, []
    alt = options.get("fig-alt", "").strip().replace('"', "'")
    for output in outputs:
        data = output.get("data", {"text/plain": output.get("text", "")})
        if output.get("name") == "stderr":
            sys.stderr.write(output["text"])
        elif "text/markdown" in data:
            texts.append(data["text/markdown"])
        elif "image/svg+xml" in data:
            file = figures / f"{_hash(chunk.name, data['image/svg+xml'])}.svg"
            file.write_text(data["image/svg+xml"])
            name = file.name if notebook else file  # an attachment bears a name
            texts.append(f'![]({name}){{fig-alt="{alt}"}}')
        elif "text/plain" in data:
            texts.append(f"```\n{data['text/plain'].rstrip()}\n```")
        else:
            raise ReportError(f"report.qmd:{chunk.line}: {chunk.name} shows {list(data)}, unknown")
    for kind in ("fig", "tbl"):
        if f"{kind}-cap" in options:
            texts = [f"::: {{#{options['label']}}}", *texts, options[f"{kind}-cap"], ":::"]
    if "fig-cap" in options and "![](" not in "".join(texts):
        raise ReportError(f"report.qmd:{chunk.line}: {chunk.name} shows no figure")
    return "\n\n".join(texts)


def _hash(key: str, text: str) -> str:
    return hashlib.sha256(f"{key}\0{text}".encode()).hexdigest()[:16]
