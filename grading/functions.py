"""The functions of a submission, evaluated on hidden inputs, against the reference and differences.

Each check is a few expressions of the submission's functions and of the inputs, evaluated inside
the sandbox, and a judgement of their values out here. The lines of the backward pass are each
judged by the quantity that they start from, as the submission has computed it: who gets one wrong
loses the points for that one, not for all that follow.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from grading import gather
from grading.gather import Given
from grading.items import Finding, absent
from grading.limits import Runner
from mlp import data, functions, gradcheck, model, penalty, train
from mlp.data import Dataset
from mlp.functions import Array
from mlp.model import Params
from mlp.penalty import Lambdas

CLOSE = 1e-6  # relative, as float32 may be in it; the complex step leaves no other error
D, D_H, M, K = 5, 4, 3, 7  # all different, so that no shape fits by accident
EPSILON = 1e-5  # of difference quotients


class Inputs(NamedTuple):
    """Arrays that nobody knows beforehand."""

    t: Array  # points on the line, 0 and far ends among them
    v: Array  # (D, 1), an entry is 0
    params: Params
    x: Array  # (D, K)
    y: Array  # (K,)
    l: Array  # noqa: E741  # the four strengths of the elastic net
    wild: Array  # (M, K), preactivations that overflow an exponential
    circles: Dataset  # shuffled

    def arrays(self) -> dict[str, Array]:
        """By the names that expressions use."""
        named = {"t": self.t, "v": self.v, "x": self.x, "y": self.y, "l": self.l}
        act = model.fprop(self.params, self.x[:, :1])
        named |= {"wild": self.wild, "X": self.circles.X, "Y": self.circles.y}
        named |= {f"act_{name}": array for name, array in act._asdict().items()}
        return named | self.params._asdict()


def inputs(seed: int) -> Inputs:
    """Hidden inputs, by a seed."""
    rng = np.random.default_rng(seed)
    v = rng.normal(size=(D, 1))
    v[rng.integers(D)] = 0
    params, x = _generic(rng)
    circles = data.generate_circles()
    order = rng.permutation(len(circles.y))
    return Inputs(
        t=np.concatenate([rng.normal(0, 3, 9), [0.0], rng.uniform(30, 900, 2) * (1, -1)]),
        v=v,
        params=params,
        x=x,
        y=np.concatenate([np.arange(M), rng.integers(0, M, K - M)]),
        l=rng.uniform(0.01, 0.1, 4),
        wild=rng.normal(size=(M, K)) * 2000,
        circles=Dataset(circles.X[order], circles.y[order]),
    )


def _generic(rng: np.random.Generator) -> tuple[Params, Array]:
    """A network and examples: no unit is near its kink; in the first one, some are on, some off."""
    while True:
        params = Params(
            rng.normal(size=(D_H, D)),
            rng.normal(size=(D_H, 1)),
            rng.normal(size=(M, D_H)),
            rng.normal(size=(M, 1)),
        )
        x = rng.normal(size=(D, K))
        ha = model.fprop(params, x).ha
        if np.abs(ha).min() > 1e-3 and 0 < (ha[:, 0] > 0).sum() < D_H:
            return params, x


@dataclass(frozen=True)
class Check:
    """What is evaluated, by name, which functions are watched, and what is made of the values."""

    expressions: Mapping[str, str]
    judge: Callable[[Inputs, Mapping[str, Given]], Finding]
    watch: tuple[str, ...] = ()


def findings(names: Sequence[str], folder: Path, runner: Runner, seed: int) -> dict[str, Finding]:
    """What each check found. Raises KeyError for a name that is none of CHECKS."""
    hidden = inputs(seed)
    keys = [(name, key) for name in names for key in CHECKS[name].expressions]
    steps = [
        {"expression": CHECKS[name].expressions[key], "watch": CHECKS[name].watch}
        for name, key in keys
    ]
    came = gather.run("evaluate", steps, folder, runner, inputs=hidden.arrays())
    given = dict(zip(keys, came, strict=True))
    found = {}
    for name in names:
        of = {key: given[name, key] for key in CHECKS[name].expressions}
        errors = [each.error for each in of.values() if each.error and not CHECKS[name].watch]
        found[name] = absent(errors[0]) if errors else CHECKS[name].judge(hidden, of)
    return found


# --- judgements ----------------------------------------------------------------------------------


def held(given: Array | None, wanted: Any, says: str, close: float = CLOSE) -> Finding:
    """Whether an array is what it should be: in shape, and in value to a relative bound."""
    wanted = np.asarray(wanted, float)
    if given is None:
        return Finding(0.0, "no numbers, or not finite ones")
    if given.shape != wanted.shape:
        return Finding(0.0, f"has the shape {given.shape}, not {wanted.shape}")
    scale = max(float(np.abs(wanted).max(initial=0)), 1e-300)
    worst = float(np.abs(given - wanted).max(initial=0)) / scale
    if not worst <= close:
        return Finding(0.0, f"differs by {worst:.1e}, relative to the largest value")
    return Finding(1.0, f"{says}, to {worst:.0e}" if worst else f"{says}, in every digit")


def all_of(*found: Finding) -> Finding:
    """What the first fault says, or else the last."""
    return next((each for each in found if each.share < 1), found[-1])


def _elementwise(name: str, base: Callable[[Array], Array] | None = None) -> Check:
    """A function of part a: by the reference and, where it is a derivative, by differences."""

    def judge(hidden: Inputs, of: Mapping[str, Given]) -> Finding:
        value = of["at"].value("value")
        found = held(value, getattr(functions, name)(hidden.t), "as the reference")
        if base is None or found.share < 1:
            return found
        smooth = hidden.t != 0
        assert value is not None
        slope = (base(hidden.t + EPSILON) - base(hidden.t - EPSILON)) / (2 * EPSILON)
        return held(value[smooth].astype(float), slope[smooth], "as central differences", 1e-6)

    return Check({"at": f"functions.{name}(t)"}, judge)


def _norm(name: str) -> Check:
    def judge(hidden: Inputs, of: Mapping[str, Given]) -> Finding:
        wanted = getattr(functions, name)(hidden.v)
        return held(of["at"].value("value"), wanted, "as the reference")

    return Check({"at": f"functions.{name}(v)"}, judge)


THETA = "model.Params(W1, b1, W2, b2)"
FORWARD = {"forward": f"model.fprop({THETA}, x)"}


def _forward(name: str, wanted: Callable[[Inputs, Callable[[str], Array]], Array]) -> Check:
    """A line of forward propagation, by the quantities before it."""

    def judge(hidden: Inputs, of: Mapping[str, Given]) -> Finding:
        return _line(name, of["forward"], "fprop:", lambda get: wanted(hidden, get))

    return Check(FORWARD, judge, watch=("fprop",))


def _line(
    name: str,
    given: Given,
    prefix: str,
    wanted: Callable[[Callable[[str], Array]], Array],
    says: str = "as the reference gives from what is before it",
) -> Finding:
    def get(before: str) -> Array:
        found = given.value(f"{prefix}{before}")
        if found is None or not found.any():
            raise ValueError(f"{before}, which it starts from, is not there, or 0")
        return found

    value = given.value(f"{prefix}{name}")
    if value is None:
        return absent(given.error or f"no variable {name} with finite numbers")
    try:
        return held(value, wanted(get), says)
    except ValueError as error:
        return Finding(0.0, str(error))


ACT = "model.Activations(act_x, act_ha, act_hs, act_oa, act_os)"
BACKWARD = {"backward": f"loop.bprop_one({THETA}, {ACT}, int(y[0]))"}


def _backward(name: str, wanted: Callable[[Inputs, Callable[[str], Array]], Array]) -> Check:
    """A line of back-propagation for one example, by the gradients before it."""

    def judge(hidden: Inputs, of: Mapping[str, Given]) -> Finding:
        return _line(name, of["backward"], "bprop_one:", lambda get: wanted(hidden, get))

    return Check(BACKWARD, judge, watch=("bprop_one",))


def _act(hidden: Inputs) -> model.Activations:
    return model.fprop(hidden.params, hidden.x[:, :1])


def _softmax(hidden: Inputs, of: Mapping[str, Given]) -> Finding:
    if of["wild"].error:
        return absent(of["wild"].error)
    wild = held(of["wild"].value("value"), functions.softmax(hidden.wild), "as the reference")
    if wild.share < 1:
        return Finding(0.0, f"preactivations of ±2000: {wild.says}")
    return _line("os", of["forward"], "fprop:", lambda get: functions.softmax(get("oa")))


def _loss(hidden: Inputs, of: Mapping[str, Given]) -> Finding:
    oa = _spread(hidden)
    return all_of(
        held(of["wild"].value("value"), model.loss(hidden.wild, hidden.y), "as the reference"),
        held(of["one"].value("value"), model.loss(oa, hidden.y), "as the reference"),
    )


def _spread(hidden: Inputs) -> Array:
    return hidden.wild / 1000


def _count(hidden: Inputs, of: Mapping[str, Given]) -> Finding:
    wanted = D_H * (D + 1) + M * (D_H + 1)
    return held(of["n"].value("value"), wanted, "as many as there are")


def _update(hidden: Inputs, of: Mapping[str, Given]) -> Finding:
    wanted = hidden.params.map(lambda p: p - 0.25 * np.cos(p))
    return _params(of["step"], "value", wanted, "a step of η along the gradient, downwards")


def _params(given: Given, prefix: str, wanted: Params, says: str, close: float = CLOSE) -> Finding:
    return all_of(
        *(
            held(given.value(f"{prefix}.{name}"), array, says, close)
            for name, array in wanted._asdict().items()
        )
    )


def _penalty(hidden: Inputs, of: Mapping[str, Given]) -> Finding:
    wanted = penalty.penalty(hidden.params, Lambdas(*hidden.l))
    return held(of["value"].value("value"), wanted, "as the reference")


def _grad_penalty(hidden: Inputs, of: Mapping[str, Given]) -> Finding:
    strengths = Lambdas(*hidden.l)

    def f(params: Params) -> Array:
        return penalty.penalty(params, strengths)

    estimate = gradcheck.central_difference(f, hidden.params)
    return _params(of["gradient"], "value", estimate, "as central differences", 1e-6)


# --- the practical part --------------------------------------------------------------------------


def _init(hidden: Inputs, of: Mapping[str, Given]) -> Finding:
    for name, inputs_, shape in (("W1", 50, (40, 50)), ("W2", 40, (10, 40))):
        weights, bias = (of["init"].value(f"value.{n}") for n in (name, name.replace("W", "b")))
        if weights is None or weights.shape != shape or bias is None:
            return Finding(0.0, f"{name}: not an array of {shape} beside a bias")
        bound = 1 / np.sqrt(inputs_)
        if np.abs(weights).max() > bound or np.abs(weights).max() < 0.9 * bound:
            return Finding(0.0, f"{name}: not uniform within ±1/√{inputs_}")
        if bias.any() or abs(float(weights.mean())) > bound / 5:
            return Finding(0.0, f"{name}: not about 0, or its bias is not 0")
    return Finding(1.0, "uniform within ±1/√n_c, biases 0")


def _risk(hidden: Inputs, K: int) -> Callable[[Params], Array]:
    x, y = hidden.x[:, :K], hidden.y[:K]
    return lambda params: model.loss(model.fprop(params, x).oa, y).mean()


def _gradient(given: Given, prefix: str, hidden: Inputs, K: int) -> Finding:
    """A gradient of the mean loss of K examples: the assignment's ratio, and the complex step."""
    f = _risk(hidden, K)
    forward = gradcheck.forward_difference(f, hidden.params, epsilon=1e-6)
    stepped = gradcheck.complex_step(f, hidden.params)
    exact = _params(given, prefix, stepped, "as the complex step")
    if exact.share < 1:
        return exact
    ratios = [
        gradcheck.ratio(given.values[f"{prefix}.{name}"], estimate)
        for name, estimate in forward._asdict().items()
    ]
    low, high = min(r.min() for r in ratios), max(r.max() for r in ratios)
    return Finding(1.0, f"ratios to finite differences {low:.5f} to {high:.5f}; {exact.says}")


def _single(hidden: Inputs, of: Mapping[str, Given]) -> Finding:
    return _gradient(of["gradient"], "value.0", hidden, 1)


def _minibatch(hidden: Inputs, of: Mapping[str, Given]) -> Finding:
    return all_of(*(_gradient(of[f"K = {k}"], "value", hidden, k) for k in (1, K)))


def _difference(hidden: Inputs, of: Mapping[str, Given]) -> Finding:
    wanted = hidden.params.map(lambda p: (np.sin(p + EPSILON) - np.sin(p)) / EPSILON)
    return _params(of["of sines"], "value", wanted, "as the assignment defines it", 1e-4)


def _same(hidden: Inputs, of: Mapping[str, Given]) -> Finding:
    for k in (1, K):
        looped, matrix = of[f"loop, K = {k}"], of[f"matrix, K = {k}"]
        for name in Params._fields:
            one = looped.value(f"value.{name}")
            if one is None or not one.any():
                return Finding(0.0, f"the loop gives no {name} for K = {k}")
            found = held(matrix.value(f"value.{name}"), one, "the same from both")
            if found.share < 1:
                return Finding(0.0, f"{name} for K = {k} by matrices {found.says}")
    return found


def _faster(hidden: Inputs, of: Mapping[str, Given]) -> Finding:
    looped, matrix = (of[name].value("value") for name in ("loop", "matrix"))
    if looped is None or matrix is None or not matrix > 0:
        return Finding(0.0, "no time was measured")
    times = float(looped / matrix)
    if times < 2:
        return Finding(0.0, f"a minibatch of 100 takes the matrices {1 / times:.2g} of the loop")
    return Finding(1.0, "a minibatch of 100 is several times as fast by matrices")


SETTINGS = "settings.Settings(d_h=24, eta=0.5, epochs=60, K=50, l12={l12}, l22={l12})"
SPLITS = (
    "data.Splits(data.Dataset(X[:600], Y[:600]), data.Dataset(X[600:850], Y[600:850]), "
    "data.Dataset(X[850:], Y[850:]))"
)


def _fit(l12: float) -> str:
    chosen = SETTINGS.format(l12=l12)
    return f"list(train.fit({SPLITS}, {chosen}))[-1][1].params"


def _network(given: Given, prefix: str = "value") -> Params | None:
    parts = [given.value(f"{prefix}.{name}") for name in Params._fields]
    W1, b1, W2, b2 = parts
    if W1 is None or b1 is None or W2 is None or b2 is None:
        return None
    return Params(W1, b1, W2, b2)


def _training(hidden: Inputs, of: Mapping[str, Given]) -> Finding:
    """Trained networks classify the circles; weight decay makes their weights smaller."""
    plain, decayed = _network(of["plain"]), _network(of["decayed"])
    if plain is None or decayed is None:
        return Finding(0.0, "training ends in no finite parameters")
    held_out = Dataset(hidden.circles.X[850:], hidden.circles.y[850:])
    try:
        error, _ = train.evaluate(plain, held_out)
    except ValueError as problem:
        return Finding(0.0, f"no network for the circles: {problem}")
    if error > 0.05:
        return Finding(0.0, f"{error:.1%} of unseen points of the circles are misclassified")
    sizes = [float(functions.l2_squared(net.W1)) for net in (plain, decayed)]
    if not sizes[1] < 0.8 * sizes[0]:
        return Finding(0.0, "weight decay does not make the weights smaller")
    return Finding(1.0, f"{error:.1%} of unseen points misclassified; weight decay takes effect")


FULL = "settings.Settings(d_h=6, eta=0.1, epochs=2, K=600)"  # one step an epoch


def _figures(hidden: Inputs, of: Mapping[str, Given]) -> Finding:
    """Six figures an epoch: those of training before the step, the others after it."""
    given, parts = of["epochs"], (slice(0, 600), slice(600, 850), slice(850, None))
    X, y = hidden.circles
    for epoch in (0, 1):
        after = _network(given, f"value.{epoch}.1.params")
        if after is None:
            return Finding(0.0, "an epoch ends in no finite parameters")
        for name, part in zip(("valid", "test"), parts[1:], strict=True):
            found = _six(given, epoch, name, train.evaluate(after, Dataset(X[part], y[part])))
            if found.share < 1:
                return found
        if epoch == 0:
            before = train.evaluate(after, Dataset(X[parts[0]], y[parts[0]]))
    return _six(given, 1, "train", before)


def _six(given: Given, epoch: int, name: str, wanted: tuple[float, float]) -> Finding:
    for figure, value in zip(("error", "loss"), wanted, strict=True):
        found = held(given.value(f"value.{epoch}.0.{name}_{figure}"), value, "as the reference")
        if found.share < 1:
            return Finding(0.0, f"{name} {figure} of an epoch {found.says}")
    return Finding(1.0, "error and loss of all three parts, as the reference")


def _by_loop(k: int) -> str:
    return f"loop.bprop({THETA}, x[:, :{k}], y[:{k}])"


def _by_matrix(k: int) -> str:
    return f"model.bprop({THETA}, model.fprop({THETA}, x[:, :{k}]), y[:{k}])"


BIG = "model.init(np.random.default_rng(0), 784, 64, 10)"
BATCH = "(np.random.default_rng(1).normal(size=(784, 100)), np.arange(100) % 10)"

CHECKS: dict[str, Check] = {
    "sigmoid": _elementwise("sigmoid"),
    "softplus": _elementwise("softplus"),
    "sigmoid_prime": _elementwise("sigmoid_prime", functions.sigmoid),
    "tanh_prime": _elementwise("tanh_prime", np.tanh),
    "sign": _elementwise("sign"),
    "abs_prime": _elementwise("abs_prime", np.abs),
    "rect_prime": _elementwise("rect_prime", functions.rect),
    "grad_l2_squared": _norm("grad_l2_squared"),
    "grad_l1": _norm("grad_l1"),
    "ha": _forward("ha", lambda h, get: h.params.W1 @ h.x + h.params.b1),
    "hs": _forward("hs", lambda h, get: np.maximum(0, get("ha"))),
    "oa": _forward("oa", lambda h, get: h.params.W2 @ get("hs") + h.params.b2),
    "softmax": Check({**FORWARD, "wild": "functions.softmax(wild)"}, _softmax, watch=("fprop",)),
    "loss": Check({"wild": "model.loss(wild, y)", "one": "model.loss(wild / 1000, y)"}, _loss),
    "count": Check({"n": f"model.count({THETA})"}, _count),
    "update": Check({"step": f"train.update({THETA}, {THETA}.map(np.cos), 0.25)"}, _update),
    "grad_oa": _backward("grad_oa", lambda h, get: _act(h).os - functions.onehot(M, h.y[:1])),
    "grad_b2": _backward("grad_b2", lambda h, get: get("grad_oa")),
    "grad_W2": _backward("grad_W2", lambda h, get: get("grad_oa") @ _act(h).hs.T),
    "grad_hs": _backward("grad_hs", lambda h, get: h.params.W2.T @ get("grad_oa")),
    "grad_ha": _backward("grad_ha", lambda h, get: get("grad_hs") * (_act(h).ha > 0)),
    "grad_b1": _backward("grad_b1", lambda h, get: get("grad_ha")),
    "grad_W1": _backward("grad_W1", lambda h, get: get("grad_ha") @ _act(h).x.T),
    "grad_x": _backward("grad_x", lambda h, get: h.params.W1.T @ get("grad_ha")),
    "penalty": Check({"value": f"penalty.penalty({THETA}, penalty.Lambdas(*l))"}, _penalty),
    "grad_penalty": Check(
        {"gradient": f"penalty.grad_penalty({THETA}, penalty.Lambdas(*l))"}, _grad_penalty
    ),
    "init": Check(
        {"init": "model.init(np.random.default_rng(int(1e6 * t[0] ** 2)), 50, 40, 10)"}, _init
    ),
    "single": Check(
        {"gradient": f"loop.bprop_one({THETA}, model.fprop({THETA}, x[:, :1]), int(y[0]))"},
        _single,
    ),
    "difference": Check(
        {
            "of sines": "gradcheck.forward_difference("
            f"lambda p: sum(np.sin(a).sum() for a in p), {THETA}, epsilon={EPSILON})"
        },
        _difference,
    ),
    "loop": Check({f"K = {k}": _by_loop(k) for k in (1, K)}, _minibatch),
    "matrix": Check({f"K = {k}": _by_matrix(k) for k in (1, K)}, _minibatch),
    "same": Check(
        {
            f"{name}, K = {k}": by(k)
            for k, (name, by) in itertools.product(
                (1, K), (("loop", _by_loop), ("matrix", _by_matrix))
            )
        },
        _same,
    ),
    "faster": Check(
        {
            "loop": f"timed(lambda p={BIG}, b={BATCH}: loop.bprop(p, *b))",
            "matrix": f"timed(lambda p={BIG}, b={BATCH}: "
            "model.bprop(p, model.fprop(p, b[0]), b[1]))",
        },
        _faster,
    ),
    "training": Check({"plain": _fit(0.0), "decayed": _fit(0.003)}, _training),
    "figures": Check({"epochs": f"list(train.fit({SPLITS}, {FULL}))"}, _figures),
}
