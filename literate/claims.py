"""Does the text still say what the results say? Claims of captions and sentences, by name."""

import sys
from collections.abc import Mapping

from IPython.display import Markdown, display

NOTICE = "*The text goes beyond the results at hand.*"


def claims(sentences: Mapping[str, object], **values: object) -> None:
    """Check what the text says against the results at hand: each sentence, and whether it holds.

    Where one does not, the document says that its text goes beyond the results, and standard error
    says which sentence it is, and what the `values` are that it was judged by.
    """
    false = [sentence for sentence, holds in sentences.items() if not holds]
    if not false:
        return
    display(Markdown(NOTICE))
    lines = ["The text goes beyond the results at hand. It does not hold that"]
    lines += [f"- {sentence}" for sentence in false]
    if values:
        lines.append("where")
    lines += [f"- {name} = {value}" for name, value in values.items()]
    print("\n".join(lines), file=sys.stderr)
