"""What a message says of a value that comes from outside: one line, and never a long one."""

import reprlib
from typing import Any

SHORT, LONG = 120, 600  # characters of a value, and of a whole message
CUT = " …"


class _Repr(reprlib.Repr):
    """Shortens before it writes: neither depth, nor width, nor aliases of aliases cost time."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 3
        self.maxstring = self.maxlong = self.maxother = 60

    def repr_int(self, x: int, level: int) -> str:
        """A whole number; one that Python would refuse to write out is told by its size."""
        if x.bit_length() > 10_000:
            return f"a number of about {x.bit_length() * 0.30103:,.0f} digits"
        return super().repr_int(x, level)


_REPR = _Repr()


def shown(value: Any) -> str:
    """The `repr` of a value of any kind, cut short.

    >>> shown("small")
    "'small'"
    >>> len(shown([["long" * 1000] * 1000] * 1000)) <= SHORT
    True
    """
    return line(_REPR.repr(value), SHORT)


def line(text: str, most: int = LONG) -> str:
    r"""A text in one line of at most so many characters, what cannot be printed as its escape.

    >>> line("two\nlines")
    'two lines'
    """
    words = " ".join(text[: 10 * most].split())
    printable = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in words)
    return printable if len(printable) <= most else printable[: most - len(CUT)] + CUT
