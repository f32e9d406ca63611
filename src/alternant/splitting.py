"""Split interactions into training and test parts, entry by entry.

Which entry goes where is drawn by a counter-based rule from (seed, user id, item id), so that it is the same
on every machine and for any order of rows. It must not know models.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alternant import _settings
from alternant._words import counted
from alternant.errors import DataError
from alternant.interactions import Interactions, check_interactions


@dataclass(frozen=True, eq=False)
class Split:
    """Two parts of one data set, both with the ids of the whole.

    Attributes
    ----------
    train, test : Interactions; together they are exactly the data
    """

    train: Interactions
    test: Interactions

    def __repr__(self) -> str:
        train, test = counted(self.train.n_entries, "entry"), counted(self.test.n_entries, "entry")
        return f"Split(train={train}, test={test})"


def random_split(interactions: Interactions, *, test_fraction: float = 0.1, seed: int = 0) -> Split:
    """Put a random share of the entries aside as a test set.

    Parameters
    ----------
    interactions : Interactions
    test_fraction : share of the entries that go to the test set, in (0, 1)
    seed : integer in [0, 2^64)

    Returns
    -------
    Split

    Raises
    ------
    DataError : `test_fraction` or `seed` out of range

    Examples
    --------
    >>> data = Interactions.from_arrays([1, 1, 2, 2], [1, 2, 1, 2])
    >>> random_split(data, test_fraction=0.25)
    Split(train=3 entries, test=1 entry)
    """
    check_interactions(interactions)
    share = _settings.number("test_fraction", test_fraction, "a number between 0 and 1", lambda x: 0 < x < 1)
    ranks = _ranks(interactions, seed)
    test = ranks < round(share * interactions.n_entries)
    return Split(train=interactions.take(~test), test=interactions.take(test))


def k_fold(interactions: Interactions, *, n_folds: int = 5, seed: int = 0) -> Iterator[Split]:
    """Split the entries into folds of equal size (to one entry); each is the test set once.

    Parameters
    ----------
    interactions : Interactions
    n_folds : int, at least 2 and at most the number of entries
    seed : integer in [0, 2^64)

    Returns
    -------
    iterator of `n_folds` Splits

    Raises
    ------
    DataError : `n_folds` or `seed` out of range

    Examples
    --------
    >>> data = Interactions.from_arrays([1, 1, 2, 2], [1, 2, 1, 2])
    >>> [split.test.n_entries for split in k_fold(data, n_folds=4)]
    [1, 1, 1, 1]
    """
    check_interactions(interactions)
    n_folds = _settings.integer("n_folds", n_folds, 2)
    if n_folds > interactions.n_entries:
        raise DataError(
            f"n_folds must be at most the number of entries ({interactions.n_entries}), got {n_folds}"
        )
    fold_of = _ranks(interactions, seed) % n_folds
    return (
        Split(train=interactions.take(fold_of != fold), test=interactions.take(fold_of == fold))
        for fold in range(n_folds)
    )


def _ranks(interactions: Interactions, seed: int) -> NDArray[np.int64]:
    """Return the place of each entry in an order drawn by `seed`: int64, shape (n_entries,)."""
    seed = _settings.integer("seed", seed, 0, 2**64 - 1)
    entries = interactions.entries()
    # The two ids enter by different rounds, so that (a, b) and (b, a) get different numbers.
    keys = _mixed(interactions.user_ids.hashes ^ _mixed(np.array([seed], dtype=np.uint64)))[
        entries.user_index
    ]
    keys = _mixed(keys ^ interactions.item_ids.hashes[entries.item_index])
    order = np.argsort(keys, kind="stable")
    ranks = np.empty(len(keys), dtype=np.int64)
    ranks[order] = np.arange(len(keys))
    return ranks


def _mixed(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return SplitMix64's output for each state (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195)."""
    keys = keys + np.uint64(0x9E3779B97F4A7C15)
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))
