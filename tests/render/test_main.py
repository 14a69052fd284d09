import subprocess
import sys

import pytest

from literate.reader import ROOT
from render import __main__ as command
from render.dialect import ReportError
from tests.render.conftest import write

ROOMS = ("render", "mlp", "figures", "literate", "derivations", "_quarto.yml")


def run(folder, *arguments):
    """The command line in a folder that has the program, but a report of its own."""
    for name in ROOMS:
        (folder / name).symlink_to(ROOT / name)
    return subprocess.run(
        [sys.executable, "-m", "render", "--route", "direct", *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_report_is_rendered_into_the_output_folder(tmp_path):
    write(tmp_path, "# A title {#sec-a}\n\nIt is `{python} 1 + 1`.\n")
    done = run(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "_output" / "report.pdf").exists()


def test_a_chunk_that_raises_is_status_1_and_leaves_no_document(tmp_path):
    write(tmp_path, "```{python}\n#| label: bad\nraise ValueError('no')\n```\n")
    done = run(tmp_path)
    assert done.returncode == 1
    assert "chunk bad raised" in done.stderr
    assert [path.name for path in (tmp_path / "_output").iterdir()] == [".cache.json"]


def test_a_fault_is_told_in_one_line(tmp_path):
    write(tmp_path, "a\n\n```{python}\n#| ehco: true\n```\n")
    done = run(tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("render: report.qmd:3: no chunk option ehco")
    assert done.stderr.count("\n") == 1


def test_a_missing_report_is_told_in_one_line(tmp_path):
    done = run(tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "report.qmd" in done.stderr


def test_quarto_is_not_insisted_on_where_there_is_none(monkeypatch, capsys):
    monkeypatch.setattr(command, "QUARTO", None)
    with pytest.raises(SystemExit) as error:
        command.main(["--route", "quarto"])
    assert error.value.code == 2
    assert "there is no Quarto" in capsys.readouterr().err


def test_watching_goes_on_after_a_fault_and_ends_with_ctrl_c(monkeypatch, capsys):
    def fails(*_):
        raise ReportError("report.qmd:1: a fault")

    def watched(render, session):
        assert not render()
        raise KeyboardInterrupt

    monkeypatch.setattr(command.direct, "render", fails)
    monkeypatch.setattr(command, "watch", watched)
    assert command.main(["--route", "direct", "--watch"]) == 130
    assert capsys.readouterr().err == "render: report.qmd:1: a fault\n"
