"""The direct route: chunks by Jupyter, Markdown by Pandoc, pages by Typst (or LaTeX)."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pypandoc
import typst
import yaml

from render.document import ROOT, ReportError, read
from render.execute import Session, weave

CONFIG = yaml.safe_load((ROOT / "_quarto.yml").read_text())
# Settings in _quarto.yml that this route has built in.
FIXED = yaml.safe_load(
    "{lang: en, execute: {echo: false, warning: true}, crossref: {eq-prefix: Equation}}"
)
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
# How Pandoc, its filters and Typst name the thing in the source that they complain of.
NAMED = r"(?:label|citation|resource|sequence|at /.*/)[\s`<]*([^\s,)>]+)|(@[\w-]+)|math\s*([^,\n]+)"


def render(source: Path, to: str, session: Session, output: Path) -> Path:
    """Render `source` into the folder `output`, atomically. Raises ReportError."""
    if to == "pdf" and not shutil.which("lualatex"):
        raise ReportError("--to pdf needs TeX Live; see the README, or use --to typst")
    if any(CONFIG.get(key) != value for key, value in FIXED.items()):
        raise ReportError(f"_quarto.yml: without Quarto, nothing else is known than {FIXED}")
    front, parts = read(source)
    meta = CONFIG | CONFIG["format"][to] | front | {"jupyter": KERNEL}
    meta["author"] = [author["name"] for author in front.get("author") or []]
    target = output / meta["output-file"]
    output.mkdir(parents=True, exist_ok=True)
    folder = output / f".render-{os.getpid()}"  # the same each time: Typst sets anew what changed
    folder.mkdir(exist_ok=True)
    try:
        text = weave(parts, session, folder, echo=meta.get("echo", CONFIG["execute"]["echo"]))
        if to == "ipynb":
            title = f"# {meta.get('title', '')} {{-}}"
            text = "\n\n".join([title, meta.get("subtitle", ""), ", ".join(meta["author"]), text])
        product = folder / target.name
        written = product.with_suffix(".typ") if to == "typst" else product
        command = [pypandoc.get_pandoc_path(), f"--defaults={ROOT}/render/pandoc.yml"]
        command += [f"--output={written}", *(["--toc"] if meta.get("toc") else [])]
        markdown = f"---\n{yaml.safe_dump(meta)}---\n\n{text}".encode()
        subprocess.run(command, input=markdown, capture_output=True, cwd=source.parent, check=True)
        if to == "typst":
            typst.compile(str(written), output=str(product), root="/")
        product.replace(target)
    except subprocess.CalledProcessError as error:
        raise located(source, f"Pandoc: {error.stderr.decode().strip()}") from error
    except typst.TypstError as error:
        said = str(error.diagnostic).partition("error: ")  # after warnings
        raise located(source, f"Typst: {said[2]}") from error
    finally:
        shutil.rmtree(folder)
    return target


def located(source: Path, message: str) -> ReportError:
    """The message, after the first line of the source that has what the message names."""
    lines = list(enumerate(source.read_text().splitlines(), start=1))
    names = sorted(sum(re.findall(NAMED, message), ()), key=len, reverse=True)
    for number in (number for name in names if name[1:] for number, line in lines if name in line):
        return ReportError(f"{source.name}:{number}: {message}")
    return ReportError(message)
