import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from literate import beside
from literate.reader import ROOT

WAITS = "import os, time; from literate import beside; "
WAITS += "print(beside.start(os.getpid).result(), flush=True); beside.start(time.sleep, 60); "
WAITS += "time.sleep(60)"


def test_what_is_started_runs_in_one_other_process_in_its_order():
    begun = [beside.start(os.getpid), beside.start(time.monotonic), beside.start(time.monotonic)]
    process, first, second = (each.result() for each in begun)
    assert process != os.getpid()
    assert first < second
    assert beside.start(os.getpid).result() == process


def test_what_is_raised_there_is_raised_here():
    with pytest.raises(ZeroDivisionError):
        beside.start(divmod, 1, 0).result()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for the process in /proc")
def test_the_process_ends_with_the_one_that_asked_even_if_that_is_killed():
    asker = subprocess.Popen(
        [sys.executable, "-c", WAITS], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with asker:
        worker = int(asker.stdout.readline())
        asker.kill()
    deadline = time.monotonic() + 20
    while _runs(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(worker)


def _runs(process):
    status = Path(f"/proc/{process}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
