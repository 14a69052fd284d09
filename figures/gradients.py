"""Tables that hold gradients and derivatives against numerical ones, and loop against matrix."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from figures.tables import fixed, scientific, table
from mlp.functions import Array
from mlp.gradcheck import Row, derivative_errors
from mlp.model import Params

Function = Callable[[Array], Array]


def symbol(name: str) -> str:
    """The LaTeX symbol of a row's name: of W1[2, 1], W with superscript (1) and subscript 21."""
    array, _, index = name.removesuffix("]").partition("[")
    letter, layer = array[0], array[1]
    subscript = index.replace(", 1" if letter == "b" else ", ", "")  # a bias has but one column
    return rf"$\mathbf{{{letter}}}^{{({layer})}}_{{{subscript}}}$"


def derivatives_table(stated: Mapping[str, tuple[Function, Function]], x: Array) -> str:
    """The largest relative error, over points x, (n,), between stated and numerical derivatives.

    `stated` has a function and its derivative for each symbol.
    """
    rows = []
    for name, (f, f_prime) in stated.items():
        found = derivative_errors(f, f_prime, x)
        rows.append([name, scientific(found.complex_step), scientific(found.central)])
    head = ["stated derivative", "against complex step", "against central difference"]
    return table(head, rows, "lrr")


def check_table(rows: Iterable[Row]) -> str:
    """One row per scalar parameter: back-propagation beside the three numerical estimates."""
    head = ["", "back-prop.", "finite diff.", "ratio"]
    head += ["central diff.", "its rel. error", "complex step", "its rel. error"]
    cells = [
        [
            symbol(row.name),
            fixed(row.gradient, 7),
            fixed(row.forward, 7),
            fixed(row.ratio, 6),
            fixed(row.central, 7),
            scientific(row.central_error),
            fixed(row.complex_step, 7),
            scientific(row.complex_error),
        ]
        for row in rows
    ]
    return table(head, cells, "lrrrrrrr")


def pairs_table(pairs: Mapping[int, tuple[Params, Params]]) -> str:
    """The gradients by loop and by matrix for each K: a row per scalar parameter."""
    head = [""]
    for K in pairs:
        head += [f"loop, $K = {K}$", f"matrix, $K = {K}$", r"$\left|\text{difference}\right|$"]
    shapes, _ = next(iter(pairs.values()))
    rows = []
    for name, array in shapes._asdict().items():
        for index in np.ndindex(array.shape):
            row = [symbol(f"{name}[{', '.join(str(i + 1) for i in index)}]")]
            for by_loop, by_matrix in pairs.values():
                a, b = (float(getattr(grad, name)[index]) for grad in (by_loop, by_matrix))
                row += [fixed(a, 10), fixed(b, 10), scientific(abs(a - b))]
            rows.append(row)
    return table(head, rows, "l" + "rrr" * len(pairs))
