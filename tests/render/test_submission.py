import pytest

from render import submission
from render.submission import signed


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.py", "x = 1\n", "# A, B\nx = 1\n"),
        ("run", "#!/bin/sh\nls\n", "#!/bin/sh\n# A, B\nls\n"),
        ("a.lua", "x = 1\n", "-- A, B\nx = 1\n"),
        ("a.csv", "1,2\n", "1,2\n"),
    ],
)
def test_names_stand_on_top_of_every_source_file_and_nowhere_else(
    tmp_path, name, content, expected
):
    path = tmp_path / name
    path.write_text(content)
    assert signed(path, "A, B").decode() == expected


def test_without_a_clone_one_line_says_what_is_needed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(submission, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert submission.main() == 2
    assert capsys.readouterr().out.startswith("submission: this needs git and a clone")
