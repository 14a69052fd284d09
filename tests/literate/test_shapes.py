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


def rows():
    """The rows of the table: name, code, shapes for one example and for a minibatch, as text."""
    lines = shapes.shapes_table(d=5, d_h=4, m=3, K=7).splitlines()[2:]
    plain = (line.replace(r" \times ", "×").replace(r"$\to$", "→") for line in lines)
    return [
        [cell.strip().replace("$", "").strip("`") for cell in line[1:-1].split("|")]
        for line in plain
    ]


def row(name):
    return next(cells for cells in rows() if cells[0] == name)


def test_the_table_has_the_shapes_of_operands_and_result_of_each_line_as_it_runs():
    assert row("ha") == [
        "ha",
        "W1 @ x + b1",
        "d_h×d, d×1, d_h×1 → d_h×1",
        "d_h×d, d×K, d_h×1 → d_h×K",
    ]
    assert row("softmax(a)")[2:] == ["m×1, 1×1 → m×1", "m×K, 1×K → m×K"]
    assert row("L")[3] == "K, K → K"
    assert row("grad_W1")[2:] == ["d_h×1, 1×d → d_h×d", "d_h×K, K×d → d_h×d"]


def test_the_table_has_every_quantity_of_both_passes():
    quantities = ["ha", "hs", "oa", "os", "L", *(f"grad_{x}" for x in (*SHAPES, "hs") if x != "x")]
    assert set(quantities) <= {cells[0] for cells in rows()}


def test_a_line_that_the_minibatch_changes_stands_below_the_former_one():
    found = rows()
    changed = [i for i, cells in enumerate(found) if not cells[0]]
    pairs = {found[i - 1][0]: (found[i - 1][1], found[i][1], found[i][3]) for i in changed}
    assert pairs == {
        "grad_oa": ("act.os - onehot(m, y)", "(act.os - onehot(m, y)) / K", "m×K, m×K → m×K"),
        "grad_b2": ("grad_oa", "grad_oa.sum(axis=1, keepdims=True)", "m×K → m×1"),
        "grad_b1": ("grad_ha", "grad_ha.sum(axis=1, keepdims=True)", "d_h×K → d_h×1"),
    }


def test_shapes_in_symbols_need_sizes_that_differ():
    with pytest.raises(ValueError, match="5, 4, 3, 4; let them differ"):
        shapes.shapes_table(d=5, d_h=4, m=3, K=4)
