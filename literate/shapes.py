"""Shapes, read off the running program: of each labelled statement, and for experiment 6."""

import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

import numpy as np

from figures.tables import table
from literate.source import Statement, labelled, statements
from mlp import functions, loop, model, penalty, regularize, train
from mlp.data import Dataset, Splits
from mlp.functions import Array
from mlp.penalty import Lambdas
from mlp.settings import Settings

SIZES = {9: "d", 5: "d_h", 3: "m", 7: "K"}  # all different, so that a size tells its letter

Profile = Callable[[FrameType, str, object], object]


def of_statements() -> dict[str, str]:
    """The shape of what each labelled statement computes, by label."""
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


def shapes_table(d: int, d_h: int, m: int, K: int) -> str:
    """Former and new expression of each gradient, and the shapes that both have when run.

    The sizes, all different and above 1, are those of the run; the shapes are told in symbols.
    """
    sizes = {1: "1", d: "d", d_h: "d_h", m: "m", K: "K"}
    if len(sizes) < 5:
        raise ValueError(f"the sizes are {d}, {d_h}, {m}, {K}; let them differ, and be above 1")
    rng = np.random.default_rng(0)
    params, x, y = model.init(rng, d, d_h, m), rng.normal(size=(d, K)), rng.integers(0, m, K)
    former = variables(loop.bprop_one, params, model.fprop(params, x[:, :1]), y[0])
    act = model.fprop(params, x)
    new = variables(model.bprop, params, act, y)
    new |= variables(model.bprop_from, params, act, new["grad_oa"])
    changed = labelled(model.bprop) | labelled(model.bprop_from)
    rows = []
    for label, code in labelled(loop.bprop_one).items():
        name, _, expression = code.partition(" = ")
        row = [f"`{name}`", f"`{expression}`", shape(former[name], sizes), "not needed", "–"]
        if name in new:
            after = changed[label.replace("eq-", "eq-batch-")].partition(" = ")[2]
            row[3:] = ["the same" if after == expression else f"`{after}`"]
            row.append(shape(new[name], sizes))
        rows.append(row)
    return table(["", "one example", "shape", "minibatch", "shape"], rows, "llclc")


def shape(array: Array, sizes: Mapping[int, str]) -> str:
    """The shape of an array as rows × columns, each size by its symbol."""
    return "$" + r" \times ".join(sizes[size] for size in array.shape) + "$"


def variables(function: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
    """Run a function and return its local variables as they are when it returns."""
    seen: dict[str, Any] = {}

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "return" and frame.f_code is function.__code__:
            seen.update(frame.f_locals)

    watched(lambda: function(*arguments), profile)
    return seen


def watched(run: Callable[[], object], profile: Profile) -> None:
    """Call `run()` with `profile` told of every call and return."""
    previous = sys.getprofile()
    sys.setprofile(profile)
    try:
        run()
    finally:
        sys.setprofile(previous)


def _shape(value: object) -> str:
    if isinstance(value, tuple):
        return r"as $\theta$"
    sizes = [SIZES.get(size, str(size)) for size in np.shape(value)]  # type: ignore[call-overload]
    if len(sizes) == 2:
        return rf"${sizes[0]} \times {sizes[1]}$"
    return f"${sizes[0]}$" if sizes else "scalar"
