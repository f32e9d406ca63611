"""K folds: of entries, of each user's entries, of users, of items, of time."""

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from alternant import _settings
from alternant.errors import DataError
from alternant.interactions import Interactions, check_interactions
from alternant.splitting._draws import entry_keys, id_keys, ranks_of, ranks_within_rows
from alternant.splitting._last import Order
from alternant.splitting._split import Split
from alternant.splitting._strong import hold_out
from alternant.splitting._time import cut_before, times_of

By = Literal["entry", "entry_of_user", "user", "item", "time"]


def k_fold(
    interactions: Interactions,
    *,
    n_folds: int = 5,
    by: By = "entry",
    target_fraction: float = 0.2,
    order: Order = "random",
    seed: int = 0,
) -> Iterator[Split]:
    """Split the data into folds; each is the test set once.

    Parameters
    ----------
    interactions : Interactions
    n_folds : int, at least 2 and at most the number of what is divided
    by : what is divided into folds of equal size (to one)
        "entry": the entries; "entry_of_user": each user's entries (the sizes differ by at most one for each
        user); "user": users, who are held out as by :func:`strong_split`; "item": items, held out as by
        :func:`item_cold_split`; "time": the entries in order of time into `n_folds` + 1 runs: the first is
        never the test set, each other one is, with all before it as the training part and all after it
        unused. Entries of the same time stay together.
    target_fraction, order : of "user", as in :func:`strong_split`
    seed : integer in [0, 2^64)

    Returns
    -------
    iterator of `n_folds` Splits

    Raises
    ------
    DataError : a setting out of range; "time" without times, or with too few different ones

    Examples
    --------
    >>> data = Interactions.from_arrays([1, 1, 2, 2], [1, 2, 1, 2])
    >>> [split.test.n_entries for split in k_fold(data, n_folds=4)]
    [1, 1, 1, 1]
    >>> next(k_fold(data, n_folds=2, by="user"))
    Split(train=2 entries, test=1 entry, history=1 entry)
    """
    check_interactions(interactions)
    n_folds = _settings.integer("n_folds", n_folds, 2)
    _settings.choice("by", by, ("entry", "entry_of_user", "user", "item", "time"))
    if by == "time":
        return _by_time(interactions, n_folds)
    if by in ("user", "item"):
        rows = interactions.by_user if by == "user" else interactions.by_item
        ids = interactions.user_ids if by == "user" else interactions.item_ids
        active = np.flatnonzero(rows.counts)
        _check_enough(n_folds, len(active), f"{by}s with entries")
        fold_of = np.full(rows.n_rows, -1, np.int64)
        fold_of[active] = ranks_of(id_keys(ids, seed)[active]) % n_folds
        if by == "user":
            return (
                hold_out(
                    interactions, fold_of == fold, target_fraction=target_fraction, order=order, seed=seed
                )
                for fold in range(n_folds)
            )
        return _of_folds(interactions, lambda: fold_of[interactions.by_user.indices], n_folds, by)
    _check_enough(n_folds, interactions.n_entries, "entries")
    keys = entry_keys(interactions, seed)
    if by == "entry":
        return _of_folds(interactions, lambda: ranks_of(keys) % n_folds, n_folds, by)
    ranks = ranks_within_rows(interactions.by_user.offsets, keys, keys)
    # Rows start at folds of their own: else the first folds would get all that does not divide evenly.
    starts = id_keys(interactions.user_ids, seed) % np.uint64(n_folds)
    starts_of = starts.astype(np.int64)[interactions.by_user.row_index()]
    return _of_folds(interactions, lambda: (ranks + starts_of) % n_folds, n_folds, by)


def _check_enough(n_folds: int, n: int, what: str) -> None:
    if n_folds > n:
        raise DataError(f"n_folds must be at most the number of {what} ({n}), got {n_folds}")


def _of_folds(
    interactions: Interactions, folds: Callable[[], NDArray[np.int64]], n_folds: int, by: str
) -> Iterator[Split]:
    """Yield a split for each fold of the entries, which `folds` numbers: int64, shape (n_entries,)."""
    fold_of = folds()
    return (
        Split(
            train=interactions.take(fold_of != fold),
            test=interactions.take(fold_of == fold),
            how=f"fold {fold + 1} of {n_folds}, by {by.replace('_', ' ')}",
        )
        for fold in range(n_folds)
    )


def _by_time(interactions: Interactions, n_folds: int) -> Iterator[Split]:
    times = times_of(interactions)
    cuts = [cut_before(times, len(times) * run // (n_folds + 1)) for run in range(1, n_folds + 1)]
    if len(set(cuts)) < n_folds or cuts[0] == times.min():
        raise DataError(f"the times do not tell {n_folds + 1} runs of entries apart; use fewer folds")
    ends: list[float] = [*cuts[1:], np.inf]
    return (
        Split(
            train=interactions.take(times < begin),
            test=interactions.take((times >= begin) & (times < end)),
            unused=interactions.take(times >= end),
            how=f"fold {fold + 1} of {n_folds}, by time",
        )
        for fold, (begin, end) in enumerate(zip(cuts, ends, strict=True))
    )
