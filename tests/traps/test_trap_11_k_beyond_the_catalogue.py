"""Trap 11: k larger than the number of items pads the result with item 0 and score 0."""

import numpy as np
import pytest

from small_models import random_history, random_model


@pytest.mark.parametrize("k", [7, 8, 100, 10**9])
def test_trap_11_fewer_rows_and_no_invented_item(k):
    model = random_model(random_history(5, 7))
    seen = model.user_counts
    result = model.recommend(np.arange(5), k=k)
    assert np.diff(result.offsets).tolist() == (7 - seen).tolist()
    for user, one in enumerate(result):
        items = one.item_id.tolist()
        assert len(set(items)) == len(items)
        assert not set(items) & set(model.history.by_user.block(user, user + 1).indices.tolist())
    assert len(model.recommend(0, k=k, exclude_seen=False).item_id) == 7
    assert len(model.recommend_users(0, k=k, exclude_seen=False).user_id) == 5
    assert len(model.similar_items(0, k=k).neighbour_id) == 6
    assert len(model.recommend(99, k=k, unknown="fallback").item_id) == 7
