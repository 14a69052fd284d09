"""The command line: python -m render [--to FORMAT] [--route ROUTE] [--watch]."""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from literate.reader import REPORT, ROOT
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
            if options.watch:
                watch(lambda: once(options.to, session) == 0, session)
            return once(options.to, session)
    return 130


def once(to: str, session: Session) -> int:
    """Render directly, say where to, or what is wrong."""
    begun = time.perf_counter()
    try:
        target = direct.render(REPORT, to, session, OUTPUT)
    except (OSError, ValueError) as error:
        print(f"render: {error}", file=sys.stderr)
        return 1
    print(f"{target} in {time.perf_counter() - begun:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
