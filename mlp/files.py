"""Files: read up to a size, written whole or not at all; whatever fails names the file."""

import errno
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

TEMPORARY = ".tmp"  # the ending of files that are being written


def opened(path: Path) -> BufferedReader:
    """A regular file, to be read. Raises OSError, as pipes and devices may never come to an end."""
    if path.exists() and not path.is_file():
        kind = "Is a directory" if path.is_dir() else "Is not a regular file"
        raise OSError(errno.EINVAL, kind, str(path))
    return path.open("rb")


def content(path: Path, most: int) -> bytes:
    """The bytes of a regular file. Raises OSError, also if it is of another kind or too large."""
    with naming(path), opened(path) as file:
        found = file.read(most + 1)
    if len(found) > most:
        raise OSError(errno.EFBIG, f"Is larger than {most:,} bytes", str(path))
    return found


def text(path: Path, most: int) -> str:
    """The text of a file, which is UTF-8 whatever the locale. Raises OSError, UnicodeDecodeError.

    Lines may end as they do on Windows.
    """
    return content(path, most).decode().replace("\r\n", "\n")


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an OSError name the file, as those of reading and writing do not."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise


def temporary_name(path: Path) -> Path:
    """A name in the same folder that nobody can guess, so that no link can wait there."""
    return path.with_name(f"{path.name}.{secrets.token_hex(8)}{TEMPORARY}")


def write_atomically(path: Path, content: bytes) -> None:
    """Write under a temporary name and rename: readers see the old file or the new one."""
    temporary = temporary_name(path)
    try:
        with naming(path), temporary.open("xb") as file:  # x: never through a link put there
            file.write(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
