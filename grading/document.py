"""What the report shows: tables, figures, listings and logs, as its chunks show them, recomputed.

The chunks run inside the sandbox, in the order of the report; what they show comes back as text,
and the variables that the rubric names come back as arrays. Each thing that is asked for has to be
there, to be no empty picture, and to say the numbers that come out when they are computed again.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from grading import gather, logs
from grading.gather import Given
from grading.items import Finding, absent, counted
from grading.limits import Runner
from grading.rubric import Rubric, Shown
from literate.report import Chunk, Report
from mlp import data, gradcheck, loop, model, train
from mlp.bench import results as bench
from mlp.data import Dataset
from mlp.functions import Array
from mlp.model import Params
from mlp.train import Record

READS = "reads"  # chunks that check the mathematics of the report show nothing that is graded
NUMBER = re.compile(r"[-−]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
SHAPES = {  # of each gradient: for one example, and for a minibatch
    "grad_oa": ("m 1", "m K"),
    "grad_b2": ("m 1", "m 1"),
    "grad_W2": ("m d_h", "m d_h"),
    "grad_hs": ("d_h 1", "d_h K"),
    "grad_ha": ("d_h 1", "d_h K"),
    "grad_b1": ("d_h 1", "d_h 1"),
    "grad_W1": ("d_h d", "d_h d"),
}


@dataclass(frozen=True)
class Seen:
    """What the report shows under a label."""

    text: str  # Markdown of its output
    pictures: tuple[str, ...]  # SVG
    values: Mapping[str, Array]
    folder: Path  # of the submission
    line: int

    @property
    def svg(self) -> str:
        """Its picture, or nothing."""
        return self.pictures[0] if self.pictures else ""


@dataclass(frozen=True)
class Document:
    """What came of the report's chunks."""

    seen: Mapping[str, Seen]
    errors: Mapping[str, Finding]  # by label, of what could not be shown
    inline: Mapping[str, str]  # what inline values show, by section, one after the other
    raised: str = ""  # by the first chunk that did, with its line


def read(report: Report, folder: Path, rubric: Rubric, runner: Runner) -> Document:
    """Run the chunks of a report as far as they are needed."""
    where = {label: _chunks(report, label) for label in rubric.shown}
    needed = [chunk for chunks in where.values() for chunk in chunks]
    last = _end_of_section(report, max(chunk.end for chunk in needed)) if needed else 0
    steps: list[dict[str, Any]] = []
    number: dict[int, int] = {}  # of the step, by the place of a chunk
    inline: list[tuple[int, str]] = []  # step, and the section that it is in
    for part in report.parts:
        if isinstance(part, Chunk):
            if part.end <= last and READS not in part.options and part.code.strip():
                number[part.start] = len(steps)
                steps.append({"code": part.code, "keep": {}})
        elif part.values and part.start <= last:
            for value in part.values:
                above = report.sections(value.start)
                inline.append((len(steps), above[-1] if above else ""))
                steps.append({"expressions": [value.code]})
    for label, chunks in where.items():
        of = rubric.shown[label].about.get("of")
        if chunks and isinstance(of, dict) and chunks[-1].start in number:
            steps[number[chunks[-1].start]]["keep"] |= of
    given = gather.run("chunks", steps, folder, runner) if steps else []
    seen, errors = {}, {}
    for label, chunks in where.items():
        of_label = [given[number[chunk.start]] for chunk in chunks if chunk.start in number]
        line = chunks[0].line if chunks else 0
        failed = next((each.error for each in of_label if each.error), "")
        if not of_label:
            errors[label] = absent(f"{label} is not in the report")
        elif failed:
            errors[label] = replace(absent(f"{label}: {failed}"), line=line)
        else:
            seen[label] = _seen(of_label, folder, line)
    values: dict[str, str] = {}
    for number_of_step, section in inline:
        texts = given[number_of_step].texts.get("values")
        for text in texts if isinstance(texts, list) else []:
            values[section] = f"{values.get(section, '')} {text}"
    raised = (
        f"line {chunk.line}: the chunk {chunk.label or 'there'} raised {given[step].error}"
        for chunk in report.chunks
        if (step := number.get(chunk.start)) is not None and given[step].error
    )
    return Document(seen, errors, values, next(raised, ""))


def _end_of_section(report: Report, place: int) -> int:
    """Where the section ends that holds a place in the text, as what follows is not graded."""
    after = [heading.start for heading in report.headings if heading.start > place]
    return after[0] if after else len(report.text)


def _chunks(report: Report, label: str) -> list[Chunk]:
    """The chunks that show what bears a label: the one of that name, or those in that div."""
    named = [chunk for chunk in report.chunks if chunk.label == label]
    divs = [div for div in report.divs if re.search(rf"#{label}(?![\w-])", div.attributes)]
    return named or [
        chunk for chunk in report.chunks for div in divs if div.start < chunk.start < div.end
    ]


def _seen(given: Sequence[Given], folder: Path, line: int) -> Seen:
    texts: list[str] = []
    pictures: list[str] = []
    values: dict[str, Array] = {}
    for each in given:
        values |= each.values
        for shown in each.texts.get("shown", []):
            if isinstance(shown, dict):
                texts.append(str(shown.get("text/markdown", "")))
                pictures.append(str(shown.get("image/svg+xml", "")))
    return Seen("\n".join(filter(None, texts)), tuple(filter(None, pictures)), values, folder, line)


def findings(document: Document, rubric: Rubric, names: Sequence[str]) -> dict[str, Finding]:
    """What was found of each label. Raises KeyError for a kind of thing that is none of KINDS."""
    found = {}
    for label in names:
        judge = KINDS[rubric.shown[label].kind]
        if label in document.errors:
            found[label] = document.errors[label]
            continue
        seen = document.seen[label]
        try:
            finding = judge(seen, rubric.shown[label])
        except (ValueError, KeyError, IndexError) as error:
            finding = Finding(0.0, f"{label}: {error}")
        found[label] = replace(finding, line=seen.line)
    return found


# --- listings ------------------------------------------------------------------------------------


def _listing(seen: Seen, shown: Shown) -> Finding:
    """Whether functions are quoted as they are in the source."""
    quoted = "\n".join(re.findall(r"^```python\n(.*?)^```", seen.text, re.M | re.S))
    if not quoted.strip():
        return absent("no code is shown")
    here = _functions(quoted)
    of: Sequence[str] = shown.about["of"]
    right = 0
    says = "quoted as it is in the source"
    for name in of:
        module, _, function = name.partition(".")
        path = logs.regular(seen.folder, f"mlp/{module}.py")
        there = _functions(path.read_text(encoding="utf-8", errors="replace")) if path else {}
        if function not in here:
            says = f"{name} is not shown"
        elif here[function] != there.get(function):
            says = f"{name} is not the one in mlp/{module}.py"
        elif re.search(r"^    raise NotImplementedError", there[function], re.M):
            says = f"{name} is not written yet"
        else:
            right += 1
    return counted(right, len(of), says)


def _functions(code: str) -> dict[str, str]:
    """The functions of some code, without docstrings and comments, by name."""
    try:
        tree = ast.parse(code)
        found = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                if ast.get_docstring(node) is not None:
                    del node.body[0]
                found[node.name] = ast.unparse(node)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"this is no Python: {error}") from error
    return found


# --- tables --------------------------------------------------------------------------------------


def _rows(text: str) -> list[list[str]]:
    """The cells of the rows of a Markdown table, without its head."""
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("|")]
    cells = [re.split(r"(?<!\\)\|", line.strip("|")) for line in lines]
    return [[cell.strip() for cell in row] for row in cells[2:]]


def _number(cell: str) -> float:
    """The number in a cell; nan if there is none."""
    found = NUMBER.search(cell)
    return float(found[0].replace("−", "-")) if found else float("nan")


def _says(cell: str, value: float) -> bool:
    """Whether a cell says a value, to the digits that it has."""
    digits = len(cell.rpartition(".")[2]) if "." in cell else 0
    return abs(_number(cell) - value) <= 0.51 * 10.0**-digits


def _network(values: Mapping[str, Array], name: str) -> Params:
    """A network among values. Raises ValueError if its arrays do not fit."""
    parts = [values.get(f"{name}.{part}") for part in Params._fields]
    W1, b1, W2, b2 = parts
    if W1 is None or b1 is None or W2 is None or b2 is None:
        raise ValueError(f"the report has no parameters {name}")
    d_h, m = len(W1), len(W2)
    if W1.ndim != 2 or b1.shape != (d_h, 1) or W2.shape != (m, d_h) or b2.shape != (m, 1):
        raise ValueError(f"the shapes of {name} do not fit")
    return Params(W1, b1, W2, b2)


def _examples(seen: Seen, params: Params, K: int) -> tuple[Array, Array]:
    """The examples that a table is about. Raises ValueError if there are not K of them."""
    x, y = seen.values.get("x"), seen.values.get("y")
    if x is None or y is None or x.shape != (params.W1.shape[1], K) or y.shape != (K,):
        raise ValueError(f"the report has no {K} examples, in columns, beside their classes")
    if y.dtype.kind not in "iu" or y.min() < 0 or y.max() >= len(params.b2):
        raise ValueError("the classes of the examples are none")
    if K > 1 and len(set(y.tolist())) < 2:
        raise ValueError("all examples are of one class")
    return x, y


def _flat(params: Params) -> Array:
    return np.concatenate([array.ravel() for array in params])


def _gradients(seen: Seen, shown: Shown) -> Finding:
    """A row for each parameter: the gradient by back-propagation, beside the finite difference."""
    params = _network(seen.values, "theta")
    K = int(shown.about["K"])
    x, y = _examples(seen, params, K)
    if shown.about.get("data") == "circles" and not _on_circles(Dataset(x.T, y)):
        return Finding(0.0, "the examples are not of the two circles")
    gradient = _flat(model.bprop(params, model.fprop(params, x), y))
    estimate = _flat(
        gradcheck.forward_difference(lambda p: model.loss(model.fprop(p, x).oa, y).mean(), params)
    )
    rows = _rows(seen.text)
    if not gradient.any():
        return Finding(0.0, "all gradients are 0: nothing is compared")
    right = 0
    for row, g, e in zip(rows, gradient, estimate, strict=False):
        near = abs(_number(row[2]) - e) <= 0.01 * abs(e) + 1e-6
        right += _says(row[1], g) and near and len(row[1].rpartition(".")[2]) >= 4
    of = max(len(rows), gradient.size)
    return counted(right, of, f"{right} of {of} rows are as recomputed")


def _pairs(seen: Seen, shown: Shown) -> Finding:
    """A row for each parameter: its gradient by loop and by matrices, for each K."""
    params = _network(seen.values, "theta")
    several: list[int] = shown.about["K"]
    x, y = _examples(seen, params, max(several))
    gradients = [_flat(loop.bprop(params, x[:, :K], y[:K])) for K in several]
    rows = _rows(seen.text)
    right = 0
    for row, *wanted in zip(rows, *gradients, strict=False):
        cells = [cell for cell in row[1:] if re.fullmatch(r"[−-]?\d+\.\d{4,}", cell)]
        doubled = [value for value in wanted for _ in ("loop", "matrix")]
        right += len(cells) == len(doubled) and all(map(_says, cells, doubled))
    of = max(len(rows), len(gradients[0]))
    return counted(right, of, f"{right} of {of} rows are as recomputed")


def _shapes(seen: Seen, shown: Shown) -> Finding:
    """A row for each gradient, with its shape for one example and for a minibatch.

    Where operands stand before it, an arrow does, too.
    """
    right, wrong, name = 0, "", ""
    rows: dict[str, list[str]] = {}
    for first, *cells in _rows(seen.text):
        name = first.strip("` ") or name  # a row without a name goes on with the one above it
        rows.setdefault(name, []).extend(cells)
    for name, wanted in SHAPES.items():
        shapes = [
            re.sub(r"\\times|[$ ]+", " ", cell.rpartition(r"\to")[2]).split()
            for cell in rows.get(name, [])
            if "times" in cell
        ]
        if shapes == [each.split() for each in wanted]:
            right += 1
        else:
            wrong = wrong or f"; {name} {'has others' if name in rows else 'is not there'}"
    of = len(SHAPES)
    return counted(right, of, f"{right} of {of} gradients with their shapes{wrong}")


def _times(seen: Seen, shown: Shown) -> Finding:
    """A row for the loop and a row for matrices, as they were measured, and the latter faster."""
    path = logs.regular(seen.folder, shown.about["of"])
    if path is None:
        return absent(f"{shown.about['of']} is not there")
    timings = bench.read(path)
    rows, right = _rows(seen.text), 0
    medians = [bench.spread(timings, method).median for method in ("loop", "matrix")]
    for row, median in zip(rows, medians, strict=False):
        right += any(_says(cell, median) and "." in cell for cell in row[1:])
    if not medians[1] < medians[0]:
        return Finding(0.0, "matrices are not faster than the loop")
    return counted(right, 2, f"{right} of 2 medians are those of {shown.about['of']}")


# --- the log, and what is drawn from it ----------------------------------------------------------


def _log(seen: Seen, shown: Shown) -> Finding:
    """Lines of the log as they are in the file, all six figures of each."""
    lines = [line.split() for line in seen.text.replace(",", " ").splitlines()]
    said = [line for line in lines if len(line) == len(Record._fields) and line[0].isdecimal()]
    if not said:
        return absent("no line with an epoch and six figures")
    logged = logs.runs(seen.folder, shown.about["of"])
    best = 0
    for records in logged.values():
        by_epoch = {record.epoch: record for record in records}
        right = 0
        for epoch, *figures in said:
            record = by_epoch.get(int(epoch))
            right += record is not None and all(map(_says, figures, record[1:]))
        best = max(best, right)
    return counted(best, len(said), f"{best} of {len(said)} lines are those of the log")


def _curves(seen: Seen, shown: Shown) -> Finding:
    """Errors of three parts and losses of two, drawn as they are in one log."""
    series = ("train_error", "valid_error", "test_error", "train_loss", "valid_loss")
    drawn = list(_polylines(seen.svg))
    if not drawn:
        return absent("no curve is drawn")
    logged = logs.runs(seen.folder, shown.about["of"])
    found = {
        seed: [s for s in series if any(_is_drawn(records, s, line) for line in drawn)]
        for seed, records in logged.items()
    }
    seed = max(found, key=lambda seed: len(found[seed]))
    missing = [name.replace("_", " ") for name in series if name not in found[seed]]
    of = f"{shown.about['of']}/seed-{seed}"
    says = f"not drawn as in {of}: {', '.join(missing)}" if missing else f"as in {of}"
    return counted(len(found[seed]), len(series), says)


def _polylines(svg: str) -> Iterator[Array]:
    """The vertices of each line of straight pieces in a picture, (n, 2)."""
    for path in re.findall(r'<path d="([^"]*)"', svg):
        pieces = re.fullmatch(r"M ([-\d. ]+)((?:\s*L [-\d. ]+)+)", path.strip())
        if pieces:
            yield np.array([float(n) for n in re.findall(r"[-\d.]+", path)]).reshape(-1, 2)


def _is_drawn(records: Sequence[Record], name: str, line: Array) -> bool:
    """Whether a line shows a figure against the epoch, on whatever linear axes; down is more."""
    values = np.array([getattr(record, name) for record in records])
    if len(line) != len(values) or len(values) < 3 or not np.ptp(values) or not np.ptp(line[:, 1]):
        return False
    steps = np.diff(line[:, 0])
    slope, level = np.polyfit(values, line[:, 1], 1)
    off = np.abs(level + slope * values - line[:, 1]).max()
    return bool(slope < 0 and np.ptp(steps) < 0.01 * steps[0] and off < 1e-3 * np.ptp(line[:, 1]))


# --- decision regions ----------------------------------------------------------------------------

ERRORS = re.compile(r"train ([\d.]+) %, valid ([\d.]+) %")
SEVERAL = 3  # different networks at least


def _regions(seen: Seen, shown: Shown) -> Finding:
    """Panels of decision regions of several networks; the errors below each are its own."""
    count = len({name.split(".")[1] for name in seen.values if name.startswith("panels.")})
    said = ERRORS.findall("\n".join(re.findall(r"<!--(.*?)-->", seen.svg, re.S)))
    filled = len(re.findall(r"fill: #", seen.svg))
    if not count or not seen.svg or filled < count:
        return absent("no decision regions are drawn")
    networks, right = set(), 0
    for panel, errors in zip(range(count), said, strict=False):
        params = _network(seen.values, f"panels.{panel}.params")
        networks.add(_flat(params).tobytes())
        train_set, valid = (_dataset(seen, f"panels.{panel}.{part}") for part in ("train", "valid"))
        if not _on_circles(valid):
            return Finding(0.0, "the points are not those of the two circles")
        pairs = zip(errors, (train_set, valid), strict=True)
        right += all(_says(text, 100 * train.evaluate(params, of)[0]) for text, of in pairs)
    if len(networks) < min(SEVERAL, count) or count < SEVERAL:
        return Finding(0.0, f"{len(networks)} networks; {SEVERAL} different ones are the least")
    return counted(right, count, f"{right} of {count} panels have the errors of their network")


def _dataset(seen: Seen, name: str) -> Dataset:
    X, y = seen.values.get(f"{name}.X"), seen.values.get(f"{name}.y")
    if X is None or y is None or X.ndim != 2 or X.shape[1] != 2 or y.shape != X.shape[:1]:
        raise ValueError(f"{name} are no points with classes")
    return Dataset(X, y)


def _on_circles(points: Dataset) -> bool:
    """Whether points are among those of the two circles."""
    circles = data.generate_circles()
    radius = np.array([np.linalg.norm(circles.X[circles.y == c][0]) for c in (0, 1)])
    if points.y.dtype.kind not in "iu" or not set(points.y.tolist()) <= {0, 1}:
        return False
    return bool(np.allclose(np.linalg.norm(points.X, axis=1), radius[points.y], atol=1e-6))


Judge = Callable[[Seen, Shown], Finding]
KINDS: dict[str, Judge] = {
    "listing": _listing,
    "gradients": _gradients,
    "pairs": _pairs,
    "shapes": _shapes,
    "times": _times,
    "log": _log,
    "curves": _curves,
    "regions": _regions,
}
