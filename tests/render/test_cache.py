import json

import pytest

from render import cache

OUTPUTS = {
    "a": [{"output_type": "stream", "name": "stdout", "text": "é"}],
    "b": [{"output_type": "display_data", "data": {"text/plain": "1"}, "metadata": {}}],
    "c": [],
}


def test_what_is_saved_is_loaded(tmp_path, capsys):
    path = tmp_path / "folder" / "cache.json"
    cache.save(path, OUTPUTS)
    assert cache.load(path) == OUTPUTS
    assert [p.name for p in path.parent.iterdir()] == ["cache.json"]
    assert capsys.readouterr().err == ""


def test_where_there_is_no_file_nothing_is_known_and_nothing_said(tmp_path, capsys):
    assert cache.load(tmp_path / "cache.json") == {}
    assert capsys.readouterr().err == ""


def written(**content):
    return json.dumps({"format": cache.FORMAT} | content).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[1, 2]",
        b"{}",
        b'{"a": []}',
        100_000 * b"[",
        written(),
        written(outputs=OUTPUTS, format=cache.FORMAT - 1),
        written(outputs={"a": {}}),
        written(outputs={"a": [1]}),
        written(outputs={"a": [{"data": 1}]}),
        written(outputs={"a": [{"output_type": "stream"}]}),
    ],
)
def test_a_file_that_is_not_a_cache_is_ignored_with_one_line(tmp_path, capsys, content):
    path = tmp_path / "cache.json"
    path.write_bytes(content)
    assert cache.load(path) == {}
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert str(path) in said
    cache.save(path, OUTPUTS)
    assert cache.load(path) == OUTPUTS


def test_a_folder_in_its_place_is_ignored_with_one_line(tmp_path, capsys):
    assert cache.load(tmp_path) == {}
    assert capsys.readouterr().err.count("\n") == 1


def test_a_cache_that_cannot_be_written_leaves_what_was_there_and_no_other_file(tmp_path):
    path = tmp_path / "cache.json"
    cache.save(path, OUTPUTS)
    with pytest.raises(TypeError):
        cache.save(path, {"a": [{"data": object()}]})
    assert cache.load(path) == OUTPUTS
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(OSError, match="folder"):
        cache.save(folder, OUTPUTS)
    assert sorted(tmp_path.iterdir()) == [path, folder]
