import numpy as np
import pytest

from derivations.program import faults
from derivations.questions import load
from mlp import fast, functions, loop, model


def test_every_line_that_carries_out_an_equation_computes_what_is_defined() -> None:
    assert faults(load()) == []


@pytest.mark.parametrize(
    ("module", "name", "bent", "label"),
    [
        (functions, "rect_prime", lambda x: np.real(x) >= 0, "eq-rect-prime"),
        (model, "rect_prime", lambda x: np.real(x) >= 0, "eq-batch-grad-ha"),
        (loop, "rect_prime", lambda x: np.real(x) >= 0, "eq-grad-ha"),
        (model, "logsumexp", lambda a: a.max(axis=0, keepdims=True), "eq-L"),
        (fast, "logsumexp", lambda a: a.max(axis=0, keepdims=True), ""),
    ],
)
def test_what_is_wrong_only_at_a_kink_is_found(
    module, name: str, bent, label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, name, bent)
    found = faults(load())
    if label:
        assert any(label in fault for fault in found)
