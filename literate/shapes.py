"""Shapes, read off the running program: of each labelled statement, and for experiment 6."""

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from figures.tables import table
from literate.source import Statement, statements
from mlp import functions, loop, model, penalty, regularize, train
from mlp.data import Dataset, Splits
from mlp.functions import Array
from mlp.model import Activations, Params
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


class Line(NamedTuple):
    """A line of code that assigns or returns, and the shapes that it had when it was run."""

    name: str  # what it assigns, or the call that it returns from
    code: str  # the expression
    operands: list[str]
    result: str


def shapes_table(d: int, d_h: int, m: int, K: int) -> str:
    """Each line of fprop, loss and back-propagation, for one example and for a minibatch.

    With the shapes of operands and result, as they are when the lines run; a line that the
    minibatch changes stands below the former one. The sizes are those of the run, all different
    and above 1; the shapes are told in symbols.
    """
    sizes = {1: "1", d: "d", d_h: "d_h", m: "m", K: "K"}
    if len(sizes) < 5:
        raise ValueError(f"the sizes are {d}, {d_h}, {m}, {K}; let them differ, and be above 1")
    rng = np.random.default_rng(0)
    params, x, y = model.init(rng, d, d_h, m), rng.normal(size=(d, K)), rng.integers(0, m, K)
    one, many = model.fprop(params, x[:, :1]), model.fprop(params, x)
    former = [*_forward(params, one, y[:1], sizes)]
    former += _lines(loop.bprop_one, (params, one, y[0]), sizes)
    grad_oa = (many.os - functions.onehot(m, y)) / K
    new = [*_forward(params, many, y, sizes), *_lines(model.bprop, (params, many, y), sizes)]
    new += _lines(model.bprop_from, (params, many, grad_oa), sizes)
    changed = {line.name: line for line in new}
    rows = []
    for line in former:
        after = changed.pop(line.name, None)
        if after is not None and after.code == line.code:
            rows.append([f"`{line.name}`", f"`{line.code}`", _told(line), _told(after)])
            continue
        rows.append([f"`{line.name}`", f"`{line.code}`", _told(line), ""])
        if after is not None:
            rows.append(["", f"`{after.code}`", "", _told(after)])
    head = ["", "line of code", "one example", "minibatch"]
    return table(head, rows, "llll", widths=(10, 36, 27, 27))


def _forward(
    params: Params, act: Activations, y: Array, sizes: Mapping[int, str]
) -> Iterator[Line]:
    """The lines of the forward pass, those of the softmax and of the loss among them."""
    yield from _lines(model.fprop, (params, act.x), sizes)
    yield from _lines(functions.softmax, (act.oa,), sizes)
    yield from _lines(model.loss, (act.oa, y), sizes)


def _lines(
    function: Callable[..., Any], arguments: tuple[Any, ...], sizes: Mapping[int, str]
) -> Iterator[Line]:
    """The lines of a function that compute an array of a layer, as it runs with the arguments."""
    seen = function.__globals__ | variables(function, *arguments)
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    for node in ast.walk(definition):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case ast.Return(value=ast.BinOp() as value):
                name = f"{function.__name__}({', '.join(inspect.signature(function).parameters)})"
            case _:
                continue
        result = _value(value, seen)
        if np.ndim(result):
            operands = [_value(operand, seen) for operand in _operands(value)]
            told = [shape(operand, sizes) for operand in operands if np.ndim(operand)]
            yield Line(name, ast.unparse(value), told, shape(result, sizes))


def _operands(node: ast.expr) -> Iterator[ast.expr]:
    """The operands of an expression: of its operators, or the arguments of a call."""
    match node:
        case ast.BinOp(left=left, right=right):
            for side in (left, right):
                yield from _operands(side) if isinstance(side, ast.BinOp) else [side]
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name) as owner)) if name != "np":
            yield owner
        case ast.Call(args=arguments):
            for argument in arguments:
                yield from _operands(argument) if isinstance(argument, ast.BinOp) else [argument]
        case _:
            yield node


def _value(node: ast.expr, seen: dict[str, Any]) -> Any:
    """The value of an expression of the program, with the variables of its function."""
    return eval(ast.unparse(node), seen)


def _told(line: Line) -> str:
    return ", ".join(line.operands) + rf" $\to$ {line.result}"


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
