"""Trap 20: similarity divides by one norm only; an item is not most similar to itself."""

import numpy as np

from alternant import ExplicitALS
from alternant.retrieval import pair_scores
from small_models import random_history, random_model


def test_trap_20_an_item_is_most_similar_to_itself():
    """Vectors of very different lengths. Lists leave the item itself out, so its cosine is computed here."""
    rng = np.random.default_rng(0)
    history = random_history(20, 40)
    items = (rng.standard_normal((40, 4)) * 10.0 ** rng.integers(-6, 7, (40, 1))).astype(np.float32)
    model = random_model(history, tables=[np.ones((20, 4), np.float32), items])
    everything = np.arange(40)
    itself = pair_scores(
        model.item_table,
        model.item_table,
        everything,
        everything,
        left_last="zero",
        left_scale=model.item_scale,
        right_scale=model.item_scale,
    )
    np.testing.assert_allclose(itself, 1, atol=5e-7)
    for item, one in enumerate(model.similar_items(everything, k=40)):
        assert item not in one.neighbour_id
        assert one.similarity.max() <= itself[item] + 5e-7


def test_trap_20_length_does_not_matter():
    history = random_history(4, 4)
    items = np.array([[1, 1, 9], [100, 100, -9], [0, 5, 0], [-1, -1, 3]], np.float32)
    model = random_model(history, n_factors=2, tables=[np.ones((4, 3), np.float32), items])
    result = model.similar_items(0)
    assert result.neighbour_id.tolist() == [1, 2, 3]
    np.testing.assert_allclose(result.similarity, [1, np.sqrt(0.5), -1], atol=1e-6)


def test_trap_20_twins_are_neighbours_after_a_fit():
    history = random_history(40, 12)
    entries = history.entries()
    twin = entries.item_index == 3
    users = np.concatenate([entries.user_index, entries.user_index[twin]])
    items = np.concatenate([entries.item_index, np.full(twin.sum(), 12)])
    values = np.concatenate([entries.values, entries.values[twin]])
    model = ExplicitALS(n_factors=3).fit(type(history).from_arrays(users, items, values))
    assert model.similar_items(12, k=1).neighbour_id.tolist() == [3]
    assert model.similar_items(3, k=1).neighbour_id.tolist() == [12]
