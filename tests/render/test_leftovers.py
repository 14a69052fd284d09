import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest

from literate.reader import ROOT
from render import leftovers
from tests.render.conftest import write
from tests.render.test_main import ROOMS


def test_what_killed_renders_have_left_is_swept_and_no_more(tmp_path):
    process = multiprocessing.get_context("spawn").Process(target=int)
    process.start()
    process.join()
    for name in (str(process.pid), "9" * 30, "mine", str(os.getppid())):
        (tmp_path / f".render-{name}").mkdir()
    folder = leftovers.workplace(tmp_path)
    assert folder.is_dir()
    kept = {".render-mine", f".render-{os.getppid()}", folder.name}
    assert {path.name for path in tmp_path.iterdir()} == kept


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_within_a_chunk_ends_a_render_with_nothing_left_of_it(tmp_path, number, status):
    for name in ROOMS:
        (tmp_path / name).symlink_to(ROOT / name)
    write(tmp_path, "```{python}\nimport time\nopen('begun', 'w'); time.sleep(600)\n```\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "render", "--route", "direct"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not (tmp_path / "begun").exists() and process.poll() is None:
        time.sleep(0.1)
    os.killpg(process.pid, number)  # the kernel gets it, too, as from a terminal
    _, said = process.communicate(timeout=60)
    assert process.returncode == status
    assert "Traceback" not in said, said
    assert not list((tmp_path / "_output").glob(".render-*"))
