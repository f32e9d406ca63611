"""Trap 22: ties are broken by accident. Ours: by item order, for one user, a batch and any threads."""

import numpy as np
import pytest

from alternant import kernels
from small_models import random_history, random_model


@pytest.mark.parametrize("level", kernels.isa_levels())
@pytest.mark.parametrize("n_threads", [1, 2, 3, 7])
def test_trap_22_ties_go_by_the_order_of_the_items(level, n_threads):
    before = kernels.isa()
    kernels.set_isa(level)
    try:
        rng = np.random.default_rng(5)
        n_users, n_items = 50, 300
        tables = [rng.integers(-1, 2, (n, 3)).astype(np.float32) for n in (n_users, n_items)]
        model = random_model(random_history(n_users, n_items), n_factors=2, tables=tables)
        batch = model.recommend(np.arange(n_users), k=40, exclude_seen=False, n_threads=n_threads)
        for user, one in enumerate(batch):
            scores = tables[0][user, :2] @ tables[1][:, :2].T + tables[1][:, 2]
            order = np.argsort(-scores, kind="stable")[:40]
            assert one.item_id.tolist() == order.tolist()
            alone = model.recommend(user, k=40, exclude_seen=False, n_threads=n_threads)
            assert alone.item_id.tolist() == order.tolist()
    finally:
        kernels.set_isa(before)


def test_trap_22_all_equal():
    zeros = [np.zeros((4, 4), np.float32), np.zeros((9, 4), np.float32)]
    model = random_model(random_history(4, 9), tables=zeros)
    assert model.recommend(0, k=5, exclude_seen=False).item_id.tolist() == [0, 1, 2, 3, 4]
    assert model.similar_items(2, k=4).neighbour_id.tolist() == [0, 1, 3, 4]


def test_trap_22_the_fallback_too():
    model = random_model(random_history(4, 9), item_counts=np.array([1, 5, 1, 5, 2, 2, 1, 1, 5]))
    assert model.recommend(77, k=6, unknown="fallback").item_id.tolist() == [1, 3, 8, 4, 5, 0]
