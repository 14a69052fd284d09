import pytest

from literate import shapes
from literate.source import statements


def test_the_shape_of_everything_that_has_a_label_is_known():
    assert set(shapes.of_statements()) == set(statements())


SHAPES = {"W1": "d_h × d", "b1": "d_h × 1", "W2": "m × d_h", "b2": "m × 1", "x": "d × 1"}
SHAPES |= {"ha": "d_h × {}", "hs": "d_h × {}", "oa": "m × {}"}


@pytest.mark.parametrize("name", SHAPES)
def test_a_gradient_has_the_shape_of_what_it_is_taken_with_respect_to(name):
    found = {k: v.replace(r" \times ", " × ").strip("$") for k, v in shapes.of_statements().items()}
    assert found[f"eq-grad-{name}"] == SHAPES[name].format(1)
    if name != "x":
        assert found[f"eq-batch-grad-{name}"] == SHAPES[name].format("K")


def test_the_table_has_former_and_new_expressions_with_shapes_of_the_running_program():
    table = shapes.shapes_table(d=5, d_h=4, m=3, K=7)
    row = next(line for line in table.splitlines() if line.startswith("| `grad_oa`"))
    assert r"| $m \times 1$ | `(act.os - onehot(m, y)) / K` | $m \times K$ |" in row
    row = next(line for line in table.splitlines() if line.startswith("| `grad_W2`"))
    assert "the same" in row


def test_shapes_in_symbols_need_sizes_that_differ():
    with pytest.raises(ValueError, match="5, 4, 3, 4; let them differ"):
        shapes.shapes_table(d=5, d_h=4, m=3, K=4)
