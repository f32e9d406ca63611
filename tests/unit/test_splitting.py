"""Splits: sizes, seeds, errors."""

import numpy as np
import pytest

from alternant.errors import DataError
from alternant.interactions import Interactions
from alternant.splitting import (
    Split,
    item_cold_split,
    k_fold,
    leave_last_out,
    predefined_split,
    random_split,
    strong_split,
    time_split,
)
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


@pytest.fixture(scope="module")
def timed(data):
    users, items, values, *_ = data.entries()
    times = np.random.default_rng(1).permutation(len(users))
    return Interactions.from_arrays(users, items, values, times=times)


def test_order_auto_is_by_time_where_there_are_times(data, timed):
    by_time, drawn = (leave_last_out(timed, order=order).test.entries() for order in ("time", "random"))
    assert np.array_equal(leave_last_out(timed).test.entries().item_index, by_time.item_index)
    assert np.array_equal(leave_last_out(data).test.entries().item_index, drawn.item_index)
    assert not np.array_equal(by_time.item_index, drawn.item_index)


def test_users_with_few_entries_stay_in_the_training_part():
    data = Interactions.from_arrays([1, 1, 1, 2, 2, 3], [1, 2, 3, 1, 2, 1])
    assert leave_last_out(data, n_last=1).test.by_user.counts.tolist() == [1, 1, 0]
    assert leave_last_out(data, n_last=1, min_entries=3).test.by_user.counts.tolist() == [1, 0, 0]
    assert leave_last_out(data, fraction=0.5).test.by_user.counts.tolist() == [2, 1, 0]


def test_a_split_by_time_keeps_equal_times_together():
    data = Interactions.from_arrays([1, 2, 3, 4], [1, 1, 1, 2], times=[5, 7, 7, 9])
    split = time_split(data, test_fraction=0.5)
    assert split.test.entries().times.tolist() == [7, 7, 9]
    assert (split.n_cold_users, split.n_cold_items, split.n_cold_entries) == (3, 1, 3)
    assert time_split(data, at=9).test.n_entries == 1


def test_folds_by_time_train_on_what_came_before(timed):
    splits = list(k_fold(timed, n_folds=4, by="time"))
    assert [split.test.n_entries for split in splits] == [1000] * 4
    for split in splits:
        assert split.train.entries().times.max() < split.test.entries().times.min()
        later = split.unused.entries().times
        assert len(later) == 0 or later.min() > split.test.entries().times.max()


def test_held_out_users_and_items_are_drawn_by_their_ids(data):
    """They stay the same where other ids come along."""
    held = strong_split(data, n_users=20, seed=4).test_users
    assert len(held) == 20
    more = data.grown(user_labels=np.arange(1000, 1010))
    assert np.array_equal(strong_split(more, n_users=20, seed=4).test_users, held)


def test_given_parts_are_brought_under_the_same_ids():
    train = Interactions.from_arrays(["b", "c"], ["y", "z"], [1, 2])
    test = Interactions.from_arrays(["a", "b"], ["y", "x"], [3, 4])
    history = Interactions.from_arrays(["a"], ["z"], [5])
    split = predefined_split(train, test, history=history)
    assert split.train.user_ids.labels.tolist() == ["b", "c", "a"]
    assert split.test.user_ids.labels[split.test_users].tolist() == ["b", "a"]
    assert split.test.entries().values.tolist() == [4, 3]
    assert repr(split) == "Split(train=2 entries, test=2 entries, history=1 entry, 1 cold item)"


def test_pairs_in_two_given_parts_are_refused_or_dropped():
    train = Interactions.from_arrays(["a", "b"], ["x", "y"])
    test = Interactions.from_arrays(["a", "a"], ["x", "y"])
    with pytest.raises(
        DataError, match=r"has 1 entry that the other parts have too, .* user 'a', item 'x'; overlap="
    ):
        predefined_split(train, test)
    assert predefined_split(train, test, overlap="drop").test.n_entries == 1
    with pytest.raises(DataError, match=r"must not be in the training part, got 1 user such as 'a'"):
        predefined_split(train, test, history=train.take([0]), overlap="drop")


def test_parts_under_different_ids_are_refused():
    with pytest.raises(DataError, match=r"must have the same ids; alternant\.splitting\.predefined_split"):
        Split(Interactions.from_arrays([1], [1]), Interactions.from_arrays([2], [1]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda d: leave_last_out(d, n_last=1, fraction=0.5),
            r"pass n_last or fraction, got both: 1 and 0\.5",
        ),
        (lambda d: leave_last_out(d, n_last=0), "n_last must be a positive integer, got 0"),
        (lambda d: leave_last_out(d, fraction=1), "fraction must be a number between 0 and 1, got 1"),
        (
            lambda d: leave_last_out(d, order="time"),
            'order="time" needs times, and these interactions have none',
        ),
        (
            lambda d: leave_last_out(d, order="first"),
            "order must be 'auto' or 'time' or 'random', got 'first'",
        ),
        (lambda d: time_split(d), "a split by time needs times, and these interactions have none"),
        (lambda d: time_split(d, at=1, test_fraction=0.1), r"pass test_fraction or at, got both: 0\.1 and 1"),
        (lambda d: k_fold(d, by="time"), "a split by time needs times"),
        (lambda d: k_fold(d, by="users"), "by must be 'entry' or .* got 'users'"),
        (lambda d: k_fold(d, by="item", n_folds=101), r"number of items with entries \(100\), got 101"),
        (
            lambda d: strong_split(d, n_users=200),
            "between 1 and 199 of 200 users .* can be held out, got 200",
        ),
        (lambda d: strong_split(d, n_users=2, user_fraction=0.1), "pass user_fraction or n_users, got both"),
        (lambda d: item_cold_split(d, item_fraction=0.001), "holds 0 of 100 items with entries out"),
    ],
)
def test_other_settings_out_of_range_are_refused_at_once(data, call, message):
    with pytest.raises(DataError, match=message):
        call(data)


def test_a_split_by_time_with_an_empty_part_is_refused(timed):
    with pytest.raises(DataError, match=r"at 0 leaves the training part empty; the times are 0 to 4999"):
        time_split(timed, at=0)
    with pytest.raises(DataError, match=r"at 5000 leaves the test part empty"):
        time_split(timed, at=5000)
