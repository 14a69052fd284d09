"""Which steps of the report are proven for all sizes and values: `python -m derivations.exact`."""

import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from derivations import meaning
from derivations.exact.assignment import SHAPES, context
from derivations.exact.prover import Proof, prove
from derivations.latex import Node, ParseError, Statement, parse
from derivations.read import displays, macros, tokens

BATCH = {"K", r"\mathbf 1_K", r"\hat R_K", r"\mathbf y", r"\mathbf v"}


def main(arguments: list[str]) -> int:
    text = Path(arguments[0]).read_text(encoding="utf-8")
    known = macros(text)
    own: dict[str, Node] = {}
    start = time.perf_counter()
    counts: Counter[tuple[str, str]] = Counter()
    for display in displays(text):
        conditions = []
        skip = False
        for comment in display.comments:
            if comment.startswith("skip "):
                skip = True
                continue
            (c,) = parse(tokens(comment, display.line, known), meaning.NAMES)
            conditions.append(c.as_node())
        if skip:
            continue
        statements = parse(tokens(display.latex, display.line, known), meaning.NAMES)
        for statement in statements:
            statement = replace(statement, conditions=tuple(conditions))
            f = statement.first
            if f.op == "symbol" and (f.name not in SHAPES or f.name == "c") and f.name not in ("n_\\theta",) and len(statement.steps) == 1 and statement.steps[0].relation == "=":
                own[f.name] = statement.steps[0].right
        batch = display.question == "b-batch" or any(n.name in BATCH for s in statements for n in s.nodes)
        here = context("K" if batch else "1", own)
        line = f"{display.question:9} {display.line:4}"
        for statement in statements:
            proofs = prove(replace(statement, conditions=tuple(conditions)), here)
            for n, p in enumerate(proofs, 1):
                counts[display.question, p.verdict] += 1
                print(line, n, p.verdict, p.how, ",".join(p.uses))
    print(time.perf_counter() - start)
    print(counts)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
