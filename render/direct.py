"""The direct route: chunks by Jupyter, Markdown by Pandoc, pages by Typst (or LaTeX)."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pypandoc
import typst
import yaml

from literate.reader import ROOT
from literate.report import Report
from render import check
from render.dialect import ReportError, placed, read
from render.execute import Session
from render.keys import salt
from render.leftovers import workplace
from render.weave import weave

CONFIG = yaml.safe_load((ROOT / "_quarto.yml").read_text())
# Settings in _quarto.yml that this route has built in.
FIXED = yaml.safe_load(
    "{lang: en, date-format: D MMMM YYYY, execute: {echo: false, warning: true}, "
    "crossref: {eq-prefix: Equation}}"
)
Profile = Mapping[str, Any]
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
# How Pandoc, its filters and Typst name the thing in the source that they complain of.
NAMED = r"(?:label|citation|resource|sequence|at /.*/)[\s`<]*([^\s,)>]+)|(@[\w-]+)|math\s*([^,\n]+)"


def render(
    source: Path, to: str, session: Session, output: Path, profile: Profile = MappingProxyType({})
) -> Path:
    """Render `source` into the folder `output`, atomically. Raises ReportError.

    `profile` is what _quarto-NAME.yml changes in _quarto.yml.
    """
    if to == "pdf" and not shutil.which("lualatex"):
        raise ReportError("--to pdf needs TeX Live; see the README, or use --to typst")
    if any(CONFIG.get(key) != value for key, value in FIXED.items()):
        raise ReportError(f"_quarto.yml: without Quarto, nothing else is known than {FIXED}")
    report = read(source)
    for line, what in sorted(check.faults(report, source.parent)):
        raise ReportError(f"{report.where(line)}: {what}")
    meta = metadata(report, to) | profile.get("format", {}).get(to, {})
    target = output / meta["output-file"]
    folder = workplace(output)
    try:
        outputs = session.outputs(report, salt(), unchanged=lambda: read(source) == report)
        text = weave(report, list(outputs), folder, echo=meta["echo"])
        product = convert(text, meta, to, folder / target.name, source.parent)
        product.replace(target)
    except subprocess.CalledProcessError as error:
        raise located(report, f"Pandoc: {error.stderr.decode().strip()}") from error
    except typst.TypstError as error:
        _, _, said = str(error.diagnostic).partition("error: ")  # after warnings
        raise located(report, f"Typst: {said}") from error
    except ReportError as error:
        raise placed(error, report) from error
    finally:
        shutil.rmtree(folder)
    return target


def metadata(report: Report, to: str) -> dict[str, Any]:
    """What _quarto.yml and the front matter say of a format, for Pandoc and its templates."""
    echo = {"echo": CONFIG["execute"]["echo"]}
    meta = echo | CONFIG | CONFIG["format"][to] | report.front | {"jupyter": KERNEL}
    meta["author"] = [author["name"] for author in report.front.get("author") or []]
    if "date" in meta:
        meta["date"] = f"{meta['date'].day} {meta['date']:%B %Y}"
    return meta


def convert(text: str, meta: Mapping[str, Any], to: str, product: Path, folder: Path) -> Path:
    """Make the file `product` of Markdown, in which paths begin at `folder`."""
    if to == "ipynb":
        title = f"# {meta.get('title', '')} {{-}}"
        lines = [title, meta.get("subtitle", ""), ", ".join(meta["author"]), meta.get("date", "")]
        text = "\n\n".join([*lines, meta.get("abstract", ""), text])
        meta = {key: value for key, value in meta.items() if key != "abstract"}
    written = product.with_suffix(".typ") if to == "typst" else product
    command = [pypandoc.get_pandoc_path(), f"--defaults={ROOT}/render/pandoc.yml"]
    command.append(f"--output={written}")
    if meta.get("toc"):
        command.append("--toc")
    markdown = f"---\n{yaml.safe_dump(dict(meta))}---\n\n{text}".encode()
    subprocess.run(command, input=markdown, capture_output=True, cwd=folder, check=True)
    if to == "typst":
        _, warnings = typst.compile_with_warnings(str(written), output=str(product), root="/")
        for warning in warnings:
            if warning.message.startswith("unknown font family"):
                raise ReportError(f"Typst: {warning.message}; see `mainfont`")
    return product


def located(report: Report, message: str) -> ReportError:
    """The message, after the first line of the report that has what the message names."""
    names = [name for groups in re.findall(NAMED, message) for name in groups if len(name) > 1]
    for name in sorted(names, key=len, reverse=True):
        for number, line in enumerate(report.text.splitlines(), start=1):
            if name in line:
                return ReportError(f"{report.where(number)}: {message}")
    return ReportError(message)
