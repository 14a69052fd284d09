"""Reads rubric.yml: what each item is worth, by what evidence, and how partial credit is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("rubric.yml")
KINDS = ("claims", "functions", "document", "results")
RULES = ("share", "whole")
VERSION = 1


class RubricError(ValueError):
    """A rubric that cannot be used; the message names the file, the value and the remedy."""


@dataclass(frozen=True)
class Worth:
    """What one item is worth."""

    question: str
    points: float
    claims: float
    checks: Mapping[str, Mapping[str, float]]  # by kind, the points of each check by name
    credit: Mapping[str, str]  # by kind, share or whole
    wrong: float  # what a wrong statement costs, as a share of the points for claims

    def earned(self, kind: str, share: float) -> float:
        """The share of its points that evidence of a kind earns."""
        return float(share == 1) if self.credit[kind] == "whole" else share


@dataclass(frozen=True)
class Part:
    """A part of the assignment."""

    name: str
    title: str
    points: float


@dataclass(frozen=True)
class Shown:
    """Something that the report has to show, and what its numbers are held against."""

    label: str
    kind: str
    about: Mapping[str, Any]


@dataclass(frozen=True)
class Run:
    """The recorded run that experiments 9 and 10 are about."""

    results: str  # its folder
    experiment: str  # its file of settings
    epochs: int  # that are trained again
    below: float  # what the test error has to be below


@dataclass(frozen=True)
class Rubric:
    """All of it."""

    parts: tuple[Part, ...]
    items: Mapping[str, Worth]
    shown: Mapping[str, Shown]
    run: Run
    words: Mapping[str, str]  # what checks are about, by name

    @property
    def points(self) -> float:
        """All points that there are."""
        return sum(part.points for part in self.parts)

    def names(self, kind: str) -> list[str]:
        """The names of all checks of a kind."""
        return [name for worth in self.items.values() for name in worth.checks.get(kind, ())]


def load(path: Path = FILE) -> Rubric:
    """The rubric of a file. Raises RubricError."""
    try:
        return read(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        said = f"no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
        raise RubricError(f"{path.name}: {said}; write it like grading/rubric.yml") from error
    except RubricError as error:
        raise RubricError(f"{path.name}: {error}") from error


def read(data: Mapping[str, Any]) -> Rubric:
    """The rubric of a mapping. Raises RubricError where points do not add up, and KeyError."""
    if data["version"] != VERSION:
        raise RubricError(f"version is {data['version']!r}; this program reads version {VERSION}")
    parts = tuple(
        Part(name, each["title"], float(each["points"])) for name, each in data["parts"].items()
    )
    items = {name: _worth(name, held, data) for name, held in data["items"].items()}
    shown = {
        label: Shown(label, each["is"], {k: v for k, v in each.items() if k != "is"})
        for label, each in data["shown"].items()
    }
    run = data["run"]
    rubric = Rubric(
        parts,
        items,
        shown,
        Run(run["results"], run["experiment"], int(run["epochs"]), float(run["test error below"])),
        data["words"],
    )
    _check(rubric)
    return rubric


def _worth(name: str, held: Mapping[str, Any], data: Mapping[str, Any]) -> Worth:
    if unknown := held.keys() - {"points", "credit", "wrong", *KINDS}:
        raise RubricError(f"{name}: {sorted(unknown)[0]!r} is no evidence; known are {KINDS}")
    credit = {**data["credit"], **held.get("credit", {})}
    for kind in KINDS:
        if credit.get(kind) not in RULES:
            raise RubricError(f"{name}: credit for {kind} is {credit.get(kind)!r}; it is {RULES}")
    checks = {kind: held[kind] for kind in KINDS[1:] if kind in held}
    claims = float(held.get("claims", 0))
    given = claims + sum(sum(each.values()) for each in checks.values())
    if round(given, 6) != held["points"]:
        raise RubricError(f"{name}: its evidence is worth {given:g} of {held['points']} points")
    wrong = float(held.get("wrong", data["wrong"]))
    return Worth(name, float(held["points"]), claims, checks, credit, wrong)


def _check(rubric: Rubric) -> None:
    for part in rubric.parts:
        items = [w.points for name, w in rubric.items.items() if name.startswith(f"{part.name}.")]
        if sum(items) != part.points:
            raise RubricError(f"part {part.name}: items of {sum(items):g}, not {part.points:g}")
    for label in rubric.names("document"):
        if label not in rubric.shown:
            raise RubricError(f"{label}: say under `shown` what it is")
