"""The appendix's table: each equation that the program carries out, its symbol, shape and code."""

import re
from types import FrameType
from typing import Any

import numpy as np

from literate.source import Statement, equations, statements, watched
from mlp import functions, loop, model, penalty, regularize, train
from mlp.data import Dataset, Splits
from mlp.penalty import Lambdas
from mlp.settings import Settings

SIZES = {9: "d", 5: "d_h", 3: "m", 7: "K"}  # all different, so that a size tells its letter


def table(part: str) -> str:
    """Markdown table of equation, symbol, shape, code and place, for one part of the report."""
    rows = [
        "| | Symbol | Shape | Code | Where |",
        "|--:|:-----|:----|:------------------|:--------|",
    ]
    shape, found = shapes(), statements()
    for label in equations(part):
        if label in found:
            cells = [f"[-@{label}]", f"${symbol(label)}$", shape.get(label, "–")]
            cells += [f"`{_plain(found[label])}`", f"`{_place(found[label])}`"]
            rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def symbol(label: str) -> str:
    """The left-hand side of a labelled equation of the report, in LaTeX, on one line."""
    latex = equations()[label].removeprefix(r"\begin{aligned}")
    left = re.split(r"&?=|\\leftarrow", latex)[0].strip()
    return re.sub(r"^\\pd\{(.*?)\}\{(.*)\}$", r"\\partial \1 / \\partial \2", left)


def shapes() -> dict[str, str]:
    """The shape of what each labelled statement computes, read off the running program."""
    places: dict[tuple[str, str], list[Statement]] = {}
    for s in statements().values():
        places.setdefault((str(s.path), s.function), []).append(s)
    found: dict[str, str] = {}

    def watch(frame: FrameType, event: str, result: object) -> None:
        if event == "return":
            code = frame.f_code
            for s in places.get((code.co_filename, code.co_name), []):
                found.setdefault(s.label, _shape(frame.f_locals.get(s.name, result)))

    watched(exercise, watch)
    return found


def exercise() -> None:
    """Run every statement that bears a label, once with arrays of the sizes above."""
    d, d_h, m, K = SIZES
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(d, K)), np.arange(K) % m
    for name in ("sigmoid", "tanh", "softplus", "abs", "rect", "l2_squared", "l1"):
        for each in (f"{name}_", name, f"{name}_prime", f"grad_{name}"):
            if hasattr(functions, each):
                getattr(functions, each)(x[:, :1])
    params, lambdas = model.init(rng, d, d_h, m), Lambdas(0.1, 0.2, 0.3, 0.4)
    act = model.fprop(params, x)
    model.loss(act.oa, y)
    model.bprop(params, act, y)
    model.count(params)
    loop.bprop(params, x, y)
    penalty.penalty(params, lambdas)
    penalty.grad_penalty(params, lambdas)
    regularize.loss(act.oa, functions.onehot(m, y))
    train.average([act.oa, act.oa])
    data = Dataset(x.T, y)
    beyond: dict[str, Any] = {
        "schedule": "cosine",
        "momentum": 0.9,
        "smoothing": 0.1,
        "whiten": 0.5,
    }
    list(train.fit(Splits(data, data, data), Settings(d_h, 0.1, 1, K, **beyond)))


def _shape(value: object) -> str:
    if isinstance(value, tuple):
        return r"as $\theta$"
    sizes = [SIZES.get(size, str(size)) for size in np.shape(value)]  # type: ignore[call-overload]
    if len(sizes) == 2:
        return rf"${sizes[0]} \times {sizes[1]}$"
    return f"${sizes[0]}$" if sizes else "scalar"


def _plain(statement: Statement) -> str:
    """The statement on one line, without its label, layout and `return`."""
    code = re.sub(r"# @eq-[\w-]+|^return ", "", statement.code).strip()
    return re.sub(r"\(\s+|\s+\)", lambda m: m[0].strip(), re.sub(r"\s+", " ", code))


def _place(statement: Statement) -> str:
    return f"{statement.path.name}:{statement.line}"
