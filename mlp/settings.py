"""The settings of a run: a frozen dataclass, each field with its meaning and its rule beside it."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

from mlp.messages import shown
from mlp.penalty import Lambdas


class SettingsError(ValueError):
    """A setting that cannot be used; the message names it, its value and what would be right.

    >>> Settings(d_h=20, eta=0.1, epochs=5).K
    100
    >>> Settings(d_h=0, eta=0.1, epochs=5)
    Traceback (most recent call last):
        ...
    mlp.settings.SettingsError: d_h is 0; it must be a whole number >= 1 and < 2^31
    """


def _rule(means: str, right: str, ok: Callable[[Any], bool]) -> dict[str, Any]:
    return {"means": means, "right": right, "ok": ok}


def _whole(low: int, means: str) -> dict[str, Any]:
    right = f"a whole number >= {low} and < 2^31"
    return _rule(means, right, lambda v: type(v) is int and low <= v < 2**31)


def _real(means: str, right: str, ok: Callable[[float], bool]) -> dict[str, Any]:
    return _rule(means, right, lambda v: is_number(v) and ok(v))


def is_number(value: object) -> bool:
    """Whether a value is a whole number or a float, and finite as a float."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) <= sys.float_info.max  # holds for whole numbers of any length, too


def _positive(means: str) -> dict[str, Any]:
    return _real(means, "a finite number > 0", lambda v: v > 0)


def _at_least_zero(means: str) -> dict[str, Any]:
    return _real(means, "a finite number >= 0", lambda v: v >= 0)


def _share(means: str) -> dict[str, Any]:
    return _real(means, "a number >= 0 and < 1", lambda v: 0 <= v < 1)


def _switch(means: str) -> dict[str, Any]:
    return _rule(means, "false or true", lambda v: type(v) is bool)


def _one_of(means: str, *words: str) -> dict[str, Any]:
    return _rule(means, " or ".join(words), lambda v: v in words)


@dataclass(frozen=True)
class Settings:
    """What a run depends on, beside its data. Raises SettingsError for values out of range."""

    d_h: int = field(metadata=_whole(1, "hidden units"))
    eta: float = field(metadata=_positive("step size of gradient descent"))
    epochs: int = field(metadata=_whole(1, "passes through the training set, at most"))
    K: int = field(default=100, metadata=_whole(1, "examples in a minibatch"))
    schedule: str = field(
        default="constant",
        metadata=_one_of("whether eta stays, or falls to 0 along a cosine", "constant", "cosine"),
    )
    momentum: float = field(default=0.0, metadata=_share("share of the velocity that a step keeps"))
    l11: float = field(default=0.0, metadata=_at_least_zero("strength of L1 on W1"))
    l12: float = field(default=0.0, metadata=_at_least_zero("strength of squared L2 on W1"))
    l21: float = field(default=0.0, metadata=_at_least_zero("strength of L1 on W2"))
    l22: float = field(default=0.0, metadata=_at_least_zero("strength of squared L2 on W2"))
    smoothing: float = field(
        default=0.0, metadata=_share("share of a label that is spread over all classes")
    )
    whiten: float = field(
        default=0.0, metadata=_at_least_zero("damping of whitened inputs; 0: they stay as they are")
    )
    flips: bool = field(default=False, metadata=_switch("mirror half of the training images"))
    shifts: int = field(
        default=0, metadata=_whole(0, "pixels by which training images are shifted, at most")
    )
    cutout: int = field(
        default=0, metadata=_whole(0, "side of the square cut out of training images, in pixels")
    )
    mirrored: bool = field(
        default=False, metadata=_switch("average the outputs for an image and its mirror image")
    )
    patience: int = field(
        default=1_000_000,
        metadata=_whole(1, "epochs without a lower validation error, after which the run ends"),
    )
    seed: int = field(default=0, metadata=_whole(0, "of the first weights, and of all chance"))

    def __post_init__(self) -> None:
        """Check every field against the rule that stands beside it."""
        for setting in fields(self):
            value = getattr(self, setting.name)
            if not setting.metadata["ok"](value):
                right = setting.metadata["right"]
                raise SettingsError(f"{setting.name} is {shown(value)}; it must be {right}")

    @property
    def lambdas(self) -> Lambdas:
        """The four strengths of the elastic net."""
        return Lambdas(self.l11, self.l12, self.l21, self.l22)
