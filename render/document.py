"""report.qmd as data: front matter, prose and chunks, each with its line; and the dialect."""

import itertools
import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).parents[1]

# The dialect: what the direct route understands. Anything else is refused, never dropped.
# References are @eq-, @fig-, @tbl-, @lst-, @sec- and citations; inline values `{python} …` are
# texts, numbers or Markdown(...).
FORMATS = ("typst", "html", "pdf", "ipynb")
TEXTS, SWITCHES = ("label", "fig-cap", "fig-alt", "tbl-cap"), ("echo", "output")  # of chunks
DIVS = r"\{\.(?:abstract|result)\}|\{#(?:fig|tbl|lst)-[\w-]+\}"
# Refused: shortcodes, other divs, chunks in lists and quotations, metadata in the text, images with
# attributes, and with a caption, which belongs into a div #fig-….
REFUSED = re.compile(
    rf"\{{\{{<.*|^[ >\t]*:::+(?! *(?:{DIVS})? *$).*|^[ >\t]+```+\{{.*|(?<=\n)--- *\n\w[\w-]*:.*"
    r"|!\[[^]].*|!\[\]\([^)]*\)\{(?!fig-alt=(?:\"[^\"]*\"|'[^']*') *\}).*",
    re.M,
)

# The front matter; whatever else concerns the document stands in _quarto.yml.
FRONT = r"--- *|(title|subtitle|bibliography): .*|jupyter: python3|format: typst|author:"
OTHER = re.compile(rf"^(?!({FRONT}| *- name: .*| *(#.*)?)$).*", re.M)

FENCED = re.compile(r"^(`{3,}|~{3,})(.*)\n((?:.*\n)*?)(\1 *$|\Z)", re.M)  # fence, info, body, end
INLINE = re.compile(r"(?<!`)`\{python\} ([^`\s][^`\n]*)`(?!`)")


class ReportError(ValueError):
    """A fault in the report; the message names file, line and remedy."""


class Part(NamedTuple):
    """Prose with the code that shows its inline values; or a chunk without its option lines."""

    line: int
    code: str
    prose: str = ""
    options: dict[str, Any] | None = None  # of a chunk

    def fault(self, what: str) -> ReportError:
        """An error that names line and label."""
        label = (self.options or {}).get("label", self.code)
        return ReportError(f"report.qmd:{self.line}: chunk {label} {what}")


def read(path: Path) -> tuple[dict[str, Any], list[Part]]:
    """Front matter and parts of a .qmd file. Raises ReportError where it leaves the dialect."""
    text = path.read_text(encoding="utf-8-sig")
    head = "".join(re.findall(r"\A--- *\n.*?^--- *\n", text, re.S | re.M))
    if text.startswith("---") and not head:
        raise ReportError(f"{path.name}:1: the front matter is never closed with ---")
    begun = len(head)
    parts: list[Part] = []

    def line(position: int) -> int:
        return 1 + text.count("\n", 0, position)

    def add_prose(end: int) -> None:
        values = "".join(f"lambda: ({code}), " for code in INLINE.findall(text, begun, end))
        parts.append(Part(line(begun), values and f"_inline({values})", text[begun:end]))

    for block in FENCED.finditer(text, begun):
        info = block[2].strip()
        try:
            if not block[4]:
                raise ValueError("this fence is never closed")
            if info == "{python}":
                add_prose(block.start())
                begun = block.end()
                parts.append(_chunk(line(block.start()), block[3].splitlines()))
            elif re.match(r"\{[^.]", info):
                raise ValueError(f"only {{python}} chunks run, not {info}")
        except (ValueError, yaml.YAMLError) as error:
            raise ReportError(f"{path.name}:{line(block.start())}: {error}") from error
    add_prose(len(text))
    if found := OTHER.search(head) or REFUSED.search(FENCED.sub(lambda b: " " * len(b[0]), text)):
        raise ReportError(f"{path.name}:{line(found.start())}: not in the dialect: {found[0]}")
    return yaml.safe_load(re.sub(r"^--- *\n", "", head, flags=re.M)) or {}, parts


def _chunk(line: int, lines: list[str]) -> Part:
    head = [text[2:] for text in itertools.takewhile(lambda text: text.startswith("#|"), lines)]
    if any(re.match(r"\s*# ?\|", text) for text in lines[len(head) :]):
        raise ValueError("options `#| ` stand in the first lines of a chunk")
    options = yaml.safe_load("\n".join(head)) or {}
    if not isinstance(options, dict):
        raise ValueError(f"options are written `#| key: value`, not {options!r}")
    for key, value in options.items():
        if key not in {str: TEXTS, bool: SWITCHES}.get(type(value), ()):
            known = f"texts {TEXTS}, true or false {SWITCHES}"
            raise ValueError(f"no chunk option {key}: {value!r}; known: {known}")
        if key.endswith("-cap") and not options.get("label", "").startswith(key[:4]):
            raise ValueError(f"{key} needs a label that begins with {key[:4]}")
    return Part(line, "\n".join(lines[len(head) :]), "", options)
