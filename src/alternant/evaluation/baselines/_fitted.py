"""What is asked of a model that is evaluated, and what of it baselines share."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from alternant.errors import DataError
from alternant.interactions import EntryRows


class Lists(NamedTuple):
    """Ragged ranked lists of positions: int64, shape (n + 1,), and int32, shape (offsets[-1],)."""

    offsets: NDArray[np.int64]
    items: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Queries:
    """Users to rank items for.

    users : int32, shape (n,), their positions
    seen : EntryRows, shape (n, n_items), what is known of each, which is not to be listed
    """

    users: NDArray[np.int32]
    seen: EntryRows


class Fitted(Protocol):
    """What `evaluate` asks; positions are those of the split."""

    @property
    def name(self) -> str:
        """What tables call it."""
        ...

    def lists(self, queries: Queries, k: int, *, n_threads: int | None) -> Lists:
        """Rank the best k items that each user has not seen."""
        ...

    def predictions(
        self, users: NDArray[np.int32], items: NDArray[np.int32], times: NDArray[np.int64] | None
    ) -> NDArray[np.float64]:
        """Predict the ratings of pairs: float64, shape (n,)."""
        ...


class Baseline:
    """A fitted baseline; it refuses what it cannot do."""

    name = "baseline"

    def lists(self, queries: Queries, k: int, *, n_threads: int | None) -> Lists:
        """Refuse to rank."""
        raise DataError(f"the baseline {self.name!r} predicts ratings and ranks nothing")

    def predictions(
        self, users: NDArray[np.int32], items: NDArray[np.int32], times: NDArray[np.int64] | None
    ) -> NDArray[np.float64]:
        """Refuse to predict ratings."""
        raise DataError(f"the baseline {self.name!r} ranks items and predicts no ratings")


def ragged_lists(rows: NDArray[np.int64], items: NDArray[np.integer], n_rows: int) -> Lists:
    """Return lists from the row of each listed item, ascending, and the items."""
    offsets = np.zeros(n_rows + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=n_rows), out=offsets[1:])
    return Lists(offsets, items.astype(np.int32))
