"""Explored rankings, against scores, uncertainties and draws of all pairs put together one by one."""

from dataclasses import replace

import numpy as np
import pytest

from alternant import DataError, ExplicitALS, ImplicitALS, Interactions
from alternant.kernels import random
from alternant.model import curvature, exploring, uncertainty
from small_models import named_model, random_history

HISTORY = random_history(40, 150, seed=3, density=0.1)
_entries = HISTORY.entries()
HISTORY_OF_DAYS = Interactions.from_arrays(
    _entries.user_index, _entries.item_index, _entries.values,
    times=86_400 * np.random.default_rng(5).integers(0, 3, HISTORY.n_entries),
)  # fmt: skip
EVERYBODY = np.arange(40)

ESTIMATORS = {
    "link": ExplicitALS(n_factors=6),
    "explicit": ExplicitALS(n_factors=6, regularization=0.2),
    "no biases": ExplicitALS(n_factors=6, regularization=0.2, biases=False),
    "discount": ExplicitALS(n_factors=6, regularization=0.2, item_discount=0.5, user_discount=0.25),
    "nonnegative": ExplicitALS(n_factors=6, regularization=0.2, nonnegative=True, link=False),
    "days": ExplicitALS(n_factors=6, regularization=0.2, day_bias_regularization=0.5),
    "ials": ImplicitALS(n_factors=6),
    "ials nonnegative": ImplicitALS(n_factors=6, nonnegative=True),
    "hkv": ImplicitALS(
        n_factors=6, form="hkv", regularization=0.1, unobserved_item_exponent=0.5,
        unobserved_user_exponent=0.2,
    ),
    "missing-as-zero": ImplicitALS(n_factors=6, form="missing-as-zero", regularization=0.1),
}  # fmt: skip


@pytest.fixture(scope="module", params=list(ESTIMATORS))
def model(request):
    return ESTIMATORS[request.param].fit(HISTORY_OF_DAYS if request.param == "days" else HISTORY)


def draws(model, user_ids, seed):
    """ε of every pair, each drawn alone."""
    found = np.empty((len(user_ids), model.n_items))
    for row, user_hash in enumerate(user_ids.hashes):
        for column, item_hash in enumerate(model.item_ids.hashes):
            found[row, column] = random.standard_normal(
                np.array([item_hash]), 1, seed=(int(user_hash) + seed * 0x9E3779B97F4A7C15) % 2**64,
                purpose=random.Purpose.EXPLORE, side=random.Side.USERS, n_threads=1,
            )[0, 0]  # fmt: skip
    return found


def every_pair(model, users, how, weight, epsilon):
    """score + c σ (ε) of all pairs, through the answers for pairs."""
    n, items = len(epsilon), model.item_ids.labels
    scores, deviations = np.empty((2, n, model.n_items))
    for row in range(n):
        user = users[row]
        scores[row] = model.score(user, items)
        deviations[row] = model.uncertainty(user, items)
    return scores + weight * deviations * (1.0 if how == "ucb" else epsilon)


def check(found, expected, seen, model, k, allowed=None):
    """Each list is the k best of what is expected, up to rounding."""
    for row, one in enumerate(found):
        left = np.full(model.n_items, -np.inf)
        may = np.ones(model.n_items, bool) if allowed is None else allowed
        may = may & ~seen[row]
        left[may] = expected[row][may]
        best = np.sort(left)[::-1][: min(k, may.sum())]
        assert len(one.score) == len(best)
        np.testing.assert_allclose(one.score, best, rtol=2e-4, atol=2e-5)
        index = model.item_ids.encode(one.item_id, what="item")
        np.testing.assert_allclose(left[index], one.score, rtol=2e-4, atol=2e-5)
        assert (np.diff(one.score) <= 0).all()


def seen_by(history):
    found = np.zeros((len(history.user_ids), len(history.item_ids)), bool)
    entries = history.entries()
    found[entries.user_index, entries.item_index] = True
    return found


@pytest.mark.parametrize(("how", "weight"), [("ucb", 1.0), ("ucb", 0.3), ("thompson", 1.0)])
def test_lists_are_the_best_of_all_pairs(model, how, weight):
    """Seen to fail with the bound's rank-one part for users taken four times, and without its items' part."""
    expected = every_pair(model, EVERYBODY, how, weight, draws(model, model.user_ids, 7))
    found = model.recommend(EVERYBODY, 5, explore=how, explore_weight=weight, seed=7)
    check(found, expected, seen_by(HISTORY), model, 5)


def test_few_pairs_are_looked_at_closely(monkeypatch):
    history = random_history(30, 2000, seed=1, density=0.03)
    model = ExplicitALS(n_factors=8).fit(history)
    looked = []
    plain = exploring.Explorer._explored

    def counting(self, index, rows, draws, user, item):
        looked.append(len(user))
        return plain(self, index, rows, draws, user, item)

    monkeypatch.setattr(exploring.Explorer, "_explored", counting)
    model.recommend(np.arange(30), 10, explore="ucb")
    assert sum(looked) < 0.25 * 30 * 2000


def test_bounds_are_above_and_close(model):
    """They bound |C q|², and are equal to it for a row with one entry."""
    systems = uncertainty.model_systems(model, n_threads=1)
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((20, model.problem.width)).astype(np.float32)
    for side, n in ((systems.users, model.n_users), (systems.items, model.n_items)):
        index = np.arange(n, dtype=np.int32)
        inverse, direction = curvature.ceilings(side, index)
        exact = np.empty((n, 20))
        for part, halves in curvature.half_inverses(side, index, n_threads=2):
            exact[part] = np.sum(np.einsum("ijk,qk->iqj", halves.astype(float), vectors) ** 2, axis=2)
        with np.errstate(invalid="ignore"):  # of matmul with infinities
            bound = inverse.astype(float) @ (vectors**2).T - (direction.astype(float) @ vectors.T) ** 2
        assert (bound >= exact * (1 - 1e-4)).all()
        one = (side.rows.counts == 1) & np.isfinite(inverse).all(axis=1)
        if side.fixed.gram is None:
            np.testing.assert_allclose(bound[one], exact[one], rtol=1e-3)


def test_half_inverses_do_what_solving_does(model):
    systems = uncertainty.model_systems(model, n_threads=1)
    vectors = np.random.default_rng(0).standard_normal((150, model.problem.width)).astype(np.float32)
    for side, n in ((systems.users, model.n_users), (systems.items, model.n_items)):
        index = np.arange(n, dtype=np.int32)
        solved = side.solve(index, vectors[:n], n_threads=1)
        for part, halves in curvature.half_inverses(side, index, n_threads=2):
            found = np.einsum("iba,ibc,ic->ia", halves, halves, vectors[:n][part])
            np.testing.assert_allclose(found, solved[part], rtol=1e-3, atol=1e-4 * np.abs(solved).max())


@pytest.mark.parametrize("how", ["ucb", "thompson"])
def test_a_batch_any_threads_and_blocks_are_the_same(model, how, monkeypatch):
    batch = model.recommend(EVERYBODY, 7, explore=how, seed=3, n_threads=1)
    monkeypatch.setattr(exploring, "PAIRS_AT_ONCE", 400)
    monkeypatch.setattr(exploring, "COLUMNS_AT_ONCE", 16)
    monkeypatch.setattr(curvature, "NUMBERS_AT_ONCE", 100)
    monkeypatch.setattr(curvature, "ENTRIES_AT_ONCE", 50)
    again = model.recommend(EVERYBODY, 7, explore=how, seed=3, n_threads=3)
    for name in ("offsets", "item_id", "score"):
        np.testing.assert_array_equal(getattr(again, name), getattr(batch, name))
    alone = model.recommend(11, 7, explore=how, seed=3)
    part = slice(int(batch.offsets[11]), int(batch.offsets[12]))
    np.testing.assert_array_equal(alone.item_id, batch.item_id[part])
    np.testing.assert_array_equal(alone.score, batch.score[part])


def test_another_seed_is_another_draw_and_weight_zero_the_plain_list(model):
    plain = model.recommend(EVERYBODY, 7)
    for how in ("ucb", "thompson"):
        same = model.recommend(EVERYBODY, 7, explore=how, explore_weight=0, seed=1)
        np.testing.assert_array_equal(same.item_id, plain.item_id)
        np.testing.assert_array_equal(same.score, plain.score)
    drawn = [model.recommend(EVERYBODY, 7, explore="thompson", seed=seed).item_id for seed in (1, 2, 1)]
    np.testing.assert_array_equal(drawn[0], drawn[2])
    assert not np.array_equal(drawn[0], drawn[1])


def test_folded_in_users_are_ranked_as_the_stored(model):
    folded = model.fold_in(model.history)
    for how in ("ucb", "thompson"):
        stored = model.recommend(EVERYBODY, 6, explore=how, seed=4)
        found = model.recommend(folded, 6, explore=how, seed=4)
        np.testing.assert_array_equal(found.item_id, stored.item_id)
        np.testing.assert_array_equal(found.score, stored.score)


def test_candidates_exclusions_and_what_was_seen():
    model = ESTIMATORS["explicit"].fit(HISTORY)
    expected = every_pair(model, EVERYBODY, "ucb", 1.0, np.zeros((40, 150)))
    allowed = np.zeros(150, bool)
    allowed[20:90] = True
    allowed[[30, 31]] = False
    found = model.recommend(EVERYBODY, 8, explore="ucb", candidates=np.arange(20, 90), exclude=[30, 31])
    check(found, expected, seen_by(HISTORY), model, 8, allowed)
    found = model.recommend(EVERYBODY, 8, explore="ucb", exclude_seen=False)
    check(found, expected, np.zeros((40, 150), bool), model, 8)
    assert len(model.recommend(0, explore="ucb", candidates=[]).item_id) == 0
    assert len(model.recommend([], explore="ucb")) == 0


def test_k_beyond_what_is_left_gives_all_of_it():
    model = ESTIMATORS["explicit"].fit(HISTORY)
    found = model.recommend(EVERYBODY, 1000, explore="ucb")
    np.testing.assert_array_equal(np.diff(found.offsets), 150 - HISTORY.by_user.counts)


def test_with_diversity_it_is_chosen_from_the_explored_pool():
    model = ESTIMATORS["explicit"].fit(HISTORY)
    pool = model.recommend(3, 100, explore="ucb")
    found = model.recommend(3, 5, explore="ucb", diversity=0.7)
    assert set(found.score.tolist()) <= set(pool.score.tolist())
    assert found.item_id[0] == pool.item_id[0]
    assert found.item_id.tolist() != pool.item_id[:5].tolist()


def test_the_fallback_stays_as_it_is():
    model = ESTIMATORS["explicit"].fit(HISTORY)
    found = model.recommend([3, 999], 5, explore="ucb", unknown="fallback")
    plain = model.recommend(999, 5, unknown="fallback")
    assert found.source.tolist() == ["model"] * 5 + ["fallback"] * 5
    assert found.item_id[5:].tolist() == plain.item_id.tolist()


def test_what_nobody_rated_is_least_known():
    """Without a ridge for rows without entries their uncertainty has no bound: first in, or last."""
    history = Interactions.from_arrays(
        ["a", "a", "b", "b"], ["x", "y", "x", "z"], [5, 3, 4, 1], item_ids=["w", "x", "y", "z"]
    )
    model = ExplicitALS(n_factors=1, regularization=0.1, regularization_exponent=1.0).fit(history)
    found = model.recommend("a", explore="ucb", min_entries=0)
    assert found.item_id.tolist() == ["w", "z"]
    assert np.isfinite(found.score).all()


def test_refusals():
    model = named_model()
    with pytest.raises(DataError, match="explore must be 'ucb' or 'thompson', got 'greedy'"):
        model.recommend("alice", explore="greedy")
    with pytest.raises(DataError, match="explore_weight must be a number of at least 0, got -1"):
        model.recommend("alice", explore="ucb", explore_weight=-1)
    with pytest.raises(DataError, match='explore="thompson" draws at random and needs seed='):
        model.recommend("alice", explore="thompson")
    with pytest.raises(DataError, match="seed must be an integer from 0 to"):
        model.recommend("alice", explore="thompson", seed=-1)
    with pytest.raises(DataError, match="uncertainty needs the history"):
        replace(model, history=None).recommend("alice", explore="ucb", exclude_seen=False)
    sampled = ExplicitALS(n_factors=2, n_samples=2, burn_in=0).fit(HISTORY)
    with pytest.raises(DataError, match="explore is not for sampled models"):
        sampled.recommend(3, explore="ucb")


def test_values_whose_squares_do_not_fit_are_ranked_without_a_warning():
    """Seen to fail where the squares of rows were taken outside of errstate: warnings are errors here."""
    model = ESTIMATORS["explicit"].fit(HISTORY)
    folded = model.fold_in({3: 1e25})
    found = model.recommend(folded, 5, explore="ucb")
    assert len(found.score) == 5
    assert np.isfinite(found.score).all()
