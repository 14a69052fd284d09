"""How fast the fast twin should be against others, set beforehand, and how fast it is."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mlp import fast
from mlp.bench.case import Case, D
from mlp.bench.results import Medians, Timing, medians

FLOOR = "floor"  # the matrix products alone, which no complete method can beat
RIVALS = ("pytorch", "sklearn", "jax-step", "jax-scan", FLOOR)


class Goal(NamedTuple):
    """What the fast twin should reach against another method, and what it does reach."""

    rival: str
    case: Case
    aim: float  # see `over`
    reached: float

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        return self.reached <= self.aim if self.rival == FLOOR else self.reached >= self.aim


def over(seconds: Mapping[str, float], rival: str) -> float:
    """How many times faster than a rival the fast twin is; its time in floors for the floor.

    `seconds` are those for an epoch of one case, by method.
    """
    ratio = seconds["fast"] / seconds[rival]
    return ratio if rival == FLOOR else 1 / ratio


def over_fastest(seconds: Mapping[str, float]) -> float:
    """The twin's time in times of the fastest complete method: 1 where that is the twin."""
    fastest = min(s for method, s in seconds.items() if method != FLOOR)
    return seconds["fast"] / fastest


def aim(rival: str, case: Case, threads: int) -> float | None:
    """The goal set for the fast twin against a rival, if there is one."""
    K, d_h, elastic = case
    if threads > 1:
        return 1.0 if rival == "pytorch" and K <= 100 else None
    if rival == "pytorch":
        return {10: 4.0, 100: 2.0 if d_h <= 128 else 1.2, 1000: 1.1}.get(K)
    if rival == "sklearn":
        return {10: 6.0, 100: 1.9, 1000: 1.35}.get(K)
    if rival == "jax-step":
        return 1.0
    if rival == "jax-scan" and (K >= 100 or shares(case)):
        return 0.9
    if rival == FLOOR and d_h >= 512 and not elastic:  # the floor has no penalty
        return 0.6 if K <= 10 else 1.2
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


def missed_against_libraries(goals: Iterable[Goal]) -> list[Goal]:
    """The goals that are missed, but for those against the matrix products alone."""
    return [goal for goal in goals if goal.rival != FLOOR and not goal.met]


def beyond_the_products(goals: Iterable[Goal], seconds: Medians) -> list[Goal]:
    """The goals against libraries that the matrix products alone would miss, too."""
    return [
        goal
        for goal in goals
        if goal.rival != FLOOR
        and seconds[goal.case][goal.rival] / seconds[goal.case][FLOOR] < goal.aim
    ]
