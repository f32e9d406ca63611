"""Baselines against plain float64 loops."""

import numpy as np
import pytest

from alternant import Interactions
from alternant.errors import DataError
from alternant.evaluation.baselines import Biases, ItemKNN, Mean, Popularity, Queries, Random
from alternant.evaluation.baselines import _item_knn as knn
from alternant.evaluation.baselines import _order as order


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    stored = rng.random((30, 40)) < np.linspace(0.5, 0.02, 40)
    users, items = np.nonzero(stored)
    values = rng.integers(1, 6, len(users)).astype(float)
    return Interactions.from_arrays(users, items, values, user_ids=range(30), item_ids=range(41))


def everybody(data):
    return Queries(np.arange(data.n_users, dtype=np.int32), data.by_user)


def rows_of(lists):
    return [lists.items[a:b].tolist() for a, b in zip(lists.offsets[:-1], lists.offsets[1:], strict=True)]


def seen_by(data, user):
    return set(data.by_user.block(user, user + 1).indices.tolist())


def test_biases_are_at_the_minimum_of_their_objective(data):
    """Against one dense solve of mean + b_u + b_i with a ridge."""
    entries = data.entries()
    design = np.zeros((data.n_entries, data.n_users + data.n_items))
    rows = np.arange(data.n_entries)
    design[rows, entries.user_index] = design[rows, data.n_users + entries.item_index] = 1
    mean = entries.values.mean(dtype=float)
    solved = np.linalg.solve(
        design.T @ design + 2.0 * np.eye(design.shape[1]), design.T @ (entries.values - mean)
    )
    expected = mean + solved[entries.user_index] + solved[data.n_users + entries.item_index]
    found = Biases(ridge=2.0).fit(data).predictions(entries.user_index, entries.item_index, None)
    np.testing.assert_allclose(found, np.clip(expected, 1, 5), rtol=1e-4)


def test_the_mean_is_predicted_everywhere(data):
    some = np.array([0, 1], np.int32)
    expected = data.entries().values.mean(dtype=float)
    assert Mean().fit(data).predictions(some, some, None) == pytest.approx([expected] * 2)


def test_popular_items_come_first_ties_by_position(data):
    counts = data.by_item.counts
    ranking = sorted(np.flatnonzero(counts).tolist(), key=lambda item: (-counts[item], item))
    for user, listed in enumerate(rows_of(Popularity().fit(data).lists(everybody(data), 7, n_threads=1))):
        assert listed == [item for item in ranking if item not in seen_by(data, user)][:7]


@pytest.mark.parametrize("k", [1, 5, 60])
@pytest.mark.parametrize("n_neighbours", [3, 100])
def test_neighbours_are_those_of_plain_loops(data, monkeypatch, k, n_neighbours):
    """Scores of equal cosines tie: items by position. Blocks of some rows give the same lists."""
    stored = np.zeros((data.n_users, data.n_items))
    entries = data.entries()
    stored[entries.user_index, entries.item_index] = 1
    norms = np.sqrt(np.maximum(stored.sum(axis=0), 1))
    cosine = stored.T @ stored / np.outer(norms, norms)
    np.fill_diagonal(cosine, 0)
    kept = np.zeros_like(cosine)
    for item, row in enumerate(cosine):
        best = np.lexsort((np.arange(len(row)), -row))[:n_neighbours]
        kept[item, best] = row[best]
    for cells in (1 << 24, 100):
        monkeypatch.setattr(knn, "_CELLS_AT_ONCE", cells)
        monkeypatch.setattr(knn, "_TERMS_AT_ONCE", cells)
        found = rows_of(ItemKNN(n_neighbours=n_neighbours).fit(data).lists(everybody(data), k, n_threads=1))
        for user, listed in enumerate(found):
            score = np.zeros(data.n_items)
            for item in sorted(seen_by(data, user)):
                score += kept[item]
            score[sorted(seen_by(data, user))] = 0
            best = [item for item in np.lexsort((np.arange(len(score)), -score)) if score[item] > 0][:k]
            assert sorted(score[listed], reverse=True) == pytest.approx(score[best].tolist())
            assert len(set(listed)) == len(listed) == len(best)


@pytest.mark.parametrize("k", [1, 10, 60])
@pytest.mark.parametrize("n_items", [41, 2000])
def test_random_lists_hold_new_items_and_all_of_them_where_k_is_large(data, monkeypatch, k, n_items):
    monkeypatch.setattr(order, "_CELLS_AT_ONCE", 500)
    entries = data.entries()
    wide = Interactions.from_arrays(
        np.append(entries.user_index, np.repeat(29, n_items)),
        np.append(entries.item_index, np.arange(n_items)),
        duplicates="max",
        user_ids=range(30),
    )
    listed = rows_of(Random(seed=3).fit(wide).lists(everybody(wide), k, n_threads=1))
    for user, row in enumerate(listed):
        seen = seen_by(wide, user)
        assert len(set(row)) == len(row) == min(k, n_items - len(seen))
        assert not seen & set(row)
    again = rows_of(Random(seed=3).fit(wide).lists(everybody(wide), k, n_threads=1))
    assert listed == again
    assert listed != rows_of(Random(seed=4).fit(wide).lists(everybody(wide), k, n_threads=1))


def test_random_lists_are_even():
    """Chi-squared of how often each of 50 items is first of 20,000 lists."""
    data = Interactions.from_arrays(np.zeros(50, int), np.arange(50)).grown(user_labels=range(20_000))
    some = np.arange(1, 20_000, dtype=np.int32)
    lists = Random().fit(data).lists(Queries(some, data.by_user.chosen(some)), 1, n_threads=1)
    times = np.bincount(lists.items, minlength=50)
    assert ((times - len(some) / 50) ** 2 / (len(some) / 50)).sum() < 100


def test_baselines_refuse_what_they_cannot_do(data):
    none = np.empty(0, np.int32)
    with pytest.raises(DataError, match="the baseline 'mean' predicts ratings and ranks nothing"):
        Mean().fit(data).lists(everybody(data), 5, n_threads=1)
    with pytest.raises(DataError, match="the baseline 'popularity' ranks items and predicts no ratings"):
        Popularity().fit(data).predictions(none, none, None)
    with pytest.raises(DataError, match="ridge must be a number above 0, got 0"):
        Biases(ridge=0)
    with pytest.raises(DataError, match="n_neighbours must be a positive integer, got 0"):
        ItemKNN(n_neighbours=0)
    with pytest.raises(DataError, match="seed must be an integer"):
        Random(seed=-1)
    with pytest.raises(DataError, match="a baseline of ratings needs values"):
        Mean().fit(data.take([]))
