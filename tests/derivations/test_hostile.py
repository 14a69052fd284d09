"""A report may hold anything: what cannot be read, has no end or is too large is refused."""

import pytest

from derivations import examine
from derivations.questions import read

ASKED = {"macros": "", "questions": {}}


@pytest.mark.parametrize(
    "latex",
    [
        r"\x = 1",  # a macro that stands for itself
        r"\frac{1}{" * 400 + "x" + "}" * 400 + " = x",
        "(" * 2000 + "x",
        r"\sum_{i=1}^{1000000000} i = x",
        r"x \in \{1, \ldots, 1000000000000\}",
        r"\mathbf{o}^{a}_{99} = 1",
        r"x^{99999999999} = 1",
        "+".join(["x"] * 60) + " = 60 x",
        r"x = 1 \text{ is what nobody says}",
        r"\begin{cases} 1 & \text{unless } x > 0 \end{cases} = 1",
        r"u = v ,\qquad v = u ,\qquad u + v = \exp(x)",
        r"\exp = x",
        r"\pd{x}{x}{x} = = ",
        "x = % 1",
    ],
)
def test_it_is_refused_or_taken_without_an_error(latex: str) -> None:
    text = r"\newcommand{\x}{\x \x}" + f"\n\n# A part {{#sec-b}}\n\n$$\n{latex}\n$$\n"
    (verdict,) = examine(text, read(ASKED)).verdicts
    assert verdict.failure or latex.startswith("x+x")
