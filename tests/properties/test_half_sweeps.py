"""What holds for every half-sweep, whatever the data: Hypothesis looks for exceptions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
from alternant import ExplicitALS, Interactions, kernels
from alternant.objective import rows_of
from alternant.solvers import solve_side
from alternant.training import LocalBackend, SideState
from tables import random_ratings, ratings_of

problems = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**32 - 1),
        "n_users": st.integers(1, 40),
        "n_items": st.integers(1, 40),
        "known": st.floats(0.05, 1.0),
    }
)
models = st.fixed_dictionaries(
    {
        "n_factors": st.integers(1, 20),
        "regularization": st.sampled_from(["auto", 0.001, 0.1, 3.0]),
        "biases": st.booleans(),
        "center": st.booleans(),
        "init": st.sampled_from(["random", "spectral"]),
        "link": st.just(False),
        "solver": st.sampled_from(["auto", "exact"]),
    }
)
# Rows that are solved exactly need no start.
NO_STATE = SideState(np.zeros((0, 0), np.float32))
few = settings(max_examples=40, deadline=None)


def make(problem):
    dense = random_ratings(**problem)
    dense[0, 0] = 4.0
    return dense, ratings_of(dense)


def fit(ratings, model, **changed):
    """Return the model, and each half-sweep's event with the tables copied."""
    seen = []

    def keep(event):
        seen.append((event, event.user_table.copy(), event.item_table.copy()))

    return ExplicitALS(**{"n_sweeps": 4, "tol": 0.0, **model, **changed}).fit(ratings, callback=keep), seen


@given(problems, models)
@few
def test_the_objective_never_rises_and_the_running_loss_is_true(problem, model):
    """Seen to fail with the fixed side's penalty taken from the half-sweep before."""
    _, ratings = make(problem)
    fitted, seen = fit(ratings, model)
    objective, before = fitted.problem, np.inf
    for event, users, items in seen:
        value = objective.total(ratings, users, items)
        assert value <= before * (1 + 1e-6)
        square = np.sum((ratings.entries().values.astype(float) - objective.mean) ** 2)
        assert abs(event.objective - value) <= 1e-6 * (value + square)
        before = value
    closing = fitted.objective(ratings)
    assert closing <= before * (1 + 1e-6)
    assert fitted.trace[-1].objective == pytest.approx(closing, abs=1e-6 * (closing + square))


@given(problems, models)
@few
def test_the_gradient_is_zero_at_each_solution(problem, model):
    """The normal equations of every row hold; seen to fail with the bias column's 1 left out."""
    dense, ratings = make(problem)
    fitted, seen = fit(ratings, model, n_sweeps=1, solver="exact")
    objective = fitted.problem
    for event, users, items in seen:
        rows, own, fixed = (dense, users, items) if event.side == "users" else (dense.T, items, users)
        counts = rows_of(ratings, event.side).counts
        penalties = objective.ridge(event.side).diagonal(counts, objective.n_factors, bias=objective.biases)
        y, explained = reference.design(fixed.astype(float), objective.biases)
        for row, x, d in zip(rows, own.astype(float), penalties, strict=True):
            known = ~np.isnan(row)
            target = row[known] - objective.mean - explained[known]
            gradient = y[known].T @ (y[known] @ x - target) + d * x
            # Targets are float32 differences: their rounding is relative to what they are differences of.
            given = np.abs(row[known]) + abs(objective.mean) + np.abs(explained[known])
            norm = np.linalg.norm(y[known])
            size = norm * np.linalg.norm(given) + (norm**2 + d.max()) * np.linalg.norm(x)
            assert np.linalg.norm(gradient) <= 1e-6 * size + 1e-12


@given(problems, models, st.integers(1, 50), st.sampled_from([2, 3, 7]))
@few
def test_threads_and_blocks_change_no_bit(problem, model, max_entries, n_threads):
    """Seen to fail with chunks summed in the order in which threads end."""
    _, ratings = make(problem)
    fitted, _ = fit(ratings, model, n_threads=1)
    again, _ = fit(ratings, model, n_threads=n_threads)
    assert np.array_equal(fitted.user_table, again.user_table)
    assert np.array_equal(fitted.item_table, again.item_table)
    assert [entry.objective for entry in fitted.trace] == [entry.objective for entry in again.trace]
    backend = LocalBackend(ratings, fitted.problem, n_threads, max_entries=max_entries)
    users = backend.solve("users", fitted.fixed_items, NO_STATE, np.empty_like(fitted.user_table))
    assert np.array_equal(users.table, fitted.user_table)


@given(problems, models)
@few
def test_every_level_agrees_with_the_others(problem, model):
    _, ratings = make(problem)
    model = {**model, "init": "random", "regularization": "auto"}
    before, tables = kernels.isa(), []
    try:
        for level in kernels.isa_levels():
            kernels.set_isa(level)
            fitted, seen = fit(ratings, model, n_sweeps=1)
            tables.append((seen[0][1], fitted.trace[-1].objective))
    finally:
        kernels.set_isa(before)
    for users, value in tables[1:]:
        assert value == pytest.approx(tables[0][1], rel=1e-3)
        assert users == pytest.approx(tables[0][0], rel=1e-2, abs=1e-3)


@given(problems, models)
@few
def test_folding_in_the_training_history_gives_the_stored_bits(problem, model):
    _, ratings = make(problem)
    fitted, _ = fit(ratings, model)
    assert np.array_equal(fitted.fold_in(ratings).table, fitted.user_table)


@given(problems, models)
@few
def test_relabelling_users_only_relabels_rows(problem, model):
    dense, ratings = make(problem)
    order = np.random.default_rng(problem["seed"]).permutation(dense.shape[0])
    users, items = np.nonzero(~np.isnan(dense))
    relabelled = Interactions.from_arrays(
        order[users], items, dense[users, items], user_ids=np.arange(len(order)), item_ids=ratings.item_ids
    )
    fitted, _ = fit(ratings, model, init="random")
    objective, fixed = fitted.problem, fitted.fixed_items
    one = solve_side(objective, "users", ratings.by_user, fixed).table
    two = solve_side(objective, "users", relabelled.by_user, fixed).table
    assert np.array_equal(two[order], one)


@given(problems, models)
@few
def test_the_closing_rotation_changes_no_prediction(problem, model):
    _, ratings = make(problem)
    fitted, seen = fit(ratings, model)
    _, _, items = seen[-1]
    k = fitted.n_factors
    gram = fitted.item_factors.astype(float).T @ fitted.item_factors.astype(float)
    size = max(np.abs(gram).max(), 1e-30)
    assert np.abs(gram - np.diag(np.diagonal(gram))).max() <= 1e-5 * size
    assert (np.diff(fitted.omega) <= 1e-5 * size).all()
    before, after = items[:, :k].astype(float), fitted.item_factors.astype(float)
    assert np.allclose(before @ before.T, after @ after.T, atol=1e-5 * size)
