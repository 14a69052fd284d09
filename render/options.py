"""Keys and options that have no effect where they stand, which Quarto passes over in silence."""

import datetime
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import yaml

from literate.reader import ROOT
from literate.report import Fault, Report

KNOWN: dict[str, list[str]] = yaml.safe_load(
    (ROOT / "render" / "options.yml").read_text(encoding="utf-8")
)
FORMATS = ("typst", "html", "pdf", "ipynb")
GROUPS = ("project", "execute", "crossref", "author")
DATES = ("today", "now", "last-modified")  # words for a date that Quarto knows
DEPTH = 6  # of lists and mappings within each other; nothing below is looked at

Keys = tuple[str, ...]  # a key, after the keys above it


class Setting(NamedTuple):
    """A key in YAML, the text of its value (empty for a list or a mapping), and its line.

    The key of a text in a list is `-`.
    """

    keys: Keys
    value: str
    line: int


def _known() -> dict[Keys, set[str]]:
    """What may stand below these keys; below others, anything."""
    of_format = {to: {*KNOWN["document"], *KNOWN[to]} for to in FORMATS}
    known: dict[Keys, set[str]] = {(): set().union(*of_format.values())}
    known |= {(group,): set(KNOWN[group]) for group in GROUPS}
    known |= {("format", to): keys for to, keys in of_format.items()}
    known["format",] = set(FORMATS)
    return known


BELOW = _known()
ATTRIBUTES = re.compile(r"\{[^{}\n]*?(\.aside|\.column-[\w-]+|tbl-colwidths)[^{}\n]*\}")


def faults(report: Report) -> Iterator[Fault]:
    """What the front matter and the chunks of a report say in vain."""
    yield from of_settings(front(report))
    date = report.front.get("date", datetime.date.min)
    if not isinstance(date, datetime.date) and date not in DATES:
        given = next(each for each in front(report) if each.keys == ("date",))
        yield Fault(given.line, f"date: {date}: write it as in 2026-01-31, or one of {DATES}")
    for chunk in report.chunks:
        for key in chunk.options:
            if key not in KNOWN["cell"] or key in KNOWN["ineffective"]:
                yield Fault(chunk.line, f"chunk option {key}: has no effect")
    for found in ATTRIBUTES.finditer(report.words):
        yield Fault(report.line(found.start()), f"{found[1]}: has no effect in PDF by Typst")


def of_settings(settings: Iterable[Setting]) -> Iterator[Fault]:
    """What a front matter or _quarto.yml says in vain."""
    for keys, _, line in settings:
        *above, key = keys
        name = " > ".join(keys)
        if key not in BELOW.get(tuple(above), {key}):
            yield Fault(line, f"{name}: has no effect, as Quarto knows no such key here")
        elif key in KNOWN["ineffective"] and above in ([], ["format", "typst"]):
            yield Fault(line, f"{name}: has no effect in PDF by Typst")


def front(report: Report) -> Iterator[Setting]:
    """The settings of the front matter, with their lines in the report."""
    return settings(re.sub(r"^--- *\Z", "", report.head.rstrip(), flags=re.MULTILINE))


def settings(text: str) -> Iterator[Setting]:
    """Each key in YAML, on whatever level; none if it is not YAML, which its reader says."""
    try:
        root = yaml.compose(text, yaml.CSafeLoader)
    except yaml.YAMLError:
        return
    yield from _below((), root, DEPTH)


def _below(above: Keys, node: yaml.Node | None, depth: int) -> Iterator[Setting]:
    if depth and isinstance(node, yaml.SequenceNode):
        for item in node.value:
            if isinstance(item, yaml.ScalarNode):
                yield Setting((*above, "-"), item.value, item.start_mark.line + 1)
            yield from _below(above, item, depth - 1)
    elif depth and isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            keys = (*above, str(key.value))
            text = value.value if isinstance(value, yaml.ScalarNode) else ""
            yield Setting(keys, text, key.start_mark.line + 1)
            yield from _below(keys, value, depth - 1)
