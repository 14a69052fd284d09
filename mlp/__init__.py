"""A multilayer perceptron with one hidden layer, in numpy alone, equation by equation.

`functions` and `model` hold the network and its gradient, `loop` the gradient one example at a
time, `penalty` and `regularize` what keeps a network simple, `gradcheck` numerical gradients;
`data`, `settings`, `train`, `fast`, `stack` and `log` are training. `lab` records runs, `bench`
times them. `commands` is the command line; it and all that reads or writes stand on `files`,
`mapping`, `messages`, `processes` and `streams`.

>>> import mlp
>>> splits = mlp.load("circles", valid=200, seed=0)
>>> settings = mlp.Settings(d_h=20, eta=0.5, epochs=20, K=10)
>>> *_, (record, state) = mlp.fit(splits, settings)
>>> error, loss = mlp.evaluate(state.best, splits.test)
>>> error < 0.1
True
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlp.data import DataError, Dataset, Splits, dataset, load, split
    from mlp.model import Activations, Params, bprop, fprop, init, loss, predict, risk
    from mlp.penalty import Lambdas, grad_regularized_risk, regularized_risk
    from mlp.settings import Settings, SettingsError
    from mlp.train import DivergedError, Record, State, evaluate, fit

__all__ = [
    "Activations",
    "DataError",
    "Dataset",
    "DivergedError",
    "Lambdas",
    "Params",
    "Record",
    "Settings",
    "SettingsError",
    "Splits",
    "State",
    "bprop",
    "dataset",
    "evaluate",
    "fit",
    "fprop",
    "grad_regularized_risk",
    "init",
    "load",
    "loss",
    "predict",
    "regularized_risk",
    "risk",
    "split",
]

# In the order of their imports, so that the first of them that has a name is where it is defined.
HOMES = ("model", "penalty", "settings", "data", "train")


def __getattr__(name: str) -> object:
    """Load a name of the interface when it is first asked for: `import mlp` alone is quick."""
    if name in __all__:
        for home in HOMES:
            module = import_module(f"mlp.{home}")
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
