"""Runs a command on a submission where it can do no harm: in bubblewrap, or in a container.

Inside, the command has a copy of the submission, the interpreter's environment and the system's
programs, both read-only, and nothing else: no network, no other file, none of this project. What
it uses of the machine is bounded: time, memory and processes, and what it writes, which is in
memory and ends with it. What comes back are files that it leaves in `.grading/out/` of its copy.
"""

import os
import re
import selectors
import shutil
import struct
import subprocess
import sys
import sysconfig
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

import psutil

from grading import inside
from grading.limits import Limits, Outcome, Runner

COPY, SOURCE, ENTRY = "/copy", "/submission", "/inside.py"  # where things are, inside
OUT = Path(".grading", "out")
MOST_OUT = 1000  # files that come back
GRACE = 15.0  # seconds for the copy, and for what comes back
OFTEN = 0.05  # seconds between looks at what is used
LEAST_LEFT = 2**28  # bytes of the machine's memory that nothing in a sandbox may take
MESSAGES = 2**16  # bytes of what the sandbox itself has to say
INSTALL = "install bubblewrap (Debian: apt install bubblewrap), podman or docker; or say --trust"


class SandboxError(RuntimeError):
    """There is no sandbox here."""


def runner(*, trust: bool = False) -> Runner:
    """What runs commands here: `run`, or `trusting` if there is no sandbox and one may do without.

    Raises SandboxError.
    """
    if kind():
        return run
    if trust:
        return trusting
    raise SandboxError(f"a submission's code runs in a sandbox alone, and there is none: {INSTALL}")


def run(command: list[str], folder: Path, limits: Limits) -> Outcome:
    """Run a command on a copy of `folder`, in a sandbox; what it leaves comes back to OUT in there.

    Raises SandboxError where there is none.
    """
    name = kind()
    if name is None:
        raise SandboxError(f"a submission's code runs in a sandbox alone: {INSTALL}")
    _fonts()
    wrapping = KINDS[name](folder.resolve(), limits)
    threads = 4 * limits.processes if name == "bwrap" else 0  # others count the user's own, too
    entry = _entry(command, ENTRY, SOURCE, COPY, limits, threads)
    try:
        return _run([*_cgroup(limits), *wrapping.command, *entry], folder, limits)
    finally:
        if wrapping.end:
            subprocess.run(wrapping.end, capture_output=True, check=False)


def trusting(command: list[str], folder: Path, limits: Limits) -> Outcome:
    """Run a command on a copy of `folder`, without a sandbox: its author is trusted."""
    _fonts()
    with tempfile.TemporaryDirectory(prefix="trusted-", ignore_cleanup_errors=True) as made:
        copy = str(Path(made, "copy"))
        entry = _entry(command, inside.__file__, str(folder.resolve()), copy, limits)
        return _run(entry, folder, limits, _environment(made))


@cache
def kind() -> str | None:
    """The name of the sandbox here, the first of `KINDS` that works."""
    with tempfile.TemporaryDirectory() as made:
        for name, wrapped in KINDS.items():
            if shutil.which(name) and _works(wrapped(Path(made), Limits()).command):
                return name
    return None


def _works(prefix: list[str]) -> bool:
    """Whether the interpreter runs behind these words."""
    command = [*prefix, sys.executable, "-I", "-c", ""]
    try:
        return subprocess.run(command, capture_output=True, timeout=60).returncode == 0
    except subprocess.TimeoutExpired:
        return False


# --- what is there, inside -----------------------------------------------------------------------


def _environment(home: str = "/tmp") -> dict[str, str]:
    """The variables, inside: none of those outside."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": home,
        "TMPDIR": home,
        "LANG": "C.UTF-8",
        "PYTHONPATH": ".",
        "MPLBACKEND": "agg",
        "MPLCONFIGDIR": f"{home}/matplotlib",
        "OPENBLAS_NUM_THREADS": "1",
    }


@cache
def _fonts() -> None:
    """Let matplotlib look for fonts once, where each sandbox finds what it found."""
    folder = Path(sys.prefix, inside.FONTS)
    if not any(folder.glob("fontlist*")) and os.access(sys.prefix, os.W_OK):
        command = [sys.executable, "-c", "import matplotlib.font_manager"]
        with_folder = os.environ | {"MPLCONFIGDIR": str(folder)}
        subprocess.run(command, env=with_folder, capture_output=True, check=False)


def _readable() -> list[Path]:
    """The system's libraries and programs, the interpreter, and its environment."""
    system = [
        Path(name) for name in ("/usr", "/etc/fonts", "/etc/ld.so.cache", "/etc/alternatives")
    ]
    own = {Path(sys.prefix), Path(sys.base_prefix)}
    return [path for path in system if path.exists()] + sorted(
        path for path in own if not path.is_relative_to("/usr")
    )


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
    end: list[str]


def _bubblewrap(folder: Path, limits: Limits) -> Wrapping:
    """The words of bubblewrap, which ends with its parent, and with it all that is inside."""
    command = ["bwrap", "--unshare-all", "--unshare-user", "--disable-userns", "--new-session"]
    command += ["--die-with-parent", "--as-pid-1", "--cap-drop", "ALL"]
    command += ["--uid", "1000", "--gid", "1000", "--hostname", "sandbox", "--clearenv"]
    for name, value in _environment().items():
        command += ["--setenv", name, value]
    for path in _readable():
        command += ["--ro-bind", str(path), str(path)]
    for path in _hidden():
        command += ["--tmpfs", str(path), "--remount-ro", str(path)]
    for target, link in _links():
        command += ["--symlink", target, link]
    command += ["--proc", "/proc", "--dev", "/dev"]
    for name in (COPY, "/tmp", "/dev/shm"):
        command += ["--size", str(_disk(limits)), "--tmpfs", name]
    command += ["--ro-bind", str(folder), SOURCE, "--ro-bind", inside.__file__, ENTRY]
    command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", COPY, "--"]
    return Wrapping(command, [])


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
    return shutil.which("systemd-run") is not None and _works(words)


def _disk(limits: Limits) -> int:
    """Bytes of all that is written, in each of the places where something can be."""
    return 8 * limits.output


KINDS: dict[str, Callable[[Path, Limits], Wrapping]] = {
    "bwrap": _bubblewrap,
    "podman": lambda folder, limits: _container("podman", folder, limits),
    "docker": lambda folder, limits: _container("docker", folder, limits),
}


# --- running it ----------------------------------------------------------------------------------


def _entry(
    command: list[str], entry: str, source: str, copy: str, limits: Limits, threads: int = 0
) -> list[str]:
    """The command of what is the first to run inside."""
    bounds = [limits.seconds, limits.memory, threads, limits.output, MOST_OUT]
    first = [sys.executable, "-I", entry, source, copy, str(OUT), *map(str, bounds)]
    return [*first, *command]


def _run(
    command: list[str], folder: Path, limits: Limits, environment: Mapping[str, str] | None = None
) -> Outcome:
    """Run, watch, and take what comes back."""
    out = folder / OUT
    shutil.rmtree(out, ignore_errors=True)
    watched = _watch(command, limits, environment)
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


class Watched(NamedTuple):
    """What a process has written, and why it was ended, or empty."""

    stdout: bytes
    stderr: str
    why: str


def _watch(command: list[str], limits: Limits, environment: Mapping[str, str] | None) -> Watched:
    """Run a command, and end it where it takes more than it may."""
    bounds = {"stdout": _disk(limits) + MESSAGES, "stderr": MESSAGES}
    written = {name: bytearray() for name in bounds}
    until = time.monotonic() + limits.seconds + GRACE
    why = ""
    with _begun(command, environment) as process, selectors.DefaultSelector() as selector:
        for name in bounds:
            selector.register(getattr(process, name), selectors.EVENT_READ, name)
        while selector.get_map() and not why:
            for key, _ in selector.select(OFTEN):
                block = os.read(key.fd, 2**16)
                written[key.data] += block
                if not block:
                    selector.unregister(key.fileobj)
                if len(written[key.data]) > bounds[key.data]:
                    why = f"wrote more than {bounds[key.data]:,} bytes"
            if time.monotonic() > until:
                why = _late(limits)
            why = why or _too_much(process.pid, limits)
    stderr = written["stderr"].decode(errors="replace")
    return Watched(bytes(written["stdout"]), stderr, why)


@contextmanager
def _begun(
    command: list[str], environment: Mapping[str, str] | None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process, which is killed at the end with all that it has begun."""
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            begun = _children(process.pid)
            process.kill()
            for each in begun:
                with suppress(psutil.Error):
                    each.kill()


def _children(pid: int) -> list[psutil.Process]:
    """The processes that a process has begun, and these, and so on."""
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.Error:
        return []


def _too_much(pid: int, limits: Limits) -> str:
    """What of the machine is taken beyond the limits, or empty."""
    processes = _children(pid)
    if len(processes) > limits.processes + 2:  # the sandbox itself has two
        return f"ran more than {limits.processes} processes"
    taken = 0
    for process in processes:
        try:
            taken += process.memory_info().rss
        except psutil.Error:
            continue  # it has ended
    if taken > limits.memory:
        return f"took more than {limits.memory:,} bytes of memory"
    if psutil.virtual_memory().available < LEAST_LEFT:
        return "the machine ran short of memory"
    return ""


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


def _late(limits: Limits) -> str:
    return f"took more than {limits.seconds:g} s"


def _why(status: int, late: bool, limits: Limits) -> str:
    """What ended a command, if it did not end by itself."""
    if late or status == -24:  # SIGXCPU
        return _late(limits)
    if status == -25:  # SIGXFSZ
        return f"wrote more than {limits.output:,} bytes"
    return f"was ended by signal {-status}" if status < 0 else ""
