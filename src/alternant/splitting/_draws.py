"""Orders drawn by a seed from ids alone, so that they do not depend on the order of rows or on other ids."""

import numpy as np
from numpy.typing import NDArray

from alternant import _settings
from alternant.ids import IdMap
from alternant.interactions import Interactions


def checked_seed(seed: int) -> int:
    """Return a seed from 0 to 2^64 − 1, or raise DataError."""
    return _settings.integer("seed", seed, 0, 2**64 - 1)


def entry_keys(interactions: Interactions, seed: int) -> NDArray[np.uint64]:
    """Return a number for each entry, drawn by `seed`: uint64, shape (n_entries,)."""
    entries = interactions.entries()
    # The two ids enter by different rounds, so that (a, b) and (b, a) get different numbers.
    keys = id_keys(interactions.user_ids, seed)[entries.user_index]
    return _mixed(keys ^ interactions.item_ids.hashes[entries.item_index])


def id_keys(ids: IdMap, seed: int) -> NDArray[np.uint64]:
    """Return a number for each id, drawn by `seed`: uint64, shape (n,)."""
    return _mixed(ids.hashes ^ _mixed(np.array([checked_seed(seed)], dtype=np.uint64)))


def ranks_of(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the place of each key in rising order: int64, shape (n,)."""
    order = np.argsort(keys, kind="stable")
    ranks = np.empty(len(keys), dtype=np.int64)
    ranks[order] = np.arange(len(keys))
    return ranks


def ranks_within_rows(
    offsets: NDArray[np.int64], first: NDArray[np.generic], second: NDArray[np.generic]
) -> NDArray[np.int64]:
    """Return the place of each entry within its row, by `first`, ties by `second`: int64, shape (n,).

    Parameters
    ----------
    offsets : int64, shape (n_rows + 1,)
    first, second : numbers, shape (n,)
    """
    rows = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    order = np.lexsort((second, first, rows))
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order)) - offsets[:-1][rows]
    return ranks


def _mixed(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return SplitMix64's output for each state (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195)."""
    keys = keys + np.uint64(0x9E3779B97F4A7C15)
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))
