"""The students' edition of the project: a folder and a zip of it, made from the same source.

What is handed out is named here, file by file or by pattern, and nothing else is. `hollow` empties
the modules that carry out answers, `editions` the report; `handed/` has what is made for students
alone. The checker goes along, sealed: not secret, but nobody reads an answer in it by accident.
"""

import base64
import io
import re
import shutil
import sys
import tempfile
import textwrap
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from grading.editions import handout
from grading.hollow import MODULES, answered, hollow
from grading.rubric import Rubric, load
from literate.reader import ROOT, parse
from literate.source import unwritten

AS_IT_IS = (
    *(".gitignore", "LICENSE", "_environment", "_quarto.yml", "references.bib"),
    *("requirements.txt", "requirements-dev.txt", "data/README.md", "data/*.md5"),
    *("render/**/*.py", "render/*.lua", "render/*.yml", "render/templates/*"),
    "literate/*.py",
    *(
        f"figures/{name}.py"
        for name in ("__init__", "circles", "curves", "gradients", "moving", "style")
    ),
    *("figures/tables.py", "figures/*.mplstyle"),
    *(f"mlp/{name}.py" for name in ("__init__", "__main__", "commands", "data", "files", "log")),
    *(f"mlp/{name}.py" for name in ("mapping", "messages", "processes", "settings", "streams")),
    "mlp/lab/*.py",
    *("tests/__init__.py", "tests/conftest.py", "tests/mlp/__init__.py"),
    *(f"tests/mlp/test_{name}.py" for name in ("data", "functions", "log", "loop", "model")),
    "tests/mlp/test_penalty.py",
)
# Not with the others: these tell the shapes that are asked for, and train what is asked for.
TELLING = ("literate/appendix.py", "literate/shapes.py", "mlp/lab/capacity.py")
HANDED = ROOT / "grading" / "handed"
VERBS = (
    *("help", "report", "quarto", "preview", "test", "derivations", "data", "experiments"),
    *("submission", "clean"),
)
TABLES = ("project", "tool.ruff", "tool.pytest", "build-system")  # of pyproject.toml
UNSEALED = ("__init__", "__main__", "program", "support")  # of the checker: need the answers
SECTION = "## For students"  # of README.md


def edition(root: Path = ROOT) -> dict[str, bytes]:
    """Every file of the students' edition, by its path. Raises OSError, ValueError."""
    given = [path for path in _matching(root, AS_IT_IS) if path not in TELLING]
    texts = {path: (root / path).read_bytes() for path in given}
    own = {str(path.relative_to(HANDED)): path.read_bytes() for path in _files(HANDED)}
    report = parse((root / "report.qmd").read_text(encoding="utf-8"))
    told = answered(report)
    code = {
        f"mlp/{name}.py": hollow((root / "mlp" / f"{name}.py").read_text("utf-8"), name, told)
        for name in MODULES
    }
    notes = _notes(code, load())
    made = code | {
        "report.qmd": handout(report.text, {*texts, *own, *code}, notes),
        "README.md": students_page((root / "README.md").read_text("utf-8")),
        "Makefile": verbs((root / "Makefile").read_text("utf-8")),
        "pyproject.toml": tables((root / "pyproject.toml").read_text("utf-8")),
        "derivations/sealed.b85": sealed(root / "derivations"),
    }
    return texts | own | {path: text.encode() for path, text in made.items()}


def _matching(root: Path, patterns: tuple[str, ...]) -> Iterator[str]:
    for pattern in patterns:
        found = [path for path in sorted(root.glob(pattern)) if "__pycache__" not in path.parts]
        if not found:
            raise ValueError(
                f"{pattern}: there is no such file to hand out; mend grading/handout.py"
            )
        yield from (str(path.relative_to(root)) for path in found if path.is_file())


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def _notes(code: Mapping[str, str], rubric: Rubric) -> dict[str, str]:
    """What else an answer consists of, by section: functions, and what the report has to show."""
    notes: dict[str, str] = {}
    for question, worth in rubric.items.items():
        functions = [
            f"{name} in {path}"
            for path, source in code.items()
            for name, says in unwritten(source)
            if question in re.findall(r"[abp]\.\d+", says)
        ]
        said = [f"Code: {', '.join(functions)}."] if functions else []
        for label in worth.checks.get("document", ()):
            shown = rubric.shown[label]
            of = shown.about.get("of", {})
            made = of.values() if isinstance(of, Mapping) else [of] if isinstance(of, str) else of
            said.append(f"{label}: {shown.kind}" + (f" of {', '.join(made)}." if made else "."))
        notes[f"sec-{question.replace('.', '')}"] = "\n     ".join(said)
    return notes


def students_page(readme: str) -> str:
    """The page for students: the title of README.md and its section for them."""
    title = readme.partition("\n")[0]
    _, found, below = readme.partition(f"\n{SECTION}\n")
    if not found:
        raise ValueError(f"README.md: no section {SECTION!r}, which students are given; write one")
    return f"{title}\n{below.partition(chr(10) + '## ')[0].rstrip()}\n"


def verbs(makefile: str) -> str:
    """The Makefile with those verbs alone that students have."""
    kept = []
    for paragraph in re.split(r"\n\n+", makefile.strip("\n")):
        verb = re.search(r"^\.PHONY: (\w+)$", paragraph, re.MULTILINE)
        if (
            verb[1] in VERBS
            if verb
            else not paragraph.startswith(("PIN ", "$(VENV)/requirements-"))
        ):
            kept.append(paragraph)
    return "\n\n".join(kept) + "\n"


def tables(toml: str) -> str:
    """pyproject.toml with those tables alone that students need."""
    pieces = re.split(r"(?m)^(?=\[)", toml)
    return "".join(piece for piece in pieces if piece.lstrip("[").startswith(TABLES))


def sealed(folder: Path) -> str:
    """The checker as lines of text that say nothing: a zip in base 85."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_member("derivations/__init__.py"), "")
        for path in _files(folder):
            top = path.parent == folder
            if path.suffix in (".py", ".yml") and not (top and path.stem in UNSEALED):
                archive.writestr(
                    _member(f"derivations/{path.relative_to(folder)}"), path.read_bytes()
                )
    return "\n".join(textwrap.wrap(base64.b85encode(packed.getvalue()).decode(), 100)) + "\n"


def _member(name: str) -> zipfile.ZipInfo:
    """An entry of an archive that does not depend on when it is made."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def write(files: Mapping[str, bytes], target: Path) -> None:
    """Write a folder, in place of one that is there, and a zip of it beside it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
        folder = Path(temporary) / target.name
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        packed = Path(temporary) / "packed.zip"
        with zipfile.ZipFile(packed, "w") as archive:
            for name, content in sorted(files.items()):
                archive.writestr(_member(f"{target.name}/{name}"), content)
        shutil.rmtree(target, ignore_errors=True)
        folder.replace(target)
        packed.replace(target.with_suffix(".zip"))


def main() -> int:
    """Write _output/handout/ and _output/handout.zip; 1 if they cannot be made."""
    target = ROOT / "_output" / "handout"
    try:
        files = edition()
        write(files, target)
    except (OSError, ValueError) as error:
        print(f"grading.handout: {error}", file=sys.stderr)
        return 1
    print(f"{target}, and as {target.name}.zip: {len(files)} files for students")
    return 0


if __name__ == "__main__":
    sys.exit(main())
