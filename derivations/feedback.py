"""What a student is told of a report: `python -m derivations.feedback`.

Per question it says what is right, wrong or missing, and never what would be right: of an identity
that is to be shown, no more is named than the side that the question is about.
"""

import re
import signal
import sys
from collections.abc import Iterator, Mapping

from derivations.claims import Answer
from derivations.examine import Examination, examine
from derivations.questions import Claim
from derivations.read import question
from literate.reader import REPORT, ROOT, parse
from literate.report import Heading, Report
from literate.source import unwritten

PRACTICAL = re.compile(r"sec-p(\d+)")
EMPTY = ("*Not answered yet.*", "**Asked.**", "<!--")  # how paragraphs begin that answer nothing
# What tells by how much a statement fails tells what would be right.
TELLING = re.compile(r"(the (?:left-hand side|shape) is|\S+ is not in) .*", re.DOTALL)


def main() -> int:
    """Print what there is to say of report.qmd and mlp/; 1: something is wrong, 2: unreadable."""
    modules = sorted((ROOT / "mlp").glob("*.py"))
    try:
        text = REPORT.read_text(encoding="utf-8")
        code = {f"mlp/{path.name}": path.read_text(encoding="utf-8") for path in modules}
        to_write = todo(code)
    except SyntaxError as error:
        print(f"{error.filename}:{error.lineno}: {error.msg}; mend it first", file=sys.stderr)
        return 2
    except (OSError, UnicodeDecodeError) as error:
        print(f"{error}; save it as UTF-8, where it was", file=sys.stderr)
        return 2
    examination = examine(text)
    print(*feedback(parse(text), examination, to_write), sep="\n")
    return int(any(wrong(examination, name) for name in examination.answers))


def todo(code: Mapping[str, str]) -> dict[str, list[str]]:
    """For each question, the functions that are still to be written, by the files they are in.

    Raises SyntaxError for a file that is not Python.
    """
    found: dict[str, list[str]] = {}
    for path, source in code.items():
        for name, says in unwritten(source, path):
            for asked in re.findall(r"[abp]\.\d+", says):
                found.setdefault(asked, []).append(f"{name} in {path}")
    return found


def feedback(
    report: Report, examination: Examination, to_write: Mapping[str, list[str]]
) -> Iterator[str]:
    """A line for each question, and below it what is wrong or missing."""
    for heading in report.headings:
        name = asked(heading)
        if not name:
            continue
        answers = [a for a in examination.answers.get(name, []) if a.claim.asked]
        missing = [described(a.claim) for a in answers if not a.proven and a.state == "missing"]
        faults = wrong(examination, name)
        if not answers and not answered(report, heading):
            missing = ["an answer"]
        missing += [f"the code of {function}" for function in to_write.get(name, [])]
        yield f"{name:6} {verdict(answers, missing, faults)}"
        yield from (f"{'':6} wrong: {fault}" for fault in faults)
        yield from (f"{'':6} missing: {what}" for what in missing)


def asked(heading: Heading) -> str:
    """The question below a heading, as in a.1 or p.10; empty if there is none."""
    practical = PRACTICAL.fullmatch(heading.label)
    name = f"p.{practical[1]}" if practical else question(heading.label)
    return name if re.fullmatch(r"[abp]\.\d+", name) else ""


def answered(report: Report, heading: Heading) -> bool:
    """Whether anything stands below a heading beside what is asked."""
    ends = [other.start for other in report.headings if other.start > heading.start]
    below = report.text[heading.end : min(ends, default=len(report.text))]
    return any(
        paragraph.strip() and not paragraph.strip().startswith(EMPTY)
        for paragraph in re.split(r"\n\s*\n", below)
    )


def verdict(answers: list[Answer], missing: list[str], faults: list[str]) -> str:
    """A question in a word or two."""
    if faults:
        return "wrong in part" if any(a.proven for a in answers) else "wrong"
    if not missing:
        return "right" if answers else "there"
    if any(a.proven for a in answers):
        return "right in part"
    return "not answered yet" if answers or "an answer" in missing else "there, without its code"


def wrong(examination: Examination, name: str) -> list[str]:
    """What is wrong in a question, each with its line; not by how much."""
    found = {
        v.display.line: v.failure
        for v in examination.verdicts
        if v.failure and v.display.question == name
    }
    found |= {
        r.inline.line: r.failure
        for r in examination.remarks
        if r.failure and r.inline.question == name
    }
    for answer in examination.answers.get(name, []):
        if answer.claim.asked and answer.state == "wrong":
            found.setdefault(answer.line, f"{described(answer.claim)}: {answer.problem}")
    return [f"line {line}: {TELLING.sub('does not hold', said)}" for line, said in found.items()]


def described(claim: Claim) -> str:
    """What a claim is about, without what would answer it."""
    said = {
        "show": f"a derivation of {_about(claim)}",
        "state": f"a statement about {_about(claim)}",
        "define": f"what {_about(claim)} stands for",
        "express": f"a formula for {claim.text}",
        "cases": f"the cases of {claim.text}",
        "given": f"the definition: {claim.text}",
        "update": f"the step of {claim.text}",
        "pose": f"the problem that {claim.text.partition(' ')[0]} solves",
        "shape": f"the dimensions of {_shaped(claim.text)}",
        "numpy": f'the line of code, quoted by line("{claim.text}")',
    }[claim.kind]
    form = " in matrix form" if claim.matrix else ""
    label = f", labelled {claim.label}" if claim.label else ""
    return said + form + label


def _about(claim: Claim) -> str:
    """The side of a relation that is asked about: the left one, if that is no entry of a result."""
    if claim.relation != "=":
        return claim.text
    left, _, right = claim.text.partition(" = ")
    return right if left.startswith("(") else left


def _shaped(text: str) -> str:
    return ", ".join(part.partition(r" \in ")[0] for part in text.split("}, "))


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as in: make derivations | head
    sys.exit(main())
