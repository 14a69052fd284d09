"""Reads rules.yml: what each reason allows; and the definitions, as equations to rewrite by."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from derivations.forms import normal
from derivations.latex import parse
from derivations.meaning import NAMES
from derivations.questions import load
from derivations.read import tokens
from derivations.rewrite import LETTERS, Equation

FILE = Path(__file__).with_name("rules.yml")


class Moves(NamedTuple):
    """One way in which a reason allows a step: moves on one side, and moves back on the other."""

    there: tuple[str, ...]
    back: tuple[str, ...] = ()


class Rule(NamedTuple):
    """What a reason allows."""

    name: str
    ways: tuple[Moves, ...]


@cache
def rules() -> Mapping[str, Rule]:
    """Every rule, by its name without spaces, as a reason reaches us from LaTeX."""
    data: Mapping[str, Any] = yaml.load(FILE.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return {
        "".join(name.split()): Rule(name, tuple(map(_moves, ways))) for name, ways in data.items()
    }


def _moves(way: Any) -> Moves:
    if isinstance(way, dict):
        return Moves(tuple(way["left"]), tuple(way["back"]))
    return Moves(tuple(way))


@cache
def equation(latex: str) -> Equation:
    """The equation of a rule, with capital letters for any expression."""
    (statement,) = parse(tokens(latex, 0, dict(load().macros)), NAMES)
    (step,) = statement.steps
    return Equation(normal(statement.first), normal(step.right), LETTERS)


@cache
def definitions() -> Mapping[str, Equation]:
    """The definitions of questions.yml as equations; functions of x are so of anything."""
    return {
        name: Equation(normal(s.first), normal(s.steps[0].right), frozenset({"x"}))
        for name, s in load().definitions.items()
        if s.steps[0].relation == "="
    }
