import numpy as np

from figures.curves import curves


def test_curves_are_those_of_the_log_and_mark_the_chosen_epoch(records):
    error, loss = curves(records, chosen=4).axes
    np.testing.assert_allclose(error.lines[0].get_ydata(), [100 * r.train_error for r in records])
    np.testing.assert_allclose(loss.lines[4].get_ydata(), [r.test_loss for r in records])
    np.testing.assert_allclose(error.lines[1].get_xydata(), [[4, 100 * records[3].train_error]])
    assert "chosen epoch, 4" in [line.get_label() for line in error.lines]
