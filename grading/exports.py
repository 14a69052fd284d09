"""A grade as JSON: grade.json, which is documented here, and results.json for Gradescope.

grade.json, version 1:

    version     1
    title       of the report; `authors` are the names on top of it
    points, of  of all items together
    seed        that drew the hidden inputs
    remark      by the teacher on the whole, or ""
    notices     texts about the submission as a whole
    parts       for each of a, b, p: name, title, points, of
    items       in the order of the assignment:
      question  a.1 to a.9, b.1 to b.18, p.1 to p.10; `part` is its first letter
      title, section, page, line
                heading; number and heading in the report; page of the PDF and line of report.qmd,
                or null where it is not found
      status    right, partly, wrong or missing, by the evidence
      points    that count; `computed`, by the evidence; `of`, at most
      overridden  whether a teacher has set the points; `remark` is the teacher's, or ""
      evidence  for each piece: kind (claims, functions, document, results), what (a claim in a
                word, or the name of a check in rubric.yml), latex (of a claim, or ""), share from
                0 to 1, points, of, says, there (whether there was anything to judge), line or null
"""

import json
from pathlib import Path
from typing import Any

from grading.items import Evidence, Grade, Item, total
from grading.rubric import Rubric
from mlp.files import write_atomically

VERSION = 1


def as_data(grade: Grade, rubric: Rubric) -> dict[str, Any]:
    """What grade.json says."""
    return {
        "version": VERSION,
        "title": grade.title,
        "authors": list(grade.authors),
        "points": grade.points,
        "of": grade.of,
        "seed": grade.seed,
        "remark": grade.remark,
        "notices": list(grade.notices),
        "parts": [
            {
                "name": part.name,
                "title": part.title,
                "points": total(item.points for item in grade.part(part.name)),
                "of": part.points,
            }
            for part in rubric.parts
        ],
        "items": [_item(item) for item in grade.items],
    }


def _item(item: Item) -> dict[str, Any]:
    return {
        "question": item.question,
        "part": item.part,
        "title": item.title,
        "section": item.section,
        "page": item.page or None,
        "line": item.line or None,
        "status": item.status,
        "points": item.points,
        "computed": item.computed,
        "of": item.of,
        "overridden": item.given is not None,
        "remark": item.remark,
        "evidence": [_evidence(each) for each in item.evidence],
    }


def _evidence(each: Evidence) -> dict[str, Any]:
    return {
        "kind": each.kind,
        "what": each.what,
        "latex": each.latex,
        "share": round(each.share, 6),
        "points": round(each.points, 6),
        "of": round(each.of, 6),
        "says": each.says,
        "there": each.there,
        "line": each.line or None,
    }


def gradescope(grade: Grade) -> dict[str, Any]:
    """What results.json says: the format of Gradescope's autograder, a test for each item."""
    return {
        "score": grade.points,
        "output": "\n".join(filter(None, [grade.remark, *grade.notices])),
        "output_format": "text",
        "tests": [
            {
                "number": item.question,
                "name": f"{item.question}  {item.title}".strip(),
                "score": item.points,
                "max_score": item.of,
                "status": "passed" if item.points == item.of else "failed",
                "output": _output(item),
                "output_format": "text",
                "visibility": "visible",
            }
            for item in grade.items
        ],
    }


def _output(item: Item) -> str:
    lines = [f"{item.section}, page {item.page}" if item.page else item.section]
    if item.given is not None:
        lines.append(f"points by the teacher; {item.computed:g} by the evidence")
    lines += [f"teacher: {item.remark}"] if item.remark else []
    lines += [f"{'+' if e.holds else '-'} {e.what} {e.latex}: {e.says}" for e in item.evidence]
    return "\n".join(filter(None, lines))


def write(data: dict[str, Any], path: Path) -> None:
    """Write JSON, readable, in a piece."""
    write_atomically(path, (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode())
