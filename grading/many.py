"""Grades a class: a folder of submissions -> a grade for each, a gradebook, statistics.

Each submission is graded by a process of its own, `python -m grading`, so that one that stalls or
crashes whoever reads it costs only itself. What came of it stands in OUTPUT/NAME/ as soon as it is
known, whole or not at all; the same call goes on where an earlier one was ended, however it was.
"""

import csv
import functools
import hashlib
import io
import json
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import filelock
import joblib
from tqdm import tqdm

from grading import overview, similar, watch
from grading.limits import Limits
from grading.similar import Pair, Prints
from literate.reader import ROOT
from mlp.files import write_atomically
from mlp.lab.search import workers

LIMITS = Limits(seconds=3600, memory=6 * 2**30, processes=100, output=2**24)  # of one submission
ROOMS = ("grading", "derivations", "literate", "mlp")  # what a grade depends on
ABOUT = "submission.json"  # of which submission a folder is the grade, and what came of it
GRADE = "grade.json"
GRADER = (sys.executable, "-m", "grading")


class ClassError(ValueError):
    """A class that cannot be graded; the message names folder and remedy."""


@dataclass(frozen=True)
class Task:
    """A submission to be graded, and where to."""

    name: str
    path: Path
    key: str  # what the grade depends on
    output: Path
    command: tuple[str, ...]  # which grades it, but for where to


@dataclass(frozen=True)
class Graded:
    """What came of a submission."""

    name: str
    key: str
    problem: str  # why there is no grade, or empty
    prints: Prints
    grade: Mapping[str, Any]  # as grade.json says

    @property
    def points(self) -> float:
        """All points; none where there is no grade."""
        return float(self.grade.get("points", 0.0))

    def without(self, given: Prints) -> "Graded":
        """The same, of which what the students were given does not count as theirs."""
        own = Prints(self.prints.code - given.code, self.prints.formulas - given.formulas)
        return replace(self, prints=own)


# --- which submissions ---------------------------------------------------------------------------


def submissions(folder: Path, output: Path | None = None) -> dict[str, Path]:
    """The submissions in a folder, by name: its zips and folders, which may hold just a zip.

    A folder for output is none. Raises ClassError.
    """
    if not folder.is_dir():
        raise ClassError(f"{folder}: is no folder; name the one that holds all submissions")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        own = output is not None and path.resolve() == output.resolve()
        if own or path.name.startswith((".", "__MACOSX")) or path.is_symlink():
            continue
        if path.is_dir() or path.suffix.lower() == ".zip":
            name = path.name if path.is_dir() else path.stem
            if name in found:
                raise ClassError(f"{path}: there is a folder {name}, too; remove one of them")
            found[name] = _handed_in(path)
    if not found:
        raise ClassError(f"{folder}: holds no zip and no folder; put the submissions there")
    return found


def _handed_in(path: Path) -> Path:
    """The path, or the only zip in it, as courses on the web give a folder to each student."""
    inside = list(path.iterdir()) if path.is_dir() else []
    zips = [each for each in inside if each.suffix.lower() == ".zip" and not each.is_symlink()]
    return zips[0] if len(inside) == len(zips) == 1 else path


def key(paths: Sequence[Path], command: Sequence[str]) -> str:
    """What a grade depends on: files, the command, and this program."""
    parts = [_program(), *command]
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            about = file.lstat()
            parts.append(f"{file} {about.st_size} {about.st_mtime_ns}")
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:16]


@functools.cache
def _program() -> str:
    """A digest of what grades."""
    total = hashlib.sha256()
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            if path.suffix in (".py", ".yml"):
                total.update(path.read_bytes())
    return total.hexdigest()


# --- grading them --------------------------------------------------------------------------------


def run(
    folder: Path,
    output: Path,
    options: Sequence[str] = (),
    given: Prints = similar.NOTHING,
    *,
    seed: int | None = None,
    jobs: int = 1,
    backend: str = "loky",
    cluster: str | None = None,
    grader: Sequence[str] = GRADER,
) -> list[Graded]:
    """Grade what is not graded yet, `jobs` at a time; gradebook.csv grows as each ends.

    `options` are those of `grader` for one submission, `given` is what the students were given, and
    `seed` draws the hidden inputs, the same for all. A cluster has to reach both folders under the
    same names. Raises ClassError, and SettingsError for a backend that cannot be used.
    """
    of = submissions(folder, output)
    output.mkdir(parents=True, exist_ok=True)
    try:
        lock = filelock.FileLock(output / ".lock").acquire(blocking=False)
    except filelock.Timeout as error:
        raise ClassError(f"{output}: another process grades into it; let it end") from error
    with lock, workers(backend, jobs, cluster):
        for unfinished in output.glob(".unfinished-*"):
            shutil.rmtree(unfinished)
        shared = (*options, "--seed", str(_seed(output) if seed is None else seed))
        tasks = [
            _task(name, path, folder / f"{name}.yml", output, (*grader, *shared))
            for name, path in of.items()
        ]
        done = {
            task.name: found.without(given) for task in tasks if (found := known(task)) is not None
        }
        waiting = [task for task in tasks if task.name not in done]
        with tqdm(total=len(tasks), initial=len(done), unit="submission") as bar:
            for graded in _parallel(waiting):
                done[graded.name] = graded.without(given)
                _write_gradebook(output, done.values())
                bar.update()
                bar.set_postfix_str(f"{graded.name}: {graded.problem or f'{graded.points:g}'}")
        _write_gradebook(output, done.values())
        _write_overview(output, done.values())
    return _sorted(done.values())


def _seed(output: Path) -> int:
    """The seed of the hidden inputs, the same for the whole class, whenever it is graded."""
    path = output / "seed"
    if not path.exists():
        write_atomically(path, str(secrets.randbelow(2**32)).encode())
    return int(path.read_text())


def _task(name: str, path: Path, overrides: Path, output: Path, command: tuple[str, ...]) -> Task:
    """The task, with the teacher's overrides, where there are any."""
    files = [path.resolve()]
    if overrides.exists():
        files.append(overrides.resolve())
        command += ("--overrides", str(files[1]))
    command += (str(files[0]),)
    return Task(name, files[0], key(files, command), output.resolve(), command)


def _parallel(tasks: Iterable[Task]) -> Iterator[Graded]:
    """Grade, and yield what came of each, in the order in which they end."""
    calls = (joblib.delayed(one)(task) for task in tasks)
    yield from joblib.Parallel(return_as="generator_unordered")(calls)


def one(task: Task) -> Graded:
    """Grade a submission, into OUTPUT/NAME/; what a worker does."""
    with tempfile.TemporaryDirectory(
        prefix=".unfinished-", dir=task.output, ignore_cleanup_errors=True
    ) as made:
        place = Path(made, "grade")
        place.mkdir()
        problem = _problem(task, place)
        prints = _prints(task.path) if not problem else similar.NOTHING
        shape = {kind: sorted(digests) for kind, digests in prints._asdict().items()}
        about = {"key": task.key, "problem": problem, **shape}
        (place / ABOUT).write_text(json.dumps(about))
        target = task.output / task.name
        if target.exists():
            target.rename(Path(made, "before"))
        place.rename(target)
    graded = known(task, with_problem=True)
    assert graded is not None  # it was just written
    return graded


def _problem(task: Task, place: Path) -> str:
    """Grade a submission into a folder; what was wrong, or empty."""
    watched = watch.run([*task.command, "--output", str(place)], LIMITS, ROOT)
    if watched.why:
        return watched.why
    if watched.status or not (place / GRADE).exists():
        last = watched.stderr.strip().splitlines()[-1:]
        return last[0] if last else f"grading it ended with status {watched.status}"
    return ""


def _prints(path: Path) -> Prints:
    """The shape of a submission; nothing where it cannot be read."""
    watched = watch.run([sys.executable, "-m", "grading.similar", str(path)], LIMITS, ROOT)
    try:
        return similar.read(watched.stdout.decode())
    except ValueError:
        return similar.NOTHING


def known(task: Task, *, with_problem: bool = False) -> Graded | None:
    """What is known of a submission as it is now; of one that had a problem, nothing."""
    folder = task.output / task.name
    try:
        about = json.loads((folder / ABOUT).read_text())
        prints = similar.read(json.dumps(about))
        problem = str(about["problem"])
        grade = {} if problem else json.loads((folder / GRADE).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if about["key"] != task.key or (problem and not with_problem):
        return None
    return Graded(task.name, task.key, problem, prints, grade)


# --- what is written for the teacher -------------------------------------------------------------


def _sorted(graded: Iterable[Graded]) -> list[Graded]:
    return sorted(graded, key=lambda each: each.name)


def _write_gradebook(output: Path, graded: Iterable[Graded]) -> None:
    write_atomically(output / "gradebook.csv", gradebook(_sorted(graded)).encode())


def _write_overview(output: Path, graded: Iterable[Graded]) -> None:
    """Write what is alike, and the page of statistics."""
    of = _sorted(graded)
    pairs = similar.alike({each.name: each.prints for each in of})
    write_atomically(output / "similar.csv", table([Pair._fields, *pairs]).encode())
    page = overview.page(
        {each.name: each.grade for each in of if not each.problem},
        {each.name: each.problem for each in of if each.problem},
        pairs,
    )
    write_atomically(output / "statistics.html", page.encode())


def gradebook(graded: Sequence[Graded]) -> str:
    """A line for each submission: its points, in all and for each item, and what was wrong."""
    questions = list(dict.fromkeys(i["question"] for each in graded for i in _items(each)))
    rows: list[Sequence[object]] = [
        ["submission", "authors", "points", "of", *questions, "problem"]
    ]
    for each in graded:
        points = {item["question"]: item["points"] for item in _items(each)}
        rows.append(
            [
                each.name,
                "; ".join(map(str, each.grade.get("authors", ()))),
                each.points,
                each.grade.get("of", ""),
                *(points.get(question, 0) for question in questions),
                each.problem,
            ]
        )
    return table(rows)


def _items(graded: Graded) -> Sequence[Mapping[str, Any]]:
    return graded.grade.get("items", ())


def table(rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV, in which no text is a formula to a spreadsheet."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for row in rows:
        writer.writerow([_plain(cell) if isinstance(cell, str) else cell for cell in row])
    return buffer.getvalue()


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
