import io
import os
import struct
import subprocess
import zipfile

import pytest

from grading import submission
from grading.submission import SubmissionError, opened
from mlp.data import ROOT


def zipped(path, members):
    """A zip of these names and contents; a name may be a ZipInfo."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def refused(path, message):
    """The path is refused with this message, and nothing was written."""
    with pytest.raises(SubmissionError, match=message), opened(path):
        pass


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """The folder that copies are made in."""
    folder = tmp_path / "copies"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    yield folder
    assert not list(folder.iterdir())


# --- what is taken -------------------------------------------------------------------------------


def test_a_folder_is_copied_without_what_tools_have_made(tmp_path):
    folder = tmp_path / "handed in"
    for name in ("report.qmd", "mlp/model.py", ".git/config", "mlp/__pycache__/model.pyc"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    with opened(folder) as copy:
        assert names(copy) == ["mlp/model.py", "report.qmd"]
        (copy / "report.qmd").write_text("changed")
    assert (folder / "report.qmd").read_text() == "report.qmd"


def test_the_one_folder_in_a_zip_is_entered(tmp_path):
    members = {"ours/report.qmd": "a", "ours/mlp/model.py": "b", "__MACOSX/ours/._report.qmd": ""}
    with opened(zipped(tmp_path / "a.zip", members)) as copy:
        assert names(copy) == ["mlp/model.py", "report.qmd"]
    with opened(zipped(tmp_path / "b.zip", {"report.qmd": "a", "mlp/model.py": "b"})) as copy:
        assert names(copy) == ["mlp/model.py", "report.qmd"]


def test_a_zip_whose_names_have_backslashes_has_folders(tmp_path):
    with opened(zipped(tmp_path / "a.zip", {"mlp\\model.py": "a", "report.qmd": "b"})) as copy:
        assert (copy / "mlp" / "model.py").read_text() == "a"


def test_no_file_of_a_zip_can_be_run_or_has_other_rights_than_those_written_here(tmp_path):
    program = zipfile.ZipInfo("run")
    program.external_attr = 0o104755 << 16  # set-user-ID
    with opened(zipped(tmp_path / "a.zip", {program: "x"})) as copy:
        assert not (copy / "run").stat().st_mode & 0o7111


def test_a_revision_of_the_project_is_copied_as_it_was_committed():
    if subprocess.run(["git", "rev-parse"], cwd=ROOT, capture_output=True, check=False).returncode:
        pytest.skip("this is no clone")
    wanted = subprocess.run(
        ["git", "show", "HEAD:report.qmd"], cwd=ROOT, capture_output=True, check=True
    )
    with opened("HEAD") as copy:
        assert (copy / "report.qmd").read_bytes() == wanted.stdout


@pytest.mark.parametrize("path", ["no-such-thing", "--output=/tmp/x", "HEAD --help", ""])
def test_what_is_neither_folder_nor_zip_nor_revision_is_refused(path, tmp_path, monkeypatch):
    monkeypatch.setattr(submission, "ROOT", tmp_path)
    if path:
        refused(path, "no folder, no zip and no revision")
    else:
        monkeypatch.chdir(tmp_path / "copies")
        with opened(path) as copy:  # the folder one is in
            assert names(copy) == []


# --- names that lead elsewhere -------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "../out.py",
        "mlp/../../out.py",
        "/etc/out.py",
        "..\\out.py",
        "C:\\out.py",
        "\\\\server\\out.py",
        "mlp/..",
    ],
)
def test_names_that_lead_out_of_the_folder_are_refused(tmp_path, name):
    refused(zipped(tmp_path / "a.zip", {"report.qmd": "a", name: "b"}), "leads out of the folder")
    assert not list(tmp_path.rglob("out.py"))


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"a": "1", "a/b": "2"}, "a file and a folder"),
        ({"a\n/b": "1"}, "control characters"),
        ({"a" * 300: "1"}, "more than 250 characters"),
        ({"a/" * 200 + "b": "1"}, "more than 250 characters"),
    ],
)
def test_names_that_do_not_fit_are_refused(tmp_path, members, message):
    refused(zipped(tmp_path / "a.zip", members), message)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice_is_refused(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("report.qmd", "shown to a reader")
        archive.writestr("report.qmd", "graded")
    refused(path, "is there twice")


def test_links_and_special_files_in_a_zip_are_refused(tmp_path):
    link = zipfile.ZipInfo("results")
    link.external_attr = 0o120777 << 16
    refused(zipped(tmp_path / "a.zip", {link: "/etc"}), "results: a link or a special file")
    pipe = zipfile.ZipInfo("log.csv")
    pipe.external_attr = 0o010644 << 16
    refused(zipped(tmp_path / "b.zip", {pipe: ""}), "log.csv: a link or a special file")


def test_links_and_special_files_in_a_folder_are_refused(tmp_path):
    folder = tmp_path / "handed in"
    folder.mkdir()
    (folder / "results").symlink_to("/etc")
    refused(folder, "results: a link or a special file")
    (folder / "results").unlink()
    os.mkfifo(folder / "log.csv")  # which a reader would wait for
    refused(folder, "log.csv: a link or a special file")


# --- bombs ---------------------------------------------------------------------------------------


def test_a_member_that_unpacks_to_far_more_than_its_size_is_refused(tmp_path):
    refused(zipped(tmp_path / "a.zip", {"log.csv": bytes(2 * 2**20)}), "more than 200 times")


def test_too_many_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(submission, "MOST_FILES", 10)
    refused(zipped(tmp_path / "a.zip", {f"{i}.py": "" for i in range(11)}), "more than 10 files")
    folder = tmp_path / "handed in"
    folder.mkdir()
    for i in range(11):
        (folder / f"{i}.py").write_text("")
    refused(folder, "more than 10 files")


def test_too_many_bytes_are_refused_in_whichever_way_they_come(tmp_path, monkeypatch):
    monkeypatch.setattr(submission, "MOST_BYTES", 1000)
    content = os.urandom(600)
    refused(zipped(tmp_path / "a.zip", {"a": content, "b": content}), "more than 1,000 bytes")
    refused(zipped(tmp_path / "b.zip", {"a": "0" * 600, "b": "0" * 600}), "more than 1,000 bytes")
    folder = tmp_path / "handed in"
    folder.mkdir()
    with (folder / "a").open("wb") as file:
        file.truncate(2000)
    refused(folder, "more than 1,000 bytes")


def test_a_directory_of_millions_of_files_is_refused_before_it_is_read(tmp_path, monkeypatch):
    path = zipped(tmp_path / "a.zip", {"a": "b"})
    content = bytearray(path.read_bytes())
    end = content.rfind(b"PK\x05\x06")
    struct.pack_into("<I", content, end + 12, 2**31)
    path.write_bytes(content)
    monkeypatch.setattr(zipfile, "ZipFile", None)  # so that reading it would be an error
    refused(path, "too many files")


def test_no_more_is_unpacked_than_a_zip_says_that_there_is(tmp_path):
    content = bytearray(zipped(tmp_path / "a.zip", {"report.qmd": "a" * 5000}).read_bytes())
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", content, content.find(mark) + at, 10)
    (tmp_path / "a.zip").write_bytes(content)
    refused(tmp_path / "a.zip", "not a zip that can be read")


def test_files_that_share_their_bytes_are_counted_each(tmp_path, monkeypatch):
    monkeypatch.setattr(submission, "MOST_BYTES", 5000)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("0", os.urandom(1000))
        (first,) = archive.filelist
        for number in range(1, 9):
            other = zipfile.ZipInfo(str(number))
            other.file_size, other.compress_size = first.file_size, first.compress_size
            other.CRC, other.header_offset = first.CRC, first.header_offset
            archive.filelist.append(other)
            archive.NameToInfo[other.filename] = other
    (tmp_path / "a.zip").write_bytes(buffer.getvalue())
    refused(tmp_path / "a.zip", "more than 5,000 bytes")


def test_what_only_calls_itself_a_zip_is_refused(tmp_path):
    for content in (b"", b"PK\x05\x06", b"x" * 100_000, os.urandom(1000)):
        (tmp_path / "a.zip").write_bytes(content)
        refused(tmp_path / "a.zip", "not a zip")


def test_a_zip_with_a_password_is_refused(tmp_path):
    content = bytearray(zipped(tmp_path / "a.zip", {"a": "b"}).read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(mark) + at] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    refused(tmp_path / "a.zip", "needs a password")
