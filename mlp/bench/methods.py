"""The methods that are timed: ours, the matrix products alone, and those of others.

Each takes the examples of an epoch, in rows, and a case; it prepares what training needs, and gives
a function that trains on the first n examples.
"""

import math
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mlp import fast, loop, train
from mlp.bench import peers, serve
from mlp.bench.case import Case, D, M, N
from mlp.bench.serve import Run
from mlp.data import Dataset
from mlp.model import init
from mlp.penalty import Lambdas, grad_regularized_risk
from mlp.settings import Settings

ETA = 0.01
ELASTIC = Lambdas(1e-6, 1e-5, 2e-6, 2e-5)


# --- ours ------------------------------------------------------------------------------------


def prepare_loop(examples: Dataset, case: Case) -> Run:
    """The first version: each minibatch by a loop over its examples."""
    params = init(np.random.default_rng(0), D, case.d_h, M, examples.X.dtype)
    order = serve.order_of(len(examples.y))

    def run(n: int) -> None:
        nonlocal params
        for i in range(0, n, case.K):
            batch = order[i : i + case.K]
            grad = loop.bprop(params, examples.X[batch].T, examples.y[batch])
            if case.elastic:
                grad = grad_regularized_risk(params, grad, ELASTIC)
            params = train.update(params, grad, ETA)

    return run


def prepare_matrix(examples: Dataset, case: Case) -> Run:
    """The readable version: matrix calculus."""
    return prepare_engine(train.Steps, examples, case)


def prepare_fast(examples: Dataset, case: Case) -> Run:
    """The fast twin."""
    return prepare_engine(fast.Steps, examples, case)


def prepare_engine(engine: Callable[..., train.Engine], examples: Dataset, case: Case) -> Run:
    """Our training as `train.run_epoch` does it, with error and loss on the training set."""
    lambdas = ELASTIC if case.elastic else Lambdas()
    settings = Settings(d_h=case.d_h, eta=ETA, epochs=1, K=case.K, **lambdas._asdict())
    start = train.start(settings, D, M, examples.X.dtype)
    steps = engine(start.params, start.velocity, settings)
    order = serve.order_of(len(examples.y))
    eta = train.step_sizes(settings, 1, math.ceil(N / case.K))

    def run(n: int) -> None:
        for i in range(0, n, steps.block * case.K):
            batch = order[i : min(n, i + steps.block * case.K)]
            first, count = i // case.K, math.ceil(len(batch) / case.K)
            steps.run(examples.X, examples.y, batch, eta[first : first + count])

    return run


# --- the products alone ----------------------------------------------------------------------


def prepare_floor(examples: Dataset, case: Case) -> Run:
    """The five matrix products of each minibatch alone: no bias, no loss, no step, no penalty."""
    rng, dtype = np.random.default_rng(0), examples.X.dtype
    x = rng.random((case.K, D)).astype(dtype).T  # an example is contiguous, as for the fast twin
    W1 = rng.random((case.d_h, D)).astype(dtype)
    W2 = rng.random((M, case.d_h)).astype(dtype)
    grad_oa = rng.random((M, case.K)).astype(dtype)
    h = np.empty((case.d_h, case.K), dtype)
    oa, grad_W1, grad_W2 = np.empty_like(grad_oa), np.empty_like(W1), np.empty_like(W2)

    def run(n: int) -> None:
        for _ in range(0, n, case.K):
            np.matmul(W1, x, out=h)
            np.matmul(W2, h, out=oa)
            np.matmul(grad_oa, h.T, out=grad_W2)
            np.matmul(W2.T, grad_oa, out=h)
            np.matmul(h, x.T, out=grad_W1)

    return run


METHODS: dict[str, Callable[[Dataset, Case], Run]] = {
    "loop": prepare_loop,
    "matrix": prepare_matrix,
    "fast": prepare_fast,
    "floor": prepare_floor,
}

# --- peers -----------------------------------------------------------------------------------


class Peer(NamedTuple):
    """A method of others: the package that it needs, and a function of a script in `peers`."""

    package: str
    script: Path
    function: str


SCRIPTS = Path(peers.__file__).parent
PEERS = {
    "pytorch": Peer("torch", SCRIPTS / "pytorch.py", "prepare"),
    "sklearn": Peer("scikit-learn", SCRIPTS / "sklearn.py", "prepare"),
    "jax-step": Peer("jax", SCRIPTS / "jax.py", "prepare_step"),
    "jax-scan": Peer("jax", SCRIPTS / "jax.py", "prepare_scan"),
}


def available() -> list[str]:
    """The methods that can be measured here."""
    installed = {distribution.name for distribution in distributions()}
    return [*METHODS, *(name for name, peer in PEERS.items() if peer.package in installed)]
