"""Trap 1: fitting one object again with a smaller or larger matrix crashes or reads out of bounds."""

import numpy as np

from alternant import ExplicitALS
from tables import random_ratings, ratings_of


def test_trap_01_one_estimator_fits_data_of_any_size():
    settings = ExplicitALS(n_factors=5)
    first = settings.fit(ratings_of(random_ratings(0, 30, 20)))
    small = settings.fit(ratings_of(random_ratings(1, 3, 2, known=1.0)))
    large = settings.fit(ratings_of(random_ratings(2, 300, 200)))
    assert (small.n_users, small.n_items, large.n_users, large.n_items) == (3, 2, 300, 200)
    again = settings.fit(ratings_of(random_ratings(0, 30, 20)))
    assert np.array_equal(first.user_table, again.user_table)
