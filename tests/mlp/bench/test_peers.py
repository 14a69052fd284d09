"""The methods of others: each in a process as in the benchmark, where its package is installed."""

import contextlib
import json
import subprocess
import sys

import numpy as np
import pytest

from mlp import model, train
from mlp.bench import measure, methods, serve
from mlp.bench.case import Case, D, M
from mlp.bench.measure import Worker
from mlp.bench.methods import PEERS
from mlp.model import Params
from mlp.penalty import Lambdas, grad_regularized_risk

K, D_H, ETA, N = 20, 7, 0.05, 40
LAMBDAS = {  # scikit-learn has one strength of L2 and no L1
    "sklearn": Lambdas(l12=0.01, l22=0.01),
    **dict.fromkeys(("pytorch", "jax-step", "jax-scan"), Lambdas(0.02, 0.01, 0.03, 0.04)),
}
BEFORE_AND_AFTER = """
import json, runpy, sys
import numpy as np
script, function, folder, case = sys.argv[1:]
X, y = np.load(folder + "/X.npy"), np.load(folder + "/y.npy")
case = json.loads(case)
run, parameters = runpy.run_path(script)[function](X, y, np.arange(len(y)), case)
run(case["K"])  # scikit-learn has no parameters before
before = parameters()
run(case["K"])
np.savez(folder + "/before.npz", *before)
np.savez(folder + "/after.npz", *parameters())
assert "mlp" not in sys.modules
"""


def needs(name):
    if name not in methods.available():
        pytest.skip(f"{PEERS[name].package} is not installed")


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "X.npy", rng.random((N, D), np.float32))
    np.save(tmp_path / "y.npy", rng.integers(0, M, N))
    return tmp_path


@pytest.mark.parametrize("elastic", [False, True])
@pytest.mark.parametrize("name", PEERS)
def test_a_peer_takes_the_step_of_our_gradient(folder, name, elastic):
    needs(name)
    lambdas = LAMBDAS[name] if elastic else Lambdas()
    case = {"K": K, "d_h": D_H, "m": M, "eta": ETA, "lambdas": lambdas, "threads": 1}
    peer = PEERS[name]
    arguments = [str(peer.script), peer.function, str(folder), json.dumps(case)]
    subprocess.run([sys.executable, "-I", "-c", BEFORE_AND_AFTER, *arguments], check=True)
    before, after = (
        Params(*np.load(folder / f"{name}.npz").values()) for name in ("before", "after")
    )
    X, y = np.load(folder / "X.npy"), np.load(folder / "y.npy")
    gradient = model.bprop(before, model.fprop(before, X[:K].T), y[:K])
    ours = train.update(before, grad_regularized_risk(before, gradient, lambdas), ETA)
    for old, peers, mine in zip(before, after, ours, strict=True):
        assert peers.shape == mine.shape
        assert np.abs(mine - old).max() > 1e-4
        np.testing.assert_allclose(peers - old, mine - old, rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_is_timed_as_we_are(folder, name):
    needs(name)
    with contextlib.closing(Worker(name, 1, folder)) as worker:
        timing = worker.ask(Case(10, 3, True), 2, 0.001)
    assert timing[:6] == (name, 10, 3, True, 1, 2)
    assert timing.examples == N
    assert timing.seconds > 0


def test_the_process_of_a_peer_knows_nothing_of_this_package(folder, tmp_path, monkeypatch):
    script = tmp_path / "peer.py"
    script.write_text(
        "import sys\n"
        "def prepare(X, y, order, case):\n"
        "    assert not [name for name in sys.modules if name.partition('.')[0] == 'mlp']\n"
        "    return (lambda n: None), None\n"
    )
    monkeypatch.setitem(PEERS, "fake", methods.Peer("fake", script, "prepare"))
    with contextlib.closing(Worker("fake", 1, folder)) as worker:
        assert worker.ask(Case(10, 3, False), 1, 0.001).examples == N
    assert "-I" in measure.command("fake", folder)


def test_an_order_is_the_same_for_all():
    order = serve.order_of(10)
    assert sorted(order) == list(range(10))
    assert (order == serve.order_of(10)).all()
