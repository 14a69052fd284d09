import pytest

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
