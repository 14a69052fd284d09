import numpy as np

from figures.curves import curves


def test_curves_are_those_of_the_log_and_mark_the_chosen_epoch(records):
    error, loss = curves(records, chosen=4).axes
    np.testing.assert_allclose(error.lines[0].get_ydata(), [100 * r.train_error for r in records])
    np.testing.assert_allclose(loss.lines[4].get_ydata(), [r.test_loss for r in records])
    np.testing.assert_allclose(error.lines[1].get_xydata(), [[4, 100 * records[3].train_error]])
    assert "chosen epoch, 4" in [line.get_label() for line in error.lines]


def test_the_range_over_runs_stands_behind_the_curves_of_one(records):
    higher = [record._replace(valid_error=record.valid_error + 0.1) for record in records]
    figure = curves(records, chosen=4, runs=[records, higher])
    error, loss = figure.axes
    assert [len(ax.collections) for ax in (error, loss)] == [3, 3]
    band = error.collections[1].get_paths()[0].vertices
    assert band[:, 1].max() == 100 * higher[0].valid_error
    assert band[:, 1].min() == 100 * records[-1].valid_error
    for ax in (error, loss):
        assert len(ax.get_legend().get_texts()) == 4
