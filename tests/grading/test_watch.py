import sys
import time

import psutil
import pytest

from grading import watch
from grading.limits import Limits

LIMITS = Limits(seconds=60, memory=2**28, processes=5, output=2**16)


def python(code, **limits):
    return watch.run([sys.executable, "-c", code], Limits(**{**vars(LIMITS), **limits}))


def test_what_was_written_and_the_exit_status_come_back():
    code = "import sys; print('said'); print('complained', file=sys.stderr); sys.exit(3)"
    assert python(code) == (3, b"said\n", "complained\n", "")


def test_a_process_that_closes_its_streams_and_goes_on_is_waited_for():
    watched = python("import os, time; os.close(1); os.close(2); time.sleep(0.5); os._exit(4)")
    assert (watched.status, watched.why) == (4, "")


@pytest.mark.parametrize(
    ("code", "limits", "why"),
    [
        ("import time; time.sleep(100)", {"seconds": 1}, "took more than 1 s"),
        ("print('x' * 10**6)", {}, "wrote more than 65,536 bytes"),
        (
            "held = bytearray(2**29)\nwhile True: held[::4096] = held[::4096]",
            {},
            "took more than 268",
        ),
        (
            "import os, time\nfor _ in range(3): os.fork()\ntime.sleep(100)",
            {},
            "ran more than 5 processes",
        ),
    ],
)
def test_what_takes_more_than_it_may_is_ended_with_all_that_it_has_begun(code, limits, why):
    others = psutil.Process().children(recursive=True)
    begun = time.monotonic()
    watched = python(code, **limits)
    assert watched.why.startswith(why)
    assert watched.status == -9
    assert time.monotonic() - begun < LIMITS.seconds
    assert set(psutil.Process().children(recursive=True)) <= set(others)


def test_a_machine_short_of_memory_ends_what_runs(monkeypatch):
    monkeypatch.setattr(watch, "LEAST_LEFT", 2**60)
    assert python("import time; time.sleep(100)").why == watch.SHORT
