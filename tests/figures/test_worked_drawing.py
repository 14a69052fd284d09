import pytest
from matplotlib.patches import FancyArrowPatch

from figures import worked_drawing
from figures.moving import stepwise
from figures.worked import THETA, short, worked

WORKED = worked()


def shown(figure):
    return [text.get_text().replace("$-$", "-") for text in figure.axes[0].texts]


def test_numbers_are_as_short_as_they_can_be():
    assert [short(v) for v in (2.0, -0.75, 1.50052, -0.001, 0.9)] == [
        "2",
        "-0.75",
        "1.5",
        "0",
        "0.9",
    ]


def test_the_forward_drawing_shows_each_number_of_the_forward_pass():
    texts = shown(worked_drawing.forward(WORKED))
    for array in (*WORKED.act, THETA.W1, THETA.W2):
        assert {short(value) for value in array.flat} <= {*texts}
    assert [t for t in texts if t.startswith("bias")] == [
        f"bias {short(value)}" for value in (*THETA.b1.flat, *THETA.b2.flat)
    ]
    assert short(WORKED.loss) in texts


def test_the_backward_drawing_shows_each_gradient():
    texts = shown(worked_drawing.backward(WORKED))
    for array in (*WORKED.gradient, WORKED.grad_hs, WORKED.grad_ha, WORKED.grad_x):
        assert {short(value) for value in array.flat} <= {*texts}


def test_the_number_on_a_line_is_that_of_its_two_units():
    ends = {}
    for text in worked_drawing.forward(WORKED).axes[0].texts:
        if text.get_bbox_patch() is not None:
            ends[text.get_position()] = text.get_text().replace("$-$", "-")
    by_height = [ends[place] for place in sorted(ends, key=lambda p: (p[0], -p[1]))]
    first, second = by_height[:6], by_height[6:]
    assert first == ["1", "-2", "1", "-2", "1", "1"]  # from each input to units 1, 2 and 3
    assert second == ["2", "1", "1", "-1", "-1", "1"]  # from each unit to both scores


@pytest.mark.parametrize("draw", [worked_drawing.forward, worked_drawing.backward])
def test_every_connection_is_an_arrow_and_every_number_can_be_read(draw):
    figure = draw(WORKED)
    arrows = [p for p in figure.axes[0].patches if isinstance(p, FancyArrowPatch)]
    assert len(arrows) == 2 * 3 + 3 * 2 + 2
    assert all(text.get_fontsize() >= 7.5 for text in figure.axes[0].texts)


def test_what_flows_back_points_the_other_way():
    forward, backward = (
        [patch._posA_posB for patch in draw(WORKED).axes[0].patches if hasattr(patch, "_posA_posB")]
        for draw in (worked_drawing.forward, worked_drawing.backward)
    )
    assert all(start[0] < end[0] for start, end in forward)
    assert all(start[0] > end[0] for start, end in backward)


def by_step(figure, steps):
    """The texts that each step brings, but for what stands above the columns."""
    stepwise(figure, steps)
    found = [set() for _ in steps]
    for text in figure.axes[0].texts:
        if text.get_position()[1] != worked_drawing.HEADS:
            words = text.get_text().replace("$-$", "-").removeprefix("bias ")
            found[int(text.get_gid().split("-")[1])].add(words)
    return [texts - {""} for texts in found]  # a unit has none of its own


def shorts(*arrays):
    return {short(value) for array in arrays for value in array.flat}


def test_each_step_forward_brings_its_numbers():
    act = WORKED.act
    assert by_step(worked_drawing.forward(WORKED), worked_drawing.FORWARD_STEPS) == [
        shorts(act.x),
        shorts(THETA.W1, THETA.b1, act.ha),
        shorts(act.hs),
        shorts(THETA.W2, THETA.b2, act.oa),
        shorts(act.os),
        {short(WORKED.loss)},
    ]


def test_each_step_backward_brings_its_gradient():
    gradient = WORKED.gradient
    assert by_step(worked_drawing.backward(WORKED), worked_drawing.BACKWARD_STEPS) == [
        {"$L$"},
        shorts(WORKED.grad_oa),
        shorts(gradient.W2),
        shorts(WORKED.grad_hs),
        shorts(WORKED.grad_ha),
        shorts(gradient.W1),
        shorts(WORKED.grad_x),
    ]
