"""No attack gains a point, harms the machine, or stops the submission after it."""

import socket
import textwrap
import threading
import time
from dataclasses import replace

import numpy as np
import psutil
import pytest

from grading import gather, inside, sandbox, trust
from grading.limits import Limits
from grading.sandbox import SandboxError
from mlp import functions
from mlp.data import ROOT
from tests.grading.attacks import FILES, FUNCTIONS, MODULES

LIMITS = Limits(seconds=2, memory=4 * 2**28, processes=20, output=2**22)
HIDDEN = np.random.default_rng().normal(size=(4, 3))

MODULE = """\
import numpy as np
# WRONG
{statements}

def sigmoid(x):
{body}
"""
HONEST = MODULE.format(statements="", body="    return 1 / (1 + np.exp(-x))")


@pytest.fixture(autouse=True)
def is_there():
    try:
        sandbox.kind()
    except SandboxError as error:
        pytest.skip(str(error))


class Asked:
    """Where a hostile submission may ask what it should give: somebody listens."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.heard = False
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            connection, _ = self.server.accept()
            self.heard = True
            with connection:
                x = np.frombuffer(connection.recv(HIDDEN.nbytes))
                connection.sendall(functions.sigmoid(x).tobytes())


@pytest.fixture(scope="module")
def asked():
    return Asked()


@pytest.fixture
def canary(tmp_path):
    """A folder that nothing inside may see or change."""
    folder = tmp_path / "canary"
    folder.mkdir()
    (folder / "secret").write_text("kept")
    yield folder
    assert [path.name for path in folder.iterdir()] == ["secret"]
    assert (folder / "secret").read_text() == "kept"


@pytest.fixture
def submission(tmp_path, canary, asked):
    """What makes a submission of these files, whose attacks know where to look."""

    def make(files):
        folder = tmp_path / "submission"
        for name, content in {"mlp/__init__.py": "", **files}.items():
            for word, value in (("CANARY", canary), ("CHECKOUT", ROOT), ("PORT", asked.port)):
                content = content.replace(word, str(value))
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content)
        return folder

    return make


def run(command, folder, _):
    return sandbox.run(command, folder, LIMITS)


def patient(command, folder, _):
    """For what is to earn points: however busy the machine is, it has the time that it needs."""
    return sandbox.run(command, folder, replace(LIMITS, seconds=60))


def earns(folder, runner=patient, also=None):
    """Whether the submission's sigmoid is found to be right, as a grade finds it."""
    steps = [{"expression": "functions.sigmoid(x)", "watch": []}]
    (given,) = gather.run("evaluate", steps, folder, runner, {"x": HIDDEN, **(also or {})})
    value = given.value("value")
    wanted = functions.sigmoid(HIDDEN)
    return value is not None and value.shape == wanted.shape and np.allclose(value, wanted)


def gains_nothing(folder):
    """The attack earns nothing, is over in time, and leaves neither process nor file behind."""
    own = [path for path in folder.rglob("*.*") if ".grading" not in path.parts]
    files = {path: path.stat().st_mtime_ns for path in own}
    begun = time.monotonic()
    assert not earns(folder, run)
    assert time.monotonic() - begun < inside.SLOWEST * LIMITS.seconds
    assert not psutil.Process().children(recursive=True)
    assert {path: path.stat().st_mtime_ns for path in files} == files
    assert not any(path.is_symlink() for path in folder.rglob("*"))


def test_an_honest_submission_earns_its_points(submission):
    assert earns(submission({"mlp/functions.py": HONEST}))


def hostile(statements="", body="return 0 * x"):
    parts = (textwrap.dedent(text).strip() for text in (statements, body))
    statements, body = parts
    return MODULE.format(statements=statements, body=textwrap.indent(body, "    "))


@pytest.mark.parametrize("attack", MODULES)
def test_a_module_gains_nothing_that(attack, submission):
    gains_nothing(submission({"mlp/functions.py": hostile(MODULES[attack])}))


@pytest.mark.parametrize("attack", FUNCTIONS)
def test_a_function_gains_nothing_that(attack, submission, asked):
    asked.heard = False
    gains_nothing(submission({"mlp/functions.py": hostile(body=FUNCTIONS[attack])}))
    assert not asked.heard


@pytest.mark.parametrize("attack", FILES)
def test_a_folder_gains_nothing_that(attack, submission):
    gains_nothing(submission(FILES[attack] | {"mlp/functions.py": hostile()}))


@pytest.mark.parametrize("attack", FILES)
def test_files_that_tools_would_take_for_their_own_cost_an_honest_submission_nothing(
    attack, submission
):
    assert earns(submission(FILES[attack] | {"mlp/functions.py": HONEST}))


def test_the_submission_after_an_attack_is_graded_as_before(submission):
    gains_nothing(submission({"mlp/functions.py": hostile(MODULES["is a fork bomb"])}))
    assert earns(submission({"mlp/functions.py": HONEST}))


# --- what these tests are worth ------------------------------------------------------------------


@pytest.mark.parametrize("attack", [*MODULES.values(), *FUNCTIONS.values()])
def test_every_attack_is_a_program(attack):
    compile(hostile(body=attack), "attack", "exec")


@pytest.mark.parametrize(
    "attack", ["imports the reference from disk", "asks somebody on the network"]
)
def test_without_a_sandbox_it_would_gain_who(attack, submission):
    assert earns(submission({"mlp/functions.py": hostile(body=FUNCTIONS[attack])}), trust.run)


@pytest.mark.parametrize(
    "attack", ["takes what is expected off the stack", "takes what is expected from any object"]
)
def test_if_the_answer_were_among_the_inputs_it_would_gain_who(attack, submission):
    folder = submission({"mlp/functions.py": hostile(body=FUNCTIONS[attack])})
    assert earns(folder, also={"answer": functions.sigmoid(HIDDEN)})
