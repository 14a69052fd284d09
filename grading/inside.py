"""The first program to run inside a sandbox: copies, runs the command, sends back what it left.

It has the standard library alone, and nothing here is secret: the command may read and change all
of it. To the standard output goes a head, then name and content of each file.
"""

import ctypes
import math
import os
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

PR_SET_PDEATHSIG = 1  # of Linux: ends with the sandbox, as that does with the grader
TICK = 0.1  # seconds between looks at what is computed
SLOWEST = 20  # seconds on the clock for each that counts, where others keep processes waiting
HEAD = struct.Struct("<iBI")  # exit status, whether time was up, number of files
FILE = struct.Struct("<HQ")  # length of its name, length of its content
NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}"


def main(arguments: list[str]) -> None:
    """Run a command in a copy of the submission; the arguments are those of `sandbox`."""
    source, copy, out, user, seconds, memory, threads, output, most, *command = arguments
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    shutil.copytree(source, copy, dirs_exist_ok=True, copy_function=shutil.copyfile)
    folder, left = Path(copy), Path(copy, out)
    left.mkdir(parents=True)
    _become(int(user), folder)
    _bind(float(seconds), int(memory), int(threads), int(output))
    with (left / "stdout").open("xb") as stdout, (left / "stderr").open("xb") as stderr:
        status, late = _run(command, folder, stdout.fileno(), stderr.fileno(), float(seconds))
    files = list(_files(left, int(most), int(output)))
    sys.stdout.buffer.write(HEAD.pack(status, late, len(files)))
    for name, content in files:
        sys.stdout.buffer.write(FILE.pack(len(name), len(content)) + name.encode() + content)
    sys.stdout.buffer.flush()


def _become(user: int, folder: Path) -> None:
    """Be somebody who has nothing but this folder; with 0, stay who one is."""
    if user:
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, user, user)
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # which is forgotten with that


def _bind(seconds: float, memory: int, threads: int, output: int) -> None:
    """Set the limits of this process and of all that it begins; 0 threads are any number."""
    limits = {
        resource.RLIMIT_CPU: math.ceil(seconds),
        resource.RLIMIT_AS: 4 * memory,  # addresses, of which a program uses a part
        resource.RLIMIT_FSIZE: output,
        resource.RLIMIT_CORE: 0,
    }
    if threads:
        limits[resource.RLIMIT_NPROC] = threads
    for limit, most in limits.items():
        _, hard = resource.getrlimit(limit)
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard - 1)
        later = most + 1 if limit == resource.RLIMIT_CPU else most  # so that its signal is seen
        resource.setrlimit(limit, (most, later))
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
    counted, then, before = 0.0, time.monotonic(), _times()
    while counted <= seconds:
        try:
            return process.wait(TICK), False
        except subprocess.TimeoutExpired:
            now, after = time.monotonic(), _times()
            counted += _counting(now - then, before, after)
            then, before = now, after
    os.killpg(process.pid, signal.SIGKILL)
    return process.wait(), True


Times = dict[str, tuple[float, float]]  # of each thread: seconds it computed, and had to wait


def _times() -> Times:
    """How long the threads in here have computed, and have waited for a processor."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/task/*/schedstat"):
        try:
            computed, waited, _ = map(int, path.read_text().split())
        except (OSError, ValueError):
            continue  # it has ended
        found[str(path)] = computed / 1e9, waited / 1e9
    return found


def _counting(passed: float, before: Times, after: Times) -> float:
    """How much of the time that has passed counts: not what others on the machine have taken."""
    none = (0.0, 0.0)
    computed = sum(now[0] - before.get(thread, none)[0] for thread, now in after.items())
    waited = max((now[1] - before.get(thread, none)[1] for thread, now in after.items()), default=0)
    return min(passed, max(computed, passed - waited, passed / SLOWEST))


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
