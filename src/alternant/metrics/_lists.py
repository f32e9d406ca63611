"""Ragged lists of positions, checked, and where in them the relevant items stand."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from alternant.errors import DataError


@dataclass(frozen=True, eq=False)
class Hits:
    """Where the relevant items stand in each user's list.

    Attributes
    ----------
    n_users : int
    user : int64, shape (n_hits,), whose list, ascending
    place : int64, shape (n_hits,), from 0, ascending within a user
    relevant : int64, shape (n_hits,), which entry of the relevant items it is
    list_lengths, n_relevant : int64, shape (n_users,)
    gains : float64, shape (n_relevant_in_all,), or None
    relevant_offsets : int64, shape (n_users + 1,)
    """

    n_users: int
    user: NDArray[np.int64]
    place: NDArray[np.int64]
    relevant: NDArray[np.int64]
    list_lengths: NDArray[np.int64]
    n_relevant: NDArray[np.int64]
    relevant_offsets: NDArray[np.int64]
    gains: NDArray[np.float64] | None

    def within(self, k: int | None) -> NDArray[np.bool_]:
        """Return which hits are among the first k of their list: bool, shape (n_hits,)."""
        return np.ones(len(self.place), np.bool_) if k is None else np.asarray(self.place < k)

    def per_user(self, values: NDArray[np.float64] | None, keep: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the sum of the kept hits' values (None: their number) of each user: float64, (n_users,)."""
        weights = None if values is None else values[keep]
        return np.bincount(self.user[keep], weights, self.n_users).astype(np.float64)

    @cached_property
    def number(self) -> NDArray[np.int64]:
        """How many hits of the same list stand at or before each: int64, shape (n_hits,), from 1."""
        first = np.searchsorted(self.user, self.user)
        return np.arange(len(self.user)) - first + 1


def find_hits(
    list_offsets: NDArray[np.int64],
    list_items: NDArray[np.int32],
    relevant_offsets: NDArray[np.int64],
    relevant_items: NDArray[np.int32],
    *,
    n_items: int,
    gains: NDArray[np.float64] | None = None,
) -> Hits:
    """Find the relevant items in the lists; an item that a list or a set has twice is refused.

    Raises
    ------
    DataError : offsets that do not fit, a position out of range, an item listed twice
    """
    list_offsets, listed = ragged(list_offsets, list_items, n_items, "list")
    relevant_offsets, wanted = ragged(relevant_offsets, relevant_items, n_items, "relevant")
    if len(list_offsets) != len(relevant_offsets):
        raise DataError(
            "lists and relevant items must be of the same users, "
            f"got {len(list_offsets) - 1} and {len(relevant_offsets) - 1}"
        )
    lengths, sizes = np.diff(list_offsets), np.diff(relevant_offsets)
    n_users = len(lengths)
    whose = np.repeat(np.arange(n_users), lengths)
    keys = whose * n_items + listed
    _refuse_repeats(keys, n_items, "a list has item")
    relevant = np.repeat(np.arange(n_users), sizes) * n_items + wanted
    order = None
    if len(relevant) > 1 and (np.diff(relevant) <= 0).any():
        order = np.argsort(relevant, kind="stable")
        relevant = relevant[order]
        if (np.diff(relevant) == 0).any():
            _refuse_repeats(relevant, n_items, "a set of relevant items has")
    where = np.searchsorted(relevant, keys)
    is_hit = np.zeros(len(keys), np.bool_)
    inside = where < len(relevant)
    is_hit[inside] = relevant[where[inside]] == keys[inside]
    at = np.flatnonzero(is_hit)
    found = where[at]
    return Hits(
        n_users,
        whose[at],
        at - list_offsets[:-1][whose[at]],
        found if order is None else order[found],
        lengths,
        sizes,
        relevant_offsets,
        gains,
    )


def ragged(
    offsets: NDArray[np.int64], items: NDArray[np.int32], n_items: int, what: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return ragged lists as int64, or raise DataError where they break a promise."""
    offsets, items = np.asarray(offsets, np.int64), np.asarray(items)
    if offsets.ndim != 1 or len(offsets) == 0 or offsets[0] != 0 or (np.diff(offsets) < 0).any():
        raise DataError(f"{what}_offsets must rise from 0, one more than there are users")
    if items.ndim != 1 or len(items) != offsets[-1]:
        raise DataError(f"{what}_items must have shape ({offsets[-1]},), got {items.shape}")
    if items.dtype.kind not in "iu":
        raise DataError(f"{what}_items must be positions, got {items.dtype}")
    positions = items.astype(np.int64)
    if len(positions) and (positions.min() < 0 or positions.max() >= n_items):
        bad = positions[(positions < 0) | (positions >= n_items)][0]
        raise DataError(
            f"{what}_items must lie in [0, {n_items}), got {bad}; lists are never padded, give shorter ones"
        )
    return offsets, positions


def _refuse_repeats(keys: NDArray[np.int64], n_items: int, what: str) -> None:
    """Raise for a pair of user and item that is there twice; it would count as two hits."""
    ordered = np.sort(keys)
    twice = np.flatnonzero(np.diff(ordered) == 0)
    if len(twice):
        user, item = divmod(int(ordered[twice[0]]), n_items)
        raise DataError(f"{what} {item} twice, in row {user}; it would count as two hits")
