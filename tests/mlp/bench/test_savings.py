from mlp.bench import savings
from mlp.bench.tricks import SHAPES, TRICKS


def test_savings_come_for_every_trick_in_every_shape():
    measured = list(savings.measure(repetitions=1, seconds=0))
    assert {(s.trick, s.K, s.d_h) for s in measured} == {
        (name, *shape) for name in TRICKS for shape in SHAPES
    }
    assert len(measured) == len(TRICKS) * len(SHAPES)
    assert all(s.plain > 0 and s.twin > 0 for s in measured)


def test_savings_are_measured_in_a_process_of_their_own():
    measured = savings.measured(repetitions=1)
    assert {(s.K, s.d_h) for s in measured} == set(SHAPES)
    assert all(s.plain > 0 for s in measured)
