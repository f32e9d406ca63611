"""Splits: sizes, seeds, errors."""

import numpy as np
import pytest

from alternant.errors import DataError
from alternant.interactions import Interactions
from alternant.splitting import k_fold, random_split
from alternant.weighting import select


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    pairs = rng.permutation(200 * 100)[:5000]
    return Interactions.from_arrays(pairs // 100, pairs % 100, rng.random(5000), user_ids=range(201))


def test_the_test_set_has_the_share_asked_for_and_keeps_all_ids(data):
    split = random_split(data, test_fraction=0.2, seed=3)
    assert (split.train.n_entries, split.test.n_entries) == (4000, 1000)
    assert split.train.user_ids is split.test.user_ids is data.user_ids
    assert repr(split) == "Split(train=4,000 entries, test=1,000 entries)"


def test_seeds_decide_and_repeat(data):
    first, again, other = (random_split(data, seed=seed).test.entries() for seed in (1, 1, 2))
    assert np.array_equal(first.user_index, again.user_index)
    assert not np.array_equal(first.user_index, other.user_index)
    for seed in (0, 2**64 - 1, np.int64(5)):
        random_split(data, seed=seed)


def test_draws_are_even_over_users(data):
    """Chi-squared over the users of a third of the data; wrong mixing of the two ids would pile them up."""
    split = random_split(data, test_fraction=1 / 3, seed=0)
    expected = data.by_user.counts[data.by_user.counts > 0] / 3
    drawn = split.test.by_user.counts[data.by_user.counts > 0]
    assert ((drawn - expected) ** 2 / expected).sum() < len(expected)  # 2/3 of it is the mean


def test_folds_have_equal_sizes(data):
    assert [split.test.n_entries for split in k_fold(data, n_folds=3, seed=1)] == [1667, 1667, 1666]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: random_split(d, test_fraction=0), "test_fraction must be a number between 0 and 1, got 0"),
        (
            lambda d: random_split(d, test_fraction=1.0),
            r"test_fraction must be a number between 0 and 1, got 1\.0",
        ),
        (
            lambda d: random_split(d, test_fraction=float("nan")),
            "test_fraction must be a number between 0 and 1, got nan",
        ),
        (
            lambda d: random_split(d, test_fraction="half"),
            "test_fraction must be a number between 0 and 1, got 'half'",
        ),
        (
            lambda d: random_split(d, seed=-1),
            "seed must be an integer from 0 to 18446744073709551615, got -1",
        ),
        (
            lambda d: random_split(d, seed=0.5),
            r"seed must be an integer from 0 to 18446744073709551615, got 0\.5",
        ),
        (lambda d: k_fold(d, n_folds=1), "n_folds must be an integer of at least 2, got 1"),
        (lambda d: k_fold(d, n_folds=2.0), r"n_folds must be an integer of at least 2, got 2\.0"),
        (
            lambda d: k_fold(d, n_folds=5001),
            r"n_folds must be at most the number of entries \(5000\), got 5001",
        ),
    ],
)
def test_settings_out_of_range_are_refused_at_once(data, call, message):
    with pytest.raises(DataError, match=message):
        call(data)


def test_a_frame_is_refused_with_the_way_to_interactions():
    frame = {"user": [1], "item": [2]}
    for function in (random_split, k_fold, select):
        with pytest.raises(DataError, match=r"interactions must be Interactions, got dict; make them with"):
            function(frame)
