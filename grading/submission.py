"""What was handed in, as a folder of its own: a folder, a zip or a git revision, copied safely.

Everything is checked before anything is written. A copy holds plain files and folders alone; names
stay inside it, and nothing of it is run here.
"""

import os
import re
import stat
import struct
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple

from literate.reader import ROOT

MOST_FILES = 10_000
MOST_BYTES = 400 * 2**20  # of all files, unpacked; of a zip as it is, too
RATIO = 200  # unpacked to packed; text that repeats itself comes to some 50
SMALL = 2**20  # bytes that any ratio is allowed for
LONGEST = 250  # characters of a name with the folders above it
# Made by tools, or added by an operating system: no part of what somebody has written.
LEFT_OUT = {".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
LEFT_OUT |= {".hypothesis", ".import_linter_cache", ".quarto", ".grading", "venv"}
LEFT_OUT |= {".ipynb_checkpoints", "__MACOSX", ".DS_Store"}
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class SubmissionError(ValueError):
    """What was handed in cannot be taken; says which file of it, and what would be right."""


class Member(NamedTuple):
    """A file to be copied: where it goes, how large it says it is, and what opens it."""

    name: PurePosixPath
    size: int
    open: Callable[[], IO[bytes]]


@contextmanager
def opened(path: str | Path) -> Iterator[Path]:
    """A copy of a folder, a zip or a revision of this project, which is removed at the end.

    Where all that a zip holds is one folder, that folder is it. Raises SubmissionError.
    """
    given = Path(path)
    with tempfile.TemporaryDirectory(prefix="submission-", ignore_cleanup_errors=True) as made:
        target = Path(made, "submission")
        target.mkdir()
        try:
            if given.is_dir():
                _copy(_in_folder(given), target)
            elif given.is_file():
                _unzip(given, target)
            else:
                _check_out(str(path), target)
        except OSError as error:
            raise SubmissionError(f"{path}: cannot be copied ({error})") from error
        yield _entered(target)


def _entered(folder: Path) -> Path:
    """The folder, or the one folder that is all it holds."""
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def _copy(members: Iterable[Member], target: Path) -> None:
    """Copy files below a folder, once all of them have been checked. Raises SubmissionError."""
    checked = list(_checked(members))
    for member in checked:
        place = target / member.name
        place.parent.mkdir(parents=True, exist_ok=True)
        with member.open() as source, place.open("xb") as file:
            left = member.size
            while left and (block := source.read(min(left, 2**20))):
                file.write(block)
                left -= len(block)


def _checked(members: Iterable[Member]) -> Iterator[Member]:
    """The files, if there are not too many, and no name is a folder's, too."""
    names: set[PurePosixPath] = set()
    folders: set[PurePosixPath] = set()
    total = 0
    for member in members:
        total += member.size
        if member.name in names:
            raise SubmissionError(f"{member.name}: is there twice; keep one of them")
        names.add(member.name)
        folders.update(member.name.parents)
        if len(names) > MOST_FILES:
            raise SubmissionError(f"more than {MOST_FILES:,} files; hand in sources and PDF alone")
        if total > MOST_BYTES:
            raise SubmissionError(
                f"more than {MOST_BYTES:,} bytes; hand in sources and PDF, without data"
            )
        yield member
    for name in names & folders:
        raise SubmissionError(f"{name}: is a file and a folder; rename one of them")


def _name(text: str) -> PurePosixPath | None:
    """A name inside the copy; None if it is of no interest. Raises SubmissionError."""
    name = PurePosixPath(text.replace("\\", "/"))  # as some programs write zips
    shown = repr(text[:LONGEST])
    if CONTROL.search(text):
        raise SubmissionError(f"{shown}: a name with control characters; rename it")
    if name.is_absolute() or ".." in name.parts or re.match(r"[A-Za-z]:", text):
        raise SubmissionError(f"{shown}: a name that leads out of the folder; pack it again")
    if len(str(name)) > LONGEST:
        raise SubmissionError(f"{shown}…: a name of more than {LONGEST} characters; shorten it")
    return None if LEFT_OUT.intersection(name.parts) or not name.parts else name


# --- a folder ------------------------------------------------------------------------------------


def _in_folder(folder: Path) -> Iterator[Member]:
    """The files below a folder. Links are not followed, but refused, and so is what is no file."""
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                name = _name(str(Path(entry.path).relative_to(folder)))
                if name is None:
                    continue
                about = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(about.st_mode):
                    waiting.append(Path(entry.path))
                elif stat.S_ISREG(about.st_mode):
                    yield Member(name, about.st_size, _opener(entry.path))
                else:
                    raise _not_plain(name)


def _opener(path: str) -> Callable[[], IO[bytes]]:
    """What opens a file, and fails where a link has taken its place."""
    return lambda: os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")


def _not_plain(name: PurePosixPath) -> SubmissionError:
    return SubmissionError(f"{name}: a link or a special file; hand in the file itself")


# --- a zip ---------------------------------------------------------------------------------------

END, END_SIZE = b"PK\x05\x06", 22  # of the record at a zip's end; a comment may follow it
ZIP64 = b"PK\x06\x07"
LONGEST_COMMENT = 2**16
ENTRY = 400  # bytes of a zip's directory that a file may take on average


def _unzip(path: Path, target: Path) -> None:
    """Unpack a zip. Raises SubmissionError."""
    try:
        _check_directory(path)
        with zipfile.ZipFile(path) as archive:
            _copy(_in_zip(archive), target)
    except (SubmissionError, OSError):
        raise
    except Exception as error:  # of any kind: zlib, lzma and struct have their own
        raise SubmissionError(
            f"{path.name}: not a zip that can be read ({error}); pack it again"
        ) from error


def _check_directory(path: Path) -> None:
    """Refuse a zip whose directory alone would fill the memory."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise SubmissionError(f"{path.name}: more than {MOST_BYTES:,} bytes; leave out the data")
    with path.open("rb") as file:
        file.seek(max(0, size - LONGEST_COMMENT - END_SIZE - 20))
        tail = file.read()
    start = tail.rfind(END)
    if start < 0 or len(tail) - start < END_SIZE:
        raise SubmissionError(f"{path.name}: not a zip; hand in a folder or a .zip")
    directory, *_ = struct.unpack_from("<I", tail, start + 12)
    if ZIP64 in tail or directory > MOST_FILES * ENTRY:
        raise SubmissionError(f"{path.name}: too many files; hand in sources and PDF alone")


def _in_zip(archive: zipfile.ZipFile) -> Iterator[Member]:
    """The files of a zip, by what it says of them: no more than that is ever unpacked."""
    for info in archive.infolist():
        name = _name(info.filename)
        kind = stat.S_IFMT(info.external_attr >> 16)
        if name is None or info.is_dir():
            continue
        if kind not in (0, stat.S_IFREG):
            raise _not_plain(name)
        if info.flag_bits & 1:
            raise SubmissionError(f"{name}: needs a password; pack it without one")
        if info.file_size > SMALL and info.file_size > RATIO * info.compress_size:
            raise SubmissionError(
                f"{name}: unpacks to more than {RATIO} times its size; leave it out"
            )
        yield Member(name, info.file_size, _member(archive, info))


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    return lambda: archive.open(info)


# --- a git revision ------------------------------------------------------------------------------


def _check_out(revision: str, target: Path) -> None:
    """Copy a revision of this project. Raises SubmissionError."""
    found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{tree}}")
    if found is None:
        raise SubmissionError(
            f"{revision}: no folder, no zip and no revision of {ROOT}; name one of them"
        )
    with tempfile.TemporaryFile() as packed:
        _git("archive", "--format=tar", found.decode().strip(), stdout=packed)
        packed.seek(0)
        with tarfile.open(fileobj=packed) as archive:
            _copy(_in_tar(archive), target)


def _in_tar(archive: tarfile.TarFile) -> Iterator[Member]:
    """The files of what git has packed."""
    for info in archive:
        name = _name(info.name)
        if name is None or info.isdir():
            continue
        if not info.isreg():
            raise _not_plain(name)
        yield Member(name, info.size, _packed(archive, info))


def _packed(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Callable[[], IO[bytes]]:
    def open_member() -> IO[bytes]:
        file = archive.extractfile(info)
        assert file is not None  # a regular file
        return file

    return open_member


def _git(*arguments: str, stdout: Any = subprocess.PIPE) -> bytes | None:
    """What git says of this project; None if it does not know."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, stdout=stdout, stderr=subprocess.DEVNULL, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout or b""
