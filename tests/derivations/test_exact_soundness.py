from derivations import REPORT
from tests.derivations.unsound import judged

TEXT = REPORT.read_text(encoding="utf-8")


def test_no_false_step_of_an_edited_report_is_proven() -> None:
    steps = list(judged(TEXT, count=60, seed=7))
    assert [(step.edit.line, step.edit.now) for step in steps if step.unsound] == []
    false = [step for step in steps if step.wrong]
    true = [step for step in steps if not step.wrong]
    assert len(false) > 40
    assert sum(step.proof.proven for step in true) > 0.9 * len(true)
