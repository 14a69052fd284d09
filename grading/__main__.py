"""Grades a submission, or a class of them: `python -m grading [PATH] [--jobs N]`."""

import argparse
import secrets
import sys
import time
from dataclasses import replace
from pathlib import Path

from grading import exports, handout, many, overrides, sheet, similar
from grading.items import RIGHT, Grade
from grading.judge import grade
from grading.many import ClassError
from grading.overrides import OverridesError
from grading.rubric import FILE, RubricError
from grading.rubric import load as load_rubric
from grading.sandbox import SandboxError, runner
from grading.sheet import number
from grading.submission import SubmissionError, opened
from literate.reader import ROOT
from mlp.settings import SettingsError

OUTPUT = ROOT / "_output" / "grade"
WRONG = (
    *(RubricError, OverridesError, SandboxError, SubmissionError),
    *(ClassError, SettingsError, OSError),
)


def main(arguments: list[str] | None = None) -> int:
    """Grade; the exit status: 0 done, whatever the points, 2 not possible, 130 interrupted."""
    options = _parser().parse_args(arguments)
    try:
        return _class(options) if options.jobs else _single(options)
    except WRONG as error:
        print(f"grading: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ngrading: interrupted; the same command goes on", file=sys.stderr)
        return 130


def _single(options: argparse.Namespace) -> int:
    """Grade one submission, and write its sheet."""
    seed = secrets.randbelow(2**32) if options.seed is None else options.seed
    begun = time.perf_counter()
    rubric = load_rubric(options.rubric)
    if options.recorded:
        rubric = replace(rubric, run=replace(rubric.run, epochs=0))
    changes = overrides.load(options.overrides) if options.overrides else {}
    run = runner(trusted=options.trust)
    with opened(options.path) as folder:
        graded = grade(folder, rubric, run, seed)
    graded = overrides.applied(graded, changes, options.overrides)
    options.output.mkdir(parents=True, exist_ok=True)
    exports.write(exports.as_data(graded, rubric), options.output / "grade.json")
    exports.write(exports.gradescope(graded), options.output / "results.json")
    sheet.write(graded, rubric, options.output)
    print(*_said(graded), sep="\n")
    print(f"{options.output}/grade.pdf in {time.perf_counter() - begun:.0f} s")
    return 0


def _class(options: argparse.Namespace) -> int:
    """Grade a folder of submissions, each in a process of its own."""
    load_rubric(options.rubric)
    runner(trusted=options.trust)  # which says so at once if there is none
    passed_on = ["--rubric", str(options.rubric.resolve())]
    passed_on += [f"--{name}" for name in ("trust", "recorded") if getattr(options, name)]
    handed_out = handout.edition()
    given = similar.prints(
        {name: text.decode(errors="replace") for name, text in handed_out.items()}
    )
    graded = many.run(
        Path(options.path),
        options.output,
        passed_on,
        given,
        seed=options.seed,
        jobs=options.jobs,
        backend=options.backend,
        cluster=options.cluster,
    )
    for each in graded:
        if each.problem:
            print(f"  {each.name}: no grade: {each.problem}")
    print(f"{options.output}/gradebook.csv and statistics.html: {len(graded)} submissions")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m grading",
        description="Grade a submission item by item, with evidence for each: grade.pdf, "
        "grade.html, grade.json and Gradescope's results.json. Its code runs in a sandbox. "
        "With --jobs, grade all submissions in a folder: zips, or folders. Each has its sheet in "
        "OUTPUT/NAME as soon as it is graded, and its line in OUTPUT/gradebook.csv; what is graded "
        "is not graded again, so that the same command goes on after it was ended. Points and "
        "remarks by a teacher stand in NAME.yml beside the submission. At the end, "
        "OUTPUT/statistics.html says what was hard, and who is alike.",
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
    parser.add_argument(
        "--recorded", action="store_true", help="take results as recorded: train nothing again"
    )
    many_of_them = parser.add_argument_group("a class")
    many_of_them.add_argument(
        "--jobs", type=positive, metavar="N", help="PATH holds submissions: grade N at a time"
    )
    many_of_them.add_argument(
        "--backend",
        default="loky",
        help="joblib's name of where: loky is processes on this machine, dask or ray a cluster "
        "that sees the same folders (pip install distributed, or ray) (default: %(default)s)",
    )
    many_of_them.add_argument(
        "--cluster", metavar="ADDRESS", help="of Dask's scheduler (default: one is started here)"
    )
    return parser


def positive(text: str) -> int:
    """Read a whole number >= 1, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number >= 1")
    return int(text)


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
