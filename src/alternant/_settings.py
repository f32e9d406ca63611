"""Check settings where they are given: name, expected, got. Knows no particular setting."""

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from alternant.errors import DataError


def integer(name: str, value: Any, lowest: int, highest: int | None = None) -> int:
    """Return `value` as an int within [lowest, highest], or raise DataError."""
    words = "a positive integer" if lowest == 1 else f"an integer of at least {lowest}"
    if highest is not None:
        words = f"an integer from {lowest} to {highest}"
    try:
        found = operator.index(value)
    except TypeError:
        raise DataError(f"{name} must be {words}, got {value!r}") from None
    if isinstance(value, bool | np.bool_) or found < lowest or (highest is not None and found > highest):
        raise DataError(f"{name} must be {words}, got {value!r}")
    return found


def number(name: str, value: Any, words: str, fits: Callable[[float], bool]) -> float:
    """Return `value` as a finite float that `fits`, or raise DataError; `words` say what is expected."""
    if isinstance(value, bool | np.bool_ | str) or not hasattr(value, "__float__"):
        raise DataError(f"{name} must be {words}, got {value!r}")
    try:
        found = float(value)
    except OverflowError:  # of an int
        found = math.inf
    if not math.isfinite(found) or not fits(found):
        raise DataError(f"{name} must be {words}, got {value!r}")
    return found


def boolean(name: str, value: Any) -> bool:
    """Return `value` as a bool, or raise DataError."""
    if not isinstance(value, bool | np.bool_):
        raise DataError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def choice(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    """Raise DataError unless `value` is one of `allowed`."""
    if value not in allowed:
        raise DataError(f"{name} must be {' or '.join(map(repr, allowed))}, got {value!r}")
