"""The direct route: chunks by Jupyter, Markdown by Pandoc, pages by Typst (or LaTeX)."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pypandoc
import typst
import yaml

from render.document import ROOT, ReportError, read
from render.execute import Session, weave
from render.notebook import notebook

HERE = Path(__file__).parent
EXTENSIONS = "markdown+table_attributes"
WRITERS = {
    "typst": ["--to=typst", f"--template={HERE / 'direct.typ'}"],
    "html": [
        "--to=html5",
        f"--template={HERE / 'direct.html'}",
        "--mathml",
        "--embed-resources",
        "--toc",
    ],
    "pdf": [
        "--to=latex",
        "--pdf-engine=lualatex",
        "--variable=documentclass:scrartcl",
        "--variable=papersize:a4",
        "--variable=colorlinks",
        "--variable=fontsize:11pt",
        "--number-sections",
        "--syntax-highlighting=tango",
        f"--include-in-header={HERE / 'header.tex'}",
    ],
}


def settings() -> dict[str, Any]:
    """What _quarto.yml says."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "_quarto.yml").read_text())
    return loaded


def output_name(to: str) -> str:
    """The name of the file that a format gives."""
    return str(settings()["format"][to]["output-file"])


def render(source: Path, to: str, session: Session, output: Path) -> Path:
    """Render `source` into the folder `output`, atomically. Raises ReportError."""
    if to == "pdf" and not shutil.which("lualatex"):
        raise ReportError(
            "--to pdf needs LaTeX; install TeX Live (the README lists the packages), "
            "or use --to typst, which needs nothing"
        )
    config = settings()
    meta, parts = read(source)
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output, prefix=".render-") as folder:
        figures = Path(folder)
        echo = bool(config["execute"]["echo"])
        target = output / output_name(to)
        product = figures / target.name
        if to == "ipynb":
            product.write_text(notebook(meta, parts, session))
        else:
            text = weave(parts, session, figures, echo=echo)
            keep = ("lang", "bibliography", "link-citations")
            header = {key: config[key] for key in keep if key in config} | meta
            header.pop("jupyter", None)
            if to == "pdf":
                header["author"] = [author["name"] for author in meta.get("author", [])]
            markdown = f"---\n{yaml.safe_dump(header, allow_unicode=True)}---\n\n{text}"
            if to == "typst":
                pandoc(markdown, to, figures / "report.typ", source.parent)
                compile_typst(figures / "report.typ", product)
            else:
                pandoc(markdown, to, product, source.parent)
        product.replace(target)
    return target


def pandoc(markdown: str, to: str, target: Path, folder: Path) -> None:
    """Convert to one format; a warning is an error. Raises ReportError."""
    command = [
        pypandoc.get_pandoc_path(),
        f"--from={EXTENSIONS}",
        *WRITERS[to],
        "--standalone",
        "--wrap=none",
        "--fail-if-warnings",
        f"--lua-filter={HERE / 'shared.lua'}",
        f"--lua-filter={HERE / 'filter.lua'}",
        "--citeproc",
        f"--output={target}",
    ]
    done = subprocess.run(
        command, input=markdown.encode(), capture_output=True, cwd=folder, check=False
    )
    if done.returncode:
        raise ReportError(f"pandoc: {done.stderr.decode().strip()}")


def compile_typst(source: Path, target: Path) -> None:
    """Set the pages. Raises ReportError."""
    try:
        typst.compile(str(source), output=str(target), root="/")
    except typst.TypstError as error:
        raise ReportError(f"Typst: {error.message}\n{error.diagnostic}") from error
