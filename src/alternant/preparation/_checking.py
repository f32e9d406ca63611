"""Which constants a preparation has, and whether those that were stored are they."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from alternant import _settings
from alternant.errors import DataError
from alternant.preparation._constants import Constants
from alternant.preparation._pipeline import KEPT_COUNTS, SCALE
from alternant.preparation._transforms import BM25, COUNTS, TFIDF, HalfLife, Normalize

if TYPE_CHECKING:
    from alternant.preparation._preparation import Preparation


def constant_names(preparation: "Preparation") -> tuple[set[str], set[str], set[str]]:
    """Return the names of the numbers, of the users' arrays and of the items'."""
    numbers: set[str] = set()
    users: set[str] = set()
    items: set[str] = set()
    for position, step in enumerate(preparation.steps):
        name = f"step{position}"
        match step:
            case BM25():
                numbers |= {"n_users", f"{name}_average_length"}
                users |= {COUNTS, f"{name}_length"}
                items |= {COUNTS, "idf"}
            case TFIDF():
                numbers.add("n_users")
                items |= {COUNTS, "idf"}
            case Normalize():
                users |= {COUNTS, f"{name}_mean"}
            case HalfLife():
                numbers.add(f"{name}_reference")
            case _:
                pass
    if preparation.scale == "auto":
        numbers.add(SCALE)
    if preparation.user_discount or preparation.item_discount:
        numbers.add("mean_discount")
    if preparation.user_discount:
        users.add(KEPT_COUNTS)
    if preparation.item_discount:
        items.add(KEPT_COUNTS)
    return numbers, users, items


def check_constants(constants: Constants, preparation: "Preparation", *, n_users: int, n_items: int) -> None:
    """Refuse constants that are not those of `preparation`, or not finite, or of another shape."""
    _settings.integer("n_users", n_users, 0)
    _settings.integer("n_items", n_items, 0)
    numbers, users, items = constant_names(preparation)
    _check_names("constants", constants.numbers, numbers)
    _check_names("user constants", constants.users, users)
    _check_names("item constants", constants.items, items)
    for name, value in constants.numbers.items():
        low = -math.inf if name.endswith("_reference") else 0.0
        words = "a finite number" if low < 0 else "a positive number"
        _settings.number(f"constant {name}", value, words, lambda x, low=low: x > low)  # type: ignore[misc]
    for side, n in (("users", n_users), ("items", n_items)):
        for name, array in (constants.users if side == "users" else constants.items).items():
            if not isinstance(array, np.ndarray) or array.dtype != np.float64 or array.shape != (n,):
                got = f"{getattr(array, 'dtype', type(array).__name__)} {getattr(array, 'shape', '')}".strip()
                raise DataError(f"{side}.{name} must be float64 of shape ({n},), got {got}")
            if not np.isfinite(array).all() or (n and array.min() < 0):
                raise DataError(f"{side}.{name} must be finite and not negative")


def _check_names(words: str, given: Mapping[str, Any], expected: set[str]) -> None:
    if set(given) != expected:
        wanted, got = (", ".join(sorted(names)) or "none" for names in (expected, set(given)))
        raise DataError(f"the {words} of this preparation are {wanted}, got {got}")
