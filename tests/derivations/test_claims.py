"""What the report may not do to a claim, on the smallest reports that show it."""

import pytest

from derivations import REPORT, examine
from derivations.questions import read

TEXT = REPORT.read_text(encoding="utf-8")
MACROS = "\n".join(line for line in TEXT.splitlines() if line.startswith(r"\newcommand"))


def states(claims: list[dict[str, object]], *displays: str) -> list[str]:
    """What becomes of claims of question b.9 in a report of these displays."""
    shown = "\n\n".join(f"$$\n{display}\n$$" for display in displays)
    asked = read({"macros": MACROS, "questions": {"b.9": {"claims": claims}}})
    text = f"{MACROS}\n\n# A part {{#sec-b9}}\n\n{shown}\n"
    return [a.state for a in examine(text, asked).answers["b.9"]]


EXPRESS = {"express": r"\pd{\loss}{\W{2}}", "in": r"\pd{\loss}{\oa}, \hs", "form": "matrix"}


def test_a_formula_in_the_terms_and_the_form_asked_for_bears_out_a_claim() -> None:
    assert states([EXPRESS], r"\pd{\loss}{\W{2}} = \pd{\loss}{\oa} \hsT") == ["proven"]


def test_sizes_below_the_braces_belong_to_no_term() -> None:
    sized = r"\underbrace{\pd{\loss}{\oa}}_{m \times 1} \quad \underbrace{\hsT}_{1 \times d_h}"
    assert states([EXPRESS], rf"\pd{{\loss}}{{\W{{2}}}} = {sized}") == ["proven"]
    foreign = sized.replace(r"\pd{\loss}{\oa}", r"\left( \os - \onehot_m(y) \right)")
    assert states([EXPRESS], rf"\pd{{\loss}}{{\W{{2}}}} = {foreign}") == ["wrong"]


@pytest.mark.parametrize(
    ("display", "state"),
    [
        (r"\pd{\loss}{\W{2}} = \left( \os - \onehot_m(y) \right) \hsT", "wrong"),  # substituted
        (r"\pd{\loss}{\W{2}_{kj}} = \pd{\loss}{\oa_k} \hs_j", "missing"),  # one element
        (r"\pd{\loss}{\W{2}} = \hs \pd{\loss}{\oa}", "wrong"),
        (r"\pd{\loss}{\oa} \hsT = \pd{\loss}{\W{2}}", "missing"),  # the wrong way round
        (r"\pd{\RK}{\W{2}} = \pd{\RK}{\oa} \hsT", "missing"),  # a minibatch
        (r"\sigmoid(x) + \sigmoid(-x) = 1", "missing"),
    ],
)
def test_another_formula_does_not(display: str, state: str) -> None:
    assert states([EXPRESS], display) == [state]


SHOW = {"show": r"\pd{\loss}{\W{2}_{kj}} = \pd{\loss}{\oa_k} \hs_j"}
START = r"\begin{aligned} \pd{\loss}{\W{2}_{kj}} "
CHAIN = r"&= \pd{\loss}{\oa_k} \pd{\oa_k}{\W{2}_{kj}} \why{chain rule} \\ "
LAST = r"&= \pd{\loss}{\oa_k} \hs_j \why{inner derivative} \end{aligned}"


def test_a_chain_of_judged_steps_shows_a_claim() -> None:
    assert states([SHOW], START + CHAIN + LAST) == ["proven"]


@pytest.mark.parametrize(
    "display",
    [
        START + LAST,  # a row is gone
        START + CHAIN.replace(r"\\ ", r"\end{aligned}"),  # the end is gone
        (START + CHAIN + LAST).replace(r"\why{inner derivative}", ""),
        (START + CHAIN + LAST).replace(r"\why{chain rule}", r"\why{definition}"),
        r"\pd{\loss}{\W{2}_{kj}} = \pd{\loss}{\oa_k} \hs_j",  # outright
    ],
)
def test_less_than_that_does_not(display: str) -> None:
    assert states([SHOW], display) in (["missing"], ["wrong"])


ONEHOT = r"\pd{\loss}{\oa_k} = \os_k - \onehot_m(y)_k"
BY_CASES = [{"show": ONEHOT, "distinguish": r"k \neq y, k = y"}]
SCORES = (
    r"\begin{aligned} \pd{\loss}{\oa_k} &= \dd{\oa_k}{-\log(\os_y)} \why{definition of the loss} "
    r"\end{aligned}"
)


def test_a_proof_by_cases_needs_steps_in_each_case() -> None:
    assert states(BY_CASES, ONEHOT) == ["wrong"]
    assert states(BY_CASES, ONEHOT, SCORES) == ["wrong"]


def test_a_claim_has_the_number_that_the_code_bears() -> None:
    numbered = EXPRESS | {"code": "eq-grad-W2"}
    display = r"\pd{\loss}{\W{2}} = \pd{\loss}{\oa} \hsT"
    assert states([numbered], display) == ["missing"]
    assert states([numbered], display + "\n$$ {#eq-grad-W2}\n\n$$\n" + r"\os_k > 0") == ["proven"]


def test_a_shape_is_stated_in_letters() -> None:
    shape = {"shape": r"\W{2} \in \mathbb{R}^{m \times d_h}"}
    assert states([shape], r"\W{2} \in \mathbb{R}^{m \times d_h}") == ["proven"]
    assert states([shape], r"\dims{\W{2}}{m \times d_h}") == ["proven"]
    assert states([shape], r"\dims{\WT{2}}{d_h \times m}") == ["missing"]
    assert states([shape], r"\W{2} \in \mathbb{R}^{4 \times 5}") == ["missing"]


def test_an_update_follows_the_gradient_of_the_risk_that_is_asked_about() -> None:
    gradient = r"\pd{\R}{\theta}"
    update = {
        "update": r"\theta",
        "in": rf"\theta, \eta, {gradient}",
        "to": rf"\theta - \eta {gradient}",
    }
    assert states([update], rf"\theta \leftarrow \theta - \eta {gradient}") == ["proven"]
    for other in (rf"\theta + \eta {gradient}", r"\theta - \eta \pd{\Rt}{\theta}", r"\theta"):
        assert states([update], rf"\theta \leftarrow {other}") == ["wrong"]


def test_a_letter_means_what_the_question_pins() -> None:
    define = {"define": r"c = \max(\oa)"}
    uses = r"\logsumexp(\oa) = c + \log\left( \sum_{l=1}^{m} \exp(\oa_l - c) \right)"
    assert states([define], r"c = \max(\oa)", uses) == ["proven"]
    assert states([define], r"c = \max(\os)", uses) == ["missing"]
    assert states([define], uses) == ["missing"]
    assert states([define], r"c = \max(\oa)", r"c = 0", uses) != ["missing"]


def test_code_is_quoted_where_it_shows() -> None:
    asked = read({"macros": MACROS, "questions": {"b.9": {"claims": [{"numpy": "eq-grad-W2"}]}}})

    def state(chunk: str) -> str:
        text = f"{MACROS}\n\n# A part {{#sec-b9}}\n\n```{{python}}\n{chunk}\n```\n"
        (answer,) = examine(text, asked).answers["b.9"]
        return answer.state

    assert state('Markdown(line("eq-grad-b2", "eq-grad-W2"))') == "proven"
    assert state('Markdown(line("eq-grad-b2"))') == "missing"
    assert state('#| output: false\nMarkdown(line("eq-grad-W2"))') == "missing"
    assert state('# Markdown(line("eq-grad-W2"))') == "missing"
