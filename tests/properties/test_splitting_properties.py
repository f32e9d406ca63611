"""What holds for every split: the parts are the data, and each way of splitting keeps its promise."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alternant.errors import DataError
from alternant.interactions import Interactions
from alternant.splitting import (
    item_cold_split,
    k_fold,
    leave_last_out,
    random_split,
    strong_split,
    time_split,
)

BY = ("entry", "entry_of_user", "user", "item", "time")


@st.composite
def timed_data(draw):
    n_users, n_items = draw(st.integers(3, 12)), draw(st.integers(3, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    pairs = np.flatnonzero(rng.random(n_users * n_items) < draw(st.floats(0.2, 0.9)))
    pairs = np.union1d(pairs, np.arange(min(n_users, n_items)) * (n_items + 1))
    users, items = pairs // n_items, pairs % n_items
    latest = draw(st.sampled_from([3, 10**6]))
    times = rng.integers(0, latest, len(pairs))
    return Interactions.from_arrays(
        users, items, rng.random(len(pairs)), weights=rng.random(len(pairs)) + 0.5, times=times
    )


def rows(*parts):
    """Return all columns of some parts, in the order of user and item."""
    columns = [np.concatenate(list(each)) for each in zip(*(part.entries() for part in parts), strict=True)]
    order = np.lexsort((columns[1], columns[0]))
    return [column[order] for column in columns]


def all_splits(data, seed):
    yield random_split(data, test_fraction=0.3, seed=seed)
    for order in ("time", "random"):
        yield leave_last_out(data, n_last=2, order=order, seed=seed)
        yield leave_last_out(data, fraction=0.4, min_entries=3, order=order, seed=seed)
        yield strong_split(data, user_fraction=0.4, target_fraction=0.3, order=order, seed=seed)
    yield item_cold_split(data, item_fraction=0.4, seed=seed)
    try:
        yield time_split(data, test_fraction=0.3)
    except DataError as error:
        assert "part empty" in str(error)  # noqa: PT017 - one time for all entries
    for by in BY:
        try:
            yield from k_fold(data, n_folds=2, by=by, seed=seed)
        except DataError as error:
            assert "use fewer folds" in str(error)  # noqa: PT017


@given(timed_data(), st.integers(0, 2**64 - 1))
def test_the_parts_of_every_split_are_exactly_the_data(data, seed):
    """Trap 17. Seen to catch entries of users with few entries lost, and entries in two parts."""
    whole = rows(data)
    for split in all_splits(data, seed):
        parts = rows(*split.parts)
        for mine, theirs in zip(parts, whole, strict=True):
            np.testing.assert_array_equal(mine, theirs)
        assert all(part.user_ids is data.user_ids for part in split.parts)


@given(timed_data(), st.integers(0, 100))
def test_every_entry_is_tested_once_by_the_folds(data, seed):
    """Seen to catch a fold too many, which is never tested."""
    for by in ("entry", "entry_of_user", "item"):
        folds = [split.test for split in k_fold(data, n_folds=3, by=by, seed=seed)]
        for mine, theirs in zip(rows(*folds), rows(data), strict=True):
            np.testing.assert_array_equal(mine, theirs)
    of_users = [
        split.history.by_user.counts + split.test.by_user.counts
        for split in k_fold(data, by="user", n_folds=3)
    ]
    assert np.array_equal(np.sum(of_users, axis=0), data.by_user.counts)


@given(timed_data(), st.integers(1, 3), st.integers(0, 100))
def test_what_is_left_out_is_the_latest(data, n_last, seed):
    """Seen to catch the first in place of the last."""
    split = leave_last_out(data, n_last=n_last, order="time", seed=seed)
    counts = data.by_user.counts
    assert np.array_equal(split.test.by_user.counts, np.where(counts > n_last, n_last, 0))
    for user in split.test_users.tolist():
        kept = split.train.by_user.block(user, user + 1).times
        assert kept.max() <= split.test.by_user.block(user, user + 1).times.min()


@given(timed_data(), st.integers(0, 100))
def test_a_held_out_user_is_nowhere_in_the_training_part(data, seed):
    """Seen to catch a history that does not warm its users."""
    split = strong_split(data, user_fraction=0.4, seed=seed)
    held = split.history.by_user.counts > 0
    assert not (split.train.by_user.counts[held] > 0).any()
    assert (split.history.by_user.counts[split.test_users] > 0).all()
    assert split.n_cold_users == 0


@given(timed_data(), st.integers(0, 100))
def test_each_users_entries_are_spread_evenly(data, seed):
    """Seen to catch folds by the rank of the entry in the whole."""
    counts = np.array(
        [split.test.by_user.counts for split in k_fold(data, n_folds=3, by="entry_of_user", seed=seed)]
    )
    assert (counts.max(axis=0) - counts.min(axis=0) <= 1).all()


@given(timed_data(), st.integers(0, 100))
def test_cold_users_items_and_entries_are_counted(data, seed):
    """Against plain sets. Seen to catch a history that does not warm its users."""
    for split in all_splits(data, seed):
        known_users = set(split.train.entries().user_index.tolist())
        if split.history is not None:
            known_users |= set(split.history.entries().user_index.tolist())
        known_items = set(split.train.entries().item_index.tolist())
        test = split.test.entries()
        users, items = test.user_index.tolist(), test.item_index.tolist()
        assert split.n_cold_users == len(set(users) - known_users)
        assert split.n_cold_items == len(set(items) - known_items)
        assert split.n_cold_entries == sum(
            u not in known_users or i not in known_items for u, i in zip(users, items, strict=True)
        )
