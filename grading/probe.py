"""Runs on a submission, inside the sandbox: `python -I probe.py TASK`, with plan.json beside it.

The plan is a list of steps. What step number i gives is written as out/i.npz (arrays) and
out/i.json (texts); out/at says which step has begun, so that one that ends the process can be told
and left out. Nothing here knows what would be right: that is judged outside, from these values.
Numpy comes first, before the submission's folder is on the path.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

for _pool in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{_pool}_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402  # it reads the number of threads when it is loaded

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent
OUT = HERE / "out"
MODULES = ("data", "functions", "gradcheck", "loop", "model", "penalty", "settings", "train")
DEEP = 6  # how far tuples may hold tuples
Step = dict[str, Any]
Texts = dict[str, Any]
Values = dict[str, Any]


def main(task: str) -> None:
    """Take the steps of the plan that are not to be left out; each has its time of computing."""
    signal.signal(signal.SIGVTALRM, _time_is_up)
    plan = json.loads((HERE / "plan.json").read_text(encoding="utf-8"))
    take = {"evaluate": evaluating, "chunks": showing, "pages": reading, "train": training}[task]()
    for number, step in enumerate(plan["steps"]):
        if number in plan["without"]:
            continue
        (OUT / "at").write_text(str(number))
        values, texts = Values(), Texts()
        signal.setitimer(signal.ITIMER_VIRTUAL, plan["seconds"])
        try:
            take(step, values, texts)
        except BaseException as error:  # SystemExit is no way out, either
            texts["error"] = f"{type(error).__name__}: {error}"[:500]
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        np.savez(OUT / f"{number}.npz", **values)
        (OUT / f"{number}.json").write_text(json.dumps(texts), encoding="utf-8")
    (OUT / "at").write_text("end")


def _time_is_up(*_: object) -> None:
    raise TimeoutError("takes too long")


def flat(value: Any, name: str, depth: int = DEEP) -> Iterator[tuple[str, Any]]:
    """Arrays and numbers of nested tuples and lists, by names as in theta.W1 or panels.0.params."""
    if isinstance(value, tuple | list) and depth:
        for field, part in zip(getattr(value, "_fields", range(len(value))), value, strict=False):
            yield from flat(part, f"{name}.{field}", depth - 1)
    elif isinstance(value, np.ndarray | np.generic | int | float):
        array = np.asarray(value)
        if array.dtype.kind in "biufc":
            yield name, array


def evaluating() -> Callable[[Step, Values, Texts], None]:
    """Steps that evaluate an expression of the submission's functions and of given arrays."""
    sys.path.insert(0, str(FOLDER))
    names: dict[str, Any] = {"np": np, "timed": timed}
    with np.load(HERE / "inputs.npz") as arrays:
        names |= dict(arrays)
    broken = {}
    for module in MODULES:
        try:
            names[module] = import_module(f"mlp.{module}")
        except BaseException as error:
            broken[module] = f"mlp.{module} cannot be imported: {type(error).__name__}: {error}"

    def take(step: Step, values: Values, texts: Texts) -> None:
        locals_: dict[str, Any] = {}

        def watch(frame: FrameType, event: str, _: object) -> None:
            name = frame.f_code.co_name
            if event == "return" and name in step["watch"]:
                for key, value in frame.f_locals.items():
                    locals_.setdefault(f"{name}:{key}", value)

        for module, why in broken.items():
            if f"{module}." in step["expression"]:
                texts["error"] = why
                return
        sys.setprofile(watch if step["watch"] else None)
        try:
            values |= flat(eval(step["expression"], names), "value")
        finally:  # what a function has computed before it raised counts
            sys.setprofile(None)
            for key, local in locals_.items():
                values |= flat(local, key)

    return take


def timed(call: Callable[[], object]) -> float:
    """The seconds of a call, the least of three."""
    seconds = []
    for _ in range(3):
        begun = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


def showing() -> Callable[[Step, Values, Texts], None]:
    """Steps that run a chunk of the report or its inline values, and keep what is shown."""
    os.environ |= {"IPYTHONDIR": str(HERE / "ipython"), "MPLCONFIGDIR": str(HERE / "matplotlib")}
    os.environ |= {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.core.pylabtools import select_figure_formats
    from IPython.utils.capture import capture_output
    from matplotlib_inline.backend_inline import flush_figures

    os.chdir(FOLDER)
    sys.path.insert(0, str(FOLDER))
    shell: Any = InteractiveShell.instance()
    shell.history_manager.enabled = False
    select_figure_formats(shell, {"svg"})

    def take(step: Step, values: Values, texts: Texts) -> None:
        if "expressions" in step:
            texts["values"] = [_text(shell.user_ns, code) for code in step["expressions"]]
            return
        with capture_output() as captured:
            result = shell.run_cell(step["code"], store_history=False)
            flush_figures()  # type: ignore[no-untyped-call]  # IPython's
        error = result.error_before_exec or result.error_in_exec
        if error is not None:
            texts["error"] = f"{type(error).__name__}: {error}"[:500]
        shown = [output.data for output in captured.outputs]
        if result.result is not None:
            shown.append(shell.display_formatter.format(result.result)[0])
        texts["shown"] = [
            {kind: data for kind, data in each.items() if isinstance(data, str)} for each in shown
        ]
        for name, expression in step["keep"].items():
            values |= flat(eval(expression, shell.user_ns), name)

    return take


def _text(names: dict[str, Any], code: str) -> str:
    """What an inline value shows; empty if it raises."""
    try:
        value = eval(code, names)
    except BaseException:
        return ""
    return str(getattr(value, "data", value))


def reading() -> Callable[[Step, Values, Texts], None]:
    """Steps that read a PDF: the text of each page, and the pages of its bookmarks."""
    from pypdf import PdfReader

    def take(step: Step, values: Values, texts: Texts) -> None:
        reader = PdfReader(FOLDER / step["path"])
        texts["bookmarks"] = list(_bookmarks(reader, reader.outline))
        pages = [] if texts["bookmarks"] else reader.pages  # it takes long to read them
        texts["pages"] = [page.extract_text() for page in pages]

    return take


def _bookmarks(reader: Any, outline: Any) -> Iterator[tuple[str, int]]:
    for entry in outline:
        if isinstance(entry, list):
            yield from _bookmarks(reader, entry)
        else:
            yield str(entry.title), 1 + (reader.get_destination_page_number(entry) or 0)


def training() -> Callable[[Step, Values, Texts], None]:
    """Steps that train the first epochs of a recorded run again, as `mlp.lab.verify` does."""
    sys.path.insert(0, str(FOLDER))
    os.chdir(FOLDER)
    os.environ["MLP_DATA"] = str(HERE / "data")
    experiment, again = import_module("mlp.lab.experiment"), import_module("mlp.lab.again")

    def take(step: Step, values: Values, texts: Texts) -> None:
        of = experiment.load(FOLDER / step["experiment"])
        came = again.run(again.Job(of, step["seed"], step["epochs"], 1.0))
        values["records"] = np.array([list(record) for record in came.records], float)
        values["first_losses"] = np.array(came.first_losses, float)

    return take


if __name__ == "__main__":
    main(sys.argv[1])
