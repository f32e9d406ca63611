"""Trap 15: updating item 20 of a 12-item model invents items 12..19. Ours: only ids with entries come in."""

import numpy as np

from alternant import ExplicitALS, ImplicitALS, Interactions
from small_models import random_history


def test_trap_15_an_update_brings_only_the_ids_that_it_names():
    nan = float("nan")
    row = np.full((1, 21), nan)
    row[0, 20] = 4.0
    for estimator in (ExplicitALS(n_factors=2), ImplicitALS(n_factors=2)):
        model = estimator.fit(random_history(15, 12))
        for given in (Interactions.from_arrays([0], [20], [4.0]), Interactions.from_matrix(row)):
            later = model.updated(given)
            assert later.item_ids.labels.tolist() == [*range(12), 20]
            assert later.item_counts[-1] == 1
            listed = set(later.recommend(list(range(15)), k=50).item_id.tolist())
            assert listed <= {*range(12), 20}
            assert 20 in listed
