"""The table of experiment 6: former and new expressions, and the shapes they have when run."""

from collections.abc import Mapping

import numpy as np

from figures.tables import table
from literate.source import labelled, variables
from mlp import loop
from mlp.functions import Array
from mlp.model import bprop, bprop_from, fprop, init


def shapes_table(d: int, d_h: int, m: int, K: int) -> str:
    """Former and new expression of each gradient, and the shapes that both have when run.

    The sizes, all different and above 1, are those of the run; the shapes are told in symbols.
    """
    sizes = {1: "1", d: "d", d_h: "d_h", m: "m", K: "K"}
    if len(sizes) < 5:
        raise ValueError(f"the sizes are {d}, {d_h}, {m}, {K}; let them differ, and be above 1")
    rng = np.random.default_rng(0)
    params, x, y = init(rng, d, d_h, m), rng.normal(size=(d, K)), rng.integers(0, m, K)
    former = variables(loop.bprop_one, params, fprop(params, x[:, :1]), y[0])
    act = fprop(params, x)
    new = variables(bprop, params, act, y)
    new |= variables(bprop_from, params, act, new["grad_oa"])
    changed = labelled(bprop) | labelled(bprop_from)
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
