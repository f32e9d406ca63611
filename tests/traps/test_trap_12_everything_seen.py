"""Trap 12: a user who has seen everything gets seen items back with a huge negative score."""

import numpy as np

from alternant import ExplicitALS, Interactions


def test_trap_12_an_empty_list():
    users, items = np.divmod(np.arange(12), 4)
    history = Interactions.from_arrays(users, items, np.arange(12) % 5)
    model = ExplicitALS(n_factors=2, n_sweeps=2).fit(history)
    assert model.recommend(0).item_id.tolist() == []
    assert "nothing left to list" in str(model.recommend(0))
    assert model.recommend([0, 1, 2]).offsets.tolist() == [0, 0, 0, 0]
    assert len(model.recommend([0, 1, 2]).to_frame("pandas")) == 0
    assert model.recommend(model.fold_in(dict.fromkeys(range(4), 1.0))).item_id.tolist() == []
    assert model.recommend(0, candidates=[1, 2]).item_id.tolist() == []
    assert model.recommend_users(0).user_id.tolist() == []
