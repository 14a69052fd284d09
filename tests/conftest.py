"""What tests share: generic networks, far from special cases, and a small experiment file."""

import os
import signal
from typing import Any

os.environ.setdefault("MPLBACKEND", "agg")

import numpy as np
import yaml
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from mlp.functions import Array
from mlp.model import Params
from mlp.penalty import Lambdas

# In the background Ctrl-C is ignored, and so it would be by every process that a test begins.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile(
    "default", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("full", settings.get_profile("default"), max_examples=1000)
settings.load_profile("default")  # pytest --hypothesis-profile full: ten times as many inputs

LAMBDAS = Lambdas(0.03, 0.05, 0.07, 0.11)


@st.composite
def networks(draw: st.DrawFn) -> tuple[Params, Array, Array]:
    """Random θ with non-zero biases, K columns x and classes y; d, d_h, m, K all different."""
    d, d_h, m, K = draw(st.permutations(range(2, 8)))[:4]
    return generic(draw(st.integers(0, 2**32 - 1)), d, d_h, m, K)


def generic(
    seed: int = 0, d: int = 5, d_h: int = 4, m: int = 3, K: int = 7
) -> tuple[Params, Array, Array]:
    """One such network, of a given shape."""
    rng = np.random.default_rng(seed)
    params = Params(
        W1=rng.normal(size=(d_h, d)),
        b1=rng.normal(size=(d_h, 1)),
        W2=rng.normal(size=(m, d_h)),
        b2=rng.normal(size=(m, 1)),
    )
    return params, rng.normal(size=(d, K)), rng.integers(0, m, K)


def at_kinks(K: int = 40) -> tuple[Params, Array, Array]:
    """Such a network with preactivations of exactly 0: what makes them is small and whole."""
    params, x, y = generic(K=K)
    params = params._replace(W1=np.rint(params.W1), b1=np.rint(params.b1))
    return params, np.rint(x), y


EXPERIMENT = """
data: circles
valid: 100
seeds: [3, 4]
d_h: 6
eta: 0.3
epochs: 5
K: 50
"""


def changed(**keys: Any) -> str:
    """The text of EXPERIMENT with some keys added or changed."""
    return yaml.safe_dump(yaml.safe_load(EXPERIMENT) | keys)
