"""How fast the fast twin should be against others, set beforehand, and how fast it is."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mlp import fast
from mlp.bench.case import Case, D
from mlp.bench.results import Medians, Timing, medians

FLOOR = "floor"  # the matrix products alone, which are no complete method
RIVALS = ("pytorch", "sklearn", "jax-step", "jax-scan")


class Goal(NamedTuple):
    """What the fast twin should reach against another method, and what it does reach."""

    rival: str
    case: Case
    aim: float  # see `over`
    reached: float

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        return self.reached >= self.aim


def over(seconds: Mapping[str, float], rival: str) -> float:
    """How many times faster than a rival the fast twin is.

    `seconds` are those for an epoch of one case, by method.
    """
    return seconds[rival] / seconds["fast"]


def over_fastest(seconds: Mapping[str, float]) -> float:
    """The twin's time in times of the fastest complete method: 1 where that is the twin."""
    fastest = min(s for method, s in seconds.items() if method != FLOOR)
    return seconds["fast"] / fastest


def aim(rival: str, case: Case, threads: int) -> float | None:
    """The goal set for the fast twin against a rival, if there is one."""
    if threads > 1:
        return 1.0 if rival == "pytorch" else None
    if rival in ("pytorch", "sklearn"):
        return 1.05
    if rival == "jax-step":
        return 1.0
    if rival == "jax-scan" and (case.K >= 100 or shares(case)):
        return 0.9
    return None


def shares(case: Case) -> bool:
    """Whether the fast twin's minibatches share their large products in a case."""
    return case.K < fast.Steps.CHUNK and not case.elastic and D * case.d_h >= fast.Steps.SHARED


def judge(timings: Iterable[Timing], threads: int) -> list[Goal]:
    """Every goal for so many threads with what was reached, from the medians."""
    goals = []
    for case, seconds in medians(timings, threads).items():
        for rival in RIVALS:
            wanted = aim(rival, case, threads)
            if wanted is not None and rival in seconds and "fast" in seconds:
                goals.append(Goal(rival, case, wanted, over(seconds, rival)))
    return goals


def ratios(seconds: Medians, rival: str, *, elastic: bool, K: int) -> list[float]:
    """How many times faster than a rival the twin is, in the cases with minibatches of K."""
    return [
        over(by_method, rival)
        for case, by_method in seconds.items()
        if (case.K, case.elastic) == (K, elastic) and {rival, "fast"} <= by_method.keys()
    ]
