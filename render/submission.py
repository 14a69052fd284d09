"""What a student hands in: the PDF and every source file, the authors' names on top of each."""

import subprocess
import sys
import zipfile
from pathlib import Path

from literate.reader import ROOT, read

COMMENT = {".py": "#", ".yml": "#", ".toml": "#", ".lua": "--", ".typ": "//", ".tex": "%"}


def signed(path: Path, names: str) -> bytes:
    """A file's bytes with the authors' names as a comment on top, below a `#!` line."""
    content = path.read_bytes()
    mark = COMMENT.get(path.suffix, "#" if path.name in ("Makefile", "run") else None)
    if mark is None:
        return content
    first, rest = content.split(b"\n", 1) if content.startswith(b"#!") else (None, content)
    lines = [first] if first else []
    return b"\n".join([*lines, f"{mark} {names}".encode(), rest])


def main() -> int:
    """Write _output/submission.zip from what is committed; exit status 1 if something is not."""
    try:
        changed, names_of_files = _git("status", "--porcelain"), _git("ls-files").splitlines()
    except (OSError, subprocess.CalledProcessError):
        print("submission: this needs git and a clone, which tell what the sources are")
        return 2
    if changed:
        print(f"submission: commit first, so that PDF and sources agree:\n{changed}")
        return 1
    names = ", ".join(author["name"] for author in read(ROOT / "report.qmd").front["author"])
    target = ROOT / "_output" / "submission.zip"
    temporary = target.with_suffix(".tmp")
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(ROOT / "_output" / "report.pdf", "submission/report.pdf")
        for name in names_of_files:
            archive.writestr(f"submission/{name}", signed(ROOT / name, names))
    temporary.replace(target)
    print(f"{target}: by {names}")
    return 0


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.rstrip()


if __name__ == "__main__":
    sys.exit(main())
