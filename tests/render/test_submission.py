import subprocess
import sys
import zipfile

import pytest

from literate.reader import ROOT
from render import submission
from render.submission import authors, fault, handed_in, sign

HEAD = '---\nauthor:\n  - name: "A"\n  - name: "B"\n---\n'
# A report.pdf that holds the first lines of a file, as they are where it is rendered.
RENDERS = "import pathlib; p = pathlib.Path('_output'); p.mkdir(); (p / 'report.pdf').write_text("
RENDERS += "pathlib.Path('mlp.py').read_text())"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.py", "x = 1\n", "# A, B\nx = 1\n"),
        (".ci/run", "#!/bin/sh\nls\n", "#!/bin/sh\n# A, B\nls\n"),
        ("a.lua", "x = 1\n", "-- A, B\nx = 1\n"),
        ("README.md", "# T\n", "<!-- A, B -->\n# T\n"),
        ("a.bib", "@book{}\n", "% A, B\n@book{}\n"),
        ("a.scss", "$x: 1;\n", "/* A, B */\n$x: 1;\n"),
        ("a.html5", "<!DOCTYPE html>\n", "$-- A, B\n<!DOCTYPE html>\n"),
        (".gitignore", "a\n", "# A, B\na\n"),
        ("report.qmd", HEAD, HEAD.replace("---\na", "---\n# A, B\na")),
        ("part.qmd", "# One\n", "<!-- A, B -->\n# One\n"),
        ("a.csv", "1,2\n", "1,2\n"),
        ("results/a/summary.yml", "a: 1\n", "a: 1\n"),
        ("LICENSE", "MIT\n", "MIT\n"),
    ],
)
def test_names_stand_on_top_of_every_file_that_takes_a_comment(name, content, expected):
    assert sign(name, content.encode(), "A, B").decode() == expected


def test_a_list_names_the_files_that_take_no_comment():
    files = handed_in({"a.py": b"x = 1\n", "a.csv": b"1\n", "LICENSE": b"MIT\n"}, ["A", "B", "C"])
    assert files["AUTHORS.txt"].decode().splitlines() == [
        "Handed in by A, B and C.",
        "",
        "The names stand on top of every file that takes a comment. These take none:",
        "",
        "a.csv",
        "LICENSE",
    ]


def test_every_text_file_of_the_project_is_signed_but_for_data_and_the_licence():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    bare = {name for name in listed if sign(name, b"x\n", "A") == b"x\n"}
    others = {n for n in bare if not n.startswith("results/")}
    plain = {"LICENSE", "data/fashion-mnist.md5", "figures/page.png"}
    assert others <= plain | {"render/jupyter/kernels/python3/kernel.json"}


def test_the_names_are_those_on_top_of_the_report():
    assert authors(HEAD) == ["A", "B"]
    assert authors("no front matter\n") == []


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["First Author", "Second Author"], "'First Author' is no author's name"),
        (["Ada", " "], "' ' is no author's name"),
        (["Ada"], "the assignment is for groups of two or three, not 1"),
        (["Ada", "Ada"], "the assignment is for groups of two or three, not 1"),
        (["Ada", "Ben", "Cleo", "Dan"], "the assignment is for groups of two or three, not 4"),
        ([], "the assignment is for groups of two or three, not 0"),
        (["Ada", "Ben"], ""),
        (["Ada", "Ben", "Cleo"], ""),
    ],
)
def test_placeholders_and_other_numbers_than_two_or_three_are_no_authors(names, why):
    assert fault(names) == why


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A small clone that is rendered by a line of Python."""
    monkeypatch.setattr(submission, "ROOT", tmp_path)
    monkeypatch.setattr(submission, "OUTPUT", tmp_path / "_output")
    monkeypatch.setattr(submission, "RENDER", (sys.executable, "-c", RENDERS))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    for name, content in {
        "report.qmd": HEAD,
        "mlp.py": "x = 1\n",
        ".gitignore": "_output/\n",
    }.items():
        (tmp_path / name).write_text(content)
    commit(tmp_path)
    return tmp_path


def commit(folder):
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "a"]):
        subprocess.run([*git, *arguments], cwd=folder, check=True)


def test_the_pdf_is_rendered_from_the_files_that_are_handed_in(clone, capsys):
    assert submission.main([]) == 0
    assert capsys.readouterr().out.endswith("submission.zip: by A and B\n")
    with zipfile.ZipFile(clone / "_output" / "submission.zip") as archive:
        assert archive.namelist() == [
            f"submission/{name}"
            for name in ("report.pdf", "AUTHORS.txt", ".gitignore", "mlp.py", "report.qmd")
        ]
        assert archive.read("submission/report.pdf") == b"# A, B\nx = 1\n"
        assert archive.read("submission/mlp.py") == b"# A, B\nx = 1\n"
    assert [path.name for path in (clone / "_output").iterdir()] == ["submission.zip"]


def test_what_is_wrong_with_the_authors_is_refused_or_forced_and_said(clone, capsys):
    (clone / "report.qmd").write_text(HEAD.replace("A", "First Author"))
    commit(clone)
    assert submission.main([]) == 1
    assert "'First Author' is no author's name" in capsys.readouterr().out
    assert not (clone / "_output").exists()
    assert submission.main(["--force"]) == 0
    with zipfile.ZipFile(clone / "_output" / "submission.zip") as archive:
        said = archive.read("submission/AUTHORS.txt").decode()
    assert "Forced, although 'First Author' is no author's name." in said


def test_what_is_not_committed_is_refused(clone, capsys):
    (clone / "new.py").write_text("")
    assert submission.main([]) == 1
    assert "?? new.py" in capsys.readouterr().out


def test_without_a_clone_one_line_says_what_is_needed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(submission, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert submission.main([]) == 2
    assert capsys.readouterr().out.startswith("submission: this needs git and a clone")
