"""Makes wrong edits to the derivations of report.qmd, one at a time, and counts the noticed ones.

Run as `python -m tests.derivations.mutate [--count 200] [--seed 1] [report.qmd]`. Exit status 1 if
fewer than 95 % are noticed. Each edit changes one place of one display: a sign, factor, term,
index, transpose, function, quantity, bound, number or relation.

Of all edits (`--count 9999`) about one in a hundred goes unnoticed. They have been looked at one
by one. A few are in the displays that are marked as not checkable. The others leave the statement
true: a 0 added or subtracted; h^s for h^a where only their common sign counts, or behind a gradient
that is 0 for the units on which they differ; another number c than the largest score, since the
softmax allows any; exp for softmax of what is a logarithm of probabilities; a sum of m equal shares
of 1; and, where only a shape is stated, another array of that shape.
"""

import argparse
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from derivations import REPORT
from derivations.verify import check
from literate.reader import parse

ARG = r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}"  # a braced argument, braces within
SUB = rf"(?:_(?:\w|{ARG}))?"
FACTOR = rf"(?:\\pd{ARG}{ARG}|\\(?:WT?|bias){ARG}{SUB}|\\(?:x|ha|oa|hs|os|xT|hsT){SUB}(?!\w|\())"
WORDS = re.compile(rf"\\(?:why|text){ARG}|\\(?:begin|end)\{{\w+\}}")


def _swap(pairs: dict[str, str]) -> list[tuple[str, str]]:
    """Patterns that replace a macro by another one."""
    return [(re.escape(a) + r"(?![A-Za-z])", b) for a, b in pairs.items()]


# For each kind of edit: a pattern and what replaces it. Two edits that leave a statement true are
# left out: a norm is that of the transpose, and rect'(h^a) is rect'(h^s).
KINDS: dict[str, list[tuple[str, str]]] = {
    "flip a sign": [
        (r" \+ ", " - "),
        (r" - ", " + "),
        (r"(?<=[({\[])-", ""),
        (r"(?<== )-", ""),
        (r"(?<=[({\[])(?=\\exp)", "-"),
    ],
    "drop a factor": [
        (r"\\frac\{1\}\{2\} ", ""),
        (r"(?<![\w^{])2 (?=[\\({])", ""),
        (r"\\lambda_\{\d\d\} ", ""),
        (r"\\eta (?:\\, )?", ""),
        (rf"{FACTOR} (?={FACTOR})", ""),
        (rf"(?<=[}}\w]) {FACTOR}(?= *(?:\\why|[.,]|$))", ""),
        (r" (?:\\left)?\( 1 - .*?(?:\\right)?\)(?= [.\\])", ""),
    ],
    "drop a 1/K": [(r"\\frac\{1\}\{[Kn]\} ", ""), (r"\\frac\{\\eta\}\{n\}", r"\\eta")],
    "drop a term": [
        (rf" [+-] (?:\\lambda_\{{\d\d\}} )?(?:\\norm\w+{ARG}|{FACTOR})(?= *(?:\\why|[.,]|$))", ""),
        (r"(?<=[({])1 \+ (?=\\exp)", ""),
        (r" [+-] (?:\\exp|\\ind|\\onehot_m|\\log|\\tanh\^2)[({][^()]*[)}]", ""),
        (r" - [01](?=[ )])", ""),
    ],
    "swap an index": [
        (r"_\{([a-z])([a-z])\}", r"_{\2\1}"),
        *[(rf"(?<=[}}\w])_(?!{c})[jklpqy](?=[ ^}})]|$)", f"_{c}") for c in "jkp"],
        *[(rf"_\{{(?!{c})[a-z]([a-z])\}}", rf"_{{{c}\1}}") for c in "jk"],
        *[(rf"_\{{([a-z])(?!{c})[a-z]\}}", rf"_{{\1{c}}}") for c in "jp"],
    ],
    "transpose": [
        (r"\\WT", r"\\W"),
        (r"(?<!norm...\{)\\W(?=\{)", r"\\WT"),
        *_swap({r"\hsT": r"\\hs", r"\xT": r"\\x", r"\onesT": r"\\ones", r"\ones": r"\\onesT"}),
        (r"\\hs(?![A-Za-z])", r"\\hsT"),
        (r"(?<!norm...\{)\\x(?![A-Za-z])", r"\\xT"),
    ],
    "swap factors": [
        (rf"(\\WT?\{{\d\}}) (\\(?:x|hs|pd{ARG}{ARG}))(?![\w_])", r"\2 \1"),
        (rf"(\\pd{ARG}{ARG}) (\\(?:hsT|xT|ones))(?!\w)", r"\2 \1"),
        (r"(\\bias\{\d\}) (\\onesT)", r"\2 \1"),
    ],
    "replace a function": [
        *_swap({r"\exp": r"\\tanh", r"\log": r"\\exp", r"\tanh": r"\\sigmoid", r"\max": r"\\min"}),
        *_swap({r"\sigmoid": r"\\tanh", r"\softplus": r"\\sigmoid", r"\rect": r"\\abs"}),
        *_swap({r"\abs": r"\\rect", r"\sign": r"\\rect", r"\softmax": r"\\exp"}),
        *_swap({r"\logsumexp": r"\\max", r"\normone": r"\\normtwo", r"\normtwo": r"\\normone"}),
        (r"'(?=\()", ""),
        (r"\\odot ", ""),
    ],
    "replace a quantity": [
        (r"(?<!rect'\()\\ha(?![A-Za-z])", r"\\hs"),
        *_swap({r"\hs": r"\\ha", r"\oa": r"\\os", r"\os": r"\\oa"}),
        *_swap({r"\RK": r"\\loss", r"\R": r"\\Rt", r"\Rt": r"\\pen"}),
        (r"(?<=\\W\{)1", "2"),
        (r"(?<=\\W\{)2", "1"),
        (r"(?<=\\bias\{)1", "2"),
        (r"(?<=\\bias\{)2", "1"),
        (r"(?<=lambda_\{)12", "21"),
        (r"(?<=lambda_\{)(?:11|22)", "12"),
    ],
    "change a bound or size": [
        (r"(?<=\^\{)m(?=\})", "K"),
        (r"(?<=\^\{)d(?=\})", "m"),
        (r"(?<=\^\{)d_h(?=\})", "d"),
        (r"(?<=\^\{)[Kn](?=\})", "m"),
        (r"(?<=[{ ])d_h(?= \\times)", "m"),
        (r"(?<=\\times )(?:d|m|K|d_h)(?=\})", "n"),
    ],
    "change a number": [
        (r"(?<=\^)2", "3"),
        (r"(?<=/)2", "3"),
        (r"(?<=[ (=])1(?= [+\-.&])", "2"),
        (r"(?<=[ (])0(?=[ ,])", "1"),
        (r"(?<=\{)1(?=\})", "3"),
    ],
    "change a relation": [(r"(?<= )>(?= )", "<"), (r"(?<= )<(?= )", ">")],
}


class Edit(NamedTuple):
    """One wrong edit: its kind, the line of its display, the report with it, and what it did."""

    kind: str
    display: int
    text: str
    line: int
    was: str
    now: str


def edits(text: str, count: int, seed: int) -> Iterator[Edit]:
    """Up to `count` different edits, the kinds in turn, drawn with the seed."""
    rng = random.Random(seed)
    sites: dict[str, list[tuple[int, int, str, int]]] = {kind: [] for kind in KINDS}
    for display in parse(text).displays:
        begun = display.start + len("$$")
        latex = WORDS.sub(lambda words: "\0" * len(words[0]), display.latex)
        for kind, patterns in KINDS.items():
            for pattern, new in patterns:
                for found in re.finditer(pattern, latex, re.M):
                    start = begun + found.start()
                    replaced = found.expand(new)
                    if replaced != found[0] and "\0" not in found[0]:
                        sites[kind].append((start, start + len(found[0]), replaced, display.line))
    queues = [(kind, rng.sample(places, len(places))) for kind, places in sites.items()]
    while count and any(queue for _, queue in queues):
        for kind, queue in queues:
            if queue and count:
                start, end, new, display = queue.pop()
                count -= 1
                line = text.count("\n", 0, start) + 1
                edited = text[:start] + new + text[end:]
                was, now = text.split("\n")[line - 1], edited.split("\n")[line - 1]
                yield Edit(kind, display, edited, line, was, now)


def notices(edit: Edit) -> str:
    """What the checker says about an edited report; empty if it notices nothing."""
    verdicts = check(edit.text, symbolically=False, only=edit.display)
    return next((v.failure for v in verdicts if v.failure), "")


def main(arguments: list[str]) -> int:
    """Run the edits; print those that go unnoticed, and the totals by kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", nargs="?", type=Path, default=REPORT)
    parser.add_argument("--count", type=int, default=200, help="how many edits (default 200)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true", help="print what is said of each edit")
    options = parser.parse_args(arguments)
    text = options.report.read_text(encoding="utf-8")
    if wrong := [v for v in check(text, symbolically=False) if v.failure]:
        print(f"{options.report} is wrong before any edit, {wrong[0].failure}", file=sys.stderr)
        return 2
    made: Counter[str] = Counter()
    noticed: Counter[str] = Counter()
    for edit in edits(text, options.count, options.seed):
        made[edit.kind] += 1
        said = notices(edit)
        noticed[edit.kind] += bool(said)
        if not said or options.verbose:
            print(f"line {edit.line}, {edit.kind}: {said or 'UNNOTICED'}")
            print(f"  - {edit.was}\n  + {edit.now}")
    for kind in KINDS:
        print(f"{kind:24} {noticed[kind]:4} of {made[kind]:4} noticed")
    share = noticed.total() / max(1, made.total())
    print(f"{'all':24} {noticed.total():4} of {made.total():4} noticed, {share:.1%}")
    return 0 if share >= 0.95 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
