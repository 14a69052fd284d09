from collections import Counter

import pytest

from tests.derivations.mutate import ENOUGH, Result, excuse, main, results


@pytest.fixture(scope="module")
def single_edits() -> list[Result]:
    return list(results("edits", 66, seed=3))


def test_single_edits_are_of_every_kind_and_noticed(single_edits: list[Result]) -> None:
    kinds = Counter(result.kind for result in single_edits)
    assert len(kinds) == 22
    assert min(kinds.values()) >= 2
    assert [r for r in single_edits if not r.noticed and not excuse(r)] == []


@pytest.mark.parametrize(("name", "count"), [("laundering", 60), ("code", 3)])
def test_what_empties_the_report_or_falsifies_the_program_is_noticed(name: str, count: int) -> None:
    found = list(results(name, count, seed=3))
    assert len(found) == count
    assert [r for r in found if not r.noticed and not excuse(r)] == []


def test_the_command_counts_what_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["edits", "--count", "8"]) == 0
    assert "8 of 8 noticed" in capsys.readouterr().out
    assert ENOUGH["edits"] >= 0.995
