"""What a student hands in: the PDF and every source file, the authors' names on top of each.

The PDF is rendered from the files as they are handed in, so that the lines it names are theirs.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from literate.reader import ROOT, parse
from mlp import data

OUTPUT = ROOT / "_output"
NAME = "submission"
LIST = "AUTHORS.txt"
RENDER = (sys.executable, "-m", "render")
# What opens and what closes a comment, by the ending of a file or, where it has none, by its name.
HASH, STARS, ARROWS, TEMPLATE = ("# ", ""), ("/* ", " */"), ("<!-- ", " -->"), ("$-- ", "")
COMMENTS = {
    **dict.fromkeys([".py", ".yml", ".toml", ".txt", ".cff", ".mplstyle"], HASH),
    **dict.fromkeys(["Makefile", "run", ".gitignore", "_environment"], HASH),
    **dict.fromkeys([".css", ".scss"], STARS),
    **dict.fromkeys([".html5", ".typst"], TEMPLATE),  # of Pandoc
    **dict.fromkeys([".tex", ".bib"], ("% ", "")),
    ".lua": ("-- ", ""),
    **dict.fromkeys([".js", ".typ"], ("// ", "")),
    ".md": ARROWS,
    ".qmd": HASH,  # in the front matter, where it has one
}
RECORDED = "results/"  # written by programs, and sealed: a name in it would be an edit
FIRST = re.compile(rb"#!|---\s*$")  # a first line that has to stay the first
PLACEHOLDER = re.compile(r"(?:first|second|third|fourth) author|author \w+|your name|name|", re.I)
GROUP = range(2, 4)  # how many authors the assignment asks for


def main(arguments: list[str] | None = None) -> int:
    """Write _output/submission.zip from what is committed; 0 done, 1 refused, 2 no clone."""
    parser = argparse.ArgumentParser(prog="python -m render.submission", description=__doc__)
    parser.add_argument("--route", default="auto", choices=["auto", "quarto", "direct"])
    parser.add_argument(
        "--force", action="store_true", help=f"whoever the authors are; {LIST} says so"
    )
    options = parser.parse_args(arguments)
    try:
        changed, listed = _git("status", "--porcelain"), _git("ls-files").splitlines()
    except (OSError, subprocess.CalledProcessError):
        print("submission: this needs git and a clone, which tell what the sources are")
        return 2
    if changed:
        print(f"submission: commit first, so that all that belongs to it is handed in:\n{changed}")
        return 1
    files = {name: (ROOT / name).read_bytes() for name in listed}
    names = authors(files["report.qmd"].decode())
    wrong = fault(names)
    if wrong and not options.force:
        print(f"submission: {wrong}; mend `author` on top of report.qmd, or force it (FORCE=1)")
        return 1
    OUTPUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=OUTPUT) as temporary:
        folder = Path(temporary) / NAME
        write(handed_in(files, names, wrong), folder)
        if subprocess.call(
            [*RENDER, "--route", options.route], cwd=folder, env=_environment(folder)
        ):
            return 1
        (folder / "_output" / "report.pdf").replace(folder / "report.pdf")
        packed = Path(temporary) / "packed.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in ("report.pdf", LIST, *listed):
                archive.write(folder / name, f"{NAME}/{name}")
        packed.replace(OUTPUT / f"{NAME}.zip")
    print(f"{OUTPUT / NAME}.zip: by {_and(names)}{', forced' if wrong else ''}")
    return 0


def authors(report: str) -> list[str]:
    """The authors on top of the report."""
    given = parse(report).front.get("author") or []
    return [str(each.get("name") if isinstance(each, dict) else each) for each in given]


def fault(names: Sequence[str]) -> str:
    """Why these cannot be the authors of a submission; empty if they can."""
    for name in names:
        if PLACEHOLDER.fullmatch(name.strip()):
            return f"{name!r} is no author's name"
    if len(set(names)) not in GROUP:
        return f"the assignment is for groups of two or three, not {len(set(names))}"
    return ""


def handed_in(
    files: Mapping[str, bytes], names: Sequence[str], wrong: str = ""
) -> dict[str, bytes]:
    """The files with the authors' names on top, and a list of those that take no comment."""
    signed = {name: sign(name, content, ", ".join(names)) for name, content in files.items()}
    bare = [name for name in files if signed[name] == files[name]]
    lines = [f"Handed in by {_and(names)}.", ""]
    lines += [f"Forced, although {wrong}.", ""] if wrong else []
    lines += ["The names stand on top of every file that takes a comment. These take none:", ""]
    return signed | {LIST: "\n".join([*lines, *bare, ""]).encode()}


def sign(name: str, content: bytes, names: str) -> bytes:
    """A file with the names as a comment on top, below a first line that has to stay the first.

    As it is if it takes no comment.
    """
    path = Path(name)
    comment = COMMENTS.get(path.suffix or path.name)
    if comment is None or name.startswith(RECORDED):
        return content
    first, end, rest = content.partition(b"\n")
    below = FIRST.match(first)
    opening, closing = ARROWS if path.suffix == ".qmd" and not below else comment
    line = f"{opening}{names}{closing}\n".encode()
    return first + end + line + rest if below else line + content


def write(files: Mapping[str, bytes], folder: Path) -> None:
    """Write files into a folder, as executable as those of the project."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        if (ROOT / name).is_file():
            path.chmod((ROOT / name).stat().st_mode)


def _and(names: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def _environment(folder: Path) -> dict[str, str]:
    """The variables for rendering in another folder, with the data that are found here."""
    found = next(filter(None, map(data.find, data.FASHION_MNIST)), None)
    own = {"MLP_DATA": str(found.parent)} if found and "MLP_DATA" not in os.environ else {}
    return {**os.environ, **own, "PYTHONPATH": str(folder)}


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.rstrip()


if __name__ == "__main__":
    sys.exit(main())
