import json
import random

import pytest

from grading import similar
from grading.similar import Pair, Prints, alike, prints

CODE = """
import numpy as np

def fprop(W, b, x):
    'Forward.'
    ha = W @ x + b
    hs = np.maximum(0, ha)
    total = 0
    for row in hs:
        total += sum(value ** 2 for value in row if value > 3)
    return {"ha": ha, "hs": hs, "total": total / len(hs)}
"""
RENAMED = """
import numpy
# not copied at all
def forward(weights, bias, inputs):
    a = weights @ inputs + bias
    h = numpy.maximum(0,
                      a)
    s = 1
    for line in h:
        s += sum(x ** 5 for x in line if x > 7)
    return {"a": a, "h": h, "s": s / len(h)}
"""
DISPLAY = r"\pd{L}{o_k} = \frac{\exp(o_k)}{\sum_{j=1}^m \exp(o_j)} - 1_{k = y} + a b - c d + e^{f}"
REPORT = f"\\newcommand{{\\pd}}[2]{{\\frac{{\\partial #1}}{{\\partial #2}}}}\n\n$$\n{DISPLAY}\n$$\n"


def test_code_has_the_same_shape_under_other_names_numbers_and_layout():
    assert prints({"a.py": CODE}).code == prints({"b.py": RENAMED}).code
    assert len(prints({"a.py": CODE}).code) > 5


def test_other_code_has_another_shape():
    other = CODE.replace("W @ x + b", "b - x / W").replace("for row in hs", "while hs")
    assert prints({"a.py": CODE}).code != prints({"b.py": other}).code


def test_code_in_chunks_counts_as_code_in_files_does():
    chunk = f"```{{python}}\n{CODE}```\n"
    assert prints({"report.qmd": chunk}).code == prints({"a.py": CODE}).code


def test_formulas_have_the_same_shape_with_other_letters_and_macros_written_out():
    renamed = DISPLAY.replace("k", "l").replace(r"\pd{L}{o_l}", r"\frac{\partial L}{\partial o_l}")
    found = prints({"report.qmd": REPORT}).formulas
    assert found == prints({"report.qmd": f"$$\n{renamed}\n$$"}).formulas
    assert len(found) > 3
    assert found != prints({"report.qmd": REPORT.replace("- 1", "+ 1")}).formulas


@pytest.mark.parametrize(
    "text",
    [
        "def",
        "(" * 5000,
        "\0",
        "```{python}\ndef\n```",
        "\\newcommand{\\x}{\\x \\x}\n\n$$\n\\x\n$$",
        "---\n: :",
    ],
)
def test_what_cannot_be_read_has_no_shape(text):
    assert prints({"a.py": text, "report.qmd": text}) == similar.NOTHING


def some(seed, count=100):
    return frozenset(random.Random(seed).sample(range(10**6), count))


def test_two_that_share_most_are_listed_first():
    of = {
        "a": Prints(some(1), some(2)),
        "b": Prints(some(3), some(4)),
        "c": Prints(some(1), some(5)),
        "d": Prints(some(6), some(4)),
        "e": Prints(some(1) | some(7, 20), some(8)),
    }
    pairs = alike(of)
    assert pairs[0] == Pair("a", "c", 1.0, 0.0)
    assert {(pair.first, pair.second) for pair in pairs} == {
        ("a", "c"),
        ("b", "d"),
        ("a", "e"),
        ("c", "e"),
    }


def test_what_much_of_a_class_has_is_nobodys_own():
    of = {f"{i}": Prints(some(0) | some(i, 30), frozenset()) for i in range(1, 9)}
    assert alike(of) == []
    of["copy"] = Prints(some(0) | some(3, 30), frozenset())
    assert [pair[:2] for pair in alike(of)] == [("3", "copy")]


def test_nothing_is_said_of_very_little():
    of = {name: Prints(some(1, 5), frozenset()) for name in "ab"}
    assert alike(of) == []


def test_the_process_of_its_own_says_what_the_function_does(tmp_path, capsys):
    (tmp_path / "mlp").mkdir()
    (tmp_path / "mlp" / "model.py").write_text(CODE)
    (tmp_path / "report.qmd").write_text(REPORT)
    (tmp_path / "notes.txt").write_text(CODE)
    similar.main(str(tmp_path))
    said = capsys.readouterr().out
    assert similar.read(said) == prints({"mlp/model.py": CODE, "report.qmd": REPORT})


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"code": "x", "formulas": []})])
def test_what_it_did_not_say_is_refused(text):
    with pytest.raises(ValueError, match=r"\w"):
        similar.read(text)
