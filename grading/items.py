"""What a grade consists of: items with points, and the evidence for each."""

from collections.abc import Iterable
from dataclasses import dataclass

RIGHT, PARTLY, WRONG, MISSING = "right", "partly", "wrong", "missing"


@dataclass(frozen=True)
class Finding:
    """What a check found: how much of what it looks at is right, and in words."""

    share: float  # from 0 to 1
    says: str
    there: bool = True  # whether there was anything to look at
    line: int = 0  # of report.qmd, or 0


def absent(says: str) -> Finding:
    """Nothing was there."""
    return Finding(0.0, says, there=False)


def counted(right: int, of: int, says: str, line: int = 0) -> Finding:
    """So many of so many are right."""
    return Finding(right / of if of else 0.0, says, line=line)


@dataclass(frozen=True)
class Evidence:
    """One piece of evidence for an item, and the points that it earns."""

    kind: str  # claims, functions, document or results
    what: str  # what is claimed, in a word, or the name of a check
    share: float
    points: float
    of: float
    says: str
    there: bool
    line: int  # of report.qmd, or 0
    latex: str = ""  # of a claim

    @property
    def holds(self) -> bool:
        """Whether it is right as a whole."""
        return self.share == 1


@dataclass(frozen=True)
class Item:
    """One of the questions or experiments of the assignment, and how it was answered."""

    question: str  # as in a.1, b.18 or p.10
    title: str
    of: float
    evidence: tuple[Evidence, ...]
    section: str = ""  # its number and heading in the report
    page: int = 0  # of the submitted PDF, or 0
    line: int = 0  # of report.qmd, or 0
    given: float | None = None  # points by the teacher, in place of those computed
    remark: str = ""  # by the teacher

    @property
    def part(self) -> str:
        """The part that it belongs to: a, b or p."""
        return self.question.partition(".")[0]

    @property
    def computed(self) -> float:
        """The points that the evidence earns, to a hundredth."""
        return round(sum(each.points for each in self.evidence), 2)

    @property
    def points(self) -> float:
        """The points that count: the teacher's, where there are such."""
        return self.computed if self.given is None else self.given

    @property
    def status(self) -> str:
        """In a word, by the evidence: right, partly, wrong or missing."""
        if all(each.holds for each in self.evidence):
            return RIGHT
        if self.computed > 0:
            return PARTLY
        return WRONG if any(each.there for each in self.evidence) else MISSING


@dataclass(frozen=True)
class Grade:
    """All items, in the order of the assignment."""

    items: tuple[Item, ...]
    title: str = ""  # of the report
    authors: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()  # about the submission as a whole
    remark: str = ""  # by the teacher
    seed: int = 0  # of the hidden inputs

    @property
    def points(self) -> float:
        """All points together."""
        return total(item.points for item in self.items)

    @property
    def of(self) -> float:
        """All points that there are."""
        return total(item.of for item in self.items)

    def part(self, name: str) -> tuple[Item, ...]:
        """The items of a part."""
        return tuple(item for item in self.items if item.part == name)


def total(points: Iterable[float]) -> float:
    """A sum of points, to a hundredth."""
    return round(sum(points), 2)
