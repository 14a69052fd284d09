"""The grade sheet, as people read it: grade.pdf by Typst, grade.html, from the same view.

Pandoc sets the formulas, which are those of the questions' file. All else is text, however a
submission has written it: Typst gets it as data, and in HTML it is escaped.
"""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import pypandoc
import typst
import yaml

from derivations.questions import FILE as QUESTIONS
from grading.exports import as_data
from grading.items import Grade
from grading.rubric import Rubric

HERE = Path(__file__).parent
LOOK = HERE.parent / "render" / "templates" / "typst-template.typ"  # colours of the report
STYLE = HERE / "sheet.css"
KINDS = {"claims": "claim", "functions": "function", "document": "document", "results": "result"}
MATH = re.compile(r"\$([^$]*)\$")


def write(grade: Grade, rubric: Rubric, folder: Path) -> list[Path]:
    """Write grade.pdf and grade.html into a folder, and return them."""
    view = viewed(grade, rubric)
    pdf, html = folder / "grade.pdf", folder / "grade.html"
    formulas = sorted({e["latex"] for item in view["items"] for e in item["evidence"]} - {""})
    set_in = {to: _formulas(formulas, to) for to in ("typst", "html")}
    with tempfile.TemporaryDirectory() as place:
        room = Path(place)
        for file in (HERE / "sheet.typ", LOOK):
            shutil.copyfile(file, room / file.name)
        content = json.dumps(view | {"formulas": set_in["typst"]})
        (room / "sheet.json").write_text(content, encoding="utf-8")
        typst.compile(str(room / "sheet.typ"), output=str(pdf), root=place)
    html.write_text(as_html(view, set_in["html"]), encoding="utf-8")
    return [pdf, html]


def viewed(grade: Grade, rubric: Rubric) -> dict[str, Any]:
    """What the sheet shows: grade.json, with marks, words and numbers as texts."""
    view = as_data(grade, rubric)
    for part in view["parts"]:
        part["share"] = part["points"] / part["of"]
        part |= {"points": number(part["points"]), "of": number(part["of"])}
    for item in view["items"]:
        item["share"] = item["points"] / item["of"]
        item |= {name: number(item[name]) for name in ("points", "computed", "of")}
        item["title"] = plain(item["title"]) or "No section answers this"
        item["section"] = plain(item["section"])
        item["number"] = item["section"].partition(" ")[0]
        item["where"] = _where(item)
        for each in item["evidence"]:
            each["mark"] = _mark(each)
            each["name"] = "" if each["kind"] == "claims" else each["what"]
            each["words"] = rubric.words.get(each["what"], "" if each["name"] else each["what"])
            each["kind"] = KINDS[each["kind"]]
            each |= {name: number(each[name]) for name in ("points", "of")}
    return view | {"points": number(grade.points), "of": number(grade.of)}


def number(points: float) -> str:
    """Points as text: at most two decimals, a true minus sign."""
    return f"{points:.2f}".rstrip("0").rstrip(".").replace("-", "−")


def plain(heading: str) -> str:
    """A heading without its mathematics' dollars and indices."""
    return MATH.sub(lambda found: re.sub(r"[_{}\\]", "", found[1]), heading)


def _where(item: dict[str, Any]) -> str:
    said = [f"section {item['number']}"] if item["section"] else []
    said += [f"page {item['page']}"] if item["page"] else []
    said += [f"report.qmd, line {item['line']}"] if item["line"] else []
    return ", ".join(said)


def _mark(each: dict[str, Any]) -> str:
    if each["share"] == 1:
        return "right"
    if each["points"] > 0:
        return "partly"
    return "wrong" if each["there"] else "missing"


# --- formulas ------------------------------------------------------------------------------------


def _formulas(latex: Sequence[str], to: str) -> dict[str, str]:
    """Formulas as Typst's mathematics, or as MathML, by their LaTeX."""
    macros = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))["macros"]
    text = "\n\n".join([macros, *(f"${formula.strip()}$" for formula in latex)])
    command = [pypandoc.get_pandoc_path(), "--from=markdown", f"--to={to}", "--mathml"]
    command += ["--wrap=none", "--fail-if-warnings"]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=True)
    said = done.stdout.decode()
    found = re.findall(r"^<p>(.*?)</p>$" if to == "html" else r"^\$(.*)\$$", said, re.M)
    return dict(zip(latex, found, strict=True))


# --- HTML ----------------------------------------------------------------------------------------

MARKS = {"right": "✓", "partly": "◐", "wrong": "✗", "missing": "–"}


def as_html(view: dict[str, Any], formulas: dict[str, str]) -> str:
    """The sheet as one page that needs nothing else."""
    title = escape(view["title"] or "A submission")
    body = [
        f"<h1>{title}</h1>",
        f'<p class="authors">{escape(", ".join(view["authors"])) or "no names"}</p>',
        f'<p class="total"><b>{view["points"]}</b> of {view["of"]} points</p>',
        _parts(view["parts"]),
        *(
            f'<p class="remark"><b>Remark.</b> {escape(view["remark"])}</p>'
            for _ in [0]
            if view["remark"]
        ),
        *(f'<p class="notice">{escape(notice)}</p>' for notice in view["notices"]),
        *(_summary(view, part) for part in view["parts"]),
        "<h2>Item by item</h2>",
        *(_entry(item, formulas) for item in view["items"]),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Grade: {title}</title>\n<style>\n{STYLE.read_text(encoding='utf-8')}</style>\n"
        "</head>\n<body>\n<main>\n" + "\n".join(body) + "\n</main>\n</body>\n</html>\n"
    )


def _parts(parts: Sequence[dict[str, Any]]) -> str:
    rows = [
        f'<tr><th scope="row">{escape(part["title"])}</th>'
        f'<td><meter min="0" max="1" value="{part["share"]:.4f}"></meter></td>'
        f'<td class="number">{part["points"]} of {part["of"]}</td></tr>'
        for part in parts
    ]
    return f'<table class="parts"><tbody>{"".join(rows)}</tbody></table>'


def _summary(view: dict[str, Any], part: dict[str, Any]) -> str:
    rows = [
        f'<tr class="{item["status"]}"><td class="mark" title="{item["status"]}">'
        f"{MARKS[item['status']]}</td>"
        f'<td><a href="#{item["question"]}">{item["question"]}</a></td>'
        f'<td>{escape(item["title"])}</td><td class="number">{item["page"] or ""}</td>'
        f'<td class="number">{item["points"]} of {item["of"]}{"*" if item["overridden"] else ""}'
        "</td></tr>"
        for item in view["items"]
        if item["part"] == part["name"]
    ]
    head = "<tr><th></th><th></th><th></th><th>page</th><th>points</th></tr>"
    return (
        f'<table class="items"><caption>{escape(part["title"])}</caption>'
        f"<thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _entry(item: dict[str, Any], formulas: dict[str, str]) -> str:
    rows = [
        f'<tr class="{each["mark"]}"><td class="mark" title="{each["mark"]}">'
        f"{MARKS[each['mark']]}</td><td>{each['kind']}</td>"
        f"<td>{_said(each, formulas)}</td><td>{escape(each['says'])}{_line(each)}</td>"
        f'<td class="number">{each["points"]} of {each["of"]}</td></tr>'
        for each in item["evidence"]
    ]
    by = f" by the teacher; {item['computed']} by the evidence" if item["overridden"] else ""
    remark = f'<p class="remark"><b>Remark.</b> {escape(item["remark"])}</p>'
    return (
        f'<section class="{item["status"]}" id="{item["question"]}">'
        f"<h3><span>{item['question']}</span> {escape(item['title'])}"
        f'<span class="points">{item["points"]} of {item["of"]}{by}</span></h3>'
        f'<p class="where">{escape("; ".join(filter(None, [item["status"], item["where"]])))}</p>'
        f'{remark if item["remark"] else ""}<table class="evidence"><tbody>{"".join(rows)}'
        "</tbody></table></section>"
    )


def _said(each: dict[str, Any], formulas: dict[str, str]) -> str:
    said = [escape(each["words"])] if each["words"] else []
    said += [f"<code>{escape(each['name'])}</code>"] if each["name"] else []
    said += [formulas[each["latex"]]] if each["latex"] else []
    return " ".join(said)


def _line(each: dict[str, Any]) -> str:
    return f' <span class="line">line {each["line"]}</span>' if each["line"] else ""
