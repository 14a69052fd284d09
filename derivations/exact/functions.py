"""The assignment's functions, as it defines them.

Those with a kink are made of step(x) = [x > 0] and rect(x), so that they follow one set of rules:
sign(x) = step(x) - step(-x), abs(x) = rect(x) + rect(-x), max(a, b) = a + rect(b - a).
"""

from collections.abc import Callable
from functools import cache

from derivations.exact.calculus import derivative
from derivations.exact.normal import exp, fresh, inverse, log, rebuild, rect, step, total
from derivations.exact.polynomial import Atom, Entry, Function, Index, Poly, UndecidedError, poly

Column = Callable[[Index], Poly]  # the component of a column at a place


def absolute(x: Poly) -> Poly:
    """The absolute value."""
    return rect(x) + rect(-x)


def maximum(a: Poly, b: Poly) -> Poly:
    """The larger of two numbers."""
    return a + rect(b - a)


FUNCTIONS: dict[str, Callable[[Poly], Poly]] = {
    "exp": exp,
    "log": log,
    "sigmoid": lambda x: inverse(1 + exp(-x)),
    "tanh": lambda x: (exp(x) - exp(-x)) * inverse(exp(x) + exp(-x)),
    "softplus": lambda x: log(1 + exp(x)),
    "sign": lambda x: step(x) - step(-x),
    "abs": absolute,
    "rect": rect,
    "cos": lambda x: poly(Function("cos", x)),
}


def apply(name: str, x: Poly, certain: Callable[[Poly], bool]) -> Poly:
    """The function's value; a prime stands for the derivative. `certain` says what is positive."""
    if name == "log" and not certain(x):
        raise UndecidedError("a logarithm of what may not be positive")
    if not name.endswith("'"):
        return FUNCTIONS[name](x)
    variable = Entry("x")

    def change(atom: Atom) -> Poly | None:
        return x if atom == variable else None

    return rebuild(slope(name), change)


@cache
def slope(name: str) -> Poly:
    """The derivative of a function at x; at a kink, the value that the assignment prescribes."""
    if name == "log'":
        raise UndecidedError("the derivative of log as a function of its own")
    x = Entry("x")
    return derivative(FUNCTIONS[name.removesuffix("'")](poly(x)), x, lambda *_: False)


def softmax(scores: Column, size: str, k: Index) -> Poly:
    """Component k of the softmax of a column."""
    return exp(scores(k)) * inverse(_sum_of_exp(scores, size))


def logsumexp(scores: Column, size: str) -> Poly:
    """The logarithm of the sum of the exponentials of a column."""
    return log(_sum_of_exp(scores, size))


def _sum_of_exp(scores: Column, size: str) -> Poly:
    place = fresh(size)
    return total(place, exp(scores(place)))
