"""Half-sweeps of the explicit model against the plain reference."""

import dataclasses

import numpy as np
import pytest

import reference
from alternant import DivergedError, Interactions, SingularSystemError
from alternant.objective import FixedSide, Ridge, rows_of
from alternant.solvers import solve_side
from objectives import explicit
from tables import NAN, random_ratings, ratings_of


@pytest.mark.parametrize("side", ["users", "items"])
@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_half_sweep_is_the_reference(isa, side, biases, weighted):
    dense = random_ratings(0, 40, 30)
    dense[3] = NAN
    weights = np.random.default_rng(1).uniform(0.5, 2.0, dense.shape).astype(np.float32) if weighted else None
    ratings = ratings_of(dense, weights)
    objective = explicit(5, biases, 2.5, Ridge(0.3, 0.5, 1.0, 0.0, 3.0), Ridge.plain(0.7, 1.0))
    if side == "items":
        dense, weights = dense.T, None if weights is None else weights.T
    fixed = np.random.default_rng(2).normal(size=(dense.shape[1], objective.width)).astype(np.float32)
    rows = rows_of(ratings, side)
    penalties = objective.ridge(side).diagonal(rows.counts, 5, bias=biases)
    expected = reference.solve_side(
        dense, fixed.astype(float), penalties, mean=2.5, biases=biases, weights=weights
    )
    found = solve_side(objective, side, rows, FixedSide(fixed))
    assert found.table == pytest.approx(expected, rel=1e-4, abs=1e-5)
    residual = dense - reference.predict(
        found.table.astype(float), fixed.astype(float), mean=2.5, biases=biases
    )
    squares = residual**2 if weights is None else weights * residual**2
    own = np.sum(penalties * found.table.astype(float) ** 2, axis=1)
    assert found.penalties == pytest.approx(own, rel=1e-6)
    assert found.losses == pytest.approx(np.nansum(squares, axis=1) + own, rel=1e-5, abs=1e-5)


def test_a_singular_row_is_named_with_its_count_and_the_setting_to_raise():
    ratings = Interactions.from_arrays(
        ["alice"] * 3 + ["bob"] * 5, ["a", "b", "c", "a", "b", "c", "d", "e"], np.arange(8.0)
    )
    objective = explicit(4, False, 0.0, Ridge(0.0), Ridge(0.0))
    fixed = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    message = r"no unique solution for user 'alice' \(3 interactions\): raise regularization \(now 0.0\)"
    with pytest.raises(SingularSystemError, match=message):
        solve_side(objective, "users", ratings.by_user, FixedSide(fixed), ids=ratings.user_ids)
    fixed = fixed[:2].copy()
    message = (
        r"no unique solution for item 'a' \(2 interactions\): raise regularization or item_regularization"
    )
    with pytest.raises(SingularSystemError, match=message):
        solve_side(objective, "items", ratings.by_item, FixedSide(fixed), ids=ratings.item_ids)


def test_overflow_is_named():
    ratings = Interactions.from_arrays([7], [1], [3e38])
    objective = explicit(1, False, 0.0, Ridge(1e-30), Ridge(1e-30))
    with pytest.raises(DivergedError, match=r"the factors of user 7 \(1 interaction\) are not finite"):
        solve_side(
            objective,
            "users",
            ratings.by_user,
            FixedSide(np.full((1, 1), 1e-15, np.float32)),
            ids=ratings.user_ids,
        )


def test_out_is_written_and_returned():
    ratings = ratings_of(random_ratings(0, 6, 5))
    objective = explicit(2, False, 0.0, Ridge(1.0), Ridge(1.0))
    out = np.empty((6, 2), np.float32)
    assert (
        solve_side(objective, "users", ratings.by_user, FixedSide(np.ones((5, 2), np.float32)), out=out).table
        is out
    )


@pytest.mark.parametrize("nonnegative", [False, True])
@pytest.mark.parametrize("ridge", [Ridge(0.5, 1.0), Ridge(0.0)])
def test_a_row_without_entries_is_0_under_a_prior_mean_whatever_its_ridge(isa, nonnegative, ridge):
    """Seen to be refused as singular: λ·n^ν is 0 there, and the prior mean has a right side of 0."""
    ratings = ratings_of(np.array([[5.0, 3.0, 1.0, 2.0], [NAN] * 4]))
    objective = dataclasses.replace(explicit(2, False, 0.0, ridge, ridge), nonnegative=nonnegative)
    fixed = np.random.default_rng(0).uniform(0.1, 1.0, size=(4, 2)).astype(np.float32)
    found = solve_side(
        objective, "users", ratings.by_user, FixedSide(fixed), mean=np.ones((2, 2), np.float32)
    )
    assert found.table[0].any()
    assert not found.table[1].any()
    assert found.losses[1] == found.penalties[1] == 0.0
