"""The command line: python -m render [--to FORMAT] [--route ROUTE] [--watch] [--lint]."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pypandoc
import typst
import yaml

from render.document import ROOT, ReportError, read
from render.execute import Session, weave
from render.lint import lint

OUTPUT = ROOT / "_output"


def main(arguments: list[str] | None = None) -> int:
    """Render the report; the exit status: 0 done, 1 the report is at fault, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m render", description="Render report.qmd.")
    parser.add_argument("--to", default="typst", choices=["typst"])
    parser.add_argument("--route", default="auto", choices=["auto", "quarto", "direct"])
    parser.add_argument("--lint", action="store_true", help="only look for faults in report.qmd")
    options = parser.parse_args(arguments)
    if options.lint:
        faults = lint()
        print("\n".join([*faults, f"report.qmd: {len(faults)} faults"]))
        return int(bool(faults))
    quarto = shutil.which("quarto")
    if options.route == "quarto" or (options.route == "auto" and quarto):
        if not quarto:
            print("render: there is no quarto on the PATH; use --route direct", file=sys.stderr)
            return 2
        print(f"Rendering with Quarto ({quarto})")
        environment = os.environ | {"QUARTO_PYTHON": sys.executable, "PYTHONPATH": str(ROOT)}
        command = [quarto, "render", "report.qmd", "--to", options.to]
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    print("Rendering directly (Jupyter, Pandoc, Typst): there is no quarto on the PATH")
    session = Session(OUTPUT / ".cache")
    try:
        print(render(ROOT / "report.qmd", session))
    except ReportError as error:
        print(f"render: {error}", file=sys.stderr)
        return 1
    finally:
        session.close()
    return 0


def render(source: Path, session: Session) -> Path:
    """Render `source` to PDF through Typst, atomically. Raises ReportError."""
    meta, parts = read(source)
    settings: dict[str, Any] = yaml.safe_load((ROOT / "_quarto.yml").read_text())
    OUTPUT.mkdir(exist_ok=True)
    target = OUTPUT / settings["format"]["typst"]["output-file"]
    with tempfile.TemporaryDirectory(dir=OUTPUT, prefix=".render-") as folder:
        figures = Path(folder)
        text = weave(parts, session, figures.relative_to(ROOT), echo=settings["execute"]["echo"])
        header = {**settings, **meta}
        for key in ("project", "format", "filters", "execute", "crossref", "jupyter"):
            header.pop(key, None)
        markdown = f"---\n{yaml.safe_dump(header, allow_unicode=True)}---\n\n{text}"
        typ = figures / "report.typ"
        pandoc(markdown, typ)
        pdf = figures / "report.pdf"
        try:
            typst.compile(str(typ), output=str(pdf), root=str(ROOT))
        except typst.TypstError as error:
            raise ReportError(f"Typst: {error.message}\n{error.diagnostic}") from error
        pdf.replace(target)
    return target


def pandoc(markdown: str, target: Path) -> None:
    """Convert to Typst; a warning is an error. Raises ReportError."""
    command = [
        pypandoc.get_pandoc_path(),
        "--from=markdown+table_attributes",
        "--to=typst",
        "--standalone",
        "--wrap=none",
        "--fail-if-warnings",
        f"--template={ROOT / 'render' / 'direct.typ'}",
        f"--lua-filter={ROOT / 'render' / 'shared.lua'}",
        f"--lua-filter={ROOT / 'render' / 'filter.lua'}",
        "--citeproc",
        f"--resource-path={ROOT}",
        f"--output={target}",
    ]
    done = subprocess.run(
        command, input=markdown.encode(), capture_output=True, cwd=ROOT, check=False
    )
    if done.returncode:
        raise ReportError(f"pandoc: {done.stderr.decode().strip()}")


if __name__ == "__main__":
    sys.exit(main())
