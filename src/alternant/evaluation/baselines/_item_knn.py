"""Items like those that a user has, by the cosine of who has them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alternant import _settings
from alternant.evaluation.baselines._fitted import Baseline, Lists, Queries, ragged_lists
from alternant.interactions import EntryRows, Interactions, check_interactions

_CELLS_AT_ONCE = 1 << 24
_TERMS_AT_ONCE = 1 << 23


@dataclass(frozen=True, kw_only=True)
class ItemKNN:
    """Score item i for a user by Σ over the user's items j of cos(i, j), where i is a neighbour of j.

    cos(i, j) = users who have both / √(users who have i · users who have j); j's neighbours are the
    `n_neighbours` items with the largest cosine (Deshpande and Karypis 2004, doi:10.1145/963770.963776).
    Values do not count. Items with a score of 0 are not listed, so that lists may be short. It takes time in
    proportion to Σ n_u² over the users, and 12 bytes for each neighbour.

    Parameters
    ----------
    n_neighbours : int, default 100

    Examples
    --------
    >>> import numpy as np
    >>> data = Interactions.from_arrays([1, 1, 2, 2, 3], ["x", "y", "x", "y", "x"])
    >>> asked = Queries(np.array([2], np.int32), data.by_user.chosen(np.array([2], np.int32)))
    >>> ItemKNN().fit(data).lists(asked, 5, n_threads=None).items.tolist()
    [1]
    """

    n_neighbours: int = 100

    def __post_init__(self) -> None:
        _settings.integer("n_neighbours", self.n_neighbours, 1)

    def fit(self, interactions: Interactions) -> Baseline:
        """Return what ranks by the neighbours of items of `interactions`."""
        check_interactions(interactions)
        return _Neighbours(*_neighbours(interactions, self.n_neighbours))

    def cost(self, interactions: Interactions) -> int:
        """Return Σ n_u², the number of terms that :meth:`fit` sums."""
        return int(np.sum(interactions.by_user.counts**2))


def _neighbours(
    data: Interactions, n: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
    """Return each item's neighbours: offsets, items, cosines."""
    n_items = data.n_items
    users_of, items_of = data.by_item, data.by_user
    norms = np.sqrt(np.maximum(users_of.counts, 1))
    # What an item costs: the entries of all its users.
    cost = np.bincount(data.entries().item_index, items_of.counts[data.entries().user_index], n_items).astype(
        np.int64
    )
    ends = np.cumsum(cost)
    rows, found, cosines = [], [], []
    begin = 0
    while begin < n_items:
        limit = (ends[begin - 1] if begin else 0) + _TERMS_AT_ONCE
        end = int(np.searchsorted(ends, limit, side="right"))
        end = min(max(end, begin + 1), begin + max(1, _CELLS_AT_ONCE // n_items), n_items)
        block = users_of.block(begin, end)
        theirs = items_of.chosen(block.indices)
        row = np.repeat(np.arange(end - begin), np.diff(block.offsets))
        keys = np.repeat(row * n_items, theirs.counts) + theirs.indices
        both = np.bincount(keys, minlength=(end - begin) * n_items).reshape(end - begin, n_items)
        both[np.arange(end - begin), np.arange(begin, end)] = 0
        cosine = both / (norms[begin:end, None] * norms)
        r, i, c = best_of_rows(cosine, n)
        rows.append(r + begin)
        found.append(i)
        cosines.append(c)
        begin = end
    if not rows:
        return np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0)
    lists = ragged_lists(np.concatenate(rows), np.concatenate(found), n_items)
    return lists.offsets, lists.items, np.concatenate(cosines)


def best_of_rows(
    scores: NDArray[np.float64], k: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return row, column and score of the best k positive scores of each row: by score, then by column."""
    n_rows, n = scores.shape
    floor = np.zeros(n_rows)
    if n > k:
        floor = np.maximum(np.partition(scores, n - k, axis=1)[:, n - k], 0.0)
    row, column = np.nonzero((scores >= floor[:, None]) & (scores > 0))
    score = scores[row, column]
    order = np.lexsort((column, -score, row))
    row, column, score = row[order], column[order], score[order]
    place = np.arange(len(row)) - np.searchsorted(row, row)
    keep = place < k
    return row[keep], column[keep], score[keep]


class _Neighbours(Baseline):
    name = "item-knn"

    def __init__(
        self, offsets: NDArray[np.int64], items: NDArray[np.int32], cosines: NDArray[np.float64]
    ) -> None:
        self._offsets, self._items, self._cosines = offsets, items, cosines

    def lists(self, queries: Queries, k: int, *, n_threads: int | None) -> Lists:
        """Rank the neighbours of what each user has."""
        seen, n_items = queries.seen, queries.seen.n_columns
        n_neighbours = np.diff(self._offsets)
        terms = np.concatenate([[0], np.cumsum(n_neighbours[seen.indices])])[seen.offsets]
        rows, items = [], []
        begin = 0
        while begin < seen.n_rows:
            end = int(np.searchsorted(terms, terms[begin] + _TERMS_AT_ONCE, side="right")) - 1
            end = min(max(end, begin + 1), begin + max(1, _CELLS_AT_ONCE // n_items), seen.n_rows)
            row, item = self._some(seen, begin, end, k)
            rows.append(row + begin)
            items.append(item)
            begin = end
        if not rows:
            return Lists(np.zeros(1, np.int64), np.empty(0, np.int32))
        return ragged_lists(np.concatenate(rows), np.concatenate(items), seen.n_rows)

    def _some(
        self, seen: EntryRows, begin: int, end: int, k: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        n_items = seen.n_columns
        block = seen.block(begin, end)
        row = np.repeat(np.arange(end - begin), np.diff(block.offsets))
        counts = np.diff(self._offsets)[block.indices]
        ends = np.cumsum(counts)
        places = np.arange(int(counts.sum())) + np.repeat(
            self._offsets[:-1][block.indices] - (ends - counts), counts
        )
        keys = np.repeat(row, counts) * n_items + self._items[places]
        scores: NDArray[np.float64] = np.bincount(
            keys, self._cosines[places], (end - begin) * n_items
        ).astype(np.float64)
        scores[row * n_items + block.indices] = 0.0
        row, item, _ = best_of_rows(scores.reshape(end - begin, n_items), k)
        return row, item
