"""Ratings with times, made up."""

import numpy as np

from alternant import Interactions
from alternant.days import SECONDS_OF_A_DAY

N_USERS, N_ITEMS = 12, 20


def timed_ratings(seed=0, *, n_users=N_USERS, n_items=N_ITEMS, n_days=4, weights=False):
    """Half of all cells, on a few days around 1970; user 0 has no entries and every entry of user 1 a day of
    its own."""
    rng = np.random.default_rng(seed)
    users, items = np.nonzero(rng.random((n_users, n_items)) < 0.5)
    users, items = users[users > 0], items[users > 0]
    days = np.where(users == 1, 100 + items, rng.integers(-2, n_days - 2, len(users)))
    return Interactions.from_arrays(
        users,
        items,
        rng.integers(1, 11, len(users)) / 2,
        times=days * SECONDS_OF_A_DAY + rng.integers(0, SECONDS_OF_A_DAY, len(users)),
        weights=rng.integers(1, 4, len(users)) if weights else None,
        user_ids=np.arange(n_users),
        item_ids=np.arange(n_items),
    )
