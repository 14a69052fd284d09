import pytest

from grading.items import Evidence, Grade, Item
from grading.overrides import OverridesError, applied, load

PIECE = Evidence("claims", "show", 1.0, 2.0, 2.0, "proven", there=True, line=3)
GRADE = Grade((Item("a.1", "Sigmoid", 3, (PIECE,)), Item("a.2", "Softplus", 3, ())))


def changed(tmp_path, text):
    path = tmp_path / "overrides.yml"
    path.write_text(text)
    return applied(GRADE, load(path), path)


def test_a_teacher_gives_points_and_remarks_and_what_was_computed_stays_known(tmp_path):
    text = 'a.1: {points: 2.5, remark: "Nearly."}\na.2: {remark: "See me."}\nremark: "Good."'
    after = changed(tmp_path, text)
    one, two = after.items
    assert (one.points, one.computed, one.given, one.remark) == (2.5, 2.0, 2.5, "Nearly.")
    assert (two.points, two.given, two.remark) == (0, None, "See me.")
    assert (after.points, after.remark) == (2.5, "Good.")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a.3: {points: 1}", "'a.3' is no item"),
        ("a.1: {points: 4}", "points of a.1 are 4; give a number from 0 to 3"),
        ("a.1: {points: -1}", "points of a.1 are -1"),
        ("a.1: {points: .nan}", "points of a.1 are nan"),
        ("a.1: {points: true}", "points of a.1 are True"),
        ("a.1: 3", "a.1 is 3; it has `points` and `remark`"),
        ("a.1: {point: 3}", "a.1 is {'point': 3}"),
        ("a.1: {remark: 3}", "the remark on a.1 is 3; put a text in quotes"),
        ("remark: [a]", r"the remark is \['a'\]"),
        ("- a.1", r"is \['a.1'\]; write lines such as"),
        ("a: [", "cannot be read"),
    ],
)
def test_what_does_not_fit_is_refused_with_file_value_and_remedy(tmp_path, text, says):
    with pytest.raises(
        OverridesError, match=r"overrides\.yml: (the )?.*" + says.removeprefix("the ")
    ):
        changed(tmp_path, text)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(OverridesError, match="No such file"):
        load(tmp_path / "nowhere.yml")
