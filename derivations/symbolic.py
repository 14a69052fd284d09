"""Proves the identities of smooth functions of x with SymPy, read by its own LaTeX parser.

A second, independent reading of the display: nothing of the numerical evaluation is used here. With
x = 2 log t every expression of part a is rational in t > 0 and in logarithms of such expressions,
which SymPy brings into one normal form.
"""

from functools import cache
from itertools import pairwise
from typing import Any

import sympy
from sympy.parsing.latex import parse_latex

from derivations.latex import Statement

OPERATIONS = {"number", "symbol", "call", "neg", "add", "mul", "div", "pow"}
OPERATIONS |= {"derivative", "relation"}
FUNCTIONS = {"exp", "log", "tanh", "sigmoid", "softplus"}
LETTERS = {"sigmoid": "f", "softplus": "g", r"\tanh": "h"}  # SymPy's functions have one letter
SPELLING = {"[": "(", "]": ")", r"\mathrm { d }": "d"}
X, T = sympy.Symbol("x"), sympy.Symbol("t", positive=True)


class Prover:
    """Proves the statements of the report in their order, from the definitions that it has met."""

    def __init__(self) -> None:
        self.functions: dict[str, Any] = {"h": sympy.tanh}
        self.symbols: dict[Any, Any] = {}

    def define(self, statement: Statement) -> None:
        """Take a symbol from the statement that defines it."""
        if self._readable(statement):
            self.symbols[sympy.Symbol(statement.first.name)] = self._read(statement.steps[0].source)

    def proves(self, statement: Statement) -> bool:
        """Whether SymPy shows every step to be an identity; the first for f(x) defines f."""
        if not self._readable(statement):
            return False
        letter = LETTERS.get(statement.first.name, "")
        if statement.first.op == "call" and letter and letter not in self.functions:
            self.functions[letter] = sympy.Lambda(X, self._read(statement.steps[0].source))
            return False
        sides = [self._read(s) for s in (statement.source, *(s.source for s in statement.steps))]
        return all(_vanishes(a - b) for a, b in pairwise(sides))

    def _readable(self, statement: Statement) -> bool:
        known = {str(s) for s in self.symbols} | {"x"}
        return all(step.relation == "=" for step in statement.steps) and all(
            node.op in OPERATIONS
            and (node.op != "call" or node.name.rstrip("'") in FUNCTIONS)
            and (node.op != "symbol" or node.name in known or node is statement.first)
            for node in statement.nodes
        )

    def _read(self, source: str) -> Any:
        for old, new in SPELLING.items():
            source = source.replace(old, new)
        for name, letter in LETTERS.items():
            spelled = name + " '" if name.startswith("\\") else rf"\mathrm {{ {' '.join(name)} }}"
            source = source.replace(spelled, letter + (" '" if name.startswith("\\") else ""))
        read = _parse(source).xreplace(self.symbols)
        for letter, function in self.functions.items():
            read = read.replace(sympy.Function(letter), function)
            slope = sympy.Lambda(X, sympy.diff(function(X), X))
            read = read.replace(sympy.Function(letter + "'"), slope)
        return read.doit()


@cache
def _parse(source: str) -> Any:
    return parse_latex(source)


@cache
def _vanishes(difference: Any) -> bool:
    in_t = difference.rewrite(sympy.exp).subs(X, 2 * sympy.log(T))
    in_t = in_t.replace(sympy.log, lambda a, *_: sympy.expand_log(sympy.log(sympy.factor(a))))
    return bool(sympy.simplify(in_t) == 0)
