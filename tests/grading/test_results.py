from dataclasses import replace

import numpy as np
import pytest

from grading import results
from grading.document import Document
from grading.results import compared, findings
from grading.rubric import load
from mlp import log
from mlp.train import Record

RUN = load().run
EPOCHS = [Record(1, 0.2, 0.6, 0.16, 0.44, 0.17, 0.46), Record(2, 0.15, 0.4, 0.14, 0.4, 0.15, 0.42)]


def written(folder, records, header=Record._fields, seed=1):
    run = folder / RUN.results / f"seed-{seed}"
    run.mkdir(parents=True)
    with log.Log(run / "log.csv", header, records):
        pass


def found(folder, name, said=""):
    document = Document({}, {}, {"sec-p10": said})
    return findings([name], folder, document, RUN, lambda *_: pytest.fail("runs"))[name]


def test_epochs_that_come_out_again_are_right_and_others_say_which_figure():
    was = np.array(EPOCHS)
    assert compared(EPOCHS, was).says == "2 epochs trained again: the same bit for bit"
    assert compared(EPOCHS, was * 1.001).share == 1
    other = was.copy()
    other[1, 4] *= 1.1
    assert compared(EPOCHS, other).share == 0
    assert "valid loss of epoch 2 is 0.4400, not 0.4000" in compared(EPOCHS, other).says
    assert compared(EPOCHS, None).share == compared(EPOCHS, was[:1]).share == 0


def test_a_log_has_six_figures_that_can_be_errors_and_losses(tmp_path):
    written(tmp_path, EPOCHS)
    assert found(tmp_path, "log").share == 1


@pytest.mark.parametrize(
    ("records", "says"),
    [
        ([EPOCHS[0]._replace(valid_error=1.4)], "an error is no proportion"),
        ([EPOCHS[0]._replace(test_loss=-1.0)], "a loss is no positive number"),
        ([EPOCHS[0]._replace(test_loss=float("nan"))], "a loss is no positive number"),
        ([EPOCHS[1]], "line 2 is epoch 2"),
        ([], "no epochs"),
    ],
)
def test_a_log_that_cannot_be_one_says_why(tmp_path, records, says):
    written(tmp_path, records)
    assert found(tmp_path, "log").share == 0
    assert says in found(tmp_path, "log").says


def test_a_log_with_five_figures_is_named_and_one_that_is_not_there_is_missing(tmp_path):
    assert not found(tmp_path, "log").there
    written(tmp_path, [record[:-1] for record in EPOCHS], Record._fields[:-1])
    broken = found(tmp_path, "log")
    assert broken.there
    assert broken.says.startswith("results/fashion-mnist/seed-1/log.csv: line 1 is")


def test_a_log_that_is_a_link_is_not_read(tmp_path):
    written(tmp_path / "elsewhere", EPOCHS)
    (tmp_path / "copy" / "results").mkdir(parents=True)
    (tmp_path / "copy" / RUN.results).symlink_to(tmp_path / "elsewhere" / RUN.results)
    assert not found(tmp_path / "copy", "log").there


def test_the_test_error_is_that_of_the_lowest_validation_error_and_the_report_says_it(tmp_path):
    written(tmp_path, EPOCHS)
    assert found(tmp_path, "error", "the error is 15.00 %").share == 1
    assert found(tmp_path, "error", "the error is 17.00 %").share == 0


def test_a_test_error_of_one_in_five_is_too_large(tmp_path):
    written(tmp_path, [record._replace(test_error=0.2) for record in EPOCHS])
    assert "not below 20 %" in found(tmp_path, "error", "20.00").says


def test_without_the_data_a_log_is_taken_as_it_is_and_the_sheet_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(results.data, "find", lambda name: None)
    written(tmp_path, EPOCHS)
    assert "Fashion-MNIST is not on this machine" in found(tmp_path, "again").says
    assert results.not_again(RUN)


def test_if_asked_for_a_log_is_taken_as_it_is_and_the_sheet_says_so():
    assert "taken as they are recorded" in results.not_again(replace(RUN, epochs=0))
