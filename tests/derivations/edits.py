"""Single edits of a report's mathematics: one place of one formula, reason, comment or row."""

import random
import re
from collections.abc import Iterator
from typing import NamedTuple

from derivations.inline import examine_inlines
from derivations.questions import load
from derivations.rules import rules
from literate.reader import parse

ARG = r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}"  # a braced argument, braces within
SUB = rf"(?:_(?:\w|{ARG}))?"
FACTOR = rf"(?:\\pd{ARG}{ARG}|\\(?:WT?|bias){ARG}{SUB}|\\(?:x|ha|oa|hs|os|xT|hsT){SUB}(?!\w|\())"
WORDS = re.compile(rf"\\(?:why|text){ARG}|\\(?:begin|end)\{{\w+\}}")


def _swap(pairs: dict[str, str]) -> list[tuple[str, str]]:
    """Patterns that replace a macro by another one."""
    return [(re.escape(a) + r"(?![A-Za-z])", b) for a, b in pairs.items()]


# For each kind of edit of a formula: patterns, and what replaces them.
KINDS: dict[str, list[tuple[str, str]]] = {
    "flip a sign": [
        (r" \+ ", " - "),
        (r" - ", " + "),
        (r"(?<=[({\[])-", ""),
        (r"(?<== )-", ""),
        (r"(?<=[({\[])(?=\\exp)", "-"),
        (r"(?<== )(?=\\pd|\\frac|\\sum|\\os|\\ha)", "-"),
    ],
    "drop a factor": [
        (r"\\frac\{1\}\{2\} ", ""),
        (r"(?<![\w^{])2 (?=[\\({])", ""),
        (r"\\lambda_\{\d\d\} ", ""),
        (r"\\eta (?:\\, )?", ""),
        (rf"{FACTOR} (?={FACTOR})", ""),
        (rf"(?<=[}}\w]) {FACTOR}(?= *(?:\\why|[.,]|$))", ""),
        (r" (?:\\left)?\( 1 - .*?(?:\\right)?\)(?= [.\\])", ""),
        (r"\\frac\{1\}\{[KnN]\} ", ""),
        (r"\\frac\{\\eta\}\{n\}", r"\\eta"),
    ],
    "add a factor or a term": [
        (r"(?<== )(?=\\)", "2 "),
        (r"(?<== )(?=\\)", "0 + "),
        (r"(?<== )(?=\\(?!leftarrow))", r"1 \\cdot "),
        (r"(?= (?:[.,]|\\why))", " + 0"),
    ],
    "drop a term": [
        (rf" [+-] (?:\\lambda_\{{\d\d\}} )?(?:\\norm\w+{ARG}|{FACTOR})(?= *(?:\\why|[.,]|$))", ""),
        (r"(?<=[({])1 \+ (?=\\exp)", ""),
        (r" [+-] (?:\\exp|\\ind|\\onehot_m|\\log|\\tanh\^2)[({][^()]*[)}]", ""),
        (r" - [01](?=[ )])", ""),
    ],
    "swap an index": [
        (r"_\{([a-z])([a-z])\}", r"_{\2\1}"),
        *[(rf"(?<=[}}\w])_(?!{c})[jklpqyri](?=[ ^}})]|$)", f"_{c}") for c in "jkpqry"],
        *[(rf"_\{{(?!{c})[a-z]([a-z])\}}", rf"_{{{c}\1}}") for c in "jki"],
        *[(rf"_\{{([a-z])(?!{c})[a-z]\}}", rf"_{{\1{c}}}") for c in "jpi"],
    ],
    "drop an index": [(r"(?<=[}\w])_[jklpqyri](?=[ ^})]|$)", ""), (r"_\{([a-z])i\}", r"_\1")],
    "transpose": [
        (r"\\WT", r"\\W"),
        (r"\\W(?=\{)", r"\\WT"),
        *_swap({r"\hsT": r"\\hs", r"\xT": r"\\x", r"\onesT": r"\\ones", r"\ones": r"\\onesT"}),
        (r"\\hs(?![A-Za-z])", r"\\hsT"),
        (r"\\x(?![A-Za-z])", r"\\xT"),
        (r"\\top", "a"),
    ],
    "swap factors": [
        (rf"(\\WT?\{{\d\}}) (\\(?:x|hs|pd{ARG}{ARG}))(?![\w_])", r"\2 \1"),
        (rf"(\\pd{ARG}{ARG}) (\\(?:hsT|xT|ones))(?!\w)", r"\2 \1"),
        (r"(\\bias\{\d\}) (\\onesT)", r"\2 \1"),
        (r"(\\W\{1\}) (\\mathbf\{P\})", r"\2 \1"),
    ],
    "replace a function": [
        *_swap({r"\exp": r"\\tanh", r"\log": r"\\exp", r"\tanh": r"\\sigmoid", r"\max": r"\\min"}),
        *_swap({r"\sigmoid": r"\\tanh", r"\softplus": r"\\sigmoid", r"\rect": r"\\abs"}),
        *_swap({r"\abs": r"\\rect", r"\sign": r"\\rect", r"\softmax": r"\\exp"}),
        *_swap({r"\logsumexp": r"\\max", r"\normone": r"\\normtwo", r"\normtwo": r"\\normone"}),
        *_swap({r"\arg\min": r"\\arg\\max", r"\cos": r"\\exp"}),
        (r"'(?=\()", ""),
        (r"\\odot ", ""),
    ],
    "replace a quantity": [
        *_swap({r"\ha": r"\\hs", r"\hs": r"\\ha", r"\oa": r"\\os", r"\os": r"\\oa"}),
        *_swap({r"\RK": r"\\loss", r"\R": r"\\Rt", r"\Rt": r"\\pen", r"\pen": r"\\R"}),
        (r"(\\WT?\{)1", r"\g<1>2"),
        (r"(\\WT?\{)2", r"\g<1>1"),
        (r"(?<=\\bias\{)1", "2"),
        (r"(?<=\\bias\{)2", "1"),
        (r"\\bias(?=\{)", r"\\W"),
        (r"\\W(?=\{)", r"\\bias"),
        (r"(?<=lambda_\{)12", "21"),
        (r"(?<=lambda_\{)(?:11|22)", "12"),
        *_swap({r"\eta": r"\\mu", r"\mu": r"\\eta", r"\varepsilon": "s"}),
    ],
    "change the context": [
        *_swap({r"\RK": r"\\R", r"\R": r"\\RK", r"\Rt": r"\\R", r"\y": "y", r"\ones": r"\\x"}),
        (r"\\loss_i", r"\\loss"),
        (r"\\loss(?![A-Za-z_(])", r"\\loss_i"),
        (r"\\loss\(\\x\^\{\(i\)\}, y\^\{\(i\)\}\)", r"\\loss(\\x, y)"),
        (r"\^\{\(i\)\}", ""),
        (r"_\{([a-z])i\}", r"_{\1}"),
    ],
    "change a bound": [
        (r"(?<=\^\{)m(?=\})", "K"),
        (r"(?<=\^\{)d(?=\})", "m"),
        (r"(?<=\^\{)d(?=\})", "d + 1"),
        (r"(?<=\^\{)d_h(?=\})", "d"),
        (r"(?<=\^\{)[KnN](?=\})", "m"),
        (r"(?<=\^\{)(m|d_h|K|n)(?=\})", r"\1 - 1"),
        (r"(?<=\^\{)m(?=\})", "4"),
        (r"(?<=[a-z])=1(?=\}\^)", "=2"),
        (r"(?<=[a-z])=1(?=\}\^)", "=0"),
    ],
    "change a size": [
        *[(rf"(?<=[{{ ]){a}(?= \\times)", b) for a, b in [("d_h", "m"), ("m", "d_h"), ("d", "n")]],
        *[(rf"(?<=[{{ ]){a}(?= \\times)", b) for a, b in [("1", "2"), ("K", "n"), ("d_h", "5")]],
        (r"(?<=\\times )(?:d|m|K|d_h)(?=\})", "n"),
        (r"(?<=\\times )1(?=\})", "2"),
        (r"(?<=\\times )(?:d|m|K|d_h)(?=\})", "3"),
        (r"(?<=\\frac\{1\}\{)[KnNm](?=\})", "d"),
        (r"(?<=\\frac\{1\}\{)[KnNm](?=\})", "7"),
        (r"(?<=\{)(\w+) \\times (\w+)(?=\})", r"\2 \\times \1"),
    ],
    "change a number": [
        (r"(?<=\^)2", "3"),
        (r"(?<=/)2", "3"),
        (r"(?<=[ (=])1(?= [+\-.&])", "2"),
        (r"(?<=[ (])0(?=[ ,])", "1"),
        (r"(?<=\{)1(?=\})", "3"),
        (r"(?<= )2 (?=\\)", "3 "),
    ],
    "change a relation": [
        (r"(?<= )>(?= )", "<"),
        (r"(?<= )<(?= )", ">"),
        (r"(?<= )>(?= )", r"\\geq"),
        (r"(?<= )<(?= )", r"\\leq"),
        (r"(?<![_a-z])=(?= |$)", r"\\leq"),
        (r"(?<![_a-z])=(?= |$)", r"\\geq"),
        (r"(?<![_a-z])=(?= |$)", r"\\neq"),
        (r"(?<= )=(?= 0)", ">"),
        (r"\\leftarrow", "="),
        (r"\\in(?![a-z])", "="),
    ],
    "close a case": [(r"> 0", r"\\geq 0"), (r"< 0", r"\\leq 0"), (r"x = 0", r"x \\leq 0")],
}
OF_THE_TEXT = ("change a reason", "change a comment", "delete a row", "delete a display", "a label")
INLINE = "edit a line's formula"


class Edit(NamedTuple):
    """One edit: its kind, the report with it, its line, and what it did."""

    kind: str
    text: str
    line: int
    was: str
    now: str


class Site(NamedTuple):
    """A place of the report that can be edited, and what would stand there."""

    start: int
    end: int
    new: str


def edits(text: str, count: int, seed: int) -> Iterator[Edit]:
    """Up to `count` different edits, the kinds in turn, drawn with the seed."""
    rng = random.Random(seed)
    sites: dict[str, list[Site]] = {kind: [] for kind in [*KINDS, *OF_THE_TEXT, INLINE]}
    for display in parse(text).displays:
        for kind, site in _of_a_formula(display.latex, display.start + len("$$")):
            sites[kind].append(site)
        sites["delete a display"].append(Site(display.start, display.end, ""))
    for kind, site in _of_the_text(text, rng):
        sites[kind].append(site)
    sites[INLINE] = list(_of_lines(text))
    queues = {kind: rng.sample(sorted(set(s)), len(set(s))) for kind, s in sites.items()}
    while count and any(queues.values()):
        for kind, queue in queues.items():
            if queue and count:
                count -= 1
                yield _edited(text, kind, queue.pop())


def in_section(text: str, label: str) -> Iterator[Edit]:
    """Every edit of the formulas of the displays in one section."""
    for display in parse(text).displays:
        if display.section == label:
            for kind, site in _of_a_formula(display.latex, display.start + len("$$")):
                yield _edited(text, kind, site)


def _edited(text: str, kind: str, site: Site) -> Edit:
    edited = text[: site.start] + site.new + text[site.end :]
    line = text.count("\n", 0, site.start) + 1
    was, now = (t[max(0, site.start - 60) : site.start + 60] for t in (text, edited))
    return Edit(kind, edited, line, " ".join(was.split()), " ".join(now.split()))


def _of_a_formula(latex: str, at: int) -> Iterator[tuple[str, Site]]:
    masked = WORDS.sub(lambda words: "\0" * len(words[0]), latex)
    for kind, patterns in KINDS.items():
        for pattern, new in patterns:
            for found in re.finditer(pattern, masked, re.M):
                replaced = found.expand(new)
                if replaced != found[0] and "\0" not in found[0]:
                    yield kind, Site(at + found.start(), at + found.end(), replaced)


def _of_the_text(text: str, rng: random.Random) -> Iterator[tuple[str, Site]]:
    names = [rule.name for rule in rules().values()]
    for reason in re.finditer(rf"\\why({ARG})", text):
        others = [f"{{{name}}}" for name in rng.sample(names, 3) if f"{{{name}}}" != reason[1]]
        for other in [*others, "{it is so}"]:
            yield "change a reason", Site(reason.start(1), reason.end(1), other)
        yield "change a reason", Site(reason.start(), reason.end(), "")
    for comment in re.finditer(r"<!-- check: (.*) -->\n", text):
        for other in ("x > 0", "k = y", "x < 0", "m = 4"):
            if other != comment[1]:
                yield "change a comment", Site(comment.start(1), comment.end(1), other)
        yield "change a comment", Site(comment.start(), comment.end(), "")
    for row in re.finditer(rf"^&= .*(?:\n(?!&).*)*?\\why{ARG}(?: \\\\)?\n", text, re.M):
        yield "delete a row", Site(row.start(), row.end(), "")
    for label in re.finditer(r" \{#eq-[\w-]+\}", text):
        yield "a label", Site(label.start(), label.end(), "")
        yield "a label", Site(label.start(), label.end() - 1, label[0][:-1] + "s")


def _of_lines(text: str) -> Iterator[Site]:
    """Edits of the formulas within lines that have a relation or a shape."""
    lines = text.split("\n")
    for remark in examine_inlines(text, load()):
        if remark.verified:
            start = sum(len(line) + 1 for line in lines[: remark.inline.line - 1])
            at = text.index(f"${remark.inline.latex}$", start) + 1
            for _, site in _of_a_formula(remark.inline.latex, at):
                yield site
