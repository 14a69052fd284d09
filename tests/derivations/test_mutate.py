from collections import Counter

import pytest

from tests.derivations.mutate import excuse, main, results


@pytest.mark.parametrize(("name", "count"), [("edits", 66), ("laundering", 60), ("code", 3)])
def test_what_makes_the_report_or_the_program_wrong_or_empty_is_noticed(
    name: str, count: int
) -> None:
    found = list(results(name, count, seed=3))
    unnoticed = [r for r in found if not r.noticed and not excuse(r)]
    assert len(found) == count
    assert unnoticed == []


def test_edits_are_of_every_kind() -> None:
    kinds = Counter(r.kind for r in results("edits", 66, seed=3))
    assert len(kinds) == 22
    assert min(kinds.values()) >= 2


def test_the_command_counts_what_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["edits", "--count", "22"]) == 0
    assert "22 of 22 noticed" in capsys.readouterr().out
