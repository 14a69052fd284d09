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

from render import direct
from render.document import FORMATS, ROOT, read
from render.execute import Session, salt

REPORT = ROOT / "report.qmd"
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
    parser.add_argument("--watch", action="store_true", help="render again on every save")
    options = parser.parse_args(arguments)
    if options.route == "quarto" and not QUARTO:
        parser.error("there is no Quarto; try `make quarto` or ROUTE=direct")
    with contextlib.suppress(KeyboardInterrupt):
        if QUARTO and options.route != "direct":
            print(f"Rendering with Quarto, as there is one: {QUARTO}", flush=True)
            command = [QUARTO, "preview" if options.watch else "render", REPORT, "--to", options.to]
            environment = os.environ | {"QUARTO_PYTHON": sys.executable, "PYTHONPATH": str(ROOT)}
            return subprocess.call(command, cwd=ROOT, env=environment)
        why = "as there is no Quarto" if options.route == "auto" else "as asked for"
        print(f"Rendering directly with Jupyter, Pandoc and Typst, {why}", flush=True)
        with contextlib.closing(Session(OUTPUT / ".cache.json")) as session:
            return watch(options.to, session) if options.watch else once(options.to, session)
    return 130


def once(to: str, session: Session) -> int:
    """Render directly, say where to, or what is wrong."""
    begun = time.perf_counter()
    try:
        target = direct.render(REPORT, to, session, OUTPUT)
    except (OSError, ValueError, yaml.YAMLError) as error:
        where = f"{REPORT.name}: " if isinstance(error, UnicodeError | yaml.YAMLError) else ""
        print(f"render: {where}{error}", file=sys.stderr)
        return 1
    print(f"{target} in {time.perf_counter() - begun:.1f} s", flush=True)
    return 0


def watch(to: str, session: Session) -> int:
    """Render whenever something changes that the report depends on, until Ctrl-C.

    In between, a kernel runs all chunks, so that the next edit finds it warm. After a change of
    code it is a new kernel, and the report is rendered again with what that one found.
    """
    doubtful = False
    seen: tuple[object, ...] = ()
    warming = session.outputs([], "")
    while True:
        with contextlib.suppress(OSError, ValueError):
            now = (REPORT.read_bytes(), (ROOT / "references.bib").read_bytes(), salt())
            if now != seen and (seen := now):
                warming.close()  # here, as the garbage collection would swallow a Ctrl-C
                if once(to, session) == 0:
                    warming = session.outputs(read(REPORT)[1], salt(), warm=True)
                    doubtful = bool(session.doubtful)
            if next(warming, None) is None:
                if doubtful:
                    once(to, session)
                    doubtful = False
                time.sleep(0.3)


if __name__ == "__main__":
    sys.exit(main())
