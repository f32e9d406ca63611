"""The parts of one data set, and what they say of cold users and items."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from alternant._words import counted
from alternant.errors import DataError
from alternant.interactions import Interactions


@dataclass(frozen=True, eq=False)
class Split:
    """Parts of one data set, all with the ids of the whole.

    A user or item of the test part is *cold* where the model has nothing of it to go by: no entry in `train`
    (and for a user none in `history`).

    Attributes
    ----------
    train : Interactions to fit on
    test : Interactions to be found, or predicted
    history : Interactions of users who are not in `train`, to be folded in before `test` is looked at; None
        where there are none (weak generalisation)
    unused : Interactions that take no part, such as those after the test part of a fold by time; or None
    how : what made the split, in words
    """

    train: Interactions
    test: Interactions
    history: Interactions | None = None
    unused: Interactions | None = None
    how: str = ""

    def __post_init__(self) -> None:
        for part in self.parts:
            if part.user_ids != self.train.user_ids or part.item_ids != self.train.item_ids:
                raise DataError(
                    "the parts of a split must have the same ids; alternant.splitting.predefined_split "
                    "brings them together"
                )

    @property
    def parts(self) -> tuple[Interactions, ...]:
        """All parts that there are; together they are exactly the data."""
        return tuple(part for part in (self.train, self.test, self.history, self.unused) if part is not None)

    @cached_property
    def known_user_counts(self) -> NDArray[np.int64]:
        """How many entries a model has to go by, of each user: int64, shape (n_users,)."""
        counts = self.train.by_user.counts
        return counts if self.history is None else counts + self.history.by_user.counts

    @cached_property
    def test_users(self) -> NDArray[np.int32]:
        """The users who have entries in `test`: positions, int32, ascending."""
        return np.flatnonzero(self.test.by_user.counts).astype(np.int32)

    @cached_property
    def is_cold_entry(self) -> NDArray[np.bool_]:
        """Which entries of `test` have a cold user or a cold item: bool, shape (n_test,)."""
        entries = self.test.entries()
        cold_user = self.known_user_counts[entries.user_index] == 0
        return np.asarray(cold_user | (self.train.by_item.counts[entries.item_index] == 0))

    @property
    def n_cold_users(self) -> int:
        """How many users of `test` are cold."""
        return int(np.count_nonzero((self.test.by_user.counts > 0) & (self.known_user_counts == 0)))

    @property
    def n_cold_items(self) -> int:
        """How many items of `test` are cold."""
        return int(np.count_nonzero((self.test.by_item.counts > 0) & (self.train.by_item.counts == 0)))

    @property
    def n_cold_entries(self) -> int:
        """How many entries of `test` have a cold user or a cold item."""
        return int(np.count_nonzero(self.is_cold_entry))

    def __repr__(self) -> str:
        named = {"train": self.train, "test": self.test, "history": self.history, "unused": self.unused}
        shown = [
            f"{name}={counted(part.n_entries, 'entry')}" for name, part in named.items() if part is not None
        ]
        cold = [
            counted(n, f"cold {word}")
            for n, word in ((self.n_cold_users, "user"), (self.n_cold_items, "item"))
            if n
        ]
        return f"Split({', '.join(shown + cold)})"
