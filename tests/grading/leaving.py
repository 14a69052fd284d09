"""Takes each of the 37 answers away in turn, and breaks it, and sees who loses points.

Run as `python -m tests.grading.leaving [QUESTION …] [--count N] [--seed N]`, by default of all
questions in full, which takes half an hour. Of every change, the item that it is about has to lose
points, and nobody else, but for those that depend on it, as DEPENDS says with the reason. Exit
status 1 if it is otherwise anywhere.
"""

import argparse
import ast
import hashlib
import random
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from grading import trust
from grading.items import RIGHT, Grade
from grading.judge import grade
from grading.limits import Limits, Outcome, Runner
from grading.rubric import Rubric, load
from grading.sandbox import runner
from literate.reader import REPORT, ROOT, parse
from literate.source import statements
from tests.derivations import edits

SEED = 20
PARTS = ("mlp", "figures", "literate", "derivations", "render", "experiments", "data", "results")
FILES = ("report.qmd", "_quarto.yml", "references.bib", "pyproject.toml", "Makefile")
Edit = Callable[[Path], None]


class Change(NamedTuple):
    """One answer that is gone, or wrong: whose, how, and what does it to a copy of the project."""

    question: str
    how: str
    edit: Edit
    what: str = ""  # a label or a name, by which DEPENDS may speak of it

    def __str__(self) -> str:
        return f"{self.question}, {self.how}"


# --- edits ---------------------------------------------------------------------------------------


def in_file(name: str, old: str, new: str) -> Edit:
    """Replace what stands once in a file. Raises ValueError if it does not."""

    def edit(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise ValueError(f"{name}: {text.count(old)} times {old!r}, not once")
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")

    return edit


def in_chunk(label: str, old: str, new: str) -> Edit:
    """Replace what a chunk says."""

    def edit(folder: Path) -> None:
        path = folder / "report.qmd"
        text = path.read_text(encoding="utf-8")
        (chunk,) = (chunk for chunk in parse(text).chunks if chunk.label == label)
        code = text[chunk.start : chunk.end]
        if code.count(old) != 1:
            raise ValueError(f"{label}: {code.count(old)} times {old!r}, not once")
        path.write_text(text[: chunk.start] + code.replace(old, new) + text[chunk.end :])

    return edit


def hidden(label: str) -> Edit:
    """Let a chunk show nothing, as if it were not there."""
    return in_chunk(label, f"#| label: {label}\n", "#| output: false\n")


def unanswered(section: str) -> Edit:
    """Take prose and displays of a section away, and what its chunks show."""

    def edit(folder: Path) -> None:
        path = folder / "report.qmd"
        report = parse(path.read_text(encoding="utf-8"))
        (heading,) = (h for h in report.headings if h.label == section)
        later = [h.start for h in report.headings if h.start > heading.start]
        inside = (heading.end, min(later, default=len(report.text)))
        kept = []
        for chunk in report.chunks:
            if inside[0] <= chunk.start < inside[1]:
                code = report.text[chunk.start : chunk.end]
                kept.append(code.replace("```{python}\n", "```{python}\n#| output: false\n", 1))
        text = report.text[: inside[0]] + "\n\n" + "\n".join(kept) + report.text[inside[1] :]
        path.write_text(text, encoding="utf-8")

    return edit


def of_a_line(label: str, made: Callable[[str], str]) -> Edit:
    """Change the right side of the line of the program that bears a label."""
    statement = statements()[label]
    name = statement.path.relative_to(ROOT).as_posix()

    def edit(folder: Path) -> None:
        rows = (folder / name).read_text(encoding="utf-8").split("\n")
        row, mark, comment = rows[statement.line - 1].partition("  # @")
        begin = re.match(r"\s*(?:return |\w+ = )", row)
        assert begin, f"{label}: not on a line of its own"
        rows[statement.line - 1] = begin[0] + made(row[begin.end() :]) + mark + comment
        (folder / name).write_text("\n".join(rows), encoding="utf-8")

    return edit


def not_written(name: str) -> Edit:
    """Empty the body of a function, given as model.bprop."""
    module, _, function = name.partition(".")

    def edit(folder: Path) -> None:
        path = folder / "mlp" / f"{module}.py"
        rows = path.read_text(encoding="utf-8").split("\n")
        for node in ast.walk(ast.parse("\n".join(rows))):
            if isinstance(node, ast.FunctionDef) and node.name == function:
                first = node.body[1 if ast.get_docstring(node) else 0]
                rows[first.lineno - 1 : node.end_lineno] = ["    raise NotImplementedError"]
                break
        path.write_text("\n".join(rows), encoding="utf-8")

    return edit


def in_logs(made: Callable[[list[str]], list[str]]) -> Edit:
    """Change the logs of the run of experiments 9 and 10, line by line in cells."""

    def edit(folder: Path) -> None:
        for path in (folder / load().run.results).glob("seed-*/log.csv"):
            lines = path.read_text().splitlines()
            made_lines = [",".join(made(line.split(","))) for line in lines]
            path.write_text("\n".join(made_lines) + "\n")

    return edit


# --- the changes ---------------------------------------------------------------------------------

LINES = {  # the line of the program that belongs to an item, by its label
    **{"a.1": "eq-sigmoid", "a.2": "eq-softplus", "a.3": "eq-sigmoid-prime"},
    **{"a.4": "eq-tanh-prime", "a.5": "eq-sign", "a.6": "eq-abs-prime", "a.7": "eq-rect-prime"},
    **{"a.8": "eq-grad-l2-squared", "a.9": "eq-grad-l1", "b.1": "eq-ha", "b.2": "eq-oa"},
    **{"b.3": "eq-softmax", "b.4": "eq-L", "b.5": "eq-n-theta", "b.6": "eq-update"},
    **{"b.8": "eq-grad-oa", "b.10": "eq-grad-W2", "b.12": "eq-grad-hs", "b.14": "eq-grad-ha"},
    **{"b.16": "eq-grad-W1", "b.17": "eq-grad-x", "b.18": "eq-penalty-grad-W1"},
    **{"p.3": "eq-grad-theta", "p.6": "eq-batch-grad-W2"},
}
CHANGES_OF_CODE = frozenset(LINES.values())
SIGN = ("flip a sign", "replace a function", "drop a factor", "change a number")
SHAPE = ("swap an index", "swap factors", "change a size", "transpose", "replace a quantity")


def changes() -> Iterator[Change]:
    """All changes, in the order of the assignment."""
    every = [*_of_the_text(), *_of_the_program(), *_of_the_practical_part()]
    order = list(load().items)
    yield from sorted(every, key=lambda change: order.index(change.question))


def _of_the_text() -> Iterator[Change]:
    """Parts a and b: the answer away, and two of its formulas wrong."""
    text = REPORT.read_text(encoding="utf-8")
    for question in load().items:
        section = "sec-" + question.replace(".", "")
        if question.startswith("p."):
            continue
        yield Change(question, "its section is empty", unanswered(section), "text")
        found = list(edits.in_section(text, section))
        for kinds in (SIGN, SHAPE):
            fitting = [edit for kind in kinds for edit in found if edit.kind == kind]
            if fitting:
                edit = fitting[0]
                how = f"{edit.kind}, line {edit.line}: {edit.now}"
                yield Change(question, how, _written(edit.text), "text")


def _written(text: str) -> Edit:
    return lambda folder: (folder / "report.qmd").write_text(text, "utf-8") and None


def _of_the_program() -> Iterator[Change]:
    """What computes an answer: not written, of the wrong sign, of the wrong shape."""
    for question, label in LINES.items():
        ways = {
            "not written": lambda _: "_not_written",
            "the wrong sign": lambda right: f"-1 * ({right})",
            "the wrong shape": lambda right: f"np.asarray({right})[..., None]",
        }
        for how, made in ways.items():
            yield Change(question, f"{label}: {how}", of_a_line(label, made), label)


def _of_the_practical_part() -> Iterator[Change]:
    """Code, tables, figures and logs of the experiments: not there, wrong, or of another run."""
    yield Change("p.1", "no gradient", not_written("loop.bprop_one"), "bprop_one")
    yield Change("p.1", "no finite difference", not_written("gradcheck.forward_difference"), "fd")
    yield Change("p.1", "initial weights of wrong size", _init("np.sqrt(n_c)", "n_c"), "init")
    table = "Markdown(gradients.check_table(single))"
    yield Change("p.2", "no table", hidden("tbl-single"))
    yield Change("p.2", "the wrong sign", in_chunk("tbl-single", table, NEGATIVE.format("single")))
    yield Change("p.2", "rows left out", in_chunk("tbl-single", "single)", "single[::2])"))
    yield Change("p.3", "not written", not_written("loop.bprop"), "loop")
    ten = "Markdown(gradients.check_table(ten))"
    yield Change("p.4", "no table", hidden("tbl-minibatch"))
    yield Change("p.4", "the wrong sign", in_chunk("tbl-minibatch", ten, NEGATIVE.format("ten")))
    yield Change("p.4", "another table", in_chunk("tbl-minibatch", "ten)", "single)"))
    yield Change("p.5", "no figure", hidden("fig-l2"))
    few = in_chunk("fig-l1", "regions(shown, columns=3)", "regions([shown[0]] * 3)")
    yield Change("p.5", "the figure of other networks", few)
    yield Change("p.5", "no figure of hidden units", hidden("fig-units"))
    yield Change("p.6", "not written", not_written("model.bprop"), "bprop")
    yield Change("p.6", "no table", hidden("tbl-shapes"))
    shapes = "Markdown(shapes.shapes_table(d=5, d_h=4, m=3, K=7))"
    other = "Markdown(shapes.shapes_table(d=4, d_h=5, m=3, K=7).replace('K', 'm'))"
    yield Change("p.6", "other shapes", in_chunk("tbl-shapes", shapes, other))
    pairs = "gradients.pairs_table(pairs)"
    yield Change("p.7", "no table", hidden("tbl-compare"))
    yield Change(
        "p.7", "one K alone", in_chunk("tbl-compare", pairs, pairs[:-1] + "and {1: pairs[1]})")
    )
    wrong = "gradients.pairs_table({K: [g.map(np.negative) for g in p] for K, p in pairs.items()})"
    yield Change("p.7", "the wrong sign", in_chunk("tbl-compare", pairs, wrong))
    yield Change("p.8", "no table", hidden("tbl-epoch"))
    yield Change("p.8", "other times", in_chunk("tbl-epoch", "looped,", "matrix,"))
    yield Change(
        "p.8", "rows the wrong way round", in_chunk("tbl-epoch", '{"loop', '{"": matrix, "loop')
    )
    yield Change("p.9", "no log", _without_logs, "log")
    yield Change("p.9", "a log with five figures", in_logs(lambda cells: cells[:-1]), "log")
    yield Change("p.9", "no listing", hidden("log-excerpt"))
    yield Change("p.10", "no figure", hidden("fig-curves"))
    run = in_chunk("fig-curves", 'log.read(RUN / "log.csv")', OTHER_RUN)
    yield Change("p.10", "the figure of another run", run)
    yield Change("p.10", "the log of another run", in_logs(_other_figures), "log")


NEGATIVE = "Markdown(gradients.check_table([r._replace(gradient=-r.gradient) for r in {}]))"


def _init(old: str, new: str) -> Edit:
    return in_file("mlp/model.py", f"bound = 1 / {old}", f"bound = 1 / {new}")


OTHER_RUN = 'log.read(RESULTS / "rung-2-momentum" / "seed-1" / "log.csv")'


def _without_logs(folder: Path) -> None:
    for path in (folder / load().run.results).glob("seed-*"):
        shutil.rmtree(path)


def _other_figures(cells: list[str]) -> list[str]:
    """A line of a log with figures that are a tenth larger."""
    epoch, *figures = cells
    return cells if epoch == "epoch" else [epoch, *(repr(1.1 * float(f)) for f in figures)]


# --- who loses points ----------------------------------------------------------------------------


FORWARD = dict.fromkeys(
    [f"p.{k}" for k in range(1, 11)], "every gradient, table, figure and run is computed by it"
)
LINE = "a line below it cannot be run where this one has no value, or another shape"
BELOW = ["b.8", "b.10", "b.12", "b.14", "b.16", "b.17"]
LOOPED = {
    "p.1": "it is part of the gradient of one example",
    "p.2": "the table shows that gradient",
    "p.3": "the loop adds that gradient up",
    "p.4": "the table shows the sum",
    "p.7": "it is compared with the sum",
    "p.8": "what cannot be run has no time",
}
MATRIX = {
    "p.5": "training takes its steps along this gradient",
    "p.7": "it is compared with the loop",
    "p.8": "what cannot be run has no time",
    "p.9": "an epoch takes such steps",
}
PENALTY = {"b.18": "the penalty's gradient is made of it", "p.5": "weight decay is trained with it"}


def _below(question: str) -> dict[str, str]:
    return dict.fromkeys(BELOW[BELOW.index(question) + 1 :], LINE) | LOOPED


# Who else may lose points, and why: by what is changed, or by the question, too.
DEPENDS: dict[str, dict[str, str]] = {
    "b.4 text": {"b.7": "starts from the loss as a function of the preactivations"},
    "b.9 text": {"b.10": "ends in what b.9 has shown, element by element"},
    "b.11 text": {"b.12": "ends in what b.11 has shown, element by element"},
    "b.13 text": {"b.14": "ends in what b.13 has shown, element by element"},
    "b.15 text": {"b.16": "ends in what b.15 has shown, element by element"},
    "eq-sigmoid": {"a.3": "the derivative is computed from the sigmoid"},
    "eq-sign": {
        "a.6": "the derivative is the sign",
        "a.9": "the gradient is the sign",
        **PENALTY,
    },
    "eq-rect-prime": {
        "b.14": "the line calls it",
        **_below("b.14"),
        **MATRIX,
        "p.6": "so does this",
    }
    | {"p.10": "a run takes such steps"},
    "eq-grad-l2-squared": PENALTY,
    "eq-grad-l1": PENALTY,
    "eq-ha": {"b.2": LINE, "b.3": LINE, **FORWARD},
    "eq-oa": {"b.3": LINE, **FORWARD},
    "eq-softmax": FORWARD,
    "eq-L": FORWARD,
    "eq-update": {"p.5": "training takes such steps", "p.9": "an epoch takes such steps"},
    **{LINES[question]: _below(question) for question in BELOW},
    "eq-penalty-grad-W1": {"p.5": "weight decay is trained with it"},
    "eq-grad-theta": LOOPED,
    "eq-batch-grad-W2": MATRIX,
    "bprop_one": {**dict.fromkeys(BELOW, "a line of it"), **LOOPED},
    "loop": LOOPED,
    "bprop": MATRIX,
    "fd": {"p.2": "the table shows it", "p.4": "the table shows it"},
    "init": {"p.5": "training starts there", "p.10": "the recorded run started elsewhere"},
    "log": {"p.9": "it is about the log", "p.10": "it is drawn from the log"},
}


def losers(change: Change, base: Path, rubric: Rubric, run: Runner) -> set[str]:
    """The items that lose points by a change of the project in a folder."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made, "submission")
        shutil.copytree(base, folder)
        change.edit(folder)
        return lost(grade(folder, rubric, run, SEED))


def lost(graded: Grade) -> set[str]:
    """The items that are not right as a whole."""
    return {item.question for item in graded.items if item.status != RIGHT}


def copied(folder: Path) -> Path:
    """A copy of the project as far as it is graded; without what was recorded beyond that."""
    for part in PARTS:
        ignored = shutil.ignore_patterns("__pycache__", "*.gz", "checkpoint*", "*.svg")
        shutil.copytree(ROOT / part, folder / part, ignore=ignored)
    for name in FILES:
        shutil.copy(ROOT / name, folder / name)
    return folder


def functions_alone(rubric: Rubric) -> Rubric:
    """A rubric of the claims and the functions, which are judged in a second."""
    items = {
        name: replace(
            worth,
            checks={kind: held for kind, held in worth.checks.items() if kind == "functions"},
        )
        for name, worth in rubric.items.items()
    }
    return replace(rubric, items=items, shown={})


class Remembering:
    """A runner that runs nothing twice: what comes of a task depends on its plan and the files."""

    def __init__(self, run: Runner) -> None:
        self.run, self.known = run, dict[str, tuple[Outcome, dict[str, bytes]]]()

    def __call__(self, command: list[str], folder: Path, limits: Limits) -> Outcome:
        """Run, or give what is known."""
        out, key = folder / ".grading" / "out", self._key(command, folder)
        if key not in self.known:
            outcome = self.run(command, folder, limits)
            files = {path.name: path.read_bytes() for path in out.iterdir()}
            self.known[key] = outcome, files
        outcome, files = self.known[key]
        out.mkdir(exist_ok=True)
        for name, content in files.items():
            (out / name).write_bytes(content)
        return outcome

    def _key(self, command: list[str], folder: Path) -> str:
        """A digest of all that a task reads; of the report, that is in its plan."""
        digest = hashlib.sha256(repr(command[1:]).encode())
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            read = name == ".grading/plan.json" or not name.startswith((".grading", "report.qmd"))
            if read and path.is_file():
                digest.update(f"{name}\0{path.stat().st_size}\0".encode())
                digest.update(path.read_bytes())
        return digest.hexdigest()


def main(arguments: list[str]) -> int:
    """Try changes, and print whom each costs points, and where that is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("questions", nargs="*", help="as in b.7; by default all")
    parser.add_argument("--count", type=int, default=10**9, help="at most so many changes")
    parser.add_argument("--seed", type=int, default=1, help="by which they are drawn")
    parser.add_argument("--trust", action="store_true", help="run without a sandbox, in less time")
    parser.add_argument("--functions", action="store_true", help="claims and functions alone")
    options = parser.parse_args(arguments)
    every = [c for c in changes() if not options.questions or c.question in options.questions]
    every = [c for c in every if c.what not in ("", "log")] if options.functions else every
    chosen = random.Random(options.seed).sample(every, min(options.count, len(every)))
    rubric = functions_alone(load()) if options.functions else load()
    run, wrong = Remembering(trust.run if options.trust else runner()), 0
    with tempfile.TemporaryDirectory() as made:
        base = copied(Path(made))
        if already := lost(grade(base, rubric, run, SEED)):
            print(f"without any change, {sorted(already)} lack points", file=sys.stderr)
            return 2
        for change in sorted(chosen, key=every.index):
            found = losers(change, base, rubric, run)
            fault = judged(change, found, rubric)
            wrong += bool(fault)
            print(
                f"{change}: {', '.join(sorted(found)) or 'nobody'}{fault and f'  <- {fault}'}",
                flush=True,
            )
    print(f"{len(chosen) - wrong} of {len(chosen)} changes cost points where they should")
    return 1 if wrong else 0


def judged(change: Change, found: set[str], rubric: Rubric) -> str:
    """What is wrong about who loses points; empty if nothing is."""
    if change.question not in found:
        return "the item itself loses nothing"
    others = found - {change.question} - allowed(change).keys()
    return f"{', '.join(sorted(others))} should not lose any" if others else ""


def allowed(change: Change) -> dict[str, str]:
    """Who else may lose points by a change, with the reason."""
    return DEPENDS.get(change.what, {}) | DEPENDS.get(f"{change.question} {change.what}", {})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
