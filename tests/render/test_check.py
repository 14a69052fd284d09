"""What is said before anything runs, on both routes."""

import subprocess
import sys

import pytest

from literate.reader import ROOT
from render import direct
from render.dialect import ReportError
from tests.render.conftest import NEEDS_QUARTO, QUICK, for_quarto, quarto

RUNS = "\n```{python}\nopen('ran', 'w').close()\n```\n"
FAULTS = pytest.mark.parametrize(
    ("front", "text", "line", "says"),
    [
        ("title: A", "@eq-none", 17, "@eq-none"),
        ("title: A", "[@nobody1999]", 17, "@nobody1999"),
        ("title: A", "![](none.png){fig-alt='a'}", 17, "none.png"),
        ("title: A", "```{python}\n#| ehco: true\n1\n```", 17, "ehco"),
        ("title: A", "::: {.aside}\na\n:::", 17, "aside"),
        ("titel: A", "", 2, "titel"),
        ("columns: 2", "", 2, "columns"),
        ("date: Spring", "", 2, "Spring"),
    ],
)


def report(front, text):
    """A report that runs a chunk before the line with the fault."""
    return f"---\n{front}\n---\n{QUICK}{RUNS}\n{text}\n"


@FAULTS
def test_directly_a_fault_is_told_with_its_line_before_a_chunk_runs(
    tmp_path, session, monkeypatch, front, text, line, says
):
    for_quarto(tmp_path, report(front, text))
    monkeypatch.setattr(session, "outputs", lambda *_, **__: pytest.fail("a chunk ran"))
    with pytest.raises(ReportError, match=rf"^report\.qmd:{line}: .*{says}"):
        direct.render(tmp_path / "report.qmd", "typst", session, tmp_path)


@NEEDS_QUARTO
@FAULTS
def test_quarto_tells_a_fault_with_its_line_before_a_chunk_runs(tmp_path, front, text, line, says):
    for_quarto(tmp_path, report(front, text))
    with pytest.raises(subprocess.CalledProcessError) as error:
        quarto(tmp_path, "report.qmd")
    told = error.value.stderr.decode()
    assert f"ERROR: report.qmd:{line}: " in told
    assert says in told
    assert not (tmp_path / "ran").exists()


def test_directly_options_that_are_not_yaml_are_told_as_by_quarto(tmp_path, session):
    for_quarto(tmp_path, report("title: A", "```{python}\n#| echo: [\n1\n```"))
    with pytest.raises(ReportError, match=r"^report\.qmd:18: not YAML"):
        direct.render(tmp_path / "report.qmd", "typst", session, tmp_path)


@NEEDS_QUARTO
def test_quarto_runs_the_chunk_where_there_is_no_fault(tmp_path):
    for_quarto(tmp_path, report("title: A", "Text."))
    quarto(tmp_path, "report.qmd")
    assert (tmp_path / "ran").exists()


@NEEDS_QUARTO
def test_quarto_without_a_python_says_how_to_get_ready(tmp_path):
    for_quarto(tmp_path, QUICK)
    with pytest.raises(subprocess.CalledProcessError) as error:
        quarto(tmp_path, "report.qmd", python=tmp_path / "none")
    told = error.value.stderr.decode()
    assert told.startswith("ERROR: there is no Python for this report yet: ")
    assert "make report" in told


def run(folder):
    """The program in a folder."""
    command = [sys.executable, "-m", "render.check", folder / "report.qmd"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_program_tells_every_fault_and_those_of_the_settings(tmp_path):
    (tmp_path / "report.qmd").write_text(report("titel: A", "@eq-none"))
    (tmp_path / "_quarto.yml").write_text("lang: en\necko: true\n")
    done = run(tmp_path)
    assert done.returncode == 1
    told = [line.rpartition(": ")[0].split(": ")[1] for line in done.stderr.splitlines()]
    assert told == ["_quarto.yml:2", "report.qmd:2", "report.qmd:17"]


def test_the_program_passes_the_real_report_and_says_in_a_line_that_there_is_none(tmp_path):
    assert run(ROOT).returncode == 0
    done = run(tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)


def test_a_fault_in_an_included_file_is_told_with_its_line_there(tmp_path, session):
    (tmp_path / "part.qmd").write_text("One.\n\n@eq-none\n")
    for_quarto(tmp_path, report("title: A", "{{< include part.qmd >}}\n\n@eq-nobody"))
    with pytest.raises(ReportError, match=r"^part\.qmd:3: reference to @eq-none"):
        direct.render(tmp_path / "report.qmd", "typst", session, tmp_path)
    (tmp_path / "part.qmd").write_text("One.\n\nTwo.\n\nThree.\n")
    with pytest.raises(ReportError, match=r"^report\.qmd:19: reference to @eq-nobody"):
        direct.render(tmp_path / "report.qmd", "typst", session, tmp_path)
    (tmp_path / "part.qmd").write_text("```{python}\n\n1 / 0\n```\n")
    for_quarto(tmp_path, "{{< include part.qmd >}}\n")
    with pytest.raises(ReportError, match=r"^part\.qmd:1: chunk 1 / 0 raised"):
        direct.render(tmp_path / "report.qmd", "typst", session, tmp_path)
