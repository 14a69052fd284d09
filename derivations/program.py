"""Holds the program against the definitions: every line that carries out an equation.

A line with a label computes what stands on the left of the claim that bears this label. The package
is run on the same points as the formulas, kinks among them; nothing of it enters the other side.
"""

from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any

import numpy as np

from derivations import definitions as of
from derivations import points
from derivations.evaluate import World, close
from derivations.latex import Node
from derivations.questions import MINIBATCH, Claim, Question, Questions
from literate.shapes import watched
from literate.source import Statement, statements
from mlp import fast, functions, loop, model, penalty, regularize, train
from mlp.model import Params
from mlp.penalty import Lambdas
from mlp.settings import Settings

POINTS = 6  # two for each set of sizes
SCALAR = ["sign", "rect", "rect_prime", "abs_", "abs_prime"]  # those that others call come first
SCALAR += ["sigmoid", "sigmoid_prime", "tanh_prime", "softplus", "softplus_prime"]
VECTOR = ("l2_squared", "grad_l2_squared", "l1", "grad_l1")
Leaves = Mapping[str, Any]


def faults(questions: Questions) -> list[str]:
    """What each line of the program gets wrong."""
    found: dict[str, str] = {}
    for point in range(POINTS):
        for batch in (False, True):
            leaves = points.draw(point, batch)
            computed = _computed(leaves, batch)
            for question in questions:
                for claim in question.claims:
                    if claim.label and (claim.context == MINIBATCH) == batch:
                        problem = _fault(claim, question, leaves, computed)
                        if problem:
                            found.setdefault(claim.label, problem)
        found |= _steps_faults(points.draw(point, batch=True))
    return list(found.values())


def _fault(claim: Claim, question: Question, leaves: Leaves, computed: Mapping[str, Any]) -> str:
    """What is wrong with the line that bears the label of a claim, at one point."""
    where = statements().get(claim.label)
    if where is None:
        return f"{claim.question}: no line of code bears the label {claim.label}"
    place = f"{where.path.name}:{where.line}: {claim.label}"
    if claim.label not in computed:
        return f"{place}: the line was not run"
    world = World(leaves, question.let, claim.context == MINIBATCH)
    wanted = _flat(world.value(_left(claim)))
    given = _flat(computed[claim.label])
    if wanted.shape != given.shape:
        return f"{place}: shape {given.shape}, not {wanted.shape}"
    return "" if close(given, wanted) else f"{place}: not what the definitions give"


def _left(claim: Claim) -> Node:
    """What the line computes: what is updated, or the left side, whole instead of one element."""
    left = claim.becomes or claim.parts[0]
    return left.args[0] if left.op == "index" else left


def _flat(value: Any) -> Any:
    """A value without its axes of size 1, parameters in one column."""
    if isinstance(value, Params):
        value = np.concatenate([np.reshape(part, -1) for part in value])
    return np.squeeze(np.asarray(value, float))


def _computed(leaves: Leaves, batch: bool) -> dict[str, Any]:
    """What every line with a label computes first, by label."""
    places: dict[tuple[str, str], list[Statement]] = {}
    for statement in statements().values():
        key = (str(statement.path), statement.function)
        places.setdefault(key, []).append(statement)
    found: dict[str, Any] = {}

    def watch(frame: FrameType, event: str, result: object) -> None:
        code = frame.f_code
        for statement in places.get((code.co_filename, code.co_name), ()):
            if event == "return":
                found.setdefault(statement.label, frame.f_locals.get(statement.name, result))

    watched(lambda: _run_a_minibatch(leaves) if batch else _run_one_example(leaves), watch)
    return found


def _params(leaves: Leaves) -> Params:
    return Params(*(np.array(leaves[name]) for name in of.PARAMETERS))


def _lambdas(leaves: Leaves) -> Lambdas:
    return Lambdas(*(leaves[name] for name in points.LAMBDAS))


def _split(theta: Any, params: Params) -> Params:
    """One column of parameters as parameters."""
    parts = np.split(np.reshape(theta, -1), np.cumsum([part.size for part in params])[:-1])
    return Params(*(a.reshape(b.shape) for a, b in zip(parts, params, strict=True)))


def _run_one_example(leaves: Leaves) -> None:
    """Run what the program does for a single example."""
    params, x, y = _params(leaves), leaves[of.X], np.array([leaves["y"] - 1])
    for name in SCALAR:
        getattr(functions, name)(leaves["x"])
    for name in VECTOR:
        getattr(functions, name)(x)
    act = model.fprop(params, x)
    model.loss(act.oa, y)
    loop.bprop_one(params, act, int(y[0]))
    model.count(params)
    penalty.penalty(params, _lambdas(leaves))
    penalty.grad_penalty(params, _lambdas(leaves))
    risk = World(leaves, {}, batch=False).gradient(Node("symbol", r"\hat R"), r"\theta")
    train.update(params, _split(risk, params), leaves[r"\eta"])
    t = regularize.target(leaves["m"], y, leaves["s"])
    regularize.loss(act.oa, t)
    regularize.whitening(leaves["data x"].T, leaves[r"\varepsilon"]).absorb(params)
    train.average(np.split(leaves[r"\mathbf A"], leaves["N"], axis=1))


def _run_a_minibatch(leaves: Leaves) -> None:
    """Run what the program does for a minibatch."""
    params, x, y = _params(leaves), leaves[of.X], np.reshape(leaves["y"], -1) - 1
    act = model.fprop(params, x)
    model.bprop(params, act, y)
    loop.bprop(params, x, y)
    regularize.bprop(params, act, regularize.target(leaves["m"], y, leaves["s"]))
    velocity = _split(leaves[r"\mathbf v"], params)
    grad = _split(_slope(leaves, params, r"\hat R_K"), params)
    train.accelerate(velocity, grad, leaves[r"\mu"])
    schedule = Settings(d_h=1, eta=leaves[r"\eta"], epochs=leaves["T"], schedule="cosine")
    train.step_sizes(schedule, leaves["t"] + 1, n_batches=1)


def _slope(leaves: Leaves, params: Params, risk: str) -> Any:
    """The gradient of a risk plus the penalty, by the complex step of the definitions."""
    at = {**leaves, **dict(zip(of.PARAMETERS, params, strict=True))}
    world = World(at, {}, batch=True)
    both = Node("add", args=(Node("symbol", risk), Node("symbol", r"\mathcal L")))
    return world.gradient(both, r"\theta")


class _Sharing(fast.Steps):
    """The fast twin with products shared however small they are, and several chunks."""

    SHARED, CHUNK = 0, 4


class _Strips(fast.Steps):
    """The fast twin with its work in strips of rows."""

    STRIP = 4


def _steps_faults(leaves: Leaves) -> dict[str, str]:
    """What the steps of training get wrong, the readable ones and those of the fast twin."""
    found = {}
    l11, l12, l21, l22 = _lambdas(leaves)
    plain = {"l21": l21, "l22": l22, "smoothing": leaves["s"]}
    kinds: dict[type[Any], list[dict[str, Any]]] = {
        train.Steps: [{"l11": l11, "l12": l12, **plain}, {"momentum": leaves[r"\mu"]}],
        fast.Steps: [{"l11": l11, "l12": l12, **plain}, {"momentum": leaves[r"\mu"], "l12": l12}],
        _Strips: [{"l11": l11, **plain, "momentum": leaves[r"\mu"]}, {}],
        _Sharing: [{"l12": l12, **plain}, {}],
    }
    for engine, settings in kinds.items():
        for setting in settings:
            chosen = Settings(d_h=leaves["d_h"], eta=0.25, epochs=1, K=2, **setting)
            if not _steps_agree(leaves, chosen, engine):
                name = f"{engine.__mro__[-2].__module__}.Steps"
                found[name] = f"{name}: not the steps that the definitions give"
    return found


def _steps_agree(leaves: Leaves, settings: Settings, engine: type[Any]) -> bool:
    """Whether steps on minibatches of the examples are steps along the gradient."""
    params, x, y = _params(leaves), leaves[of.X], np.reshape(leaves["y"], -1) - 1
    velocity = _split(leaves[r"\mathbf v"] / 8, params)
    batches = -(-y.size // settings.K)
    eta = np.linspace(settings.eta, settings.eta / 2, batches)
    steps = engine(params, velocity, settings)
    steps.run(x.T.copy(), y, np.arange(y.size), eta)
    for (theta, v), _ in zip(_descent(leaves, settings, eta), range(batches), strict=False):
        wanted = theta, v
    pairs = zip((steps.params, steps.velocity), wanted, strict=True)
    return all(close(_flat(given), _flat(value)) for given, value in pairs)


def _descent(leaves: Leaves, settings: Settings, eta: Any) -> Iterator[tuple[Params, Params]]:
    """Parameters and velocity after each step of gradient descent, by the definitions."""
    params, strengths = _params(leaves), dict(zip(points.LAMBDAS, settings.lambdas, strict=True))
    theta = of.stacked(leaves.__getitem__)
    v = leaves[r"\mathbf v"] / 8
    for number, step in enumerate(eta):
        here = slice(number * settings.K, (number + 1) * settings.K)
        batch = {of.X: leaves[of.X][:, here], "y": leaves["y"][:, here], "s": settings.smoothing}
        at = {**leaves, **strengths, **batch}
        slope = np.reshape(_slope(at, _split(theta, params), r"\hat R_s"), (-1, 1))
        v = settings.momentum * v + slope if settings.momentum else v
        theta = theta - step * (v if settings.momentum else slope)
        yield _split(theta, params), _split(v, params)
