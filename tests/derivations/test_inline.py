import pytest

from derivations import REPORT
from derivations.inline import examine_inlines
from derivations.questions import load

TEXT = REPORT.read_text(encoding="utf-8")
MACROS = "\n".join(line for line in TEXT.splitlines() if line.startswith(r"\newcommand"))


def said(prose: str, section: str = "b1") -> list[str]:
    """What is wrong with the formulas within a line of a question."""
    text = f"{MACROS}\n\n# A part {{#sec-{section}}}\n\n{prose}\n"
    return [r.failure for r in examine_inlines(text, load()) if r.failure]


def test_every_formula_within_a_line_of_the_report_is_read_and_many_are_verified() -> None:
    remarks = examine_inlines(TEXT, load())
    assert [r.failure for r in remarks if r.failure] == []
    assert len(remarks) > 350
    assert sum(r.verified for r in remarks) >= 20


@pytest.mark.parametrize(
    "prose",
    [
        r"Here $\hs_j = \rect(\ha_j)$ holds.",
        r"The weights $\W{1}$ form a $d_h \times d$ matrix.",
        r"Both $\ha$ and $\hs$ are $d_h \times 1$.",
        r"With $\tanh$ and $\log(1 + \cdot)$ and $v'$ nothing is claimed.",
    ],
)
def test_what_holds_is_verified_and_what_claims_nothing_is_read(prose: str) -> None:
    assert said(prose) == []


@pytest.mark.parametrize(
    "prose",
    [
        r"Here $\hs_j = \rect(-\ha_j)$ holds.",
        r"The weights $\W{1}$ form a $d \times d_h$ matrix.",
        r"Both $\x$ and $\hs$ are $d_h \times 1$.",
        r"A sentence about $\ha$. A shape, $d_h \times 1$, of nothing.",
        r"A formula $\frac{1}{x$ that cannot be read.",
        r"A case $x = 0$ that the question does not name.",
        r"A minibatch has $\x \in \mathbb{R}^{d \times K}$.",
    ],
)
def test_what_does_not_hold_or_cannot_be_read_is_refused(prose: str) -> None:
    assert said(prose)


def test_a_relation_may_be_supposed_where_the_question_names_it() -> None:
    assert said("Let $x = 0$.", section="a6") == []
    assert said("Let $x = 0$.", section="a5") != []
