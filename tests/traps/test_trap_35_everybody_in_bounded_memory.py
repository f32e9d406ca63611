"""Trap 35: recommending for all users materialises every score."""

import tracemalloc

import numpy as np

from alternant import Interactions
from small_models import random_model


def test_trap_35_memory_does_not_grow_with_users_times_items():
    """Was seen to fail with one batch of everybody."""
    n_users, n_items, k = 20_000, 3_000, 5
    rng = np.random.default_rng(0)
    data = Interactions.from_arrays(np.arange(n_users), rng.integers(0, n_items, n_users))
    model = random_model(data, n_factors=4, biases=False)
    shared = len(model.item_ids) * (5 * 4 + 8 + 8) + 8 * n_users  # the packed table; who is asked
    tracemalloc.start()
    try:
        n_rows = sum(len(batch.rank) for batch in model.recommend_batches(k=k, batch_size=500))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert n_rows == n_users * k
    # The two batches that are there while one is handed over, 100 bytes a row, and what validates them.
    assert peak < shared + 2 * 500 * (100 * k + 4 * 4 + 200) + 600_000
    assert peak < n_users * n_items
