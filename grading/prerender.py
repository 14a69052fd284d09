"""Writes the source of an edition: `grading/prerender.py handout` writes handout.qmd.

`quarto render --profile handout` runs this first, as does `python -m render --profile handout`.
"""

import sys
from collections.abc import Callable, Iterator, Mapping

from grading.editions import rubric
from grading.handout import edition
from grading.rubric import Worth, load
from literate.reader import REPORT, ROOT


def main(arguments: list[str]) -> int:
    """Write the source of the edition that is named."""
    if len(arguments) != 1 or arguments[0] not in EDITIONS:
        print(f"grading/prerender.py: name an edition, {' or '.join(EDITIONS)}", file=sys.stderr)
        return 2
    (name,) = arguments
    (ROOT / f"{name}.qmd").write_text(EDITIONS[name](), encoding="utf-8")
    return 0


def margins(items: Mapping[str, Worth]) -> dict[str, str]:
    """For each section what its answer is worth, and by what evidence."""
    return {f"sec-{name.replace('.', '')}": "\\\n".join(_lines(w)) for name, w in items.items()}


def _lines(worth: Worth) -> Iterator[str]:
    yield f"**{worth.points:g} point{'s' if worth.points != 1 else ''}**"
    if worth.claims:
        yield f"claims: {worth.claims:g}"
        if worth.wrong:
            yield f"wrong: −{worth.wrong * worth.claims:.2g}"
    for checks in worth.checks.values():
        yield from (f"{name.replace('_', ' ')}: {points:g}" for name, points in checks.items())


EDITIONS: dict[str, Callable[[], str]] = {
    "handout": lambda: edition()["report.qmd"].decode(),
    "rubric": lambda: rubric(REPORT.read_text(encoding="utf-8"), margins(load().items)),
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
