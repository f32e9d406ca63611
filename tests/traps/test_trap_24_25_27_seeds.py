"""Traps 24, 25, 27: a second fit goes on from the first; documented seeds crash; start values move."""

import numpy as np
import pytest

from alternant import DataError, ExplicitALS, Interactions
from alternant.training._start import random_start
from tables import random_ratings, ratings_of


def test_trap_24_fit_starts_afresh():
    settings = ExplicitALS(n_factors=4, n_sweeps=2)
    ratings = ratings_of(random_ratings(0, 20, 15))
    one, two = settings.fit(ratings), settings.fit(ratings)
    assert np.array_equal(one.user_table, two.user_table)
    assert [e.objective for e in one.trace] == [e.objective for e in two.trace]


@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1, np.int64(7), np.uint64(2**64 - 1), np.uint8(3)])
def test_trap_25_every_documented_seed_works(seed):
    ratings = ratings_of(random_ratings(0, 20, 15))
    model = ExplicitALS(n_factors=4, n_sweeps=1, seed=seed).fit(ratings)
    assert model.settings["seed"] == int(seed)
    other = ExplicitALS(n_factors=4, n_sweeps=1, seed=12345).fit(ratings)
    assert not np.array_equal(model.item_table, other.item_table)


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, "1", None, True, np.random.default_rng(0)])
def test_trap_25_other_seeds_are_refused_at_once(seed):
    with pytest.raises(DataError, match="seed must be an integer from 0 to 18446744073709551615, got"):
        ExplicitALS(seed=seed)


def test_trap_27_start_values_belong_to_ids():
    few = Interactions.from_arrays(["u1", "u1"], ["b", "d"], [1.0, 2.0])
    many = Interactions.from_arrays(["u0", "u1", "u1", "u9"], ["a", "b", "d", "c"], [1.0, 1.0, 2.0, 3.0])
    one = random_start(few, 8, scale=1.0, seed=3, n_threads=1)
    two = random_start(many, 8, scale=1.0, seed=3, n_threads=2)
    assert np.array_equal(one, two[many.item_ids.encode(["b", "d"], what="item")])
