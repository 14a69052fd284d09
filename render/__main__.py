"""The command line: python -m render [--to FORMAT] [--route ROUTE] [--watch] [--lint]."""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from render import direct
from render.document import FORMATS, ROOT, ReportError, read
from render.execute import Session, run_parts, salt
from render.lint import lint

REPORT = ROOT / "report.qmd"
OUTPUT = ROOT / "_output"


def main(arguments: list[str] | None = None) -> int:
    """Render the report; the exit status: 0 done, 1 the report is at fault, 2 wrong usage."""
    options = parser().parse_args(arguments)
    if options.lint:
        faults = lint(REPORT)
        print("\n".join([*faults, f"{REPORT.name}: {len(faults)} faults"]))
        return int(bool(faults))
    quarto = shutil.which("quarto")
    if options.route == "quarto" and not quarto:
        print("render: there is no quarto on the PATH; use --route direct", file=sys.stderr)
        return 2
    if quarto and options.route != "direct":
        print(f"Rendering with Quarto, as it is on the PATH: {quarto}", flush=True)
        return with_quarto(quarto, options.to, watch=options.watch)
    why = "as asked for" if options.route == "direct" else "as no quarto is on the PATH"
    print(f"Rendering directly with Jupyter, Pandoc and Typst, {why}", flush=True)
    session = Session(OUTPUT / ".cache")
    try:
        if options.watch:
            return watch(options.to, session)
        return once(options.to, session)
    except KeyboardInterrupt:
        return 130
    finally:
        session.close()


def parser() -> argparse.ArgumentParser:
    """The options and their help."""
    top = argparse.ArgumentParser(
        prog="python -m render",
        description="Render report.qmd into the folder _output, with Quarto or without it. "
        "What is there already stays untouched if anything fails.",
        epilog="Exit status: 0 done, 1 the report is at fault, 2 wrong usage.",
    )
    top.add_argument("--to", default="typst", choices=FORMATS, help="pdf is the one by LaTeX")
    top.add_argument(
        "--route",
        default="auto",
        choices=["auto", "quarto", "direct"],
        help="auto takes Quarto if there is a quarto on the PATH",
    )
    top.add_argument("--watch", action="store_true", help="render again whenever a file is saved")
    top.add_argument("--lint", action="store_true", help="only look for faults in report.qmd")
    return top


def once(to: str, session: Session) -> int:
    """Render directly, say where to, or what is wrong."""
    begun = time.perf_counter()
    try:
        target = direct.render(REPORT, to, session, OUTPUT)
    except ReportError as error:
        print(f"render: {error}", file=sys.stderr)
        return 1
    print(f"{target} in {time.perf_counter() - begun:.1f} s", flush=True)
    return 0


def watch(to: str, session: Session) -> int:
    """Render, and again whenever what the report depends on has changed, until Ctrl-C.

    After the first time, a kernel runs all chunks until an edit comes, which then finds it warm.
    """

    def state() -> tuple[str, str, str]:
        return REPORT.read_text(), (ROOT / "references.bib").read_text(), salt()

    seen = state()
    once(to, session)
    with contextlib.suppress(ReportError):  # it has been said
        for _ in run_parts(read(REPORT)[1], session, alive=True):
            if state() != seen:
                break
    while True:
        if (now := state()) != seen:
            seen = now
            once(to, session)
        time.sleep(0.3)


def with_quarto(quarto: str, to: str, *, watch: bool) -> int:
    """Let the Quarto program do it, into a folder of its own, and then move the result."""
    environment = os.environ | {"QUARTO_PYTHON": sys.executable, "PYTHONPATH": str(ROOT)}
    if watch:
        command = [quarto, "preview", REPORT.name, "--to", to]
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    OUTPUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=OUTPUT, prefix=".render-") as folder:
        inside = Path(folder).relative_to(ROOT)
        command = [quarto, "render", REPORT.name, "--to", to, "--output-dir", str(inside)]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        log = done.stdout + done.stderr
        print(log, file=sys.stderr)
        # Quarto only warns of a reference that nothing bears.
        if done.returncode or "Unable to resolve crossref" in log:
            return 1
        target = OUTPUT / direct.output_name(to)
        produced = next(Path(folder).rglob(target.name))
        produced.replace(target)
    print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
