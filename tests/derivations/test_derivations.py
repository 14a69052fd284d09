import re
from collections import Counter
from pathlib import Path

import pytest

from derivations import REPORT, count
from derivations.__main__ import main
from derivations.verify import Verdict, check
from tests.derivations.mutate import edits, notices

TEXT = REPORT.read_text(encoding="utf-8")
MACROS = "\n".join(line for line in TEXT.splitlines() if line.startswith(r"\newcommand"))


DEFINITIONS = r"""\begin{aligned}
\ha &= \W{1} \x + \bias{1} \\
\hs &= \rect(\ha) \\
\oa &= \W{2} \hs + \bias{2} \\
\loss &= \logsumexp(\oa) - \oa_y
\end{aligned}
$$

$$
\RK = \frac{1}{K} \sum_{i=1}^{K} \loss_i
$$

$$
"""


def verdicts(latex: str, comment: str = "") -> list[Verdict]:
    """What the checker says of one display in a report of its own."""
    return check(f"{MACROS}\n\n# A part {{#sec-b}}\n\n{comment}\n$$\n{latex}\n$$\n")


@pytest.fixture(scope="module")
def report() -> list[Verdict]:
    return check(TEXT)


def test_no_display_of_the_report_is_wrong(report: list[Verdict]) -> None:
    assert [v.failure for v in report if v.failure] == []


def test_at_least_nine_displays_in_ten_are_verified(report: list[Verdict]) -> None:
    figures = count(report)
    assert figures.displays == figures.verified + figures.not_checkable
    assert figures.verified >= 0.9 * figures.displays
    assert figures.symbolic > 10


def test_every_display_that_is_not_checkable_says_why(report: list[Verdict]) -> None:
    assert all(v.verified or len(v.reason) > 10 for v in report)


def test_every_equation_that_the_code_carries_out_is_verified(report: list[Verdict]) -> None:
    sources = Path(REPORT.parent / "mlp").glob("*.py")
    carried_out = {e for s in sources for e in re.findall(r"# @(eq-[\w-]+)", s.read_text("utf-8"))}
    assert len(carried_out) > 40
    assert carried_out - {v.display.label for v in report if v.verified} == set()


def test_nineteen_in_twenty_wrong_edits_are_noticed() -> None:
    sample = list(edits(TEXT, count=66, seed=3))
    unnoticed = [(e.kind, e.line, e.now) for e in sample if not notices(e)]
    assert min(Counter(e.kind for e in sample).values()) >= 4
    assert len(unnoticed) <= 0.05 * len(sample), unnoticed


def test_an_edit_is_reported_with_question_line_and_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "report.qmd"
    chain = ["# Part {#sec-a8}", "$$", r"\begin{aligned}", r"\pd{\normtwo{\x}}{\x_q}"]
    chain += [r"&= \dd{\x_q}{\x_q^2} \why{one term} \\", r"&= \x_q", r"\end{aligned}", "$$"]
    wrong.write_text("\n".join([*MACROS.splitlines(), *chain]), encoding="utf-8")
    assert main([str(wrong)]) == 1
    *_, last = capsys.readouterr().out.splitlines()
    line = len(MACROS.splitlines()) + 6
    assert f"question a.8: step 2, line {line}: the left-hand side is " in last


def test_a_missing_report_is_one_line_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nowhere.qmd"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    "latex",
    [
        r"\sigmoid(x) = \frac{1}{2} \left( \tanh\left(\frac{1}{2} x\right) + 1 \right)",
        r"\sign(x) = \ind{x > 0} - \ind{x < 0}",
        r"\W{1} \in \mathbb{R}^{d_h \times d} ,\qquad \ha \in \mathbb{R}^{d_h \times 1}",
        r"\ha = \W{1} \x + \bias{1} \onesT",
        r"\dims{\x}{d \times K} ,\qquad \dims{\xT}{K \times d}",
        r"\pd{\loss}{\W{1}_{jp}} = \pd{\loss}{\ha_j} \x_p",
        r"\pd{\RK}{\W{1}} = \pd{\RK}{\ha} \xT",
        r"\theta \leftarrow \theta - \eta \pd{\R}{\theta}",
        r"\bias{1} \leftarrow \bias{1} - \eta \pd{\R}{\bias{1}}",
        r"0 < \os_k < 1",
    ],
)
def test_a_true_statement_is_verified(latex: str) -> None:
    *_, verdict = verdicts(DEFINITIONS + latex)
    assert verdict.verified, verdict.failure


@pytest.mark.parametrize(
    ("latex", "problem"),
    [
        (r"\W{1} \in \mathbb{R}^{d \times d_h}", "the shape is (5, 3), not (3, 5)"),
        (r"\dims{\xT}{d \times 1}", "the shape is (1, 3), not (3, 1)"),
        (r"\pd{\loss}{\bias{1}} = \WT{2} \pd{\loss}{\ha}", "do not fit"),
        (r"\pd{\loss}{\W{1}_{jp}} = \pd{\loss}{\ha_p} \x_j", "index p on axes of size"),
        (r"\pd{\loss}{\bias{1}_j} = \pd{\loss}{\ha_l}", "index l occurs on the right alone"),
        (r"\pd{\RK}{\oa} = \os - \onehot_m(\y)", "the left-hand side is"),
        (r"\sum_{j=1}^{d_h} \os_j = 1", "on an axis of size 4"),
        (r"\ha = \rect(\ha) - \rect(-\ha)", "the left-hand side occurs on the right"),
        (r"\theta \leftarrow \theta + \eta \pd{\R}{\theta}", "the left-hand side is"),
        (r"u = \exp(x)", "which no later display uses"),
        (r"\sqrt{x} = x", "cannot be read"),
        (r"\exp(x", "where ')' was expected"),
        (r"\exp(x)", "states nothing"),
    ],
)
def test_a_statement_that_is_wrong_is_refused_with_the_reason(latex: str, problem: str) -> None:
    *_, verdict = verdicts(DEFINITIONS + latex)
    assert not verdict.verified
    assert problem in verdict.failure


def test_a_case_distinction_must_cover_its_domain() -> None:
    cases = r"\abs'(x) = \begin{cases} 1 & \text{if } x > 0 \\ -1 & \text{if } x < 0 \end{cases}"
    (verdict,) = verdicts(cases)
    assert "none of the cases holds" in verdict.failure
    (verdict,) = verdicts(cases, comment=r"<!-- check: x \neq 0 -->")
    assert verdict.verified


def test_a_condition_that_no_point_satisfies_is_no_excuse() -> None:
    (verdict,) = verdicts(r"\exp(x) = 0", comment=r"<!-- check: x < x -->")
    assert "nothing was tested" in verdict.failure


def test_a_function_may_not_be_used_before_it_is_defined() -> None:
    parts = [r"\pd{\Rt}{\W{2}} = \pd{\R}{\W{2}} + \pd{\pen}{\W{2}}", r"\Rt = \R + \pen"]
    text = "".join(f"# Part {{#sec-b{i}}}\n$$\n{p}\n$$\n" for i, p in enumerate(parts, 5))
    early, late = check(MACROS + "\n\n" + text)
    assert "is defined only in question b.6" in early.failure
    assert late.verified
