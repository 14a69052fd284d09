"""The page on a class: how many points there were, what of them was hard, who is alike."""

from collections.abc import Mapping, Sequence
from html import escape
from statistics import fmean, median
from typing import Any
from urllib.parse import quote

from grading.items import MISSING, PARTLY, RIGHT, WRONG
from grading.sheet import STYLE, number
from grading.similar import Pair

STATES = (RIGHT, PARTLY, WRONG, MISSING)
COLUMNS = 10  # of the histogram
MOST = 50  # pairs that are listed
Grades = Mapping[str, Mapping[str, Any]]  # as grade.json says, by submission


def page(grades: Grades, problems: Mapping[str, str], pairs: Sequence[Pair]) -> str:
    """The page as HTML that needs nothing else."""
    count = len(grades) + len(problems)
    body = [
        f"<h1>{count} submission{'' if count == 1 else 's'}</h1>",
        _total(grades),
        _problems(problems),
        _histogram(grades),
        _items(grades),
        _pairs(pairs),
        _list(grades),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Statistics of {count} submissions</title>\n"
        f"<style>\n{STYLE.read_text(encoding='utf-8')}</style>\n"
        "</head>\n<body>\n<main>\n"
        + "\n".join(filter(None, body))
        + "\n</main>\n</body>\n</html>\n"
    )


def _total(grades: Grades) -> str:
    """Mean and median of all points."""
    if not grades:
        return "<p>None of them could be graded.</p>"
    points = [float(grade["points"]) for grade in grades.values()]
    of = number(max(float(grade["of"]) for grade in grades.values()))
    return (
        f'<p class="total"><b>{number(fmean(points))}</b> of {of} points on average</p>'
        f"<p>Median {number(median(points))}, lowest {number(min(points))}, "
        f"highest {number(max(points))}.</p>"
    )


def _problems(problems: Mapping[str, str]) -> str:
    """What has no grade, and why."""
    return "\n".join(
        f'<p class="notice">{escape(name)} has no grade: {escape(problem)}</p>'
        for name, problem in problems.items()
    )


def _histogram(grades: Grades) -> str:
    """How many submissions have how many points, in columns of equal width."""
    if not grades:
        return ""
    counts = [0] * COLUMNS
    for grade in grades.values():
        share = float(grade["points"]) / float(grade["of"])
        counts[max(0, min(COLUMNS - 1, int(share * COLUMNS)))] += 1
    rows = [
        f'<tr><th scope="row">{100 * i // COLUMNS} to {100 * (i + 1) // COLUMNS} %</th>'
        f'<td><meter min="0" max="{max(counts)}" value="{count}"></meter></td>'
        f'<td class="number">{count}</td></tr>'
        for i, count in reversed(list(enumerate(counts)))
    ]
    return _table("parts", "Points, as a share of all", "", rows)


def _items(grades: Grades) -> str:
    """A line for each item: how many submissions have it right, partly, wrong, or not at all."""
    of_item: dict[str, list[Mapping[str, Any]]] = {}
    for grade in grades.values():
        for item in grade["items"]:
            of_item.setdefault(str(item["question"]), []).append(item)
    rows = []
    for question, items in of_item.items():
        points = [float(item["points"]) for item in items]
        of = float(items[0]["of"])
        counts = [sum(item["status"] == state for item in items) for state in STATES]
        rows.append(
            f"<tr><td>{escape(question)}</td>"
            f'<td><meter min="0" max="1" value="{fmean(points) / of:.4f}"></meter></td>'
            f'<td class="number">{number(fmean(points))} of {number(of)}</td>'
            + "".join(f'<td class="number">{count}</td>' for count in counts)
            + "</tr>"
        )
    head = _head(["item", ""], ["points on average", *STATES])
    return _table("items", "Item by item", head, rows) if rows else ""


def _pairs(pairs: Sequence[Pair]) -> str:
    """Who is alike: a hint to look, which says nothing of the reason."""
    if not pairs:
        return "<h2>Alike</h2><p>No two have much in common that is not the class's.</p>"
    rows = [
        f"<tr><td>{_link(pair.first)}</td><td>{_link(pair.second)}</td>"
        f'<td class="number">{pair.code:.0%}</td><td class="number">{pair.formulas:.0%}</td></tr>'
        for pair in pairs[:MOST]
    ]
    head = _head(["one", "other"], ["of code", "of formulas"])
    caption = "In common, of what either has that is not given and not the class's"
    said = (
        "<p>A hint to look: who has worked together or learnt from the same page is alike, too.</p>"
    )
    more = f"<p>{len(pairs) - MOST} more stand in similar.csv.</p>" if len(pairs) > MOST else ""
    return f"<h2>Alike</h2>{said}{_table('items', caption, head, rows)}{more}"


def _list(grades: Grades) -> str:
    """A line for each submission."""
    rows = [
        f"<tr><td>{_link(name)}</td><td>{escape(', '.join(map(str, grade['authors'])))}</td>"
        f'<td class="number">{number(float(grade["points"]))}</td></tr>'
        for name, grade in grades.items()
    ]
    return _table("items", "All of them", _head(["submission", "authors"], ["points"]), rows)


def _link(name: str) -> str:
    """A submission's name, which leads to its sheet."""
    return f'<a href="{escape(quote(name))}/grade.html">{escape(name)}</a>'


def _head(names: Sequence[str], numbers: Sequence[str]) -> str:
    """The head of a table: names of columns, the last of which hold numbers."""
    cells = [f"<th>{name}</th>" for name in names]
    cells += [f'<th class="number">{name}</th>' for name in numbers]
    return f"<thead><tr>{''.join(cells)}</tr></thead>"


def _table(kind: str, caption: str, head: str, rows: Sequence[str]) -> str:
    """A table in the look of the sheet."""
    body = "".join(rows)
    return f'<table class="{kind}"><caption>{caption}</caption>{head}<tbody>{body}</tbody></table>'
