"""Grades a submission: `python -m grading [PATH]`, a folder, a zip or a git revision."""

import argparse
import secrets
import sys
import time
from pathlib import Path

from grading import exports, overrides, sheet
from grading.items import RIGHT, Grade
from grading.judge import grade
from grading.overrides import OverridesError
from grading.rubric import FILE, RubricError
from grading.rubric import load as load_rubric
from grading.sandbox import SandboxError, runner
from grading.sheet import number
from grading.submission import SubmissionError, opened
from literate.reader import ROOT

OUTPUT = ROOT / "_output" / "grade"


def main(arguments: list[str] | None = None) -> int:
    """Grade, and write the sheet; 0 done, whatever the points, 2 wrong usage or no sandbox."""
    options = _parser().parse_args(arguments)
    seed = secrets.randbelow(2**32) if options.seed is None else options.seed
    begun = time.perf_counter()
    try:
        rubric = load_rubric(options.rubric)
        changes = overrides.load(options.overrides) if options.overrides else {}
        run = runner(trusted=options.trust)
        with opened(options.path) as folder:
            graded = grade(folder, rubric, run, seed)
        graded = overrides.applied(graded, changes, options.overrides)
        options.output.mkdir(parents=True, exist_ok=True)
        exports.write(exports.as_data(graded, rubric), options.output / "grade.json")
        exports.write(exports.gradescope(graded), options.output / "results.json")
        sheet.write(graded, rubric, options.output)
    except (RubricError, OverridesError, SandboxError, SubmissionError, OSError) as error:
        print(f"grading: {error}", file=sys.stderr)
        return 2
    print(*_said(graded), sep="\n")
    print(f"{options.output}/grade.pdf in {time.perf_counter() - begun:.0f} s")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m grading",
        description="Grade a submission item by item, with evidence for each: grade.pdf, "
        "grade.html, grade.json and Gradescope's results.json. Its code runs in a sandbox.",
    )
    parser.add_argument(
        "path", nargs="?", default=ROOT, help="a folder, a zip or a git revision; this project"
    )
    parser.add_argument("--output", type=Path, default=OUTPUT, help="the folder to write to")
    parser.add_argument("--overrides", type=Path, help="a teacher's points and remarks, YAML")
    parser.add_argument("--rubric", type=Path, default=FILE, help="another rubric, YAML")
    parser.add_argument("--seed", type=int, help="of the hidden inputs; drawn, if not given")
    parser.add_argument(
        "--trust", action="store_true", help="where there is no sandbox, run the code without one"
    )
    return parser


def _said(graded: Grade) -> list[str]:
    """A line for each item that is not right, and the points."""
    lines = [f"  note: {notice}" for notice in graded.notices]
    for item in graded.items:
        if item.status != RIGHT or item.given is not None:
            why = next((e.says for e in item.evidence if not e.holds), "points by the teacher")
            got = f"{number(item.points)} of {number(item.of)}"
            lines.append(f"  {item.question:5} {got:11} {item.status:8} {why}")
    return [*lines, f"{number(graded.points)} of {number(graded.of)} points"]


if __name__ == "__main__":
    sys.exit(main())
