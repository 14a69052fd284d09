import os

import pytest

from mlp import files


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# --- written whole or not at all -------------------------------------------------------------


def test_a_file_that_is_written_again_has_the_new_content_and_leaves_nothing_beside(tmp_path):
    for content in (b"old, and longer", b"new"):
        files.write_atomically(tmp_path / "a.yml", content)
        assert (tmp_path / "a.yml").read_bytes() == content
    assert names(tmp_path) == ["a.yml"]


@pytest.mark.parametrize("fault", [OSError("disk full"), KeyboardInterrupt()])
def test_where_writing_fails_the_old_file_stays_and_nothing_beside(tmp_path, monkeypatch, fault):
    def fail(self, target):
        raise fault

    files.write_atomically(tmp_path / "a.yml", b"old")
    monkeypatch.setattr(files.Path, "replace", fail)
    with pytest.raises(type(fault)):
        files.write_atomically(tmp_path / "a.yml", b"new")
    assert (tmp_path / "a.yml").read_bytes() == b"old"
    assert names(tmp_path) == ["a.yml"]


def test_nothing_is_written_through_a_link_that_stands_where_the_temporary_file_would(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(files.secrets, "token_hex", lambda n: "guessed")
    (tmp_path / "victim").write_bytes(b"precious")
    (tmp_path / "a.yml.guessed.tmp").symlink_to(tmp_path / "victim")
    with pytest.raises(FileExistsError):
        files.write_atomically(tmp_path / "a.yml", b"new")
    assert (tmp_path / "victim").read_bytes() == b"precious"


def test_temporary_names_cannot_be_guessed(tmp_path, monkeypatch):
    seen = set()
    monkeypatch.setattr(files.Path, "replace", lambda self, target: seen.add(self.name))
    for _ in range(10):
        files.write_atomically(tmp_path / "a.yml", b"new")
    assert len(seen) == 10


def test_a_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "usual").touch()
    files.write_atomically(tmp_path / "a.yml", b"new")
    assert (tmp_path / "a.yml").stat().st_mode == (tmp_path / "usual").stat().st_mode


# --- read up to a size -----------------------------------------------------------------------


def test_a_file_is_read_up_to_a_size_and_a_larger_one_is_named(tmp_path):
    path = tmp_path / "a.yml"
    path.write_bytes(b"four")
    assert files.content(path, 4) == b"four"
    with pytest.raises(OSError, match=r"Is larger than 3 bytes: '.*a\.yml'"):
        files.content(path, 3)


def test_what_may_never_come_to_an_end_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", files.Path("/dev/zero")):
        with pytest.raises(OSError, match=f"Is not a regular file: '{path}'"):
            files.content(path, 10)
    with pytest.raises(OSError, match="Is a directory"):
        files.content(tmp_path, 10)


def test_text_is_utf_8_with_lines_as_on_windows_or_not(tmp_path):
    (tmp_path / "a.yml").write_bytes("é\r\nb\n".encode())
    assert files.text(tmp_path / "a.yml", 10) == "é\nb\n"


def test_a_fault_of_reading_or_writing_names_the_file(tmp_path):
    with (
        pytest.raises(OSError, match=r"No space left on device: '.*log\.csv'"),
        files.naming(tmp_path / "log.csv"),
    ):
        files.Path("/dev/full").write_bytes(b"1")
