import re
from dataclasses import replace
from pathlib import Path

import pytest

from derivations import REPORT, Examination, count, examine, rests
from derivations.__main__ import main
from derivations.questions import read

TEXT = REPORT.read_text(encoding="utf-8")
MACROS = "\n".join(line for line in TEXT.splitlines() if line.startswith(r"\newcommand"))
ASKED = {"macros": MACROS, "questions": {}}


def said(latex: str, comment: str = "", section: str = "b") -> str:
    """What is wrong with one display in a report of its own, of which nothing is asked."""
    text = f"{MACROS}\n\n# A part {{#sec-{section}}}\n\n{comment}\n$$\n{latex}\n$$\n"
    (verdict,) = examine(text, read(ASKED)).verdicts
    return verdict.failure


@pytest.fixture(scope="module")
def report() -> Examination:
    return examine(TEXT)


def test_every_claim_of_every_question_is_proven_in_the_report(report: Examination) -> None:
    assert report.failures == []
    figures = count(report)
    assert figures.proven == figures.claims > 150
    assert {f"a.{k}" for k in range(1, 10)} | {f"b.{k}" for k in range(1, 19)} <= set(
        report.answers
    )


def test_every_step_of_parts_a_and_b_is_proven_for_all_sizes_and_values(
    report: Examination,
) -> None:
    parts = [name for name in report.answers if name.startswith(("a.", "b"))]
    steps = [step for name in ["a", *parts] for step in rests(report, name)]
    assert len(steps) > 180
    assert [(step.said.line, step.proof.how) for step in steps if not step.symbolic] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            r"\theta \leftarrow \theta - \eta \, \pd{\R}{\theta}",
            r"\theta \leftarrow \theta - \eta \, \pd{\RK}{\theta}",
        ),
        (r"\bias{2} - \eta \, \pd{\R}{\bias{2}}", r"\bias{2} - \eta \, \pd{\Rt}{\bias{2}}"),
        (r"+ \pd{\RK}{\theta} + \pd{\pen}{\theta}", r"+ \pd{\RK}{\theta}"),
        (r"n_\theta = d_h d + d_h + m d_h + m", r"n_\theta = d_h d + d_h + m d_h + 4"),
        (
            "$$\n\\sigmoid'(x) = \\sigmoid(x) \\left( 1 - \\sigmoid(x) \\right)",
            "$$\n\\sigmoid'(x) = \\ddx{\\sigmoid(x)}",
        ),
        (
            "$$\n\\abs'(x) = \\sign(x)",
            "<!-- check: x > 0 -->\n$$\n\\abs'(x) = 1",
        ),
        (
            "$$\n\\loss(\\x, y) = \\logsumexp",
            "<!-- check: y = 1 -->\n$$\n\\loss(\\x, y) = \\logsumexp",
        ),
        ("$$\n\\rect'(x) = \\ind{x > 0}", "$$\n\\rect'(x) = \\ind{x \\geq 0}"),
        ("{#eq-grad-W1}", "{#eq-grad-W2}"),
        (r"\theta^{\star} \in", r"\theta \in"),
    ],
)
def test_what_was_asked_is_guarded(old: str, new: str) -> None:
    assert TEXT.count(old) >= 1
    assert examine(TEXT.replace(old, new, 1)).failures


def test_every_labelled_equation_is_the_subject_of_a_claim(report: Examination) -> None:
    labels = {v.display.label for v in report.verdicts if v.display.label}
    claimed = {a.claim.label for answers in report.answers.values() for a in answers}
    assert labels == claimed - {""}


def test_every_equation_that_the_code_carries_out_is_claimed(report: Examination) -> None:
    sources = Path(REPORT.parent / "mlp").glob("*.py")
    carried_out = {e for s in sources for e in re.findall(r"# @(eq-[\w-]+)", s.read_text("utf-8"))}
    claimed = {a.claim.label for answers in report.answers.values() for a in answers}
    assert carried_out == claimed - {""}


def test_a_fault_is_reported_with_question_line_and_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "report.qmd"
    chain = ["# Part {#sec-a8}", "$$", r"\begin{aligned}", r"\pd{\normtwo{\x}}{\x_q}"]
    chain += [r"&= \dd{\x_q}{\x_q^2} \\", r"&= \x_q", r"\end{aligned}", "$$"]
    wrong.write_text("\n".join([*MACROS.splitlines(), *chain]), encoding="utf-8")
    assert main([str(wrong)]) == 1
    line = len(MACROS.splitlines()) + 6
    printed = capsys.readouterr().out
    assert f"question a.8: step 2, line {line}: the left-hand side is " in printed


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
        r"0 < \os_k < 1",
    ],
)
def test_a_true_statement_holds(latex: str) -> None:
    assert said(latex) == ""


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
        (r"\theta \leftarrow \theta - \eta \pd{\R}{\theta}", "no question asks for this update"),
        (r"u = \exp(x)", "which no later display uses"),
        (r"\sqrt{x} = x", "cannot be read"),
        (r"\exp(x", "where ')' was expected"),
        (r"\exp(x)", "states nothing"),
        ("1 = 2 - 1", "nothing but numbers"),
        (r"\os_k = \os_k + 0", "the left-hand side occurs on the right"),
        (r"\exp(x) \exp(-x) \leq 1", "weaker than what holds"),
    ],
)
def test_a_statement_that_is_wrong_or_empty_is_refused_with_the_reason(
    latex: str, problem: str
) -> None:
    assert problem in said(latex)


@pytest.mark.parametrize(
    "latex",
    [
        r"n_\theta = 44",
        r"\R = \frac{1}{7} \sum_{i=1}^{n} \loss(\x^{(i)}, y^{(i)})",
        r"\W{1} \in \mathbb{R}^{5 \times 3}",
        r"\normtwo{\x} = \sum_{p=1}^{3} \x_p^2",
        r"\RK = \frac{1}{6} \sum_{i=1}^{K} \loss_i",
    ],
)
def test_no_number_stands_for_a_size(latex: str) -> None:
    assert said(latex)


@pytest.mark.parametrize(
    "latex",
    [
        r"\sign(x) = \ind{x \geq 0} - \ind{x < 0}",
        r"\rect'(x) = \ind{x \geq 0}",
        r"\pd{\loss}{\ha_j} = \pd{\loss}{\hs_j} \, \ind{\ha_j \geq 0}",
        r"\pd{\normone{\x}}{\x_q} = \ind{\x_q \geq 0} - \ind{\x_q < 0}",
        r"\pd{\normone{\W{1}}}{\W{1}_{jp}} = 2 \ind{\W{1}_{jp} \geq 0} - 1",
        r"\sum_{k=1}^{m} \ind{\oa_k = \max(\oa)} = 1",
    ],
)
def test_points_stand_on_the_kinks(latex: str) -> None:
    assert said(latex)


def test_a_case_distinction_covers_its_domain_and_nothing_else() -> None:
    def cases(first: str) -> str:
        rows = rf"1 & \text{{if }} {first} \\ -1 & \text{{if }} x < 0"
        return rf"\abs'(x) = \begin{{cases}} {rows} \end{{cases}}"

    comment = r"<!-- check: x \neq 0 -->"
    assert "none of the cases holds" in said(cases("x > 0"))
    assert said(cases("x > 0"), comment) == ""
    assert "outside the domain" in said(cases(r"x \geq 0"), comment)


def test_a_condition_that_no_point_satisfies_is_no_excuse() -> None:
    assert "nothing was tried" in said(r"\exp(x) = 0", r"<!-- check: x < x -->")


def test_a_sentence_tells_how_many_steps_are_proven_and_what_the_others_are(
    report: Examination,
) -> None:
    found = replace(count(report), steps=9, symbolic=9, numeric=0)
    assert found.in_words == "All 9 steps are proven for all sizes and all values"
    found = replace(found, symbolic=8, numeric=1)
    proven = "8 of 9 steps are proven for all sizes and all values"
    assert found.in_words == f"{proven}, the other one holds at 9 points of 3 sets of sizes"
    found = replace(found, symbolic=7, numeric=2)
    assert "the other 2 hold at" in found.in_words


def test_what_is_asked_is_told_from_what_the_report_adds(report: Examination) -> None:
    asked = [a for answers in report.answers.values() for a in answers if a.claim.asked]
    assert 0 < len(asked) == count(report).asked < count(report).claims
