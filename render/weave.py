"""Puts what the cells show in its place: the Markdown of the whole report."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from literate.report import Chunk, Prose, Report
from render.cache import Output
from render.cells import Cell, fault
from render.kernel import COLOUR
from render.keys import digest

FENCE = 8 * "`"  # longer than any that a chunk may print


def weave(
    report: Report, outputs: Iterable[tuple[Cell, Output]], figures: Path, *, echo: bool
) -> str:
    """The report as Markdown; figures become files in the folder `figures`.

    Raises ReportError for an output that is none of text, Markdown and one captioned figure.
    """
    values: dict[int, str] = {}  # by where they begin
    shown: dict[int, Output] = {}
    for cell, output in outputs:
        if isinstance(cell.shows, Chunk):
            shown[cell.shows.start] = output
        else:
            texts = output[0]["data"]["application/json"]
            values |= {v.start: text for v, text in zip(cell.shows, texts, strict=True)}
    pieces: list[str] = []
    for part in report.parts:
        if isinstance(part, Prose):
            pieces.append(_filled(report, part, values))
        else:
            if part.options.get("echo", echo):
                pieces.append(f"```{{.python .cell-code}}\n{part.code}\n```")
            if part.options.get("output", True):
                pieces += _shown(part, shown.get(part.start, []), figures)
    return "\n\n".join(pieces) + "\n"


def _filled(report: Report, prose: Prose, values: Mapping[int, str]) -> str:
    """Prose with what its inline values show."""
    pieces, begun = [], prose.start
    for value in prose.values:
        pieces += [report.text[begun : value.start], values[value.start]]
        begun = value.end
    return "".join([*pieces, report.text[begun : prose.end]])


def _shown(chunk: Chunk, outputs: Output, figures: Path) -> Iterator[str]:
    """What a chunk shows, in a div of its own if it has a caption."""
    kinds: list[str] = []
    if chunk.caption:
        yield f"::: {{#{chunk.label}}}"
    for output in outputs:
        data = output.get("data", {"text/plain": output.get("text", "")})
        kinds += data
        if output.get("name") == "stderr":
            sys.stderr.write(output["text"])
        if "text/markdown" in data:
            yield data["text/markdown"]
        elif "image/svg+xml" in data:
            yield _image(chunk, data["image/svg+xml"], figures)
        else:
            text = COLOUR.sub("", data.get("text/plain", ""))
            yield f"{FENCE}\n{text.rstrip()}\n{FENCE}"
    if unknown := set(kinds) - {"text/plain", "text/markdown", "image/svg+xml"}:
        raise fault(f"shows {unknown}", chunk)
    count = kinds.count("image/svg+xml")
    if count != ("fig-cap" in chunk.options):
        said = f"shows {count} figures: one with label, fig-cap and fig-alt, or none"
        raise fault(said, chunk)
    if chunk.caption:
        yield f"{chunk.caption}\n\n:::"


def _image(chunk: Chunk, svg: str, figures: Path) -> str:
    file = figures / f"{digest(svg)}.svg"
    file.write_text(svg, encoding="utf-8")
    alt = chunk.options.get("fig-alt", "").strip().replace('"', "'")
    return f'![]({file}){{fig-alt="{alt}"}}'
