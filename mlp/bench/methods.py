"""The methods that are timed: ours, those of two libraries, and the matrix products alone.

Each takes the examples of an epoch, in rows, and a case; it prepares what training needs, and gives
a function that trains on the first n examples.
"""

import importlib
import math
from collections.abc import Callable
from importlib.metadata import distributions
from typing import Any

import numpy as np

from mlp import fast, loop, train
from mlp.bench import threads
from mlp.bench.case import Case, D, M, N
from mlp.data import Dataset
from mlp.functions import Array
from mlp.model import init
from mlp.penalty import Lambdas, grad_regularized_risk
from mlp.settings import Settings

Run = Callable[[int], object]
ETA = 0.01
ELASTIC = Lambdas(1e-6, 1e-5, 2e-6, 2e-5)


def shuffled(examples: Dataset) -> Array:
    """The order of an epoch."""
    return np.random.default_rng(0).permutation(len(examples.y))


# --- ours ------------------------------------------------------------------------------------


def prepare_loop(examples: Dataset, case: Case) -> Run:
    """The first version: each minibatch by a loop over its examples."""
    params = init(np.random.default_rng(0), D, case.d_h, M, examples.X.dtype)
    order = shuffled(examples)

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
    order = shuffled(examples)
    eta = train.step_sizes(settings, 1, math.ceil(N / case.K))

    def run(n: int) -> None:
        for i in range(0, n, steps.block * case.K):
            batch = order[i : min(n, i + steps.block * case.K)]
            first, count = i // case.K, math.ceil(len(batch) / case.K)
            steps.run(examples.X, examples.y, batch, eta[first : first + count])

    return run


# --- libraries -------------------------------------------------------------------------------


def prepare_pytorch(examples: Dataset, case: Case) -> Run:
    """PyTorch on the CPU, eager, as its tutorials do it; the elastic net is a term of the loss."""
    torch: Any = importlib.import_module("torch")
    torch.manual_seed(0)
    torch.set_num_threads(threads.of_this_process())
    X, y = torch.from_numpy(examples.X), torch.from_numpy(examples.y)
    order = torch.from_numpy(shuffled(examples))
    first, last = torch.nn.Linear(D, case.d_h), torch.nn.Linear(case.d_h, M)
    net = torch.nn.Sequential(first, torch.nn.ReLU(), last)
    cross_entropy = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=ETA)

    def run(n: int) -> None:
        for i in range(0, n, case.K):
            batch = order[i : i + case.K]
            optimizer.zero_grad()
            loss = cross_entropy(net(X[batch]), y[batch])
            if case.elastic:
                W1, W2 = first.weight, last.weight
                loss = loss + ELASTIC.l11 * W1.abs().sum() + ELASTIC.l12 * W1.square().sum()
                loss = loss + ELASTIC.l21 * W2.abs().sum() + ELASTIC.l22 * W2.square().sum()
            loss.backward()
            optimizer.step()

    return run


def prepare_sklearn(examples: Dataset, case: Case) -> Run:
    """scikit-learn's MLPClassifier, one call of partial_fit; of the elastic net, L2 alone."""
    neural: Any = importlib.import_module("sklearn.neural_network")
    net = neural.MLPClassifier(
        hidden_layer_sizes=(case.d_h,),
        solver="sgd",
        momentum=0,
        nesterovs_momentum=False,
        learning_rate_init=ETA,
        batch_size=case.K,
        alpha=ELASTIC.l12 if case.elastic else 0,
        random_state=0,
    )

    def run(n: int) -> None:
        net.partial_fit(examples.X[:n], examples.y[:n], classes=range(M))

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
    "pytorch": prepare_pytorch,
    "sklearn": prepare_sklearn,
    "floor": prepare_floor,
}
PACKAGES = {"pytorch": "torch", "sklearn": "scikit-learn"}  # that the others do without


def available() -> list[str]:
    """The methods that can be measured here."""
    installed = {distribution.name for distribution in distributions()}
    return [name for name in METHODS if name not in PACKAGES or PACKAGES[name] in installed]
