"""Held-out entries by the positions of the ids that a fit knows."""

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alternant._words import counted
from alternant.errors import DataError
from alternant.ids import IdMap
from alternant.interactions import EntryRows, Interactions

logger = logging.getLogger("alternant.als")

Index = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Relevant:
    """The items that each measured user took in the held-out entries, by user.

    users : int32, shape (n,), positions of users who have entries to train on, ascending
    offsets : int64, shape (n + 1,)
    items : int32, shape (offsets[-1],), ascending within a user
    n_left_out : users without entries to train on
    """

    users: Index
    offsets: NDArray[np.int64]
    items: Index
    n_left_out: int


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Held-out entries of known ids, by user, then item.

    users, items : int32, shape (n,)
    values, times : of the entries, or None
    """

    users: Index
    items: Index
    values: NDArray[np.float32] | None
    times: NDArray[np.int64] | None

    def relevant(self, train: EntryRows, *, positive: bool) -> Relevant:
        """Return the entries of users with entries in `train`; with `positive`, those of a value above 0."""
        keep = train.counts[self.users] > 0
        if positive and self.values is not None:
            keep &= self.values > 0
        users, counts = np.unique(self.users[keep], return_counts=True)
        offsets = np.zeros(len(users) + 1, np.int64)
        np.cumsum(counts, out=offsets[1:])
        n_left_out = len(np.unique(self.users[train.counts[self.users] == 0]))
        return Relevant(users.astype(np.int32), offsets, self.items[keep], n_left_out)


def held_out(validation: Interactions, train: Interactions) -> HeldOut:
    """Return the entries of `validation` whose user and item are ids of `train`; the others are counted.

    Raises
    ------
    DataError
        No entry is left, or ids are of another kind.
    """
    entries = validation.entries()
    users = _positions(validation.user_ids, train.user_ids, "user")[entries.user_index]
    items = _positions(validation.item_ids, train.item_ids, "item")[entries.item_index]
    known = (users >= 0) & (items >= 0)
    n_unknown = int(np.count_nonzero(~known))
    if n_unknown == len(known):
        raise DataError(
            f"none of the {counted(len(known), 'entry')} of validation is of a known user and a known item; "
            f"the first is {validation.user_ids.decode([entries.user_index[0]]).tolist()[0]!r}, "
            f"{validation.item_ids.decode([entries.item_index[0]]).tolist()[0]!r}"
        )
    if n_unknown:
        logger.info("%s of validation of unknown ids left out", counted(n_unknown, "entry"))
    order = np.lexsort((items[known], users[known]))  # positions of another map are in another order

    def of(column: NDArray[np.generic] | None) -> NDArray[np.generic] | None:
        return None if column is None else column[known][order]

    return HeldOut(users[known][order], items[known][order], of(entries.values), of(entries.times))  # type: ignore[arg-type]


def _positions(ids: IdMap, known: IdMap, what: str) -> Index:
    """Return where each id of one map is in the other, -1 where it is not: int32, shape (n,)."""
    if ids is known or ids == known:
        return np.arange(len(ids), dtype=np.int32)
    return known.encode(ids.labels, what=what, unknown="mark")
