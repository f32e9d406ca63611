"""Trap 2: an out-of-range index in a fold-in history crashes, or gives a garbage vector in silence."""

import numpy as np
import pytest

from alternant import ExplicitALS, Interactions
from alternant.errors import UnknownIdError
from alternant.interactions import EntryRows
from alternant.solvers import solve_side
from small_models import random_history


@pytest.fixture(scope="module")
def model():
    return ExplicitALS(n_factors=3, n_sweeps=2).fit(random_history(15, 12))


@pytest.mark.parametrize("item", [12, -1, 2**31, -(2**31), 2**40])
def test_trap_02_an_item_that_is_not_there_is_named(model, item):
    history = Interactions.from_arrays([0, 0], [3, item], [4.0, 5.0])
    with pytest.raises(
        UnknownIdError,
        match=rf"^no item {item} in this model \(12 items\); leave it out, or take the item in by",
    ):
        model.fold_in(history)
    with pytest.raises(UnknownIdError, match=f"no item {item} in this model"):
        model.fold_in({3: 4.0, item: 5.0})


def test_trap_02_a_negative_item_is_not_python_s_last_one():
    """-1 as an id of the model is an ordinary id."""
    history = Interactions.from_arrays([0, 0, 1], [-1, 5, 5], [1.0, 5.0, 4.0])
    model = ExplicitALS(n_factors=1, n_sweeps=2).fit(history)
    np.testing.assert_array_equal(model.fold_in({-1: 1.0, 5: 5.0}).table[0], model.user_table[0])


@pytest.mark.parametrize("index", [12, -1, 2**31 - 1])
def test_trap_02_the_solver_checks_indices_too(model, index):
    """A memory-mapped file may lie below the layer that knows ids."""
    rows = EntryRows(
        np.array([0, 1]), np.array([index], np.int32), n_columns=12, values=np.ones(1, np.float32)
    )
    with pytest.raises(ValueError, match=r"index|indices"):
        solve_side(model.problem, "users", rows, model.fixed_items)
