import pytest

from derivations import REPORT, examine
from derivations.forms import normal
from derivations.latex import parse
from derivations.meaning import NAMES
from derivations.questions import load
from derivations.read import macros, tokens
from derivations.reasons import Known, fault
from derivations.rules import rules

TEXT = REPORT.read_text(encoding="utf-8")
MACROS = macros(TEXT)


def judged(latex: str, reason: str) -> str:
    """What is wrong with the only step of a formula, for a reason."""
    (statement,) = parse(tokens(rf"{latex} \why{{{reason}}}", 1, MACROS), NAMES)
    (step,) = statement.steps
    return fault("b.9", step, normal(statement.first), normal(step.right), Known())


@pytest.mark.parametrize(
    ("reason", "latex"),
    [
        ("definition of sigmoid", r"\log(\sigmoid(z)) = \log(\frac{1}{1 + \exp(-z)})"),
        ("definition", r"\frac{1}{1 + \exp(-2 z)} = \sigmoid(2 z)"),
        ("logarithm of a quotient", r"-\log(\frac{x}{z}) = \log(z) - \log(x)"),
        ("logarithm of a product", r"\log(x \exp(z)) = \log(x) + z"),
        ("exponential of a sum", r"\exp(x - z) = \exp(x) \exp(-z)"),
        ("common denominator", r"\frac{x}{z} + 1 = \frac{x + z}{z}"),
        ("both sums are the same", r"\frac{\sum_{k=1}^{m} \oa_k}{\sum_{l=1}^{m} \oa_l} = 1"),
        (
            "take out the common factor",
            r"\sum_{k=1}^{m} \oa_k \exp(x) = \exp(x) \sum_{k=1}^{m} \oa_k",
        ),
        ("it cancels", r"\frac{x z}{c z} = \frac{x}{c}"),
        ("transpose", r"\sum_{k=1}^{m} \WT{2}_{jk} \oa_k = \sum_{k=1}^{m} \W{2}_{kj} \oa_k"),
        ("matrix times vector", r"(\W{1} \x)_j = \sum_{p=1}^{d} \W{1}_{jp} \x_p"),
        ("product of a column and a row", r"(\ha \xT)_{jp} = \ha_j \x_p"),
        ("elementwise product", r"(\ha \odot \hs)_j = \ha_j \hs_j"),
        ("chain rule", r"\pd{\loss}{\x_p} = \sum_{j=1}^{d_h} \pd{\loss}{\ha_j} \pd{\ha_j}{\x_p}"),
        ("inner derivative", r"x \pd{\ha_j}{\W{1}_{jp}} = x \x_p"),
        ("derivative of the rectifier", r"x \rect'(\ha_j) = x \ind{\ha_j > 0}"),
    ],
)
def test_a_step_that_is_an_instance_of_its_reason_is_allowed(reason: str, latex: str) -> None:
    assert judged(latex, reason) == ""


@pytest.mark.parametrize(
    ("reason", "latex"),
    [
        ("definition of tanh", r"\log(\sigmoid(z)) = \log(\frac{1}{1 + \exp(-z)})"),
        ("logarithm of a product", r"\log(\frac{x}{z}) = \log(x) - \log(z)"),
        ("logarithm of a quotient", r"\log(x - z) = \log(x) - \log(z)"),
        ("take out the common factor", r"\sum_{k=1}^{m} \oa_k \os_k = \os_k \sum_{k=1}^{m} \oa_k"),
        ("transpose", r"\WT{2}_{jk} = \W{2}_{jk}"),
        ("product of a column and a row", r"(\ha \xT)_{jp} = \ha_p \x_j"),
        ("chain rule", r"\pd{\loss}{\x_p} = \pd{\loss}{\ha_j} \pd{\loss}{\x_p}"),
        ("inner derivative", r"\pd{\ha_j}{\W{1}_{jp}} = \x_j"),
        ("inner derivative", r"\pd{\loss}{\W{2}_{kj}} = \pd{\loss}{\oa_k} \hs_j"),
        ("last question", r"\pd{\loss}{\W{2}_{kj}} = \pd{\loss}{\oa_k} \hs_j"),
        ("divide term by term", r"\frac{x - z}{x} = 1 + \frac{z}{x}"),
        ("it is plain", r"x + z = z + x"),
    ],
)
def test_a_step_that_is_no_instance_of_its_reason_is_refused(reason: str, latex: str) -> None:
    assert judged(latex, reason)


def test_every_reason_in_the_table_stands_beside_a_step_of_the_report() -> None:
    statements = [said.statement for v in examine(TEXT).verdicts for said in v.said]
    used = {step.reason for statement in statements for step in statement.steps}
    assert used - {""} == set(rules())


def test_a_reason_may_use_of_other_questions_what_they_claim_and_nothing_else() -> None:
    asked = load().equations
    (pair,) = [p for p in asked["b.9"] if p[0].op == "derivative" and p[1].op == "mul"]
    other = (pair[1], normal(pair[1]))
    known = Known(formulas={"b.9": [pair, other], "b.10": []}, asked=asked)
    assert known.of("last question", "b.10") == (pair,)
