"""Trap 18: fold-in of an unchanged user differs from the trained vector. Ours: the same bits, always."""

import numpy as np
import pytest

from alternant import ExplicitALS, Interactions, kernels
from small_models import random_history


@pytest.fixture(params=kernels.isa_levels())
def isa(request):
    before = kernels.isa()
    kernels.set_isa(request.param)
    yield request.param
    kernels.set_isa(before)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"biases": False, "center": False, "regularization": 0.1, "regularization_exponent": 0},
        {"regularization": 0.05, "item_regularization": 0.5, "regularization_exponent": 1.0},
        {"n_sweeps": 1},
        {"n_factors": 70},
    ],
)
def test_trap_18_a_stored_history_gives_the_stored_vector(isa, settings):
    """Rows shorter and longer than the number of factors; alone and in a batch; any number of threads."""
    rng = np.random.default_rng(0)
    history = random_history(60, 90, density=0.3)
    entries = history.entries()
    weighted = Interactions.from_arrays(
        entries.user_index, entries.item_index, entries.values, weights=rng.random(history.n_entries) + 0.5
    )
    for data in (history, weighted):
        model = ExplicitALS(**({"n_factors": 8, "n_sweeps": 3} | settings)).fit(data)
        for n_threads in (1, 2, 3, 7):
            np.testing.assert_array_equal(model.fold_in(data, n_threads=n_threads).table, model.user_table)
        for user in (0, 17, 59):
            alone = data.take(np.flatnonzero(entries.user_index == user), prune=True)
            np.testing.assert_array_equal(model.fold_in(alone).table[0], model.user_table[user])
        late = data.take(np.flatnonzero(entries.user_index >= 40), prune=True)
        np.testing.assert_array_equal(model.fold_in(late).table, model.user_table[40:])


def test_trap_18_after_an_early_stop_and_a_callback_s_stop():
    history = random_history(30, 20)
    early = ExplicitALS(n_factors=4, n_sweeps=500, tol=1e-2).fit(history)
    stopped = ExplicitALS(n_factors=4).fit(history, callback=lambda event: event.side == "users")
    for model in (early, stopped):
        np.testing.assert_array_equal(model.fold_in(history).table, model.user_table)


def test_trap_18_after_loading(tmp_path):
    from alternant import load

    history = random_history(30, 20, strings=True)
    model = ExplicitALS(n_factors=4).fit(history)
    model.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(load(tmp_path / "m.safetensors").fold_in(history).table, model.user_table)
