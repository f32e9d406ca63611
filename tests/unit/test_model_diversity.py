"""Lists by maximal marginal relevance, against a plain float64 loop."""

import numpy as np
import pytest

from alternant.errors import DataError
from alternant.interactions import Interactions
from small_models import named_model, random_history, random_model


def loop(scores, factors, k, diversity):
    """Choose from a pool in score order, one place after the other."""
    spread = max(scores) - min(scores) or 1.0
    scaled = [(float(score) - float(min(scores))) / float(spread) for score in scores]
    chosen = []
    while len(chosen) < min(k, len(scores)):
        best, most = None, -np.inf
        for i in range(len(scores)):
            if i in chosen:
                continue
            cosines = [0.0]
            if chosen:
                cosines = [
                    np.dot(factors[i], factors[j]) / (np.linalg.norm(factors[i]) * np.linalg.norm(factors[j]))
                    for j in chosen
                ]
            value = (1 - diversity) * scaled[i] - diversity * max(cosines)
            if value > most:
                best, most = i, value
        chosen.append(best)
    return chosen


def expected(model, pool, k, diversity):
    """Return items and scores that the loop chooses from a plain list."""
    factors = model.item_factors[model.item_ids.encode(pool.item_id, what="item")].astype(float)
    order = loop(pool.score.tolist(), factors, k, diversity)
    return pool.item_id[order].tolist(), pool.score[order].tolist()


@pytest.mark.parametrize("diversity", [0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("biases", [True, False])
def test_it_is_the_plain_loop(diversity, biases):
    model = random_model(random_history(12, 250), n_factors=4, biases=biases)
    pools = model.recommend(np.arange(12), k=120)
    found = model.recommend(np.arange(12), k=12, diversity=diversity)
    assert found.rank.tolist() == [*range(1, 13)] * 12
    for pool, one in zip(pools, found, strict=True):
        assert (one.item_id.tolist(), one.score.tolist()) == expected(model, pool, 12, diversity)
    assert found.item_id.tolist() != model.recommend(np.arange(12), k=12).item_id.tolist()


def test_the_pool_is_a_hundred_or_ten_times_k():
    model = random_model(random_history(3, 400), n_factors=2)
    for k, size in ((3, 100), (10, 100), (15, 150)):
        pool = model.recommend(0, k=size, exclude_seen=False)
        found = model.recommend(0, k=k, exclude_seen=False, diversity=1)
        assert (found.item_id.tolist(), found.score.tolist()) == expected(model, pool, k, 1.0)


def test_zero_is_the_plain_list():
    model = random_model(random_history(30, 60))
    plain = model.recommend(np.arange(30))
    for zero in (0, 0.0):
        same = model.recommend(np.arange(30), diversity=zero)
        np.testing.assert_array_equal(same.item_id, plain.item_id)
        np.testing.assert_array_equal(same.score, plain.score)


def test_folded_in_users_candidates_and_exclusions():
    model = random_model(random_history(20, 90))
    folded = model.fold_in(Interactions.from_arrays(["a", "a", "b"], [3, 5, 8], [5.0, 1.0, 4.0]))
    allowed = {"candidates": np.arange(4, 70), "exclude": [6, 7]}
    for one, pool in zip(
        model.recommend(folded, k=8, diversity=0.6, **allowed),
        model.recommend(folded, k=100, **allowed),
        strict=True,
    ):
        assert (one.item_id.tolist(), one.score.tolist()) == expected(model, pool, 8, 0.6)
        assert not {3, 6, 7, 70}.intersection(one.item_id.tolist())


def test_a_batch_any_threads_and_blocks_are_the_same(monkeypatch):
    model = random_model(random_history(20, 90))
    batch = model.recommend(np.arange(20), k=7, diversity=0.4, n_threads=1)
    monkeypatch.setattr("alternant.model.ranking.USERS_AT_ONCE", 3)
    again = model.recommend(np.arange(20), k=7, diversity=0.4, n_threads=3)
    np.testing.assert_array_equal(again.item_id, batch.item_id)
    np.testing.assert_array_equal(again.score, batch.score)
    np.testing.assert_array_equal(again.offsets, batch.offsets)
    for user, one in enumerate(batch):
        alone = model.recommend(user, k=7, diversity=0.4)
        np.testing.assert_array_equal(alone.item_id, one.item_id)


def test_ties_go_by_the_order_of_the_pool():
    tables = [np.zeros((4, 4), np.float32), np.zeros((9, 4), np.float32)]
    model = random_model(random_history(4, 9), tables=tables)
    assert model.recommend(0, k=5, exclude_seen=False, diversity=0.5).item_id.tolist() == [0, 1, 2, 3, 4]


def test_lists_that_are_short_or_empty():
    model = named_model()
    assert model.recommend("alice", diversity=0.5).item_id.tolist() == []
    assert model.recommend("alice", min_entries=0, diversity=0.5).item_id.tolist() == ["z"]
    assert model.recommend([], diversity=0.5).item_id.tolist() == []


def test_the_fallback_stays_as_it_is():
    result = named_model().recommend(["zoe", "bob"], unknown="fallback", diversity=0.5)
    assert result.item_id.tolist() == ["x", "y", "y"]
    assert result.source.tolist() == ["fallback", "fallback", "model"]


@pytest.mark.parametrize("diversity", [-0.1, 1.5, float("nan"), "much", None, True])
def test_what_is_no_diversity(diversity):
    with pytest.raises(DataError, match="diversity must be a number from 0 to 1, got"):
        named_model().recommend("bob", diversity=diversity)


@pytest.mark.parametrize("k", [0, -1, 2.5, "ten"])
def test_what_is_no_k(k):
    with pytest.raises(DataError, match="k must be"):
        named_model().recommend("bob", k=k, diversity=0.5)
