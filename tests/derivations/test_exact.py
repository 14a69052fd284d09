from dataclasses import replace

import pytest

from derivations import REPORT
from derivations.exact import REFUTED, Context, Proof, prove
from derivations.exact.__main__ import main, statements, survey
from derivations.exact.assignment import NAMES, context, node
from derivations.latex import parse
from derivations.read import Display, macros, tokens

TEXT = REPORT.read_text(encoding="utf-8")
MACROS = macros(TEXT)
GOAL = 0.95  # of the displays of parts a and b and the minibatch, every step of which is proven


def proofs(latex: str, where: str = "", about: Context | None = None) -> list[Proof]:
    """What is known of the steps of one display."""
    display = Display("b", 1, "", latex, (where,) if where else ())
    found = statements(display, MACROS)
    return [proof for statement in found for proof in prove(statement, about or context())]


@pytest.fixture(scope="module")
def minibatch() -> Context:
    return context("K")


def test_nearly_all_displays_of_the_theory_are_proven_for_all_sizes_and_values() -> None:
    found = [f for f in survey(TEXT) if f.proofs]
    open_ones = [(f.display.line, [p.how for p in f.proofs if not p.proven]) for f in found]
    open_ones = [(line, hows) for line, hows in open_ones if hows]
    assert len(found) > 100
    assert len(open_ones) <= (1 - GOAL) * len(found), open_ones


def test_the_table_names_every_section_and_ends_in_a_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("b.")][:2] == ["b.1", "b.2"]
    assert lines[-1].endswith(" s")


@pytest.mark.parametrize(
    "latex",
    [
        r"\tanh(x) = 2 \sigmoid(2 x) - 1",
        r"\softplus(x) - \softplus(-x) = x",
        r"\softplus(x) = \rect(x) + \log(1 + \exp(-\abs(x)))",
        r"\abs(x) = \max(x, -x)",
        r"\rect(x) = \frac{1}{2} (x + \abs(x))",
        r"\sign(x) \sign(x) = 1 - \ind{x = 0}",
        r"\abs(-2 x) = 2 \abs(x)",
        r"\tanh'(x) = 4 \sigmoid'(2 x)",
        r"\left( \W{2} \hs \right)^{\top} = \hsT \WT{2}",
        r"\left( \W{2} \W{1} \right)_{kp} = \sum_{j=1}^{d_h} \W{2}_{kj} \W{1}_{jp}",
        r"\sum_{j=1}^{d_h} \sum_{p=1}^{d} \W{1}_{jp} = \sum_{p=1}^{d} \sum_{j=1}^{d_h} \W{1}_{jp}",
        r"\left( \sum_{p=1}^{d} \x_p \right)^2 = \sum_{p=1}^{d} \sum_{q=1}^{d} \x_p \x_q",
        r"\sum_{k=1}^{m} 1 = m",
        r"\sum_{k=1}^{m} \ind{k = y} \os_k = \os_y",
        r"\sum_{k=1}^{m} \left( \os_k - \onehot_m(y)_k \right) = 0",
        r"\pd{\hsT \hs}{\hs} = 2 \hs",
        r"\pd{\normtwo{\W{1} \x}}{\x} = 2 \WT{1} \W{1} \x",
        r"\pd{\os_k}{\oa_l} = \left( \ind{k = l} - \os_l \right) \os_k",
        r"\pd{\logsumexp(\oa)}{\oa} = \softmax(\oa)",
        r"\pd{\loss}{\oa_k} = "
        r"\begin{cases} \os_k - 1 & \text{if } k = y \\ \os_k & \text{otherwise} \end{cases}",
        r"\pd{\Rt}{\theta} = \pd{\R}{\theta} + \pd{\pen}{\theta}",
        r"0 < \os_k",
        r"\softplus'(x) > 0",
        r"n_\theta = (d + 1) d_h + (d_h + 1) m",
        r"\dims{\pd{\loss}{\W{1}}}{d_h \times d}",
    ],
)
def test_a_true_step_is_proven(latex: str) -> None:
    assert [proof for proof in proofs(latex) if not proof.proven] == []


@pytest.mark.parametrize(
    "latex",
    [
        r"\ha = \W{1} \x + \bias{1} \onesT",
        r"\pd{\RK}{\x} = \WT{1} \pd{\RK}{\ha}",
        r"\pd{\RK}{\bias{1}_j} = \frac{1}{K} \sum_{i=1}^{K} \pd{\loss_i}{\ha_{ji}}",
        r"\sum_{i=1}^{K} \sum_{k=1}^{m} \os_{ki} = K",
        r"\pd{\RK}{\W{2}} = \frac{1}{K} \left( \os - \onehot_m(\y) \right) \hsT",
    ],
)
def test_a_true_step_about_a_minibatch_is_proven_there_alone(
    latex: str, minibatch: Context
) -> None:
    assert [proof for proof in proofs(latex, about=minibatch) if not proof.proven] == []
    assert not any(proof.proven for proof in proofs(latex))


@pytest.mark.parametrize(
    "latex",
    [
        r"\sigmoid(x) = \frac{1}{2} \left( \tanh(x) + 1 \right)",
        r"\sign(x) = \ind{x \geq 0} - \ind{x < 0}",
        r"\rect'(x) = \ind{x \geq 0}",
        r"\abs'(x) = \ind{x > 0} - \ind{x \leq 0}",
        r"\log(\sigmoid(x)) = \softplus(-x)",
        r"\frac{x}{x} = 1",
        r"\log(x^2) = 2 \log(x)",
        r"\sum_{p=1}^{d} \x_p = \sum_{p=1}^{d} \abs(\x_p)",
        r"\W{2} \W{1} = \left( \W{2} \W{1} \right) \frac{d}{d_h}",
        r"\sum_{k=1}^{m} \os_k = m",
        r"\sum_{x=1}^{m} x = m x",
        r"\sum_{k=1}^{m} k = m k",
        r"\rect''(x) = 0",
        r"\sign'(x) = 0",
        r"\ddx{\max(0, x)} = \ind{x > 0}",
        r"\pd{\normtwo{\x}}{1 \x} = 2 \x",
        r"\left( x^2 \right)^{1/2} = x",
        r"\loss(y, \x) = -\log(\os_y)",
        r"\loss(\x^{(i)}, y^{(j)}) = \loss(\x^{(i)}, y^{(i)})",
        r"\pd{\lVert \x \rVert_{2}}{\x_q} = \pd{\lVert \x \rVert_{2}}{\x_q} + 0",
        r"\pd{\loss}{\oa} = \onehot_m(y) - \os",
        r"\pd{\loss}{\oa_k} = \os_k - 1",
        r"\pd{\loss}{\W{2}} = \pd{\loss}{\os} \hsT",
        r"\pd{\loss}{\ha} = \pd{\loss}{\hs}",
        r"\pd{\RK}{\theta} = \sum_{i=1}^{K} \pd{\loss_i}{\theta}",
        r"\pd{\pen}{\W{1}} = \lambda_{21} \sign(\W{1}) + 2 \lambda_{12} \W{1}",
        r"\R(\theta) = \frac{1}{K} \sum_{i=1}^{n} \loss(\x^{(i)}, y^{(i)})",
        r"\R(\theta) = \frac{1}{n} \sum_{i=1}^{n} \loss(\x^{(i)}, y)",
        r"\theta \leftarrow \theta - \eta \pd{\Rt}{\theta}",
        r"\x \leftarrow \x - \eta \pd{\R}{\x}",
        r"\os_k > 1",
        r"\os_k < 1",
        r"x > 0",
        r"n_\theta = 44",
        r"y^{(i)} \in \{1, \dots, K\}",
        r"\theta = \left( \W{1}, \W{2}, \bias{1}, \bias{2} \right)",
        r"\softplus(x) = \begin{cases} \softplus(x) & \text{if } x > 0 \end{cases}",
        r"\rect(x) = \begin{cases} x & \text{if } x > 0 \\ 0 \end{cases}",
        r"\rect(x) = \begin{cases} x & \text{if } x > 0 \\ 0 & \text{if } x \end{cases}",
        r"\sign(x) = \begin{cases} 1 & \text{if } x \geq 0 \\ -1 & \text{if } x \leq 0 \end{cases}",
    ],
)
def test_a_false_or_unfounded_step_is_not_proven(latex: str, minibatch: Context) -> None:
    assert not all(proof.proven for proof in proofs(latex))
    assert not all(proof.proven for proof in proofs(latex, about=minibatch))


@pytest.mark.parametrize(
    ("latex", "reason"),
    [
        (r"\W{1} \in \mathbb{R}^{5 \times d}", "the shape is d_h × d, not 5 × d"),
        (r"\dims{\xT}{d \times 1}", "the shape is 1 × d, not d × 1"),
        (r"\pd{\loss}{\bias{1}} = \WT{2} \pd{\loss}{\ha}", "d_h × m times d_h × 1"),
        (r"\pd{\loss}{\W{1}_{jp}} = \pd{\loss}{\ha_p} \x_j", "index p on axes of size d and d_h"),
        (r"\pd{\loss}{\bias{1}_j} = \pd{\loss}{\ha_r}", "index r occurs on the right alone"),
        (r"\sum_{j=1}^{d_h} \os_j = 1", "index j on axes of size d_h and m"),
        (r"\oa_k = \sum_{j=1}^{d} \W{2}_{kj} \hs_j + \bias{2}_k", "on axes of size d and d_h"),
        (r"\hs_j = \hsT_j", "1 indices on 1 × d_h"),
        (r"\loss = \oa", "a scalar on the left, m × 1 on the right"),
        (r"\onehot_K(y) = \os", "classes of m in K rows"),
    ],
)
def test_what_fits_for_no_sizes_is_refuted_with_the_reason(latex: str, reason: str) -> None:
    (proof,) = proofs(latex)
    assert proof.verdict == REFUTED
    assert reason in proof.how


def test_a_minibatch_has_no_single_class(minibatch: Context) -> None:
    (proof,) = proofs(r"\os_{yi} = \os_{yi} + 0", about=minibatch)
    assert (proof.verdict, proof.how[:25]) == (REFUTED, "y stands for one class, b")


def test_a_step_under_a_condition_is_proven_under_it_alone() -> None:
    for latex, where in [
        (r"\abs(x) = x", "x > 0"),
        (r"\pd{\loss}{\oa_k} = \os_k", r"k \neq y"),
        (r"\frac{x}{x} = 1", r"x \neq 0"),
        (r"\sign(\x_q) \sign(\x_q) = 1", r"\x_q \neq 0"),
        (r"\log(x) - \log(x) = 0", "x > 0"),
    ]:
        assert all(proof.proven for proof in proofs(latex, where)), latex
        assert not any(proof.proven for proof in proofs(latex)), latex


def test_each_step_of_a_chain_stands_alone() -> None:
    chain = r"\sigmoid'(x) = \sigmoid(x) = \sigmoid(x) + 0 = 0"
    assert [proof.proven for proof in proofs(chain)] == [False, True, False]


def test_a_proof_says_how_it_was_reached() -> None:
    (by_cases,) = proofs(r"\abs(x) = x \sign(x)")
    assert by_cases.how == "by cases, the sign of x: normal forms agree"
    (nothing,) = proofs("x = x")
    assert nothing.how == "both sides are the same"
    (by_definition,) = proofs(r"\pd{\Rt}{\bias{1}} = \pd{\R}{\bias{1}}")
    assert by_definition.uses == (r"\tilde R",)
    (open_one,) = proofs(r"\sum_{k=1}^{m} \os_k \os_k = 1")
    assert open_one.how == "normal forms differ by -1 + sum_#1≤m(o^s_#1^2)"


def test_a_step_follows_from_the_definitions_of_its_context_and_from_no_others() -> None:
    gradient = r"\pd{\loss}{\oa} = \os - \onehot_m(y)"
    halved = context(own={"L": r"-\frac{1}{2} \log(\mathbf{o}^s_y)"})
    assert all(proof.proven for proof in proofs(gradient))
    assert not any(proof.proven for proof in proofs(gradient, about=halved))
    nothing = replace(context(), definitions={})
    assert not any(proof.proven for proof in proofs(gradient, about=nothing))


def test_a_step_of_gradient_descent_is_one_on_the_risk_of_its_context() -> None:
    update = r"\W{1} \leftarrow \W{1} - \eta \left( \pd{\R}{\W{1}} + \pd{\pen}{\W{1}} \right)"
    assert not any(proof.proven for proof in proofs(update))
    penalised = replace(context(), risk=node(r"\hat{R} + \mathcal{L}"))
    assert all(proof.proven for proof in proofs(update, about=penalised))
    unsaid = replace(context(), risk=None)
    assert not any(proof.proven for proof in proofs(update, about=unsaid))


def test_definitions_in_a_circle_are_an_error_of_the_caller() -> None:
    (statement,) = parse(tokens("L = L + 1", 1, {}), NAMES)
    circular = context(own={r"\mathcal L": r"\tilde{R} - 1"})
    with pytest.raises(ValueError, match="circular definitions"):
        prove(statement, circular)


def test_a_symbol_without_a_shape_is_an_error_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no shape is given for u"):
        Context(shapes={}, definitions={"u": node("x")})


def test_a_name_has_the_shape_of_what_it_stands_for() -> None:
    about = context(own={"u": r"\mathbf{W}^{(2)} \mathbf{W}^{(1)}"})
    assert all(proof.proven for proof in proofs(r"\dims{u \x}{m \times 1}", about=about))
    (proof,) = proofs(r"(u \x)_k = \sum_{p=1}^{d} u_{kp} \x_p", about=about)
    assert proof.proven


def test_a_name_for_what_makes_no_sense_proves_nothing() -> None:
    about = context(own={"u": r"\mathbf{x} + \mathbf{o}^a"})
    assert not any(proof.proven for proof in proofs("u - u = 0", about=about))
    scalar = replace(context(), shapes={**context().shapes, "u": ()})
    wrong = replace(scalar, definitions={"u": node(r"\mathbf{x}")})
    assert not any(proof.proven for proof in proofs("u = x", about=wrong))


def test_what_no_definition_says_is_not_proven() -> None:
    unsaid = replace(context(), definitions={})
    assert not any(proof.proven for proof in proofs(r"n_\theta = 0", about=unsaid))
    largest = context(own={"u": r"\max(0, x)"})
    assert not any(proof.proven for proof in proofs(r"\ddx{u} = \ind{x > 0}", about=largest))


def test_an_index_is_no_name_of_a_symbol() -> None:
    about = context(own={"p": "x"})
    assert not any(proof.proven for proof in proofs("p = x", about=about))


@pytest.mark.parametrize("where", ["x > x", "1 > 2", "x > 0 > 1", r"\x_q > \oa"])
def test_a_condition_that_says_nothing_proves_nothing(where: str) -> None:
    assert not any(proof.proven for proof in proofs(r"\abs(x) = x", where))


def test_conditions_that_contradict_each_other_prove_nothing() -> None:
    display = Display("b", 1, "", r"\sign(x) = 0", ("x > 0", "0 > x"))
    (statement,) = statements(display, MACROS)
    assert not any(proof.proven for proof in prove(statement, context()))
