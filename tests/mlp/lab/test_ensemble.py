import numpy as np
import pytest
import yaml

from mlp import train
from mlp.__main__ import main
from mlp.functions import softmax
from mlp.lab import ensemble, experiment, store
from mlp.settings import SettingsError
from tests.conftest import changed


@pytest.fixture
def files(tmp_path):
    (tmp_path / "one.yml").write_text(changed(seeds=[3, 4, 5], epochs=12, d_h=3, valid=200))
    (tmp_path / "several.yml").write_text("average: one\n")
    return tmp_path


def test_an_average_has_the_errors_of_the_mean_probabilities(files, capsys):
    assert main(["train", str(files / "several.yml"), "--results", str(files)]) == 0
    assert "3 nets; valid" in capsys.readouterr().out
    one = experiment.load(files / "one.yml")
    nets = [
        store.restore(files / "one" / f"seed-{s}" / "checkpoint.npz")[0].best for s in one.seeds
    ]
    _, valid, test = one.splits()
    lines = np.loadtxt(files / "several" / "log.csv", delimiter=",", skiprows=1)
    for n in (1, 2, 3):
        row = [n]
        for part in (valid, test):
            mean = np.mean([softmax(train.outputs(net, part.X)) for net in nets[:n]], axis=0)
            row.append(np.mean(mean.argmax(axis=0) != part.y))
            row.append(-np.log(mean[part.y, np.arange(len(part.y))]).mean())
        np.testing.assert_allclose(lines[n - 1], row, rtol=1e-12)
    summary = yaml.safe_load((files / "several" / "summary.yml").read_text())
    assert list(summary["chosen"].values()) == list(lines[-1])
    assert ensemble.read(files / "several" / "log.csv") == [tuple(line) for line in lines]
    predictions = np.load(files / "several" / "predictions.npy")
    assert np.mean(predictions != test.y) == summary["chosen"]["test_error"]
    counts = np.loadtxt(files / "several" / "confusion.csv", delimiter=",")
    assert counts.sum() - np.trace(counts) == np.sum(predictions != test.y)


def test_nets_that_are_not_there_are_named_with_the_remedy(files):
    average = ensemble.load(files / "several.yml")
    experiment.run(average.of, files)
    (files / "one" / "seed-4" / "checkpoint.npz").unlink()
    with pytest.raises(SettingsError, match=r"seed-4/checkpoint\.npz: not there.*delete .*seed-4"):
        ensemble.run(average, files)


@pytest.mark.parametrize(
    ("text", "says"),
    [("average: 3\n", "average is 3"), ("average: one\nd_h: 3\n", "1 other key"),
     ("average: two\n", r"two\.yml: cannot be read")],
)  # fmt: skip
def test_bad_average_file_is_named_with_its_fault(files, text, says):
    (files / "bad.yml").write_text(text)
    with pytest.raises(SettingsError, match=says) as error:
        ensemble.load(files / "bad.yml")
    assert str(error.value).startswith(str(files / "bad.yml"))
