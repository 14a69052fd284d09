"""Runs a command on a submission where it can do no harm: in bubblewrap, or in a container.

Inside, the command has a copy of the submission, the interpreter's environment and the system's
programs, both read-only, and nothing else: no network, no other file, none of this project. What
it uses of the machine is bounded: time, memory and processes, and what it writes, which is in
memory and ends with it. What comes back are files that it leaves in `.grading/out/` of its copy.
"""

import os
import re
import secrets
import shutil
import signal
import struct
import subprocess
import sys
import sysconfig
import tempfile
import uuid
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from grading import inside, trust, watch
from grading.limits import Limits, Outcome, Runner

COPY, SOURCE, ENTRY = "/copy", "/submission", "/inside.py"  # where things are, inside
OUT = Path(".grading", "out")
MOST_OUT = 1000  # files that come back
GRACE = 30.0  # seconds for the copy, and for what comes back
OWN = 2  # processes of the sandbox itself: its program, and inside.py
ROOM = 2**16  # bytes beside the files that come back


class SandboxError(RuntimeError):
    """There is no sandbox here."""


def runner(*, trusted: bool = False) -> Runner:
    """What runs commands here: `run`, or without a sandbox, if one may trust, `trust.run`.

    Raises SandboxError.
    """
    try:
        kind()
    except SandboxError:
        if not trusted:
            raise
        return trust.run
    return run


def run(command: list[str], folder: Path, limits: Limits) -> Outcome:
    """Run a command on a copy of `folder`, in a sandbox; what it leaves comes back to OUT in there.

    Where the machine runs short of memory, it may be another submission that takes it: this one is
    run once more. Raises SandboxError where there is no sandbox.
    """
    outcome = _once(command, folder, limits)
    return _once(command, folder, limits) if outcome.why == watch.SHORT else outcome


def _once(command: list[str], folder: Path, limits: Limits) -> Outcome:
    return _in(kind(), command, folder, limits)


def _in(name: str, command: list[str], folder: Path, limits: Limits) -> Outcome:
    """Run a command in the sandbox of that name."""
    wrapping = KINDS[name](folder.resolve(), limits)
    entry = _entry(command, wrapping, limits)
    try:
        return _run([*_cgroup(limits), *wrapping.command, *entry], folder, limits)
    finally:
        if wrapping.end:
            subprocess.run(wrapping.end, capture_output=True, check=False)


@cache
def kind() -> str:
    """The name of the sandbox here, the first of `KINDS` that works. Raises SandboxError."""
    said = []
    for name in KINDS:
        problem = _problem(name) if shutil.which(name) else "is not installed"
        if not problem:
            return name
        said.append(f"{name}: {problem}")
    raise SandboxError(
        f"a submission's code runs in a sandbox alone, and none works here ({'; '.join(said)}); "
        "install bubblewrap >= 0.8 (Debian: apt install bubblewrap), podman or docker, or say "
        "--trust for submissions whose authors you trust"
    )


def _problem(name: str) -> str:
    """What goes wrong in the sandbox of that name; empty if nothing does."""
    with tempfile.TemporaryDirectory() as made:
        outcome = _in(name, [sys.executable, "-c", ""], Path(made), Limits())
    if outcome.status == 0 and not outcome.why:
        return ""
    last = outcome.stderr.strip().splitlines()[-1:]
    return last[0] if last else outcome.why or f"ends with status {outcome.status}"


# --- what is there, inside -----------------------------------------------------------------------


def _environment() -> dict[str, str]:
    """The variables, inside: none of those outside."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": "/tmp",
        "TMPDIR": "/tmp",
        "LANG": "C.UTF-8",
        "PYTHONPATH": ".",
        "MPLBACKEND": "agg",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _readable() -> list[Path]:
    """The system's libraries and programs, the interpreter, and its environment."""
    names = ("/usr", "/etc/fonts", "/etc/ld.so.cache", "/etc/alternatives")
    system = [path for path in map(Path, names) if path.exists()]
    own = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parents[1]}
    return system + sorted(path for path in own if not path.is_relative_to("/usr"))


def _hidden() -> list[Path]:
    """Where the environment itself has the reference, if it is installed there."""
    packages = {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")}
    return [place for folder in sorted(packages) if (place := folder / "mlp").exists()]


def _links() -> Iterator[tuple[str, str]]:
    """What is a link to something in /usr, as /bin is, and what it says."""
    for path in map(Path, ("/bin", "/sbin", "/lib", "/lib64")):
        if path.is_symlink():
            yield str(path.readlink()), str(path)


class Wrapping(NamedTuple):
    """The words that put a command into a sandbox, and a command that ends what is left of it."""

    command: list[str]
    end: list[str] = []  # noqa: RUF012  # nobody adds to it
    user: int = 0  # whom to become inside, or 0
    threads: bool = False  # whether those inside are counted apart from the user's others


def _bubblewrap(folder: Path, limits: Limits) -> Wrapping:
    """The words of bubblewrap, which ends with its parent, and with it all that is inside."""
    command = ["bwrap", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    command += ["--unshare-cgroup-try", "--new-session", "--die-with-parent", "--as-pid-1"]
    command += ["--hostname", "sandbox", "--clearenv", "--cap-drop", "ALL"]
    user = 0
    if os.getuid():
        command += ["--unshare-user", "--disable-userns", "--uid", "1000", "--gid", "1000"]
    else:  # whom the kernel lets have any number of processes: so become nobody known
        user = 2**30 + secrets.randbelow(2**29)
        for right in ("SETUID", "SETGID", "CHOWN", "DAC_OVERRIDE"):
            command += ["--cap-add", f"CAP_{right}"]
    for name, value in _environment().items():
        command += ["--setenv", name, value]
    command += ["--proc", "/proc", "--dev", "/dev"]
    for name in (COPY, "/tmp", "/dev/shm"):  # before the environment, which may be below /tmp
        command += ["--perms", "1777", "--size", str(_disk(limits)), "--tmpfs", name]
    for path in _readable():
        for above in reversed(path.parents[:-1]):  # which only their maker could enter
            command += ["--perms", "0755", "--dir", str(above)]
        command += ["--ro-bind", str(path), str(path)]
    for path in _hidden():
        command += ["--tmpfs", str(path), "--remount-ro", str(path)]
    for target, link in _links():
        command += ["--symlink", target, link]
    command += ["--ro-bind", str(folder), SOURCE, "--ro-bind", inside.__file__, ENTRY]
    command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", COPY, "--"]
    return Wrapping(command, user=user, threads=True)


def _container(program: str, folder: Path, limits: Limits) -> Wrapping:
    """The words of podman or docker, for a container of an image that is empty."""
    name = f"grading-{uuid.uuid4().hex}"
    command = [program, "run", "--rm", "--name", name, "--network", "none", "--read-only"]
    command += ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", "1000:1000"]
    command += ["--memory", str(limits.memory), "--memory-swap", str(limits.memory)]
    command += ["--pids-limit", str(4 * limits.processes), "--workdir", COPY]
    for variable, value in _environment().items():
        command += ["--env", f"{variable}={value}"]
    libraries = [Path(name) for name in ("/bin", "/lib", "/lib64") if Path(name).exists()]
    for path in [*_readable(), *libraries]:
        command += ["--volume", f"{path}:{path}:ro"]
    for place in (COPY, "/tmp", *map(str, _hidden())):
        command += ["--tmpfs", f"{place}:rw,size={_disk(limits)},mode=1777"]
    command += ["--volume", f"{folder}:{SOURCE}:ro", "--volume", f"{inside.__file__}:{ENTRY}:ro"]
    return Wrapping([*command, _empty_image(program)], [program, "rm", "--force", name])


def _empty_image(program: str) -> str:
    """The name of an image that holds nothing, made where there is none."""
    name = "grading-empty"
    known = [program, "image", "inspect", name]
    if subprocess.run(known, capture_output=True, check=False).returncode:
        nothing = bytes(1024)  # a tar of no files
        made = [program, "import", "-", name]
        subprocess.run(made, input=nothing, capture_output=True, check=False)
    return name


def _cgroup(limits: Limits) -> list[str]:
    """The words that bound all processes together by the kernel itself, where systemd runs."""
    whose = [] if os.getuid() == 0 else ["--user"]
    command = ["systemd-run", *whose, "--scope", "--quiet", "--collect"]
    command += ["-p", f"MemoryMax={limits.memory + 2 * _disk(limits)}", "-p", "MemorySwapMax=0"]
    command += ["-p", f"TasksMax={4 * limits.processes}", "--"]
    return command if _systemd() else []


@cache
def _systemd() -> bool:
    whose = [] if os.getuid() == 0 else ["--user"]
    words = ["systemd-run", *whose, "--scope", "--quiet", "--collect", "--"]
    words += [sys.executable, "-I", "-c", ""]
    if shutil.which("systemd-run") is None:
        return False
    try:
        return subprocess.run(words, capture_output=True, timeout=10).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _disk(limits: Limits) -> int:
    """Bytes of all that is written, in each of the places where something can be."""
    return 8 * limits.output


KINDS: dict[str, Callable[[Path, Limits], Wrapping]] = {
    "bwrap": _bubblewrap,
    "podman": lambda folder, limits: _container("podman", folder, limits),
    "docker": lambda folder, limits: _container("docker", folder, limits),
}


# --- running it ----------------------------------------------------------------------------------


def _entry(command: list[str], wrapping: Wrapping, limits: Limits) -> list[str]:
    """The command of what is the first to run inside."""
    threads = 4 * limits.processes if wrapping.threads else 0
    bounds = [wrapping.user, limits.seconds, limits.memory, threads, limits.output, MOST_OUT]
    first = [sys.executable, "-I", ENTRY, SOURCE, COPY, str(OUT), *map(str, bounds)]
    return [*first, *command]


def _run(command: list[str], folder: Path, limits: Limits) -> Outcome:
    """Run, watch, and take what comes back."""
    out = folder / OUT
    shutil.rmtree(out, ignore_errors=True)
    allowed = Limits(
        inside.SLOWEST * limits.seconds + GRACE,
        limits.memory,
        limits.processes + OWN,
        _disk(limits) + ROOM,
    )
    watched = watch.run(command, allowed)
    if watched.why:
        return Outcome(-9, "", watched.stderr, watched.why)
    try:
        status, late, files = _unpacked(watched.stdout)
    except ValueError as error:
        return Outcome(-9, "", watched.stderr, f"nothing that can be read came back: {error}")
    stdout, stderr = (_text(files.pop(name, b""), limits) for name in ("stdout", "stderr"))
    out.mkdir(parents=True)
    for name, content in files.items():
        (out / name).write_bytes(content)
    return Outcome(status, stdout, stderr, _why(status, late, limits))


# --- what comes back -----------------------------------------------------------------------------


def _unpacked(content: bytes) -> tuple[int, bool, dict[str, bytes]]:
    """Exit status, whether time was up, and files by name. Raises ValueError.

    All of it may be forged: names are plain, and lengths are those of what is there.
    """
    if len(content) < inside.HEAD.size:
        raise ValueError("nothing came back")
    status, late, count = inside.HEAD.unpack_from(content)
    at, files = inside.HEAD.size, {}
    for _ in range(min(count, MOST_OUT + 2)):
        try:
            name_size, size = inside.FILE.unpack_from(content, at)
        except struct.error as error:
            raise ValueError("cut off") from error
        start = at + inside.FILE.size
        name = content[start : start + name_size].decode("ascii", "replace")
        at = start + name_size + size
        if at > len(content) or not re.fullmatch(inside.NAME, name):
            raise ValueError("cut off, or a name that leads elsewhere")
        files[name] = content[at - size : at]
    return status, bool(late), files


def _text(content: bytes, limits: Limits) -> str:
    return content[: limits.output].decode(errors="replace")


def _why(status: int, late: bool, limits: Limits) -> str:
    """What ended a command, if it did not end by itself."""
    if late or status == -signal.SIGXCPU:
        return f"took more than {limits.seconds:g} s"
    if status == -signal.SIGXFSZ:
        return f"wrote more than {limits.output:,} bytes"
    return f"was ended by signal {-status}" if status < 0 else ""
