"""The settings of a run: a frozen dataclass, each field checked by the rule beside it."""

import dataclasses
import sys
from collections.abc import Callable
from typing import Any

from mlp.penalty import Lambdas


class SettingsError(ValueError):
    """A setting that cannot be used; the message names it, its value and what would be right."""


def _whole(low: int) -> dict[str, Any]:
    right = f"a whole number >= {low} and < 2^31"
    return {"ok": lambda v: type(v) is int and low <= v < 2**31, "right": right}


def _finite(value: float) -> bool:
    return abs(value) <= sys.float_info.max  # holds for whole numbers of any length, too


def _real(right: str, ok: Callable[[float], bool]) -> dict[str, Any]:
    def check(value: object) -> bool:
        return (
            isinstance(value, int | float)
            and type(value) is not bool
            and _finite(value)
            and ok(value)
        )

    return {"ok": check, "right": right}


def _one_of(*values: object) -> dict[str, Any]:
    return {"ok": lambda v: v in values and type(v) is type(values[0]), "right": _or(values)}


def _or(values: tuple[object, ...]) -> str:
    return " or ".join(str(v).lower() for v in values)


_AT_LEAST_ZERO = _real("a finite number >= 0", lambda v: v >= 0)
_SHARE = _real("a number >= 0 and < 1", lambda v: 0 <= v < 1)


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a run depends on, beside its data. Raises SettingsError for values out of range."""

    d_h: int = dataclasses.field(metadata=_whole(1))
    eta: float = dataclasses.field(metadata=_real("a finite number > 0", lambda v: v > 0))
    epochs: int = dataclasses.field(metadata=_whole(1))
    K: int = dataclasses.field(default=100, metadata=_whole(1))
    schedule: str = dataclasses.field(default="constant", metadata=_one_of("constant", "cosine"))
    momentum: float = dataclasses.field(default=0.0, metadata=_SHARE)
    l11: float = dataclasses.field(default=0.0, metadata=_AT_LEAST_ZERO)
    l12: float = dataclasses.field(default=0.0, metadata=_AT_LEAST_ZERO)
    l21: float = dataclasses.field(default=0.0, metadata=_AT_LEAST_ZERO)
    l22: float = dataclasses.field(default=0.0, metadata=_AT_LEAST_ZERO)
    smoothing: float = dataclasses.field(default=0.0, metadata=_SHARE)  # of the labels
    whiten: float = dataclasses.field(default=0.0, metadata=_AT_LEAST_ZERO)  # ε; 0: not at all
    flips: bool = dataclasses.field(default=False, metadata=_one_of(False, True))
    shifts: int = dataclasses.field(default=0, metadata=_whole(0))  # pixels, at most
    mirrored: bool = dataclasses.field(default=False, metadata=_one_of(False, True))
    patience: int = dataclasses.field(default=1_000_000, metadata=_whole(1))
    seed: int = dataclasses.field(default=0, metadata=_whole(0))

    def __post_init__(self) -> None:
        """Check every field against the rule that stands beside it."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not field.metadata["ok"](value):
                right = field.metadata["right"]
                raise SettingsError(f"{field.name} is {value!r}; it must be {right}")

    @property
    def lambdas(self) -> Lambdas:
        """The four strengths of the elastic net."""
        return Lambdas(self.l11, self.l12, self.l21, self.l22)
