import pytest

from literate import claims as module
from literate.claims import NOTICE, claims


@pytest.fixture
def shown(monkeypatch):
    """The Markdown that is displayed."""
    displayed = []
    monkeypatch.setattr(module, "display", lambda markdown: displayed.append(markdown.data))
    return displayed


def test_claims_that_hold_say_nothing(shown, capsys):
    claims({"two is even": 2 % 2 == 0, "some are left": [1]}, left=[1])
    assert shown == []
    assert capsys.readouterr() == ("", "")


def test_a_claim_that_does_not_hold_is_noted_in_the_document_and_named_with_values(shown, capsys):
    error = 0.25
    claims({"two is even": True, "the error is below 0.2": error < 0.2}, error=error)
    assert shown == [NOTICE]
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "The text goes beyond the results at hand. It does not hold that",
        "- the error is below 0.2",
        "where",
        "- error = 0.25",
    ]


def test_every_claim_that_does_not_hold_is_named_under_one_note(shown, capsys):
    claims({"one is even": False, "two is even": True, "three is even": False})
    assert shown == [NOTICE]
    named = capsys.readouterr().err.splitlines()[1:]
    assert named == ["- one is even", "- three is even"]
