"""Fixtures that the tests of the benchmarks share."""

from collections.abc import Callable

import pytest

from mlp.bench.case import N
from mlp.bench.results import Timing


@pytest.fixture
def timings() -> Callable[..., list[Timing]]:
    """Five timings of half an epoch by each method, around the seconds given for a whole one."""

    def of(**epochs: float) -> list[Timing]:
        return [
            Timing(method, 100, 512, False, 1, repetition, N // 2, seconds / 2 * factor)
            for method, seconds in epochs.items()
            for repetition, factor in enumerate((1, 0.9, 3, 1.1, 0.8), 1)
        ]

    return of
