"""Trap 26: results change with the number of threads."""

import numpy as np
import pytest

from alternant import ExplicitALS
from alternant.model.priors import prior_parts
from alternant.objective import rows_of
from alternant.solvers import solve_side
from alternant.training import LocalBackend, SideState
from tables import random_ratings, ratings_of


@pytest.mark.parametrize("init", ["random", "spectral"])
def test_trap_26_the_same_bits_for_any_number_of_threads(isa, init):
    """Big enough that every thread gets chunks; see also tests/properties/test_half_sweeps.py."""
    ratings = ratings_of(random_ratings(0, 3000, 400, known=0.05))
    models = [
        ExplicitALS(n_factors=16, n_sweeps=3, init=init, n_threads=n).fit(ratings) for n in (1, 2, 3, 7)
    ]
    for model in models[1:]:
        assert np.array_equal(model.user_table, models[0].user_table)
        assert np.array_equal(model.item_table, models[0].item_table)
        assert np.array_equal(model.omega, models[0].omega)
        assert [e.objective for e in model.trace] == [e.objective for e in models[0].trace]


@pytest.mark.parametrize("max_entries", [1, 100, 10_000])
def test_trap_26_the_same_bits_for_any_block_size(isa, max_entries):
    ratings = ratings_of(random_ratings(0, 1000, 200, known=0.1))
    model = ExplicitALS(n_factors=16, n_sweeps=2, link=False).fit(ratings)
    blocks = solve_side(
        model.problem, "users", ratings.by_user, model.fixed_items, max_entries=max_entries, n_threads=3
    )
    assert np.array_equal(blocks.table, model.user_table)


@pytest.mark.parametrize("max_entries", [1, 100, 10_000])
def test_trap_26_the_same_bits_for_any_block_size_with_the_link(isa, max_entries):
    ratings = ratings_of(random_ratings(0, 300, 100, known=0.1))
    model = ExplicitALS(n_factors=16, n_sweeps=2, link=True).fit(ratings)
    rows, columns = rows_of(ratings, "users"), rows_of(ratings, "items")
    parts = prior_parts(model.problem, "users", rows, None, columns=columns, fitted=True)
    backend = LocalBackend(ratings, model.problem, 3, user_parts=parts, max_entries=max_entries)
    before = SideState(np.zeros_like(model.user_table), model.user_prior.coefficients)
    solved = backend.solve("users", model.fixed_items, before, np.empty_like(model.user_table))
    assert np.array_equal(solved.table, model.user_table)
