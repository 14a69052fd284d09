"""What a teacher changes in a grade: points of items, and remarks, from a small YAML file.

`p.5: {points: 7, remark: "The third figure is discussed at length."}` gives points, and
`b.3: {remark: "Say why, too."}` none; `remark: "Well done."` is about the whole.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from grading.items import Grade, Item

KEYS = ("points", "remark")


class OverridesError(ValueError):
    """A file of overrides that cannot be used; it names the file, the value and the remedy."""


def load(path: Path) -> Mapping[str, Any]:
    """What a file says. Raises OverridesError."""
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        why = error.strerror if isinstance(error, OSError) else " ".join(str(error).split())
        raise OverridesError(
            f"{path}: cannot be read ({why}); write `p.5: {{points: 7}}`"
        ) from error
    if not isinstance(said, dict):
        raise OverridesError(f"{path}: is {said!r}; write lines such as `p.5: {{points: 7}}`")
    return said


def applied(grade: Grade, said: Mapping[str, Any], path: Path) -> Grade:
    """The grade with these points and remarks. Raises OverridesError for what does not fit it."""
    known = {item.question: item for item in grade.items}
    items = dict(known)
    for name, change in said.items():
        if name == "remark":
            continue
        if name not in known:
            raise OverridesError(f"{path}: {name!r} is no item; they are a.1 to p.10, and `remark`")
        items[name] = _changed(known[name], change, path)
    remark = said.get("remark", grade.remark)
    return replace(grade, items=tuple(items.values()), remark=_text(remark, "remark", path))


def _changed(item: Item, change: object, path: Path) -> Item:
    if not isinstance(change, dict) or change.keys() - set(KEYS):
        raise OverridesError(f"{path}: {item.question} is {change!r}; it has `points` and `remark`")
    points = change.get("points", item.given)
    number = isinstance(points, int | float) and not isinstance(points, bool)
    if points is not None and not (number and math.isfinite(points) and 0 <= points <= item.of):
        right = f"a number from 0 to {item.of:g}"
        raise OverridesError(f"{path}: points of {item.question} are {points!r}; give {right}")
    remark = _text(change.get("remark", item.remark), f"remark on {item.question}", path)
    return replace(item, given=None if points is None else float(points), remark=remark)


def _text(value: object, what: str, path: Path) -> str:
    if not isinstance(value, str):
        raise OverridesError(f"{path}: the {what} is {value!r}; put a text in quotes")
    return value
