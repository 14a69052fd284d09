import re

import pytest
import yaml

from grading import editions, prerender
from grading.rubric import load
from literate.reader import REPORT, ROOT, parse
from render import __main__ as command
from render.dialect import faults
from render.options import FORMATS

TEXT = REPORT.read_text(encoding="utf-8")


def test_the_rubric_edition_is_the_report_with_the_points_of_each_question_in_the_margin():
    margins = prerender.margins(load().items)
    text = editions.rubric(TEXT, margins)
    assert len(margins) == 37
    assert text.count("::: {.marginal}") == 37
    assert re.sub(r"\n\n::: \{\.marginal\}\n.*?\n:::", "", text, flags=re.DOTALL) == TEXT
    points = [float(found) for found in re.findall(r"\*\*([\d.]+) points?\*\*", text)]
    assert sum(points) == 100
    assert not list(faults(parse(text)))


def test_a_margin_says_what_the_points_are_for():
    assert prerender.margins(load().items)["sec-a1"].split("\\\n") == [
        "**3 points**",
        "claims: 2",
        "wrong: −0.5",
        "sigmoid: 1",
    ]


@pytest.mark.parametrize("name", ["handout", "solution", "rubric"])
def test_a_profile_names_its_edition_in_each_format(name):
    changes = yaml.safe_load((ROOT / f"_quarto-{name}.yml").read_text(encoding="utf-8"))
    formats = changes["format"]
    assert set(formats) == set(FORMATS)
    assert all(set(held) == {"output-file"} for held in formats.values())
    assert all(held["output-file"].startswith(name) for held in formats.values())
    assert name == "solution" or changes["project"]["pre-render"] == f"grading/prerender.py {name}"


def test_an_edition_is_rendered_by_the_direct_route(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "OUTPUT", tmp_path)
    assert command.main(["--route", "direct", "--profile", "handout"]) == 0
    assert (tmp_path / "handout.pdf").is_file()
    assert (tmp_path / ".cache-handout.json").is_file()
    assert str(tmp_path / "handout.pdf") in capsys.readouterr().out


def test_an_unknown_edition_is_refused_in_one_line(capsys):
    with pytest.raises(SystemExit) as error:
        command.main(["--profile", "other"])
    assert error.value.code == 2
    assert "no profile other" in capsys.readouterr().err
    assert prerender.main(["other"]) == 2
    assert "name an edition, handout or rubric" in capsys.readouterr().err
