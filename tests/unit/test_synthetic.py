"""The generated data: reproducible, within its scale, and with the structure that it says it has."""

import numpy as np
import pytest

from alternant.errors import DataError
from alternant.synthetic import GENRES, catalogue, example


def ratings(made):
    entries = made.interactions.entries()
    return entries.user_index + 1, entries.item_index + 1, entries.values


def test_the_table_of_the_introduction():
    table = example()
    entries = table.entries()
    dense = np.full((4, 4), np.nan)
    dense[entries.user_index, entries.item_index] = entries.values
    nan = np.nan
    np.testing.assert_array_equal(dense, [[5, 3, nan, 1], [4, nan, 2, 1], [nan, 4, 5, 3], [1, 1, nan, 5]])
    assert table.user_ids.labels.tolist() == ["user 1", "user 2", "user 3", "user 4"]
    assert table.item_ids.labels.tolist() == ["film 1", "film 2", "film 3", "film 4"]


@pytest.fixture(scope="module")
def made():
    return catalogue(seed=3)


def test_sizes_and_scale(made):
    assert (made.interactions.n_users, made.interactions.n_items) == (2000, 1000)
    assert made.interactions.n_entries == pytest.approx(100_000, rel=0.01)
    values = ratings(made)[2]
    assert set(np.unique(values)) == set(np.arange(2, 11) / 2)
    assert made.interactions.by_user.counts.min() >= 8
    assert made.interactions.by_user.counts.max() <= 500


def test_titles_are_distinct_and_follow_the_seed(made):
    assert list(made.titles) == list(range(1, 1001))
    assert len(set(made.titles.values())) == 1000
    assert all(title == title.strip() and title[0].isupper() for title in made.titles.values())
    assert set(GENRES) == {genre for pair in made.genres.values() for genre in pair}
    assert all(main != second for main, second in made.genres.values())


def test_the_same_seed_gives_the_same_catalogue(made):
    again, other = catalogue(seed=3), catalogue(seed=4)
    assert again.titles == made.titles
    for one, two in zip(ratings(again), ratings(made), strict=True):
        np.testing.assert_array_equal(one, two)
    assert other.titles != made.titles


def test_popularity_falls_as_a_power(made):
    counts = np.sort(made.interactions.by_item.counts)[::-1]
    assert counts[0] > 5 * np.median(counts)
    slope = np.polyfit(np.log(np.arange(20, 820)), np.log(counts[:800]), 1)[0]
    assert -1.1 < slope < -0.6


def test_the_planted_ratings_are_the_floor(made):
    users, items, values = ratings(made)
    expected = made.expected(users, items)
    error = np.sqrt(np.mean((values - expected) ** 2))
    assert abs(np.mean(values - expected)) < 0.01
    assert 0.5 < error < 0.6 < 0.8 * values.std()
    # Anything that shifts or scales the planted ratings is worse.
    for other in (
        expected + 0.05,
        expected - 0.05,
        3.8 + 0.9 * (expected - 3.8),
        3.8 + 1.1 * (expected - 3.8),
    ):
        assert np.sqrt(np.mean((values - other) ** 2)) > error


def test_tastes_are_more_than_biases(made):
    """Planted fault: with _TASTE_SPREAD = 0 the first assertion fails."""
    users, items, values = ratings(made)
    taste = np.einsum("nk,nk->n", made.user_taste[users - 1], made.item_genres[items - 1])
    residual = values - 3.5 - made.user_bias[users - 1] - made.item_bias[items - 1]
    assert np.corrcoef(taste, residual)[0, 1] > 0.6
    assert np.mean(taste) > 0.1  # people pick what they like


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"n_users": 1}, r"n_users must be at least 2, got 1"),
        ({"n_items": 5}, r"n_items must be at least 16, got 5"),
        ({"n_genres": 9}, r"n_genres must be 2 to 8, got 9"),
        ({"n_entries": 10}, r"n_entries must be 16,000 to 1,000,000 for 2,000 users and 1,000 items, got 10"),
    ],
)
def test_refused_sizes(sizes, message):
    with pytest.raises(DataError, match=message):
        catalogue(**sizes)


def test_expected_refuses_unknown_ids(made):
    with pytest.raises(DataError, match=r"user ids of this catalogue are 1 to 2,000"):
        made.expected(np.array([0]), np.array([1]))
