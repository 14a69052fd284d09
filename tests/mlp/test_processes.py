"""How the command line ends: signals, killed processes, and streams where nobody listens."""

import contextlib
import os
import resource
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlp import log, processes
from mlp.data import ROOT
from mlp.lab import store
from mlp.processes import TerminatedError
from tests.conftest import changed

SEARCH = changed(d_h=[50, 60], epochs=100_000, K=10, search={"method": "grid"})
LONG = changed(seeds=[3], epochs=4000, K=10)
SHORT = changed(seeds=[3], epochs=2)


def command(folder, name, text):
    """The command of this name on a file with this text, as arguments."""
    (folder / "small.yml").write_text(text, encoding="utf-8")
    given = str(folder / "small.yml"), "--results", str(folder / "results")
    return [sys.executable, "-m", "mlp", name, *given]


def begin(arguments, **keywords):
    return subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.PIPE, text=True, **keywords)


def children(pid, name):
    """The children of a process whose command lines have this name."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid and name in (path / "cmdline").read_text():
                found.append(int(path.name))
    return found


def wait_for(happens, seconds=60):
    """Wait until this is true, and return it."""
    end = time.monotonic() + seconds
    while not (found := happens()) and time.monotonic() < end:
        time.sleep(0.05)
    assert found
    return found


# --- signals -------------------------------------------------------------------------------------


@pytest.fixture
def search(tmp_path):
    """A search, and its two workers at work."""
    process = begin(command(tmp_path, "search", SEARCH))
    workers = wait_for(lambda: len(found := children(process.pid, "popen_loky")) == 2 and found)
    wait_for(lambda: (tmp_path / "results" / "small" / "trials.csv").exists())
    yield process, workers
    process.kill()
    process.communicate()


def gone(pids):
    return not any(Path(f"/proc/{pid}/cmdline").exists() for pid in pids)


def test_a_killed_search_leaves_no_workers(search):
    process, workers = search
    process.kill()
    process.communicate(timeout=20)  # which a worker that lived on would hold up
    wait_for(lambda: gone(workers), seconds=20)


def test_a_killed_worker_ends_the_search_in_one_line(search):
    process, workers = search
    os.kill(workers[0], signal.SIGKILL)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 2
    assert said.splitlines()[-1].startswith("mlp search: a worker ended before its trial")
    assert "Traceback" not in said
    wait_for(lambda: gone(workers))


@pytest.mark.parametrize(
    ("number", "status", "word"),
    [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")],
)
def test_a_signal_ends_a_search_in_one_line(search, number, status, word):
    process, workers = search
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert process.returncode == status
    assert said.splitlines()[-1] == f"mlp search: {word}; the same command goes on"
    assert "Traceback" not in said
    wait_for(lambda: gone(workers))


def test_sigterm_ends_a_run_as_ctrl_c_does_with_its_epochs_kept(tmp_path):
    process = begin(command(tmp_path, "train", LONG))
    table = tmp_path / "results" / "small" / "seed-3" / "log.csv"
    wait_for(lambda: table.exists() and table.read_text().count("\n") > 3)
    process.terminate()
    _, said = process.communicate(timeout=20)
    assert process.returncode == 143
    assert said.splitlines()[-1] == "mlp train: terminated; the same command goes on"
    state, _ = store.restore(table.with_name("checkpoint.npz"))
    assert len(log.read(table)) == state.epoch


PRESSED = """
import os, signal, sys

class Press:
    def find_spec(self, name, *_):
        if name == "mlp.train":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Press())
from mlp.__main__ import main
sys.exit(main(["check"]))
"""


def test_ctrl_c_while_modules_are_imported_is_no_traceback():
    process = begin([sys.executable, "-c", PRESSED])
    _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (-signal.SIGINT, "")


def test_a_signal_that_is_held_back_is_raised_when_asked_for():
    with processes.held_back() as stop_if_asked:
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(TerminatedError):
            stop_if_asked()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_what_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with processes.held_back() as stop_if_asked:
            os.kill(os.getpid(), signal.SIGINT)
            stop_if_asked()
    finally:
        signal.signal(signal.SIGINT, before)


# --- streams and files ---------------------------------------------------------------------------


@pytest.mark.parametrize("redirected", ["2>&-", "2>/dev/full", ">&- 2>&-", "2>&1 >/dev/null | :"])
def test_a_run_goes_on_where_nobody_reads_its_progress(tmp_path, redirected):
    arguments = command(tmp_path, "train", SHORT)
    shell = f"set -o pipefail; {shlex.join(arguments)} {redirected}"
    done = subprocess.run(["bash", "-c", shell], cwd=ROOT, check=False, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    folder = tmp_path / "results" / "small" / "seed-3"
    assert (folder / "summary.yml").exists()
    assert len(log.read(folder / "log.csv")) == 2


@pytest.mark.parametrize(
    ("arguments", "redirected", "status", "says"),
    [
        ("check", "| :", 141, ""),
        ("check --d 60 --d_h 40", "| head -1", 141, ""),
        ("--help", "| :", 0, ""),
        ("check", ">/dev/full", 2, "mlp check: [Errno 28] No space left on device: 'standard ou"),
        ("check", ">&-", 0, ""),
    ],
)
def test_output_that_nobody_reads_is_no_fault_but_one_that_cannot_be_written_is(
    arguments, redirected, status, says
):
    shell = f"set -o pipefail; {shlex.quote(sys.executable)} -m mlp {arguments} {redirected}"
    done = subprocess.run(
        ["bash", "-c", shell], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == status
    assert done.stderr.startswith(says)
    assert done.stderr.count("\n") == bool(says)


def test_a_file_that_cannot_grow_is_named(tmp_path):
    process = begin(
        command(tmp_path, "train", LONG),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000)),
    )
    _, said = process.communicate(timeout=20)
    last = said.splitlines()[-1]
    assert process.returncode == 2
    assert f"File too large: '{tmp_path}/results/small/seed-3/" in last


def test_files_are_utf_8_in_any_locale(tmp_path):
    ascii_alone = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    process = begin(command(tmp_path, "train", SHORT + "# é\n"), env=os.environ | ascii_alone)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 0, said
