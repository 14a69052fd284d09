"""The look of the report for all figures that the tests draw, which are closed afterwards."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import pytest

from figures.style import use_style
from mlp.train import Record


@pytest.fixture(autouse=True)
def _closed_figures() -> Iterator[None]:
    use_style()
    yield
    plt.close("all")


@pytest.fixture
def records() -> list[Record]:
    """Six epochs in which all figures fall, no two of them equal at an epoch."""
    return [Record(epoch, *(1 / (epoch + i) for i in range(6))) for epoch in range(1, 7)]
