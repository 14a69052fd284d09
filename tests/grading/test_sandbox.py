import os
import subprocess
import sys
import sysconfig
import time
import uuid
from pathlib import Path

import psutil
import pytest

from grading import sandbox, trust, watch
from grading.limits import Limits, Outcome
from grading.sandbox import SandboxError
from mlp.data import ROOT

LIMITS = Limits(seconds=5, memory=2**29, processes=20, output=2**20)


@pytest.fixture
def there():
    try:
        sandbox.kind()
    except SandboxError as error:
        pytest.skip(str(error))


@pytest.fixture
def nowhere(monkeypatch):
    """A machine without a sandbox."""
    monkeypatch.setattr(sandbox.shutil, "which", lambda _: None)
    sandbox.kind.cache_clear()
    yield
    sandbox.kind.cache_clear()


def python(code, folder, **limits):
    return sandbox.run([sys.executable, "-c", code], folder, Limits(**{**vars(LIMITS), **limits}))


# --- where there is none -------------------------------------------------------------------------


def test_without_a_sandbox_nothing_is_run_and_the_remedies_are_named(nowhere, tmp_path):
    with pytest.raises(SandboxError, match=r"bwrap: is not installed.*apt install.*--trust"):
        sandbox.runner()
    with pytest.raises(SandboxError):
        python("open('ran', 'w')", tmp_path)
    assert not (tmp_path / "ran").exists()


def test_without_a_sandbox_a_trusted_submission_is_run_as_it_is(nowhere):
    assert sandbox.runner(trusted=True) is trust.run


def test_a_sandbox_that_does_not_work_is_none_and_what_it_says_is_said(
    nowhere, monkeypatch, tmp_path
):
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'setting up uid map: Permission denied' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: program if name == "bwrap" else None)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(SandboxError, match="bwrap: setting up uid map: Permission denied"):
        sandbox.runner()


def test_where_there_is_a_sandbox_it_is_used_for_trusted_submissions_too(there):
    assert sandbox.runner(trusted=True) is sandbox.run


# --- what there is, inside -----------------------------------------------------------------------


def test_a_command_sees_a_copy_of_its_own_and_nothing_of_the_project(there, tmp_path):
    (tmp_path / "report.qmd").write_text("text")
    code = f"""
import os, pathlib
print(sorted(os.listdir(".")), pathlib.Path("report.qmd").read_text())
print([name for name in os.listdir({str(ROOT)!r}) if name != ".venv"]
      if os.path.exists({str(ROOT)!r}) else [])
print(sorted(os.environ))
open("report.qmd", "w").write("changed")
"""
    outcome = python(code, tmp_path)
    assert (outcome.status, outcome.stderr, outcome.why) == (0, "", "")
    seen, project, variables = outcome.stdout.splitlines()
    assert seen == "['.grading', 'report.qmd'] text"
    assert project == "[]"
    assert set(eval(variables)) <= {*sandbox._environment(), "PWD", "LC_CTYPE", "container"}
    assert (tmp_path / "report.qmd").read_text() == "text"


def test_an_installed_reference_is_hidden(there, tmp_path, monkeypatch):
    packages = Path(sysconfig.get_path("purelib"))
    monkeypatch.setattr(sandbox, "_hidden", lambda: [packages / "tqdm"])  # as if that were it
    outcome = python("import os, tqdm; print(tqdm.__file__, os.listdir(*tqdm.__path__))", tmp_path)
    assert outcome.stdout == "None []\n"
    (tmp_path / "mlp").mkdir()
    monkeypatch.undo()
    monkeypatch.setattr(sandbox.sysconfig, "get_path", lambda _: str(tmp_path))
    assert sandbox._hidden() == [tmp_path / "mlp"]


def test_neither_environment_nor_system_can_be_written(there, tmp_path):
    places = [sys.prefix, sys.base_prefix, "/usr/lib", "/", "/dev", "/submission"]
    code = f"""
import os, tempfile
for place in {places!r}:
    try:
        tempfile.TemporaryFile(dir=place)
        print(place)
    except OSError:
        pass
"""
    assert python(code, tmp_path).stdout == ""


def test_packages_of_the_environment_and_a_jupyter_kernel_work(there, tmp_path):
    code = """
import nbformat
from nbclient import NotebookClient
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")])
NotebookClient(notebook).execute()
print(notebook.cells[0].outputs[0]["data"]["text/plain"])
"""
    assert python(code, tmp_path, seconds=30).stdout == "2\n"


# --- what comes of it ----------------------------------------------------------------------------


def test_exit_status_and_both_streams_come_back(there, tmp_path):
    code = "import sys; print('said'); print('complained', file=sys.stderr); sys.exit(3)"
    assert python(code, tmp_path) == Outcome(3, "said\n", "complained\n", "")


def test_a_command_that_does_not_exist_has_a_status(there, tmp_path):
    outcome = sandbox.run(["no-such-program"], tmp_path, LIMITS)
    assert outcome.status == 127
    assert "no-such-program" in outcome.stderr


def test_plain_files_come_back_in_place_of_those_of_the_run_before(there, tmp_path):
    code = "open('.grading/out/{0}', 'w').write('{0}'); open('elsewhere', 'w')"
    python(code.format("first.txt"), tmp_path)
    python(code.format("second.txt"), tmp_path)
    (path,) = (tmp_path / ".grading" / "out").iterdir()
    assert (path.name, path.read_text()) == ("second.txt", "second.txt")
    assert not (tmp_path / "elsewhere").exists()


def test_folders_links_and_names_that_are_not_plain_stay_inside(there, tmp_path):
    code = """
import os
os.chdir(".grading/out")
os.mkdir("folder")
os.symlink("/etc/passwd", "link")
os.mkfifo("pipe")
for name in (".hidden", "a b", "ü", "a" * 200):
    open(name, "w")
"""
    outcome = python(code, tmp_path)
    assert (outcome.status, outcome.why) == (0, "")
    assert not list((tmp_path / ".grading" / "out").iterdir())


@pytest.mark.parametrize(
    ("code", "limits", "why"),
    [
        ("while True: pass", {"seconds": 1}, "took more than 1 s"),
        ("import time; time.sleep(100)", {"seconds": 1}, "took more than 1 s"),
        ("import os\nwhile True: os.fork()", {}, "ran more than 22 processes"),
        ("a = [bytearray(2**20) for _ in range(2**12)]", {}, "took more than 536,870,912 bytes"),
        (
            "import os, time; os.kill(1, 19); time.sleep(9)",
            {"seconds": 0.5},
            "took more than 0.5 s",
        ),
        ("import os; os.kill(os.getpid(), 9)", {}, "was ended by signal 9"),
    ],
)
def test_what_ended_a_command_is_said(there, tmp_path, code, limits, why):
    outcome = python(code, tmp_path, **limits)
    assert outcome.status != 0
    assert outcome.why.startswith(why)


def test_what_was_said_before_time_was_up_comes_back(there, tmp_path):
    outcome = python("print('begun', flush=True)\nwhile True: pass", tmp_path, seconds=1)
    assert (outcome.stdout, outcome.why) == ("begun\n", "took more than 1 s")


def test_where_the_machine_runs_short_of_memory_a_submission_has_a_second_try(monkeypatch):
    outcomes = [Outcome(-9, "", "", watch.SHORT), Outcome(0, "", "")]
    monkeypatch.setattr(sandbox, "_once", lambda *_: outcomes.pop(0))
    assert sandbox.run([], Path(), LIMITS).status == 0


def test_nothing_is_left_of_a_command_whose_grader_was_killed(there, tmp_path):
    mark = f"mark-{uuid.uuid4().hex}"
    code = (
        "import sys, pathlib; from grading import sandbox; from grading.limits import Limits; "
        f"sandbox.run([sys.executable, '-c', 'import time; time.sleep(100)', {mark!r}], "
        f"pathlib.Path({str(tmp_path)!r}), Limits())"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) as grader:
        try:
            # the grader itself, the sandbox, the first program in it, and the command
            assert until(lambda: len(marked(mark)) > 3)
        finally:
            grader.kill()
    assert until(lambda: not marked(mark))


def marked(mark):
    """The processes whose command line has the mark."""
    lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if mark in " ".join(line)]


def until(holds, seconds=120):
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)
    return holds()


def test_where_systemd_runs_the_kernel_bounds_all_processes_together(monkeypatch):
    assert sandbox._cgroup(LIMITS) == [] or sandbox._systemd()
    monkeypatch.setattr(sandbox, "_systemd", lambda: True)
    words = sandbox._cgroup(LIMITS)
    assert words[0] == "systemd-run"
    assert words[-1] == "--"
    assert f"TasksMax={4 * LIMITS.processes}" in words
    assert any(word.startswith("MemoryMax=") for word in words)


def test_time_does_not_count_while_others_have_the_processor():
    counting, before = sandbox.inside._counting, {"a": (1.0, 5.0), "b": (2.0, 0.0)}
    assert counting(1.0, before, {"a": (1.0, 5.0), "b": (2.0, 0.0)}) == 1  # it sleeps
    assert counting(1.0, before, {"a": (1.2, 5.7), "b": (2.0, 0.0)}) == pytest.approx(0.3)
    assert counting(1.0, before, {"a": (1.0, 6.0), "c": (0.0, 1.0)}) == 1 / sandbox.inside.SLOWEST
    many = dict.fromkeys("cdefgh", (0.2, 0.8))  # keep each other waiting
    assert counting(1.0, before, before | many) == 1


# --- what comes back may be forged ---------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        sandbox.inside.HEAD.pack(0, 0, 1),
        sandbox.inside.HEAD.pack(0, 0, 1) + sandbox.inside.FILE.pack(1, 2**63) + b"a",
        sandbox.inside.HEAD.pack(0, 0, 2**32 - 1) + sandbox.inside.FILE.pack(1, 0) + b"a",
        sandbox.inside.HEAD.pack(0, 0, 1) + sandbox.inside.FILE.pack(8, 0) + b"../../up",
        sandbox.inside.HEAD.pack(0, 0, 1) + sandbox.inside.FILE.pack(4, 0) + b"/etc",
        sandbox.inside.HEAD.pack(0, 0, 1) + sandbox.inside.FILE.pack(2, 0) + "ü".encode(),
        sandbox.inside.HEAD.pack(0, 0, 1) + sandbox.inside.FILE.pack(0, 0),
    ],
)
def test_what_is_cut_off_or_has_names_that_lead_elsewhere_is_refused(content):
    with pytest.raises(ValueError, match=r"came back|cut off"):
        sandbox._unpacked(content)


# --- containers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("program", ["podman", "docker"])
def test_a_container_has_no_network_no_rights_and_bounds_and_is_removed(
    program, monkeypatch, tmp_path
):
    monkeypatch.setattr(sandbox, "_empty_image", lambda _: "empty")
    wrapping = sandbox.KINDS[program](tmp_path, LIMITS)
    said = " ".join(wrapping.command)
    for words in (
        "--network none",
        "--read-only",
        "--cap-drop ALL",
        "--security-opt no-new-privileges",
        f"--memory {LIMITS.memory}",
        f"--volume {tmp_path}:/submission:ro",
        f"--volume {sys.prefix}:{sys.prefix}:ro",
    ):
        assert words in said
    volumes = [
        volume
        for word, volume in zip(wrapping.command, wrapping.command[1:], strict=False)
        if word == "--volume"
    ]
    assert all(volume.endswith(":ro") for volume in volumes)
    assert not any(volume.startswith(f"{ROOT}:") for volume in volumes)
    name = wrapping.command[wrapping.command.index("--name") + 1]
    assert wrapping.end == [program, "rm", "--force", name]
