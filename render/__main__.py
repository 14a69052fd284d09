"""The command line: python -m render [--to FORMAT] [--route ROUTE] [--watch]."""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml

from literate.reader import REPORT, ROOT
from mlp import processes, streams
from mlp.processes import TerminatedError
from render import direct
from render.execute import Session
from render.options import FORMATS
from render.watch import watch

OUTPUT = ROOT / "_output"
QUARTO = shutil.which("quarto") or shutil.which(Path(sys.executable).with_name("quarto"))


def main(arguments: list[str] | None = None) -> int:
    """Render the report; the exit status: 0 done, 1 the report is at fault, 2 wrong usage."""
    parser = argparse.ArgumentParser(
        prog="python -m render",
        description="Render report.qmd into the folder _output, with Quarto or without it. What is "
        "there stays untouched if anything fails. Exit status: 0 done, 1 fault, 2 wrong usage.",
    )
    parser.add_argument("--to", default="typst", choices=FORMATS, help="pdf is the one by LaTeX")
    parser.add_argument("--route", default="auto", choices=["auto", "quarto", "direct"])
    parser.add_argument("--profile", metavar="NAME", help="an edition: handout, solution or rubric")
    parser.add_argument("--watch", action="store_true", help="render again on every save")
    options = parser.parse_args(arguments)
    if options.profile and (options.watch or not _of_profile(options.profile).is_file()):
        parser.error(f"no profile {options.profile}" if not options.watch else "watch no profile")
    if options.route == "quarto" and not QUARTO:
        parser.error("there is no Quarto; try `make quarto` or ROUTE=direct")
    try:
        if QUARTO and options.route != "direct":
            print(f"Rendering with Quarto, as there is one: {QUARTO}", flush=True)
            command = [QUARTO, "preview" if options.watch else "render", REPORT, "--to", options.to]
            if options.profile:
                command[2:3] = ["--profile", options.profile]  # which says what is rendered
            environment = os.environ | {"QUARTO_PYTHON": sys.executable, "PYTHONPATH": str(ROOT)}
            return subprocess.call(command, cwd=ROOT, env=environment)
        why = "as there is no Quarto" if options.route == "auto" else "as asked for"
        print(f"Rendering directly with Jupyter, Pandoc and Typst, {why}", flush=True)
        cache = f".cache-{options.profile}.json" if options.profile else ".cache.json"
        with contextlib.closing(Session(OUTPUT / cache)) as session:
            if options.watch:
                watch(lambda: once(options.to, session) == 0, session)
            return once(options.to, session, options.profile)
    except KeyboardInterrupt as error:
        return 143 if isinstance(error, TerminatedError) else 130


def once(to: str, session: Session, profile: str | None = None) -> int:
    """Render directly, say where to, or what is wrong."""
    begun = time.perf_counter()
    try:
        source, changes = prepared(profile) if profile else (REPORT, {})
        target = direct.render(source, to, session, OUTPUT, changes)
    except (OSError, ValueError) as error:
        print(f"render: {error}", file=sys.stderr)
        return 1
    print(f"{target} in {time.perf_counter() - begun:.1f} s", flush=True)
    return 0


def prepared(profile: str) -> tuple[Path, direct.Profile]:
    """The source of an edition, once what its profile runs first has run, and what it changes.

    Raises ValueError if that fails.
    """
    changes = yaml.safe_load(_of_profile(profile).read_text(encoding="utf-8"))
    project = changes.get("project", {})
    if script := project.get("pre-render"):
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, *script.split()], cwd=ROOT, env=environment, check=False
        )
        if done.returncode:
            raise ValueError(f"{script}: ended with status {done.returncode}")
    *_, source = project.get("render", [REPORT.name])
    return ROOT / source, changes


def _of_profile(name: str) -> Path:
    return ROOT / f"_quarto-{name}.yml"


if __name__ == "__main__":
    with streams.guarded(), processes.answering(processes.stop):
        status = main()
    sys.exit(status)
