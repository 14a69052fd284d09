"""Cells run once for all formats of Quarto, and again when anything changes that they may read."""

import subprocess
from pathlib import Path

import pytest

from literate.reader import ROOT
from render import keys, replay
from render.dialect import ReportError
from render.execute import Session
from tests.render.conftest import NEEDS_QUARTO, for_quarto, quarto

COUNT = "with open('ran', 'a') as file:\n    shown = file.write('x')"
TEXT = f"""---
title: A title
format: typst
---

# One {{#sec-one}}

Some prose, `{{python}} 1 + 1` and `{{python}} "a*b"`.

```{{python}}
{COUNT}
```

```{{python}}
#| reads: mathematics
open("report.qmd").read().count("$x_1$") - 1  # this one
```
"""


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Read the report as Quarto does, in a kernel of its own; what is shown, chunk by chunk."""

    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # for the kernel, which runs elsewhere

    def read(text: str = TEXT, *codes: str) -> list[str]:
        (tmp_path / "report.qmd").write_text(text)
        session = Session(tmp_path / "cache.json", tmp_path)
        try:
            reading = replay.Reading(session, tmp_path / "report.qmd")
            assert reading.inline({"0": "1 + 1", "1": '"a*b"'}) == {"0": "2", "1": r"a\*b"}
            codes = codes or tuple(chunk.code for chunk in reading.report.chunks)
            outputs = [reading.chunk(code) for code in codes]
            session.forget_all_but(reading.keys)
            session.save()
        finally:
            session.close()
        return [output["data"]["text/plain"] for shown in outputs for output in shown]

    return read


def times_run(folder: Path) -> int:
    return len((folder / "ran").read_text())


def test_cells_run_once_and_again_where_their_code_or_the_mathematics_changes(tmp_path, read):
    for _ in range(2):
        assert read() == ["0"]
    assert times_run(tmp_path) == 1
    assert read(TEXT.replace("Some prose", "Other prose")) == ["0"]
    assert times_run(tmp_path) == 1
    assert read(TEXT.replace("Some prose", "Some $x_1$")) == ["1"]
    before = times_run(tmp_path)
    assert read(TEXT.replace("shown =", "count =")) == ["0"]
    assert times_run(tmp_path) == before + 1


@pytest.mark.parametrize(
    "name", ["mlp/a.py", "results/a/log.csv", "experiments/a.yml", "data/circles.txt"]
)
def test_cells_run_again_where_package_results_experiments_or_data_change(
    tmp_path, read, monkeypatch, name
):
    monkeypatch.setenv("MLP_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(replay, "salt", lambda: keys.salt(tmp_path))
    file = tmp_path / name
    file.parent.mkdir(parents=True)
    for content in ("a", "ab"):
        file.write_text(content)
        read()
        read()
    assert times_run(tmp_path) == 2


def test_code_that_quarto_puts_between_runs_and_all_below_it_too(tmp_path, read):
    read()
    first = "shown = 3"
    assert read(TEXT, first, COUNT, "shown") == ["1"]
    assert read(TEXT, first, COUNT, "shown") == ["1"]
    assert times_run(tmp_path) == 2


def test_a_cell_that_raises_is_told_with_its_line(read):
    with pytest.raises(ReportError, match=r"^report\.qmd:10: chunk 1 / 0 raised"):
        read(TEXT.replace(COUNT, "1 / 0"))


@NEEDS_QUARTO
def test_quarto_runs_cells_once_for_all_formats_and_again_when_the_data_change(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("MLP_DATA", str(tmp_path / "data"))
    for_quarto(tmp_path, TEXT)
    quarto(tmp_path, "--to", "typst,html")
    for_quarto(tmp_path, TEXT.replace("Some prose", "Other prose"))
    quarto(tmp_path, "--to", "html")
    html = (tmp_path / "_output" / "report.html").read_text()
    assert "Other prose, 2 and a*b." in html
    assert times_run(tmp_path) == 1
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "circles.txt").touch()
    quarto(tmp_path, "--to", "html")
    assert times_run(tmp_path) == 2


@NEEDS_QUARTO
def test_quarto_tells_the_line_of_a_chunk_that_raises(tmp_path):
    for_quarto(tmp_path, TEXT.replace(COUNT, "1 / 0"))
    with pytest.raises(subprocess.CalledProcessError) as error:
        quarto(tmp_path, "--to", "typst")
    assert "ERROR: report.qmd:10: chunk 1 / 0 raised" in error.value.stderr.decode()
