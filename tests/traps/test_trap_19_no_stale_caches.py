"""Trap 19: stale norms after a partial update give wrong neighbours. Ours: a new snapshot, nothing kept."""

import numpy as np

from alternant import ExplicitALS, Interactions
from small_models import random_history


def test_trap_19_scales_and_neighbours_are_those_of_the_new_tables():
    model = ExplicitALS(n_factors=3, biases=False, regularization=0.1).fit(random_history(15, 12))
    # Fill the caches of the old snapshot.
    model.similar_users([3], k=3)
    model.similar_items([3], k=3)
    later = model.updated(Interactions.from_arrays([3, 3, 4], [20, 1, 20], [0.5, 0.5, 5.0]))
    for factors, scale in ((later.user_factors, later.user_scale), (later.item_factors, later.item_scale)):
        lengths = np.sqrt((factors.astype(float) ** 2).sum(axis=1))
        np.testing.assert_allclose(scale * lengths, 1, rtol=1e-5)
    units = later.user_factors / np.linalg.norm(later.user_factors, axis=1, keepdims=True)
    similarity = units @ units[3]
    similarity[3] = -np.inf
    found = later.similar_users([3], k=3)
    assert found.neighbour_id.tolist() == np.argsort(-similarity)[:3].tolist()
    assert (later.user_scale[3] != model.user_scale[3]).any()
