import json

import numpy as np
import pytest

from grading import gather, trust
from grading.limits import Outcome


def runs(*each):
    """A runner that runs functions of the folder, in turn."""
    rest = iter(each)

    def runner(command, folder, limits):
        return next(rest)(
            folder / ".grading" / "out", json.loads((folder / ".grading/plan.json").read_text())
        )

    return runner


def gives(out, number, texts=None, values=None):
    np.savez(out / f"{number}.npz", **({"value": np.ones(2)} if values is None else values))
    (out / f"{number}.json").write_text(json.dumps(texts or {}))


def all_of_it(out, plan):
    for number in range(len(plan["steps"])):
        if number not in plan["without"]:
            gives(out, number)
    (out / "at").write_text("end")
    return Outcome(0, "", "")


def dies_in_the_second(out, plan):
    gives(out, 0)
    (out / "at").write_text("1")
    return Outcome(-9, "", "", "took more than 1 s")


def test_a_step_that_ends_the_process_costs_itself_alone(tmp_path):
    runner = runs(dies_in_the_second, all_of_it)
    first, second, third = gather.run("evaluate", [{}, {}, {}], tmp_path, runner)
    assert first.error == third.error == ""
    assert second.error == "took more than 1 s"
    assert first.value("value") is not None
    assert third.value("value") is not None


def test_where_nothing_can_be_run_every_step_says_why(tmp_path):
    def nothing(out, plan):
        return Outcome(1, "", "Traceback\nImportError: no numpy")

    given = gather.run("evaluate", [{}, {}], tmp_path, runs(nothing))
    assert [each.error for each in given] == ["ImportError: no numpy"] * 2


def linked(out, plan):
    all_of_it(out, plan)
    (out / "0.json").unlink()
    (out / "0.json").symlink_to("/etc/hostname")
    return Outcome(0, "", "")


def pickled(out, plan):
    all_of_it(out, plan)
    gives(out, 0, values={"value": np.array([print], object)})
    return Outcome(0, "", "")


def no_json(out, plan):
    all_of_it(out, plan)
    (out / "0.json").write_text("[" * 100_000)
    return Outcome(0, "", "")


def no_mapping(out, plan):
    all_of_it(out, plan)
    (out / "0.json").write_text("[]")
    return Outcome(0, "", "")


@pytest.mark.parametrize("hostile", [linked, pickled, no_json, no_mapping])
def test_what_a_submission_leaves_is_read_as_plain_data_or_not_at_all(tmp_path, hostile):
    first, second = gather.run("evaluate", [{}, {}], tmp_path, runs(hostile))
    assert first.error
    assert not first.values
    assert second.error == ""


def test_a_place_that_is_a_link_is_made_anew(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / ".grading").symlink_to(elsewhere)
    gather.run("evaluate", [{}], tmp_path / "copy", runs(all_of_it))
    assert list(elsewhere.iterdir()) == []


def test_numbers_that_are_not_finite_are_no_value(tmp_path):
    def runner(out, plan):
        gives(out, 0, values={"good": np.ones(1), "bad": np.array([np.nan])})
        (out / "at").write_text("end")
        return Outcome(0, "", "")

    (given,) = gather.run("evaluate", [{}], tmp_path, runs(runner))
    assert given.value("good") is not None
    assert given.value("bad") is None
    assert given.value("none") is None


CODE = """
def twice(x):
    half = x / 2
    return 2 * x


def out(x):
    raise SystemExit(0)
"""


def test_expressions_are_evaluated_in_the_package_of_the_submission(tmp_path):
    (tmp_path / "mlp").mkdir()
    (tmp_path / "mlp" / "__init__.py").touch()
    (tmp_path / "mlp" / "functions.py").write_text(CODE)
    steps = [
        {"expression": "functions.twice(x)", "watch": ["twice"]},
        {"expression": "functions.out(x)", "watch": []},
        {"expression": "model.fprop(x)", "watch": []},
    ]
    inputs = {"x": np.array([1.0, 3.0])}
    twice, out, missing = gather.run("evaluate", steps, tmp_path, trust.run, inputs=inputs)
    assert twice.values["value"].tolist() == [2, 6]
    assert twice.values["twice:half"].tolist() == [0.5, 1.5]
    assert out.error == "SystemExit: 0"
    assert missing.error.startswith("mlp.model cannot be imported: ModuleNotFoundError")
