"""Grades a submission: for each of the 37 items, points, evidence, and where it stands.

`rubric` reads rubric.yml, what each item is worth. `judge` gathers evidence of four kinds:
`claims` proven from the submission's own LaTeX, `functions` run on hidden inputs, `document`, what
the report shows, and `results`, a run trained again. What of it needs the submission's code is done
by `probe`, inside a `sandbox`, and read back by `gather` as plain values; points are computed here.
`submission` is how a folder, a zip or a revision becomes a folder that one may look at, `watch`
ends what takes too much. `many` grades a class; `similar` says who is alike, `overview` what was
hard.
`items` is what a grade consists of, `overrides` what a teacher changes in it, `exports` and `sheet`
write it.
"""

from grading.items import Evidence, Grade, Item
from grading.judge import grade

__all__ = ["Evidence", "Grade", "Item", "grade"]
