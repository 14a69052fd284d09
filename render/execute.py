"""Runs the chunks in a Jupyter kernel and puts their output in their place, as Markdown."""

import contextlib
import hashlib
import itertools
import json
import os
import re
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from render.document import INLINE, ROOT, Part

Output = list[dict[str, Any]]

# What the chunks read beside their own text: a change there makes every cached output stale.
ROOMS = ("mlp", "figures", "literate", "derivations")
OTHERS = ("results/**/*", "experiments/**/*", "figures/*.mplstyle")
WATCHED = (*(f"{room}/**/*.py" for room in ROOMS), *OTHERS)
FENCE = 8 * "`"  # longer than any that a chunk may print
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# Code with these names has read the report itself: its mathematics, comments and headings.
READERS = frozenset({"checked", "appendix"})
ASSIGNMENT = re.compile(r"^(\w+) = (.*(?:\n[ )\]}].*)*)", re.M)
READ = re.compile(r"\$\$.*?\$\$[^\n]*|<!--.*?-->|^(?:#|\\newcommand)[^\n]*", re.S | re.M)

SETUP = r"""
%matplotlib inline
%config InlineBackend.figure_formats = ["svg"]
import re as _re, IPython.display as _ipython
def _shown(value):  # Quarto shows repr() without its quotes, and escapes these characters
    if isinstance(value, _ipython.Markdown):
        return value.data
    if str(value) not in (repr(value), repr(value)[1:-1]):
        raise ValueError(f"Quarto would show {value!r}: return a plain text or Markdown(...)")
    return _re.sub(r"([`*_{}\[\]()>#+,.!-])", r"\\\1", str(value))
def _inline(*thunks):
    _ipython.display({"application/json": [_shown(thunk()) for thunk in thunks]}, raw=True)
"""


class Session:
    """A kernel that lives from the first cell that must run, and the outputs known so far."""

    def __init__(self, cache: Path) -> None:
        """Outputs are kept in the JSON file `cache`."""
        self.cache = cache
        self.known: dict[str, Output] = json.loads(cache.read_text()) if cache.exists() else {}
        self.client: NotebookClient | None = None
        self.kernel = contextlib.ExitStack()
        self.executed: list[str] = []  # keys of the cells that the living kernel has run
        self.dirty = False  # whether it also ran cells that have since been replaced
        self.doubtful: set[str] = set()  # outputs from such a kernel, which are not kept on disk

    def outputs(self, parts: list[Part], salt: str, *, warm: bool = False) -> Generator[Output]:
        """Yield the outputs of each part with code, from the cache or from the kernel.

        A key covers what a cell depends on: `salt`, the cells before it, its own code. If the
        outputs of any cell are not known (or a warm kernel is wanted), those cells run, and all
        that the living kernel has not run yet. In the end, outputs of other cells are forgotten.
        A kernel that ran cells which have been replaced serves until a warm one is wanted.
        """
        cells = [part for part in parts if part.code]
        read = "".join(READ.findall("\n".join(part.prose for part in parts)))
        keys = list(itertools.accumulate([salt, *(cell.code for cell in cells)], _hash))[1:]
        names, readers = [], READERS
        for key, cell in zip(keys, cells, strict=True):
            reads = readers & set(re.findall(r"\w+", cell.code))
            names.append(_hash(key, read) if reads else key)
            for variable, value in ASSIGNMENT.findall(cell.code):  # what uses it reads, too
                if readers & set(re.findall(r"\w+", value)):
                    readers = readers | {variable}
        missing = {i for i, name in enumerate(names) if name not in self.known}
        if warm and self.dirty:
            self.close()
        if missing or warm:
            same = (ran == key for ran, key in zip(self.executed, keys, strict=False))
            common = sum(itertools.takewhile(bool, same))
            missing.update(range(common, len(cells)))
            self.dirty |= common < len(self.executed)
            del self.executed[common:]
            if not common:
                self.close()
        try:
            for i, (cell, name) in enumerate(zip(cells, names, strict=True)):
                if i in missing:
                    self.known.pop(name, None)  # and if the cell raises, it is not known
                    self.known[name] = self._run(cell)
                    (self.doubtful.add if self.dirty else self.doubtful.discard)(name)
                    self.executed[i:] = self.executed[i:] or [keys[i]]
                yield self.known[name]
            self.known = {name: self.known[name] for name in names}
        finally:
            if missing:
                self.cache.parent.mkdir(parents=True, exist_ok=True)
                temporary = self.cache.with_suffix(".tmp")
                sure = {name: self.known[name] for name in self.known.keys() - self.doubtful}
                temporary.write_text(json.dumps(sure))
                temporary.replace(self.cache)

    def _run(self, cell: Part) -> Output:
        if self.client is None:
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
        except (CellExecutionError, DeadKernelError) as error:
            self.dirty = True
            if isinstance(error, DeadKernelError):
                self.close()
            raise cell.fault(f"raised\n{COLOUR.sub('', str(error))}") from error
        return run.outputs

    def close(self) -> None:
        """End the kernel."""
        self.kernel.close()
        self.client, self.executed, self.dirty = None, [], False


def salt(root: Path = ROOT) -> str:
    """A hash of everything that chunks may read."""
    folder = os.environ.get("MLP_DATA") or "data"
    data = [(path.name, path.stat().st_size) for path in sorted((root / folder).glob("*"))]
    digest = hashlib.sha256(f"{sys.version}{SETUP}{folder}{data}".encode())
    for path in sorted(itertools.chain(*map(root.glob, WATCHED))):
        if path.is_file():
            digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def weave(parts: list[Part], session: Session, figures: Path, *, echo: bool) -> str:
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
                texts += _shown(part, shown, figures)
    return "\n\n".join(texts) + "\n"


def _shown(chunk: Part, outputs: Output, figures: Path) -> Iterator[str]:
    options = chunk.options or {}
    kinds: list[str] = []
    if caption := options.get("fig-cap", options.get("tbl-cap")):
        yield f"::: {{#{options['label']}}}"
    for output in outputs:
        data = output.get("data", {"text/plain": output.get("text", "")})
        kinds += data
        if output.get("name") == "stderr":
            sys.stderr.write(output["text"])
        if "text/markdown" in data:
            yield data["text/markdown"]
        elif "image/svg+xml" in data:
            file = figures / f"{_hash('', data['image/svg+xml'])}.svg"
            file.write_text(data["image/svg+xml"])
            alt = options.get("fig-alt", "").strip().replace('"', "'")
            yield f'![]({file}){{fig-alt="{alt}"}}'
        else:
            text = COLOUR.sub("", data["text/plain"])
            yield f"{FENCE}\n{text.rstrip()}\n{FENCE}"
    if unknown := set(kinds) - {"text/plain", "text/markdown", "image/svg+xml"}:
        raise chunk.fault(f"shows {unknown}")
    if (shown := kinds.count("image/svg+xml")) != ("fig-cap" in options):
        raise chunk.fault(f"shows {shown} figures: one with label, fig-cap and fig-alt, or none")
    if caption:
        yield f"{caption}\n\n:::"


def _hash(key: str, text: str) -> str:
    return hashlib.sha256(f"{key}\0{text}".encode()).hexdigest()[:16]
