import dataclasses

import numpy as np
import pytest

from alternant import ExplicitALS, ImplicitALS, Interactions, load
from alternant.errors import DataError, UnknownIdError
from small_models import random_history

ESTIMATORS = [
    ExplicitALS(n_factors=3, n_sweeps=3),
    ImplicitALS(n_factors=3, n_sweeps=3),
    ImplicitALS(
        n_factors=3,
        form="hkv",
        regularization=0.1,
        n_sweeps=3,
        unobserved_user_exponent=0.5,
        unobserved_item_exponent=0.5,
    ),
    ImplicitALS(n_factors=3, n_sweeps=3, nonnegative=True),
    ImplicitALS(n_factors=3, n_sweeps=3, transforms="log(epsilon=1)", item_discount=0.2),
    ImplicitALS(n_factors=3, n_sweeps=3, transforms="bm25", user_discount=0.5, item_discount=0.2),
]
LABELS = {False: lambda ids: ids, True: lambda ids: [f"x{i:03}" for i in ids]}


def entries(users, items, values, strings=False, **columns):
    names = LABELS[strings]
    return Interactions.from_arrays(names(users), names(items), values, **columns)


def start(strings=False):
    data = random_history(30, 20).entries()
    return entries(data.user_index.tolist(), data.item_index.tolist(), data.values, strings)


def one_user(model, user):
    return model.history.take(model.history.entries().user_index == user, prune=True)


@pytest.mark.parametrize("strings", [False, True])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_entries_of_known_and_new_ids(estimator, strings):
    model = estimator.fit(start(strings))
    before = model.user_table.copy(), model.item_table.copy()
    # User 3 is known, 40 is new; item 50 is new.
    given = entries([3, 3, 40, 40], [50, 1, 50, 2], [5.0, 4.5, 1.0, 2.0], strings)
    later = model.updated(given)
    assert later.user_ids.labels.tolist()[:30] == model.user_ids.labels.tolist()
    assert (later.n_users, later.n_items) == (31, 21)
    np.testing.assert_array_equal(later.item_table[:20], before[1])
    untouched = np.delete(np.arange(30), 3)
    np.testing.assert_array_equal(later.user_table[untouched], before[0][untouched])
    assert (later.user_table[3] != before[0][3]).any()
    assert later.item_factors[20].any()
    for user in (3, 30):
        np.testing.assert_array_equal(later.fold_in(one_user(later, user)).table[0], later.user_table[user])
    # Rows of before are those that fold in now, too: what they were solved under is frozen.
    np.testing.assert_array_equal(later.fold_in(later.history).table, later.user_table)
    np.testing.assert_array_equal(later.user_counts, later.history.by_user.counts)
    np.testing.assert_array_equal(later.item_counts, later.history.by_item.counts)
    everyone = model.updated(given, refresh="users")
    np.testing.assert_array_equal(everyone.fold_in(everyone.history).table, everyone.user_table)
    # The old snapshot is untouched.
    assert (model.n_users, model.n_items) == (30, 20)
    np.testing.assert_array_equal(model.user_table, before[0])
    assert later.stopped == f"{model.stopped}; updated"
    assert later.updated().stopped == later.stopped


def test_a_new_item_is_the_one_that_folds_in():
    model = ExplicitALS(n_factors=3).fit(start())
    given = entries([3, 4], [50, 50], [5.0, 1.0])
    np.testing.assert_array_equal(model.updated(given).item_table[20], model.fold_in_items(given).table[0])


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_an_empty_update_changes_nothing(estimator):
    model = estimator.fit(start())
    for same in (model.updated(), model.updated(model.history.take([])), model.updated(refresh="users")):
        np.testing.assert_array_equal(same.user_table, model.user_table)
        np.testing.assert_array_equal(same.item_table, model.item_table)
        assert same.user_ids == model.user_ids


def test_an_entry_of_a_known_pair_replaces_it():
    data = entries([1, 1, 2], [1, 2, 1], [5.0, 3.0, 1.0], weights=[1, 2, 1], times=[100, 100, 100])
    model = ExplicitALS(n_factors=1).fit(data)
    later = model.updated(entries([1], [2], [4.0], weights=[3], times=[50]))
    rows = later.history.by_user
    assert (rows.values.tolist(), rows.weights.tolist(), rows.times.tolist()) == (
        [5, 4, 1],
        [1, 3, 1],
        [100, 50, 100],
    )
    full = model.updated(entries([1], [2], [4.0], weights=[3], times=[50]), mode="full")
    assert full.history.by_user.values.tolist() == [4, 1]
    assert full.user_counts.tolist() == [1, 1]


def test_full_histories_need_no_stored_one():
    model = dataclasses.replace(ExplicitALS(n_factors=3).fit(start()), history=None)
    given = entries([3, 40, 40], [50, 50, 2], [5.0, 1.0, 2.0])
    later = model.updated(given, mode="full")
    assert later.history is None
    np.testing.assert_array_equal(later.user_table[[3, 30]], later.fold_in(given).table)
    assert later.user_counts[[3, 30]].tolist() == [1, 2]
    with pytest.raises(DataError, match='mode="delta" needs the model\'s history'):
        model.updated(given)
    with pytest.raises(DataError, match='refresh="users" needs the model\'s history'):
        model.updated(given, mode="full", refresh="users")


@pytest.mark.parametrize("strings", [False, True])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_what_is_removed_is_gone(estimator, strings, tmp_path):
    data = start(strings)
    secret = "person-to-forget" if strings else 7_305_991_234_567
    shown = secret.encode() if strings else secret.to_bytes(8, "little")
    item = LABELS[strings]([4])[0]
    own = Interactions.from_arrays([secret, secret], LABELS[strings]([4, 5]), [3.0, 4.0])
    model = estimator.fit(data).updated(own)
    model.save(tmp_path / "before.safetensors")
    assert shown in (tmp_path / "before.safetensors").read_bytes()
    later = model.updated(remove_users=secret, remove_items=[item])
    n_of_item = int(data.by_item.counts[4])
    assert later.history.n_entries == data.n_entries - n_of_item
    assert (later.n_users, later.n_items) == (30, 19)
    later.save(tmp_path / "after.safetensors")
    assert shown not in (tmp_path / "after.safetensors").read_bytes()
    loaded = load(tmp_path / "after.safetensors")
    np.testing.assert_array_equal(loaded.fold_in(loaded.history).table, loaded.user_table)
    assert loaded.user_ids.labels.tolist() == data.user_ids.labels.tolist()
    with pytest.raises(UnknownIdError, match="in this model"):
        later.updated(remove_users=[secret])
    with pytest.raises(DataError, match="is to be removed and has entries; leave out one"):
        model.updated(own, remove_users=secret)


def test_attributes_come_with_new_ids_and_replace_old_ones():
    kinds = {"item": list(range(20)), "kind": ["a", "b"] * 10}
    ages = {"user": list(range(30)), "group": ["young", "old", "old"] * 10}
    model = ExplicitALS(n_factors=3).fit(start(), user_attributes=ages, item_attributes=kinds)
    later = model.updated(
        entries([40], [2], [5.0]),
        user_attributes={"user": [40, 5], "group": ["young", "young"]},
        item_attributes={"item": [60], "kind": ["b"]},
    )
    assert (later.n_users, later.n_items) == (31, 21)
    np.testing.assert_array_equal(later.fold_in(later.history).table[[5, 30]], later.user_table[[5, 30]])
    assert (later.user_table[5] != model.user_table[5]).any()
    expected = model.fold_in_items(
        Interactions.from_arrays([1], [61], [1.0], item_ids=[60, 61]),
        attributes={"item": [60, 61], "kind": ["b", "a"]},
    )
    np.testing.assert_array_equal(later.item_table[20], expected.table[0])
    assert later.item_table[20].any()
    gone = later.updated(remove_users=[0], remove_items=[0])
    assert gone.user_prior.features.n_rows == 30
    np.testing.assert_array_equal(gone.fold_in(gone.history).table[[4, 29]], gone.user_table[[4, 29]])
    with pytest.raises(
        DataError, match="user_attributes need a model that was fitted with attributes of users"
    ):
        ExplicitALS(n_factors=3).fit(start()).updated(user_attributes=ages)


def test_entries_unlike_the_history_are_refused():
    timed = entries([1, 1, 2], [1, 2, 1], [5.0, 3.0, 1.0], times=[1, 2, 3])
    model = ExplicitALS(n_factors=1).fit(timed)
    with pytest.raises(DataError, match="history has times, these entries none; name the time column"):
        model.updated(entries([1], [3], [4.0]))
    with pytest.raises(DataError, match="these entries have no values, and the model's history some"):
        model.updated(
            Interactions.from_codes(
                timed.user_ids, timed.item_ids, user_index=[0], item_index=[1], weights=[1.0], times=[4]
            )
        )
    with pytest.raises(DataError, match="mode must be"):
        model.updated(mode="all")
    with pytest.raises(DataError, match="interactions must be Interactions"):
        model.updated({"user": [1]})
    with pytest.raises(DataError, match="user"):
        model.updated(entries([1], [1], [1.0], strings=True, times=[1]))


def test_an_item_that_only_the_removed_had_goes_back_to_zeros():
    data = start().entries()
    both = entries([*data.user_index.tolist(), 77], [*data.item_index.tolist(), 88], [*data.values, 5.0])
    for estimator in ESTIMATORS:
        model = estimator.fit(both)
        assert model.item_table[20].any()
        later = model.updated(remove_users=77)
        assert later.item_ids.labels[20] == 88
        assert not later.item_table[20].any()
        assert later.user_prior.link is None or not later.user_prior.link[20].any()
        again = later.updated(entries([1, 2], [88, 88], [5.0, 4.0]))
        assert again.item_table[20].any()
        np.testing.assert_array_equal(again.fold_in(one_user(again, 2)).table[0], again.user_table[2])


def test_users_of_a_removed_item_are_solved_without_it():
    model = ESTIMATORS[2].fit(start())
    later = model.updated(remove_items=[4])
    had = model.history.by_user.counts != later.history.by_user.counts
    np.testing.assert_array_equal(later.fold_in(later.history).table[had], later.user_table[had])
    np.testing.assert_array_equal(later.user_table[~had], model.user_table[~had])
    assert (later.user_table[had] != model.user_table[had]).any(axis=1).all()
