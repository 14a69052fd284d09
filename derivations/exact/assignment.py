r"""The assignment's notation and definitions: what the statements of the report are proven from.

Nothing here is an answer. The network is that of part b, the loss is -log(o^s_y), the risk its
mean, and the penalty the elastic net of the last question. What the report adds is defined below
that: a step that shrinks, smoothed labels, whitened inputs, the average of networks.
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from derivations.exact.context import EXAMPLES, Context, Shape
from derivations.exact.functions import FUNCTIONS
from derivations.exact.shapes import OF_COLUMNS, with_names
from derivations.latex import Names, Node, parse
from derivations.read import tokens

SIZES = frozenset(["d", "d_h", "m", "K", "n", "N", r"n_\theta"])
STRENGTHS = (r"\lambda_11", r"\lambda_12", r"\lambda_21", r"\lambda_22")
SHAPES: Mapping[str, Shape] = {
    r"\mathbf x": ("d", EXAMPLES),
    "y": ("1", EXAMPLES),
    r"\mathbf y": ("1", EXAMPLES),
    r"\mathbf W^(1)": ("d_h", "d"),
    r"\mathbf b^(1)": ("d_h", "1"),
    r"\mathbf W^(2)": ("m", "d_h"),
    r"\mathbf b^(2)": ("m", "1"),
    r"\mathbf h^a": ("d_h", EXAMPLES),
    r"\mathbf h^s": ("d_h", EXAMPLES),
    r"\mathbf o^a": ("m", EXAMPLES),
    r"\mathbf o^s": ("m", EXAMPLES),
    "L": ("1", EXAMPLES),
    "c": ("1", EXAMPLES),
    r"\theta": (r"n_\theta", "1"),
    r"\mathbf v": (r"n_\theta", "1"),
    r"\mathbf 1_K": ("K", "1"),
    r"\mathbf 1_m": ("m", "1"),
    r"\mathbf 1_N": ("N", "1"),
    r"\mathbf t": ("m", EXAMPLES),
    "L_s": ("1", EXAMPLES),
    r"\mathbf P": ("d", "d"),
    r"\mathbf \mu": ("d", "1"),
    r"\tilde \mathbf{W}^(1)": ("d_h", "d"),
    r"\tilde \mathbf{b}^(1)": ("d_h", "1"),
    r"\mathbf A": ("m", "N"),
    r"\mathbf a": ("m", "1"),
    **dict.fromkeys([r"\hat R", r"\hat R_K", r"\tilde R", r"\mathcal L"], ()),
    **dict.fromkeys([*STRENGTHS, r"\eta", "x", "z"], ()),
    **dict.fromkeys([r"\hat R_s", r"\eta_t", "t", "T", r"\pi", "s", r"\mu"], ()),
}
DEFINITIONS: Mapping[str, str] = {
    r"\theta": r"(\mathbf{W}^{(1)}, \mathbf{b}^{(1)}, \mathbf{W}^{(2)}, \mathbf{b}^{(2)})",
    r"\mathbf h^a": r"\mathbf{W}^{(1)} \mathbf{x} + \mathbf{b}^{(1)}",
    r"\mathbf h^s": r"\mathrm{rect}(\mathbf{h}^a)",
    r"\mathbf o^a": r"\mathbf{W}^{(2)} \mathbf{h}^s + \mathbf{b}^{(2)}",
    r"\mathbf o^s": r"\mathrm{softmax}(\mathbf{o}^a)",
    "L": r"-\log(\mathbf{o}^s_y)",
    r"\hat R": r"\frac{1}{n} \sum_{i=1}^{n} L(\mathbf{x}^{(i)}, y^{(i)})",
    r"\hat R_K": r"\frac{1}{K} \sum_{i=1}^{K} L_i",
    r"\mathcal L": r"""
        \lambda_{11} \sum_{j=1}^{d_h} \sum_{p=1}^{d} \lvert \mathbf{W}^{(1)}_{jp} \rvert
        + \lambda_{12} \sum_{j=1}^{d_h} \sum_{p=1}^{d} (\mathbf{W}^{(1)}_{jp})^2
        + \lambda_{21} \sum_{k=1}^{m} \sum_{j=1}^{d_h} \lvert \mathbf{W}^{(2)}_{kj} \rvert
        + \lambda_{22} \sum_{k=1}^{m} \sum_{j=1}^{d_h} (\mathbf{W}^{(2)}_{kj})^2""",
    r"\tilde R": r"\hat{R} + \mathcal{L}",
    r"\eta_t": r"\frac{\eta}{2} (1 + \cos(\frac{\pi t}{T}))",
    r"\mathbf t": r"\frac{s}{m} \mathbf{1}_m + (1 - s) \mathrm{onehot}_m(y)",
    "L_s": r"-\sum_{k=1}^{m} \mathbf{t}_k \log(\mathbf{o}^s_k)",
    r"\hat R_s": r"\frac{1}{K} \sum_{i=1}^{K} (L_s)_i",
    r"\tilde \mathbf{W}^(1)": r"\mathbf{W}^{(1)} \mathbf{P}",
    r"\tilde \mathbf{b}^(1)": r"\mathbf{b}^{(1)} - \mathbf{W}^{(1)} \mathbf{P} \mathbf{\mu}",
    r"\mathbf a": r"\log(\frac{1}{N} \mathrm{softmax}(\mathbf{A}) \mathbf{1}_N)",
}
ARGUMENTS: Mapping[str, Shape] = {
    r"\mathbf o^a": (r"\mathbf x",),
    r"\mathbf o^s": (r"\mathbf x",),
    "L": (r"\mathbf x", "y"),
    **dict.fromkeys([r"\hat R", r"\tilde R", r"\mathcal L"], (r"\theta",)),
}
NAMES = Names(
    symbols=SIZES | SHAPES.keys(),
    functions=frozenset([*FUNCTIONS, *OF_COLUMNS, "onehot"]),
    applied=frozenset(ARGUMENTS),
)
NOTHING: Mapping[str, str] = MappingProxyType({})


@cache
def node(latex: str) -> Node:
    """An expression in the assignment's notation."""
    (statement,) = parse(tokens(f"z = {latex}", 0, {}), NAMES)
    return statement.steps[0].right


def context(examples: str = "1", own: Mapping[str, str] = NOTHING) -> Context:
    """The assignment's context, for one example or, with "K", for a minibatch.

    `own` are names that a derivation gives, in LaTeX, or other definitions.
    """
    given = Context(
        shapes=SHAPES,
        definitions={name: node(latex) for name, latex in DEFINITIONS.items()},
        sizes=SIZES,
        counts={r"n_\theta": r"\theta"},
        classes={"y": "m", r"\mathbf y": "m"},
        arguments=ARGUMENTS,
        positive=frozenset([*STRENGTHS, r"\eta", r"\pi", "T"]),
        ones=frozenset([r"\mathbf 1_K", r"\mathbf 1_m", r"\mathbf 1_N"]),
        examples=examples,
        risk=node(r"\hat{R}"),
    )
    return with_names(given, {name: node(latex) for name, latex in own.items()})
