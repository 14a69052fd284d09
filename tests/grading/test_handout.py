import ast
import os
import re
import subprocess
import sys
import zipfile

import pytest
from pypdf import PdfReader

from derivations.examine import examine
from derivations.feedback import described, wrong
from derivations.questions import load
from grading import editions, grade, handout
from grading.hollow import MODULES, Answered, hollow, question
from grading.rubric import load as load_rubric
from grading.trust import run
from literate.reader import REPORT, ROOT, parse
from literate.source import unwritten
from tests.render.conftest import NEEDS_QUARTO

REPORT_TEXT = REPORT.read_text(encoding="utf-8")
WHOLE = parse(REPORT_TEXT)
LONG = 20  # characters from which on a sentence or a line says something of its own
# Of these, no line is handed out.
ANSWERING = (*(f"mlp/{name}.py" for name in MODULES), "mlp/fast.py", "mlp/stack.py")
# Statements that stand elsewhere, too, and answer nothing.
COMMON = {
    "bound = 1 / np.sqrt(n_c)",  # the assignment's own
    "circles = data.circles()",
    "lambdas = Lambdas(0.01, 0.02, 0.03, 0.04)",
    "rng = np.random.default_rng(seed)",
    "train, valid, test = splits",
    "return type(self)(*(f(*arrays) for arrays in zip(self, *others, strict=True)))",  # a tool
    "block = np.empty(24 * 2 ** 20, np.uint8)",  # a tool
}


@pytest.fixture(scope="module")
def files():
    return handout.edition()


@pytest.fixture(scope="module")
def texts(files):
    """The text files of the handout, each on one line."""
    return {
        name: " ".join(content.decode().split())
        for name, content in files.items()
        if name != "derivations/sealed.b85"
    }


@pytest.fixture(scope="module")
def text(files):
    return files["report.qmd"].decode()


@pytest.fixture(scope="module")
def folder(files, tmp_path_factory):
    """The handout, unpacked."""
    target = tmp_path_factory.mktemp("class") / "handout"
    handout.write(files, target)
    return target


def answers():
    """Where the report answers something: from, up to."""
    places = [0, *(h.start for h in WHOLE.headings), len(REPORT_TEXT)]
    for heading, end in zip(WHOLE.headings, places[2:], strict=True):
        if question(heading.label) or heading.label not in ("sec-notation", "sec-a", "sec-b"):
            asked = re.compile(r"\*\*Asked\.\*\*.*?\n\n", re.DOTALL).search(
                REPORT_TEXT, heading.end, end
            )
            yield asked.end() if asked else heading.end, end


def in_an_answer(piece):
    return any(begin <= piece.start < end for begin, end in answers())


def sentences():
    """Every sentence of an answer, on one line, with its formulas."""
    shown = list(REPORT_TEXT)
    for piece in (*WHOLE.chunks, *WHOLE.blocks, *WHOLE.comments, *WHOLE.displays):
        shown[piece.start : piece.end] = "\n" * (piece.end - piece.start)
    for begin, end in answers():
        for sentence in re.split(r"(?<=[.:?])\s+|\n\s*\n", "".join(shown[begin:end])):
            said = " ".join(sentence.split())
            if len(said) >= LONG and not said.startswith(":::"):
                yield said


def code_of(source):
    """Every statement of some length in the bodies of functions, written in one way."""
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef):
            yield from statements(function)


def statements(tree):
    """The statements below, but for imports, docstrings and short ones, written in one way."""
    for node in ast.walk(tree):
        simple = isinstance(node, ast.stmt) and not hasattr(node, "body")
        if simple and not isinstance(node, ast.Import | ast.ImportFrom | ast.Raise):
            said = ast.unparse(node)
            docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            if len(said) >= LONG and not docstring:
                yield said


# --- nothing of an answer is handed out ------------------------------------------------------


def test_no_sentence_of_an_answer_is_handed_out(texts):
    found = list(sentences())
    assert len(found) > 500
    for sentence in found:
        for name, content in texts.items():
            assert sentence not in content, (name, sentence)


def test_no_display_of_an_answer_is_handed_out_but_for_definitions(texts):
    def plain(latex):
        return re.sub(r"[\s&.,]|\\\\", "", latex)

    given = plain(" ".join(d.latex for d in WHOLE.displays if not in_an_answer(d)))
    displays = [plain(d.latex) for d in WHOLE.displays if in_an_answer(d)]
    own = [latex for latex in displays if latex not in given]
    assert len(own) > 100
    contents = {name: plain(content) for name, content in texts.items()}
    for latex in own:
        for name, content in contents.items():
            assert latex not in content, (name, latex)


def test_no_line_of_the_code_of_an_answer_is_handed_out(files):
    answering = {
        said for name in ANSWERING for said in code_of((ROOT / name).read_text(encoding="utf-8"))
    }
    answering |= {
        said
        for chunk in WHOLE.chunks
        if in_an_answer(chunk)
        for said in statements(ast.parse(chunk.code))
    }
    assert len(answering) > 400
    code = {name: content.decode() for name, content in files.items() if name.endswith(".py")}
    code |= {f"chunk {c.label}": c.code for c in parse(files["report.qmd"].decode()).chunks}
    for name, content in code.items():
        found = set(statements(ast.parse(content))) & answering - COMMON
        assert not found, (name, found)


def test_the_results_the_tuned_settings_and_the_checker_are_not_handed_out_in_the_open(files):
    assert not [name for name in files if name.startswith(("results", "experiments", "mlp/bench"))]
    assert [name for name in files if name.startswith("derivations/")] == [
        "derivations/__main__.py",
        "derivations/sealed.b85",
    ]
    assert b"sigmoid" not in files["derivations/sealed.b85"]


def test_no_sentence_of_an_answer_is_found_in_the_pdf(folder):
    def letters(text):
        return re.sub(r"[^A-Za-z]", "", text)

    rendered(folder, "-m", "render", "--route", "direct")
    pages = PdfReader(folder / "_output" / "report.pdf").pages
    pdf = letters("".join(page.extract_text() for page in pages))
    assert letters("Show that the derivative of") in pdf
    assert pdf.count(letters("Not answered yet")) == 37
    runs = {letters(run) for said in sentences() for run in re.split(r"\$[^$]*\$|`[^`]*`", said)}
    long = {run for run in runs if len(run) >= 2 * LONG}
    assert len(long) > 250
    assert not {run for run in long if run in pdf}


def rendered(folder, *arguments):
    """Run Python in the handout; what it prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "MLP_DATA": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@NEEDS_QUARTO
def test_it_renders_with_quarto(folder):
    rendered(folder, "-m", "render", "--route", "quarto")
    pages = PdfReader(folder / "_output" / "report.pdf").pages
    assert " ".join(page.extract_text() for page in pages).count("Not answered yet") == 37


# --- what is handed out ----------------------------------------------------------------------


def test_every_question_is_asked_and_has_an_empty_place(text):
    report = parse(text)
    asked = [h.label for h in report.headings if question(h.label) and h.level == 2]
    assert asked == [h.label for h in WHOLE.headings if h.level == 2 and question(h.label)]
    assert len(asked) == 37
    assert text.count("**Asked.**") == text.count("*Not answered yet.*") == 37
    labels = {label.name for label in report.labels}
    assert {reference.name for reference in report.references} <= labels


def test_functions_of_an_answer_raise_an_error_that_names_the_question(files):
    says = dict(unwritten(files["mlp/model.py"].decode()))
    assert says["fprop"] == "b.1, b.2, b.3: not answered yet"
    assert says["count"] == "b.5: not answered yet"
    assert says["bprop"] == "p.6: not answered yet"
    before = {
        n.name: n
        for n in ast.walk(ast.parse((ROOT / "mlp/model.py").read_text("utf-8")))
        if isinstance(n, ast.FunctionDef)
    }
    for function in ast.walk(ast.parse(files["mlp/model.py"])):
        if isinstance(function, ast.FunctionDef):
            whole = before[function.name]
            assert ast.unparse(function.args) == ast.unparse(whole.args)
            if whole.name in says:
                first = ast.get_docstring(whole).partition("\n\n")[0]
                assert ast.get_docstring(function).partition("\n\n")[0] == first


def test_code_that_is_new_is_not_handed_out_but_for_its_docstring():
    source = 'def f(x):\n    """One."""\n    # how\n    return x  # why\n\n\ndef _g():\n    pass\n'
    emptied = hollow(source, "model", Answered({}, {}))
    assert emptied == (
        'def f(x):\n    """One."""\n    raise NotImplementedError("p.5: not answered yet")\n'
    )


def test_text_that_is_new_is_not_handed_out_by_default():
    new = (
        "\n::: {.mistake}\nA mistake.\n:::\n\n**Worked.** Numbers.\n"
        "\n# Exercises {.unnumbered #sec-more}\n\nAn exercise.\n"
    )
    changed = REPORT_TEXT.replace("\n## The logarithm of the sigmoid", f"{new}\n## The logarithm")
    assert changed != REPORT_TEXT
    found = editions.handout(changed, (), {})
    for said in ("A mistake", "Numbers", "exercise", "Exercises"):
        assert said not in found


def test_the_zip_holds_the_folder(folder, files):
    with zipfile.ZipFile(folder.with_suffix(".zip")) as archive:
        assert set(archive.namelist()) == {f"handout/{name}" for name in files}
        assert archive.read("handout/report.qmd") == files["report.qmd"]


def test_two_handouts_of_the_same_source_are_the_same(files):
    assert handout.edition() == files


def test_the_verbs_of_students_are_those_that_work_for_them(files):
    makefile = files["Makefile"].decode()
    assert re.findall(r"^\.PHONY: (\w+)", makefile, re.MULTILINE) == [
        "help", "report", "quarto", "preview", "test", "derivations", "data", "experiments",
        "submission", "clean",
    ]  # fmt: skip
    assert "torch" not in makefile


# --- what students are told ------------------------------------------------------------------


def replaced(text, *labels):
    """The report of the handout with the answers of some sections put back in."""
    for label in labels:
        place = section(parse(text), label)
        whole = section(WHOLE, label)
        text = text[: place.start] + REPORT_TEXT[whole.start : whole.stop] + text[place.stop :]
    return text


def section(report, label):
    (heading,) = (h for h in report.headings if h.label == label)
    ends = [h.start for h in report.headings if h.start > heading.start]
    return slice(heading.start, min(ends, default=len(report.text)))


def told(folder, text):
    """What `python -m derivations` says in the handout of this report, by question."""
    (folder / "report.qmd").write_text(text, encoding="utf-8")
    said = rendered(folder, "-m", "derivations")
    return {entry[:6].strip(): entry for entry in re.split(r"\n(?=\w)", said)}


def test_answers_put_back_one_by_one_are_told_to_be_right(folder, text):
    assert all("not answered yet" in said for said in told(folder, text).values())
    said = told(folder, replaced(text, "sec-a1", "sec-b9", "sec-b10", "sec-p2"))
    assert said["a.1"].splitlines()[0] == "a.1    right in part"
    assert said["a.1"].count("missing") == 1
    assert said["b.9"] == "b.9    right"
    assert said["b.10"].count("missing") == 1
    assert said["p.2"] == "p.2    there"
    assert "not answered yet" in said["b.11"]
    (folder / "report.qmd").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("label", ["sec-a5", "sec-b1", "sec-b11"])
def test_an_answer_put_back_into_the_handout_is_proven(text, label):
    name = question(label)
    before, after = (examine(t).answers[name] for t in (text, replaced(text, label)))
    assert not any(answer.proven for answer in before)
    assert all(answer.proven for answer in after)


def test_what_is_wrong_is_named_by_its_line_and_not_by_how_much(text):
    place = section(parse(text), "sec-b1")
    own = text[place].replace("*Not answered yet.*", "$$\n\\ha = \\W{1} \\x .\n$$")
    answer = text[: place.start] + own + text[place.stop :]
    found = wrong(examine(answer), "b.1")
    line = answer[: answer.index(r"\ha = \W{1} \x .")].count("\n")
    assert found == [f"line {line}: step 1, line {line + 1}: does not hold"]


def test_what_is_missing_is_described_without_what_would_answer_it():
    for claim in (c for q in load() for c in q.claims if c.asked):
        said = described(claim)
        if claim.kind == "show" and claim.relation == "=":
            left, _, right = claim.text.partition(" = ")
            answer = left if left.startswith("(") else right
            assert answer == "1" or answer not in said, said
        for _, value in claim.rows:
            assert str(value) not in said
        assert "in:" not in said


def test_the_tests_handed_out_pass_with_the_answers_and_wait_without(folder):
    waiting = rendered(folder, "-m", "pytest", "-q", "tests/mlp/test_penalty.py")
    assert "SKIPPED" in waiting
    assert "b.18: not answered yet" in waiting


def test_the_handout_has_no_points_and_answers_put_back_have_theirs(files, tmp_path, text):
    handout.write(files, tmp_path / "none")
    nothing = grade(tmp_path / "none", load_rubric(), run)
    assert nothing.points == 0
    assert {item.status for item in nothing.items} == {"missing"}
    answered = {"report.qmd": replaced(text, "sec-a5", "sec-b1").encode()}
    answered["mlp/functions.py"] = (ROOT / "mlp/functions.py").read_bytes()
    handout.write({**files, **answered}, tmp_path / "some")
    some = {item.question: item for item in grade(tmp_path / "some", load_rubric(), run).items}
    assert some["a.5"].points == some["a.5"].of
    assert some["b.1"].points == load_rubric().items["b.1"].claims
    assert 0 < some["a.1"].points < some["a.1"].of  # its code alone
    assert some["b.2"].points == some["p.1"].points == 0
