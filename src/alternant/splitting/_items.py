"""Whole items held out."""

import numpy as np

from alternant import _settings
from alternant.errors import DataError
from alternant.interactions import Interactions, check_interactions
from alternant.splitting._draws import id_keys, ranks_of
from alternant.splitting._split import Split


def item_cold_split(interactions: Interactions, *, item_fraction: float = 0.1, seed: int = 0) -> Split:
    """Put all entries of some items aside: the test is of items that nobody has met.

    Only what is known of items beside entries (attributes) can tell them apart then.

    Parameters
    ----------
    interactions : Interactions
    item_fraction : share of the items with entries that are held out, in (0, 1)
    seed : integer in [0, 2^64)

    Returns
    -------
    Split

    Raises
    ------
    DataError : a setting out of range, or no item, or every item, would be held out

    Examples
    --------
    >>> data = Interactions.from_arrays([1, 1, 2, 2], [1, 2, 1, 2])
    >>> item_cold_split(data, item_fraction=0.5)
    Split(train=2 entries, test=2 entries, 1 cold item)
    """
    check_interactions(interactions)
    share = _settings.number("item_fraction", item_fraction, "a number between 0 and 1", lambda x: 0 < x < 1)
    active = np.flatnonzero(interactions.by_item.counts)
    n_out = round(share * len(active))
    if not 0 < n_out < len(active):
        raise DataError(
            f"item_fraction {share:.4g} holds {n_out} of {len(active)} items with entries out; "
            "expected at least one, and not all"
        )
    out = np.zeros(interactions.n_items, np.bool_)
    out[active[ranks_of(id_keys(interactions.item_ids, seed)[active]) < n_out]] = True
    test = out[interactions.by_user.indices]
    return Split(
        train=interactions.take(~test),
        test=interactions.take(test),
        how=f"{n_out:,} items held out, seed {seed}",
    )
