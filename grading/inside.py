"""The first program to run inside a sandbox: copies, runs the command, sends back what it left.

It has the standard library alone, and nothing here is secret: the command may read and change all
of it. To the standard output goes a head, then name and content of each file.
"""

import os
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

HEAD = struct.Struct("<iBI")  # exit status, whether time was up, number of files
FILE = struct.Struct("<HQ")  # length of its name, length of its content
NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}"


def main(arguments: list[str]) -> None:
    """Run a command in a copy of the submission; the arguments are those of `sandbox`."""
    source, copy, out, seconds, memory, threads, output, most, *command = arguments
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    shutil.copytree(source, copy, dirs_exist_ok=True, copy_function=shutil.copyfile)
    folder, left = Path(copy), Path(copy, out)
    left.mkdir(parents=True)
    _bind(float(seconds), int(memory), int(threads), int(output))
    with (left / "stdout").open("xb") as stdout, (left / "stderr").open("xb") as stderr:
        status, late = _run(command, folder, stdout.fileno(), stderr.fileno(), float(seconds))
    files = list(_files(left, int(most), int(output)))
    sys.stdout.buffer.write(HEAD.pack(status, late, len(files)))
    for name, content in files:
        sys.stdout.buffer.write(FILE.pack(len(name), len(content)) + name.encode() + content)
    sys.stdout.buffer.flush()


def _bind(seconds: float, memory: int, threads: int, output: int) -> None:
    """Set the limits of this process and of all that it begins; 0 threads are any number."""
    limits = {
        resource.RLIMIT_CPU: int(seconds) + 1,
        resource.RLIMIT_AS: 4 * memory,  # addresses, of which a program uses a part
        resource.RLIMIT_FSIZE: output,
        resource.RLIMIT_CORE: 0,
    }
    if threads:
        limits[resource.RLIMIT_NPROC] = threads
    for limit, most in limits.items():
        _, hard = resource.getrlimit(limit)
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)
        resource.setrlimit(limit, (most, most))
    os.nice(10)


def _run(
    command: list[str], folder: Path, stdout: int, stderr: int, seconds: float
) -> tuple[int, bool]:
    """Exit status, negative for a signal, and whether time was up."""
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    except OSError as error:
        os.write(stderr, str(error).encode())
        return 127, False
    try:
        return process.wait(seconds), False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        return process.wait(), True


def _files(left: Path, most: int, output: int) -> Iterator[tuple[str, bytes]]:
    """Files with plain names, as many and as much of them as may come back."""
    room = 4 * output
    for path in sorted(left.iterdir())[:most]:
        if path.is_file() and not path.is_symlink() and re.fullmatch(NAME, path.name):
            with path.open("rb") as file:
                content = file.read(min(room, output))
            room -= len(content)
            yield path.name, content


if __name__ == "__main__":
    main(sys.argv[1:])
