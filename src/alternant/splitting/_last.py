"""The last entries of every user."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from alternant import _settings
from alternant.errors import DataError
from alternant.interactions import Interactions, check_interactions
from alternant.splitting._draws import entry_keys, ranks_within_rows
from alternant.splitting._split import Split

Order = Literal["auto", "time", "random"]


def leave_last_out(
    interactions: Interactions,
    *,
    n_last: int | None = None,
    fraction: float | None = None,
    min_entries: int | None = None,
    order: Order = "auto",
    seed: int = 0,
) -> Split:
    """Put the last entries of each user aside as a test set.

    Parameters
    ----------
    interactions : Interactions
    n_last : how many of each user; 1 where neither this nor `fraction` is given
    fraction : share of each user's entries instead, in (0, 1), rounded; at least one
    min_entries : users with fewer entries stay in the training part as a whole; None: those who would have
        nothing left there
    order : "time": the latest; "random": a draw by `seed`; "auto": by time where there are times. Entries of
        the same time are taken in an order drawn by `seed`
    seed : integer in [0, 2^64)

    Returns
    -------
    Split

    Raises
    ------
    DataError : a setting out of range; both `n_last` and `fraction`; "time" without times

    Examples
    --------
    >>> data = Interactions.from_arrays([1, 1, 1, 2], [1, 2, 3, 1], times=[30, 10, 20, 5])
    >>> leave_last_out(data, n_last=1).test.entries().item_index.tolist()
    [0]
    """
    check_interactions(interactions)
    if n_last is not None and fraction is not None:
        raise DataError(f"pass n_last or fraction, got both: {n_last!r} and {fraction!r}")
    counts = interactions.by_user.counts
    if fraction is None:
        n_last = _settings.integer("n_last", 1 if n_last is None else n_last, 1)
        aside = np.full(len(counts), n_last, np.int64)
        how = f"the last {n_last} of each user's entries aside"
    else:
        fraction = _settings.number("fraction", fraction, "a number between 0 and 1", lambda x: 0 < x < 1)
        aside = np.maximum(1, np.rint(fraction * counts).astype(np.int64))
        how = f"the last {fraction:.4g} of each user's entries aside"
    least = 0 if min_entries is None else _settings.integer("min_entries", min_entries, 1)
    aside[(counts <= aside) | (counts < least)] = 0
    from_end, by_time = places_from_end(interactions, order=order, seed=seed)
    test = from_end < np.repeat(aside, counts)
    return Split(
        train=interactions.take(~test),
        test=interactions.take(test),
        how=how + (" by time" if by_time else "") + f", seed {seed}",
    )


def places_from_end(interactions: Interactions, *, order: Order, seed: int) -> tuple[NDArray[np.int64], bool]:
    """Return the place of each entry among its user's, 0 for the last, and whether times decided it."""
    _settings.choice("order", order, ("auto", "time", "random"))
    times = interactions.by_user.times
    if order == "time" and times is None:
        raise DataError('order="time" needs times, and these interactions have none; name a time column')
    keys = entry_keys(interactions, seed)
    if times is None or order == "random":
        times = np.zeros(len(keys), np.int64)
        by_time = False
    else:
        by_time = True
    offsets = interactions.by_user.offsets
    ranks = ranks_within_rows(offsets, times, keys)
    return np.repeat(interactions.by_user.counts, interactions.by_user.counts) - 1 - ranks, by_time
