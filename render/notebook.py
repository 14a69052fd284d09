"""The report as a Jupyter notebook: chunks stay executable, references become numbers."""

import itertools
import re
from typing import Any

import nbformat

from render.document import INLINE, REFERENCES, Chunk, Prose, ReportError
from render.execute import Session, run_parts

LABEL = re.compile(r"\{[^{}\n]*#((eq|fig|tbl|lst)-[\w-]+)[^{}\n]*\}")
USE = re.compile(r"(?<![\w`])@((eq|fig|tbl|lst|sec)-[\w-]*\w)")


def notebook(meta: dict[str, Any], parts: list[Prose | Chunk], session: Session) -> str:
    """The text of an .ipynb file. Raises ReportError for a reference that nothing bears."""
    numbers = _numbers(parts)

    def resolved(text: str) -> str:
        def number(use: re.Match[str]) -> str:
            if use[1] not in numbers:
                raise ReportError(f"reference to @{use[1]}, which nothing bears")
            return f"{REFERENCES[use[2]]} {numbers[use[1]]}"

        text = re.sub(
            r"\$\$\s*\{#(eq-[\w-]+)\}", lambda found: rf"\tag{{{numbers[found[1]]}}}$$", text
        )
        text = re.sub(r"^:::.*\n?", "", text, flags=re.M)
        text = re.sub(r"^(#+ .*?)\s*\{[^}]*\}$", r"\1", text, flags=re.M)
        return USE.sub(number, text)

    names = " and ".join(author["name"] for author in meta.get("author", []))
    cells = [nbformat.v4.new_markdown_cell(f"# {meta.get('title', '')}\n\n{names}")]
    for part, outputs in run_parts(parts, session):
        if isinstance(part, Chunk):
            cells.append(
                nbformat.v4.new_code_cell(
                    part.code, outputs=[nbformat.from_dict(output) for output in outputs]
                )
            )
            for kind in ("fig", "tbl", "lst"):
                if caption := part.options.get(f"{kind}-cap"):
                    number = numbers[part.options["label"]]
                    cells.append(
                        nbformat.v4.new_markdown_cell(
                            resolved(f"*{REFERENCES[kind]} {number}. {caption}*")
                        )
                    )
        else:
            values = outputs[0]["data"]["application/json"] if outputs else []
            pieces = INLINE.split(part.text)[::2]
            text = "".join(itertools.chain(*zip(pieces, [*values, ""], strict=True)))
            cells.append(nbformat.v4.new_markdown_cell(resolved(text)))
    book = nbformat.v4.new_notebook(cells=cells)
    for position, cell in enumerate(cells):
        cell.id = f"cell-{position}"
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.validate(book)
    return str(nbformat.writes(book))


def _numbers(parts: list[Prose | Chunk]) -> dict[str, str]:
    """The number of every label, counted by kind; sections as in the PDF."""
    counts = dict.fromkeys(("eq", "fig", "tbl", "lst"), 0)
    numbers: dict[str, str] = {}
    chapter = section = 0

    def count(label: str) -> None:
        kind = label.partition("-")[0]
        if kind in counts:
            counts[kind] += 1
            numbers[label] = str(counts[kind])

    for part in parts:
        if isinstance(part, Chunk):
            count(str(part.options.get("label", "")))
            continue
        fence = False
        for line in part.text.splitlines():
            fence ^= line.startswith("```")
            if fence:
                continue
            heading = re.match(r"(##?) .*?(?:\{(.*)\})?$", line)
            if heading and ".unnumbered" not in (heading[2] or ""):
                chapter, section = (chapter + 1, 0) if heading[1] == "#" else (chapter, section + 1)
                if label := re.search(r"#(sec-[\w-]+)", heading[2] or ""):
                    numbers[label[1]] = f"{chapter}.{section}" if section else str(chapter)
            for found in LABEL.finditer(line):
                count(found[1])
    return numbers
