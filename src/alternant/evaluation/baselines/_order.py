"""The same order for everybody, and no order at all."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alternant import _settings, retrieval
from alternant.evaluation.baselines._fitted import Baseline, Lists, Queries, ragged_lists
from alternant.interactions import EntryRows, Interactions, check_interactions

_CELLS_AT_ONCE = 1 << 22


@dataclass(frozen=True, kw_only=True)
class Popularity:
    """Rank items by their training entries, for everybody alike, less what a user has seen.

    Examples
    --------
    >>> import numpy as np
    >>> data = Interactions.from_arrays([1, 2, 2], ["x", "x", "y"])
    >>> asked = Queries(np.array([0, 1], np.int32), data.by_user)
    >>> Popularity().fit(data).lists(asked, 2, n_threads=None).items.tolist()
    [1]
    """

    def fit(self, interactions: Interactions) -> Baseline:
        """Return what ranks by the counts of `interactions`."""
        check_interactions(interactions)
        return _ByPopularity(interactions.by_item.counts)


class _ByPopularity(Baseline):
    name = "popularity"

    def __init__(self, counts: NDArray[np.int64]) -> None:
        self._counts = counts

    def lists(self, queries: Queries, k: int, *, n_threads: int | None) -> Lists:
        """Rank the items with entries."""
        return by_popularity(self._counts, queries.seen, k, n_threads=n_threads)


def by_popularity(counts: NDArray[np.int64], seen: EntryRows, k: int, *, n_threads: int | None) -> Lists:
    """Rank items with entries by `counts`, less what each row of `seen` has."""
    # Ranks rather than counts: they are exact in float32 up to 2^24 items, and there are no ties among them.
    order = np.argsort(-counts, kind="stable")
    score = np.empty(len(counts), np.float32)
    score[order] = np.arange(len(counts), 0, -1)
    block = seen.block(0, seen.n_rows)
    offsets, items, _ = retrieval.top_k(
        np.ones((seen.n_rows, 1), np.float32),
        score[:, None],
        k,
        exclude_offsets=block.offsets,
        exclude_indices=block.indices,
        candidates=np.flatnonzero(counts),
        n_threads=n_threads,
    )
    return Lists(offsets, items)


@dataclass(frozen=True, kw_only=True)
class Random:
    """Rank the items with training entries in an order drawn anew for every user.

    Parameters
    ----------
    seed : integer in [0, 2^64), default 0

    Examples
    --------
    >>> import numpy as np
    >>> data = Interactions.from_arrays([1, 2, 2], ["x", "x", "y"])
    >>> asked = Queries(np.array([0, 1], np.int32), data.by_user)
    >>> Random().fit(data).lists(asked, 2, n_threads=None).items.tolist()
    [1]
    """

    seed: int = 0

    def __post_init__(self) -> None:
        _settings.integer("seed", self.seed, 0, 2**64 - 1)

    def fit(self, interactions: Interactions) -> Baseline:
        """Return what lists items of `interactions` at random."""
        check_interactions(interactions)
        return _AtRandom(np.flatnonzero(interactions.by_item.counts), interactions.n_items, self.seed)


class _AtRandom(Baseline):
    name = "random"

    def __init__(self, candidates: NDArray[np.int64], n_items: int, seed: int) -> None:
        self._candidates, self._n_items, self._seed = candidates, n_items, seed

    def lists(self, queries: Queries, k: int, *, n_threads: int | None) -> Lists:
        """Take the first k items of random draws that are new, unseen and not drawn before."""
        n, n_candidates = len(queries.users), len(self._candidates)
        rng = np.random.default_rng(self._seed)
        rows, items = [], []
        # 4 k + 40 draws with replacement mostly suffice; of small catalogues, or after long histories, all
        # items are shuffled instead.
        n_draws = 4 * k + 40
        longest = int(queries.seen.counts.max(initial=0))
        shuffled = n_draws + longest >= n_candidates // 2
        width = max(1, n_candidates if shuffled else n_draws)
        step = max(1, _CELLS_AT_ONCE // width)
        for begin in range(0, n if n_candidates else 0, step):
            end = min(begin + step, n)
            if shuffled:
                drawn = np.argsort(rng.random((end - begin, n_candidates), np.float32), axis=1)
            else:
                drawn = rng.integers(0, n_candidates, (end - begin, n_draws))
            row, item = _first_new(
                self._candidates[drawn], queries.seen.chosen(np.arange(begin, end, dtype=np.int32)), k
            )
            rows.append(row + begin)
            items.append(item)
        if not rows:
            return Lists(np.zeros(n + 1, np.int64), np.empty(0, np.int32))
        return ragged_lists(np.concatenate(rows), np.concatenate(items), n)


def _first_new(
    drawn: NDArray[np.int64], seen: EntryRows, k: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows and items: the first k of each row of `drawn` that are not in `seen`, each once."""
    n_rows, width = drawn.shape
    row = np.repeat(np.arange(n_rows), width)
    keys = row * seen.n_columns + drawn.ravel()
    _, first = np.unique(keys, return_index=True)
    new = np.zeros(len(keys), np.bool_)
    new[first] = True
    known = seen.row_index().astype(np.int64) * seen.n_columns + seen.indices
    if len(known):  # ascending, so that a search takes less than sorting both
        new &= known[np.minimum(np.searchsorted(known, keys), len(known) - 1)] != keys
    kept = new.reshape(n_rows, width)
    kept &= np.cumsum(kept, axis=1) <= k
    return row[kept.ravel()], drawn[kept]
