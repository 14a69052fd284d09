"""Reports that keep every formula true, or out of sight, and no longer answer what was asked.

Each class launders one claim of one question in one way, and yields the reports that come of it.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from derivations.claims import Answer
from derivations.examine import Examination, examine
from derivations.questions import Claim
from literate.reader import parse

IRRELEVANT = (
    "1 = 2 - 1",
    r"\exp(x) \exp(-x) = 1",
    r"\sigmoid(x) + \sigmoid(-x) = 1",
    r"\sum_{k=1}^{m} \onehot_m(y)_k = 1",
)
DOMAINS = ("x > 0", "y = 1", "k = y", "d_h = 5", r"\eta > 0", "skip it is plain")
REASONS = ("definition", "last question", "chain rule", "inner derivative", "by hand")


class Place(NamedTuple):
    """A display in the source of the report."""

    start: int  # of the opening $$
    end: int  # behind the label
    latex: str
    label: str
    line: int


class Laundered(NamedTuple):
    """A laundered report: how, which claim or display, and its source."""

    how: str
    what: str
    text: str
    place: Place | None = None  # of the display that bore out a claim
    claim: Claim | None = None


def notices(attempt: Laundered, text: str) -> str:
    """What is said about a laundered report; also if another display of the report says it all."""
    examination = examine(attempt.text)
    if examination.failures:
        return examination.failures[0]
    if attempt.claim and attempt.place:
        untouched = {place.latex for place in places(text) if place != attempt.place}
        lines = [
            answer.line
            for answer in examination.answers[attempt.claim.question]
            if answer.claim == attempt.claim
        ]
        for place in places(attempt.text):
            if place.line in lines and place.latex in untouched:
                return f"the answer is complete: line {place.line} says it, too"
    return ""


def places(text: str) -> list[Place]:
    """Every display that the examination knows of."""
    return [
        Place(display.start, display.end, display.latex, display.label, display.line)
        for display in parse(text).displays
    ]


def put(text: str, place: Place, latex: str, before: str = "") -> str:
    """The report with another formula in the display, and a comment before it."""
    label = f" {{#{place.label}}}" if place.label else ""
    return f"{text[: place.start]}{before}$$\n{latex}\n$${label}{text[place.end :]}"


def laundered(text: str, examination: Examination) -> Iterator[Laundered]:
    """Every way of laundering, for every claim that has a display."""
    seen = {text}
    for each in _laundered(text, examination):
        if each.text not in seen:
            seen.add(each.text)
            yield each


def _laundered(text: str, examination: Examination) -> Iterator[Laundered]:
    at = {place.line: place for place in places(text)}
    answers = [a for found in examination.answers.values() for a in found]
    for answer in answers:
        place = at.get(answer.line)
        what = f"{answer.claim.question}: {answer.claim}"
        if place:
            for way in WAYS:
                yield from (
                    Laundered(way.__name__.replace("_", " "), what, new, place, answer.claim)
                    for new in way(text, place, answer)
                )
    for name, claimed in examination.answers.items():
        yield from section_removed(text, name) if claimed else ()
    yield from proofs_emptied(text)
    yield from labels_swapped(text)
    yield from macros_redefined(text)


def replaced_by_an_identity(text: str, place: Place, answer: Answer) -> Iterator[str]:
    """A true formula about something else."""
    for latex in IRRELEVANT:
        yield put(text, place, latex)


def replaced_by_itself(text: str, place: Place, answer: Answer) -> Iterator[str]:
    """The left side equals itself, or itself plus 0."""
    left = re.split(r"&?=|\\leftarrow|>", place.latex.replace(r"\begin{aligned}", ""))[0].strip()
    for right in (left, f"{left} + 0", f"1 \\cdot {left}", f"2 {left} - {left}"):
        yield put(text, place, f"{left} = {right}")


def weakened(text: str, place: Place, answer: Answer) -> Iterator[str]:
    """An inequality in the place of the first, the last or every equals sign."""
    signs = [m.start() for m in re.finditer(r"(?<![_{\w])=(?!\d)", place.latex)]
    for relation in (r"\leq", r"\geq"):
        for sign in {*signs[:1], *signs[-1:]}:
            yield put(text, place, place.latex[:sign] + relation + place.latex[sign + 1 :])


def restricted(text: str, place: Place, answer: Answer) -> Iterator[str]:
    """Claimed on a smaller domain only, or not to be checked at all."""
    for domain in DOMAINS:
        if text[: place.start].endswith(f"<!-- check: {domain} -->\n"):
            continue
        yield put(text, place, place.latex.strip("\n"), f"<!-- check: {domain} -->\n")


def moved_inline(text: str, place: Place, answer: Answer) -> Iterator[str]:
    """In the running text instead of a display."""
    latex = " ".join(place.latex.replace(r"\begin{aligned}", "").split())
    yield f"{text[: place.start]}Thus ${latex}$.{text[place.end :]}"


def hidden(text: str, place: Place, answer: Answer) -> Iterator[str]:
    """In the source, but not in the document."""
    display = text[place.start : place.end]
    yield f"{text[: place.start]}<!--\n{display}\n-->{text[place.end :]}"
    yield f"{text[: place.start]}```\n{display}\n```{text[place.end :]}"
    around = "::: {.content-visible when-format=html}", ":::"
    yield f"{text[: place.start]}{around[0]}\n{display}\n{around[1]}\n{text[place.end :]}"
    yield put(text, place, re.sub(r"(?m)^(?=.)", "% ", place.latex.strip("\n")))


def deleted(text: str, place: Place, answer: Answer) -> Iterator[str]:
    """Without the display."""
    yield text[: place.start] + text[place.end :]


def label_dropped(text: str, place: Place, answer: Answer) -> Iterator[str]:
    """Without its number, or under one that nothing asks for."""
    if place.label:
        display = text[place.start : place.end]
        yield text[: place.start] + display.replace(f" {{#{place.label}}}", "") + text[place.end :]
        yield text[: place.start] + display.replace(place.label, "eq-other") + text[place.end :]


def proofs_emptied(text: str) -> Iterator[Laundered]:
    """A chain without its reasons, without its steps, with its two ends alone, for any reason."""
    for place in places(text):
        if r"\why" not in place.latex:
            continue
        rows = place.latex.strip("\n").split("\\\\\n")
        first, last = (
            rows[0].split("&=")[0],
            re.sub(r"\\why\{[^}]*\}", "", rows[-1].split("&=")[-1]),
        )
        ends = f"{first} &= {last}".replace("\n\\end{aligned}", "")
        emptied = [f"{ends} \\why{{{reason}}} \n\\end{{aligned}}" for reason in REASONS]
        emptied.append(f"{ends}\n\\end{{aligned}}")
        emptied.append(re.sub(r"\\why\{[^}]*\}", "", place.latex.strip("\n")))
        emptied.append(rows[0] + "\n\\end{aligned}")
        emptied += ["\\\\\n".join(rows[:i] + rows[i + 1 :]) for i in range(1, len(rows) - 1)]
        if len(rows) == 1:
            emptied = emptied[-1:]
        for latex in emptied:
            yield Laundered("proof emptied", f"line {place.line}", put(text, place, latex))


def value_bent(text: str, place: Place, answer: Answer) -> Iterator[str]:
    """A letter given a value before the formula, so that it says less."""
    for letter, value in (("x", "1"), ("c", "0"), ("y", "1"), ("z", "2"), ("h", "1")):
        yield f"{text[: place.start]}$$\n{letter} = {value}\n$$\n\n{text[place.start :]}"


def section_removed(text: str, question: str) -> Iterator[Laundered]:
    """A section without its formulas, or gone."""
    label = "#sec-" + re.sub(r"^([ab])\.", r"\1", question) + "}"
    heading = re.search(rf"^#+ .*{label}.*$", text, re.M)
    if heading:
        behind = re.compile(r"^#+ .*#sec-", re.M).search(text, heading.end())
        end = behind.start() if behind else len(text)
        section = text[heading.end() : end]
        emptied = re.sub(r"\$\$.*?\$\$( \{#eq-[\w-]+\})?", "", section, flags=re.S)
        yield Laundered("section emptied", question, text[: heading.end()] + emptied + text[end:])
        yield Laundered("section removed", question, text[: heading.start()] + text[end:])
        renamed = heading[0].replace(label, "#sec-other}")
        yield Laundered("section renamed", question, text.replace(heading[0], renamed))


def labels_swapped(text: str) -> Iterator[Laundered]:
    """Two equations with each other's label: neighbours, and one far away."""
    labels = [place.label for place in places(text) if place.label]
    for number, label in enumerate(labels):
        for other in {labels[number - 1], labels[number - 7]} - {label}:
            swapped = re.sub(
                rf"\{{#({label}|{other})\}}",
                lambda m, a=label, b=other: f"{{#{b if m[1] == a else a}}}",
                text,
            )
            yield Laundered("labels swapped", f"{label}, {other}", swapped)


def macros_redefined(text: str) -> Iterator[Laundered]:
    """A macro that stands for what another one stands for."""
    found = re.findall(r"^(\\newcommand\{\\\w+\}(\[\d\])?\{(.*)\})$", text, re.M)
    for number, (line, arity, body) in enumerate(found):
        others = [other for _, same, other in found if same == arity and other != body]
        new = line.replace(f"{{{body}}}", f"{{{others[number % len(others)]}}}")
        yield Laundered("macro redefined", line, text.replace(line, new))


WAYS = (
    replaced_by_an_identity,
    replaced_by_itself,
    weakened,
    restricted,
    moved_inline,
    hidden,
    deleted,
    label_dropped,
    value_bent,
)
