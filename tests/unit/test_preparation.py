"""Preparation: formulas against plain NumPy, what is shared, what is stored."""

import json

import numpy as np
import pytest

from alternant.interactions import Interactions
from alternant.preparation import FittedPreparation, Preparation

DAY = 86_400
USERS = ["ann", "ann", "ann", "bob", "bob", "cy"]
ITEMS = ["x", "y", "z", "x", "z", "x"]
VALUES = [4.0, 1.0, 2.0, 3.0, 5.0, 1.0]
# Each user's and each item's number of entries, and each user's sum of values, entry by entry.
N_U, N_I, L_U = (np.array(c, float) for c in ([3, 3, 3, 2, 2, 1], [3, 1, 2, 3, 2, 3], [7, 7, 7, 8, 8, 1]))


def small(values=VALUES, **columns):
    return Interactions.from_arrays(USERS, ITEMS, values, **columns)


def prepared(*settings, data=None, **named):
    return Preparation(*settings, **named).fit(small() if data is None else data).interactions


def t_and_e(interactions):
    entries = interactions.entries()
    return [None if c is None else c.tolist() for c in (entries.values, entries.weights)]


def large(seed, n_users=300, n_items=80):
    rng = np.random.default_rng(seed)
    users, items = np.nonzero(rng.random((n_users, n_items)) < rng.random((n_users, 1)))
    n = len(users)
    return Interactions.from_arrays(
        users,
        items,
        np.float32(rng.gamma(1, 3, n) + 0.01),
        weights=np.float32(rng.random(n) + 0.1),
        times=rng.integers(1.6e9, 1.7e9, n),
        user_ids=np.arange(n_users),
        item_ids=np.arange(n_items),
    )


# -- meanings -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "t", "e", "kept"),
    [
        ("rating", [4, -1, 0, 3, 5, 1], [1, 2, 3, 1, 1, 1], [0, 1, 2, 3, 4, 5]),
        ("target", [4, -1, 0, 3, 5, 1], [1, 2, 3, 1, 1, 1], [0, 1, 2, 3, 4, 5]),
        ("ignore", None, [1, 2, 3, 1, 1, 1], [0, 1, 2, 3, 4, 5]),
        ("confidence", [1, 0, 1, 1, 1], [4, 2, 3, 5, 1], [0, 1, 3, 4, 5]),
    ],
)
def test_what_a_value_means(value, t, e, kept):
    data = small([4, -1, 0, 3, 5, 1], weights=[1, 2, 3, 1, 1, 1])
    made = prepared(value, data=data)
    assert t_and_e(made) == [t, e]
    where = data.entries()
    assert made.entries().item_index.tolist() == where.item_index[kept].tolist()
    assert (made.user_ids, made.item_ids) == (data.user_ids, data.item_ids)
    assert made.report.n_zero_weight == 6 - len(kept)


def test_counts_are_weights_and_zeros_are_no_entries():
    made = prepared("count", scale=10, data=small([4, 1, 0, 3, 5, 1], weights=[1, 2, 3, 1, 1, 0.5]))
    assert t_and_e(made) == [None, [40, 20, 30, 50, 5]]
    assert made.by_item.counts.tolist() == [3, 1, 1]


def test_missing_values_and_weights_are_1():
    data = Interactions.from_arrays(USERS, ITEMS, duplicates="error")
    for value in ("rating", "confidence", "count", "target", "ignore"):
        assert prepared(value, data=data) is data
    assert t_and_e(prepared("count", scale=3, data=data)) == [None, [3] * 6]
    logs = t_and_e(prepared("count", "log", data=data))[1]
    assert logs == pytest.approx([np.log(2)] * 6)


def test_where_nothing_is_to_do_the_same_object_comes_back():
    for columns in ({}, {"weights": [1, 2, 3, 4, 5, 6], "times": range(6)}):
        data = small(**columns)
        for value in ("rating", "target"):
            result = Preparation(value).fit(data)
            assert result.interactions is data
            assert result.fitted.is_trivial
            assert result.fitted.apply(data, own="users") is data
    assert not Preparation("count").fit(small()).fitted.is_trivial


def test_raw_columns_are_shared_where_they_serve():
    data = small(times=range(6))
    made = prepared("count", data=data)
    for side in ("by_user", "by_item"):
        raw, new = getattr(data, side), getattr(made, side)
        assert new.weights is raw.values
        assert new.offsets is raw.offsets
        assert new.indices is raw.indices
        assert new.values is None
        assert new.times is raw.times
    scaled = prepared("rating", scale=2, data=data)
    assert scaled.by_user.values is data.by_user.values
    assert scaled.by_item.values is data.by_item.values
    weighted = small(weights=[1, 2, 3, 4, 5, 6])
    ignoring = prepared("ignore", data=weighted)
    assert ignoring.by_item.weights is weighted.by_item.weights


# -- formulas -----------------------------------------------------------------------------------------------

IDF = np.maximum(np.log(3) - np.log(1 + N_I), 1e-6)
V = np.array(VALUES)
U = [0, 0, 0, 1, 1, 2]


@pytest.mark.parametrize(
    ("transforms", "expected"),
    [
        ("log", np.log(1 + V)),
        ("log(epsilon=10)", np.log(1 + V / 10)),
        ("log(.5)", np.log(1 + V / 0.5)),
        ("bm25", V * 101 / (100 * (0.2 + 0.8 * L_U / (16 / 3)) + V) * IDF),
        ("bm25(1.2, b=0)", V * 2.2 / (1.2 + V) * IDF),
        ("tfidf()", np.sqrt(V) * IDF),
        ("normalize", V / (L_U / N_U)),
        ("log , normalize", np.log1p(V) / (np.bincount(U, np.log1p(V)) / [3, 2, 1])[U]),
    ],
)
def test_value_transforms(transforms, expected):
    assert t_and_e(prepared("count", transforms)) == [None, pytest.approx(expected, rel=1e-6)]
    assert t_and_e(prepared("rating", transforms)) == [pytest.approx(expected, rel=1e-6), None]
    signs = np.array([1, -1, 1, 1, -1, 1])
    t, e = t_and_e(prepared("confidence", transforms, data=small(signs * V)))
    assert t == [1, 0, 1, 1, 0, 1]
    assert e == pytest.approx(expected, rel=1e-6)


def test_zeros_that_are_no_entries_are_not_counted():
    users, items = [*USERS, "dan", "cy"], [*ITEMS, "x", "y"]
    data = Interactions.from_arrays(users, items, [*VALUES, 0, 0])
    with_zeros = prepared("count", "bm25 tfidf normalize", item_discount=1, data=data)
    without = prepared("count", "bm25 tfidf normalize", item_discount=1)
    assert t_and_e(with_zeros) == t_and_e(without)


def test_the_half_life_of_weights():
    times = 1_600_000_000 + np.array([0, 1, 2, 30, 20, 10]) * DAY
    data = small(weights=[1, 2, 3, 4, 5, 6], times=times)
    expected = np.arange(1, 7) * 2.0 ** (-np.array([30, 29, 28, 0, 10, 20]) / 30)
    made = Preparation("rating", "half_life(days=30)").fit(data)
    assert t_and_e(made.interactions) == [VALUES, pytest.approx(expected, rel=1e-6)]
    assert made.fitted.constants == {"step0_reference": 1_600_000_000 + 30 * DAY}
    counted = t_and_e(prepared("count", "half_life(30)", data=data))[1]
    assert counted == pytest.approx(expected * VALUES, rel=1e-6)
    # Later times follow the same formula: weights beyond 1.
    later = small(times=times + 30 * DAY)
    assert made.fitted.apply(later, own="users").by_user.weights.max() == 2


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2020-09-13", 1_599_955_200),
        ("2020-09-13T12:26:40", 1_600_000_000),
        ("'2020-09-13 12:26:40'", 1_600_000_000),
        ("2020-09-13T14:26:40+02:00", 1_600_000_000),
        ("1.6e9", 1_600_000_000),
    ],
)
def test_the_reference_of_a_half_life(written, seconds):
    made = Preparation("ignore", f"half_life(2, reference={written})").fit(
        small(times=[seconds - 2 * DAY] * 6)
    )
    assert made.fitted.constants == {"step0_reference": seconds}
    assert t_and_e(made.interactions)[1] == [0.5] * 6


def test_a_weight_that_vanishes_is_no_entry_and_not_counted():
    times = np.array([0, 0, 0, 0, 365, 365]) * DAY
    made = prepared("ignore", "half_life(days=1)", item_discount=1, data=small(times=times))
    assert t_and_e(made) == [None, [1, 1]]
    assert made.by_user.counts.tolist() == [0, 1, 1]


@pytest.mark.parametrize(("user", "item"), [(0.5, 0), (0, 0.3), (1, 2)])
def test_the_popularity_discount_has_mean_1(user, item):
    d = N_I**-item * N_U**-user
    t, e = t_and_e(prepared("count", user_discount=user, item_discount=item, scale=7))
    assert t is None
    assert e == pytest.approx(7 * V * d / d.mean(), rel=1e-6)
    t, e = t_and_e(prepared("rating", user_discount=user, item_discount=item))
    assert t == VALUES
    assert np.mean(e) == pytest.approx(1)


def test_prepared_again_would_be_something_else():
    """The rule "once, not twice" is about something."""
    made = Preparation("count", "log", scale=3).fit(small())
    assert t_and_e(made.fitted.apply(made.interactions, own="both")) != t_and_e(made.interactions)


# -- fold-in ------------------------------------------------------------------------------------------------

EVERYTHING = [
    ("count", "log(2) bm25 half_life(40)", 0.4, 0.3),
    ("rating", "bm25(b=0.3), tfidf, normalize", 0.7, 0),
    ("confidence", "tfidf half_life(100) bm25 log", 0, 1.1),
]


@pytest.mark.parametrize(("value", "transforms", "user", "item"), EVERYTHING)
def test_the_history_of_a_user_alone_gives_the_same_bits(value, transforms, user, item):
    """Thousands of entries: vectorised arithmetic must not depend on where in an array an entry stands."""
    raw = large(7)
    made = Preparation(value, transforms, user_discount=user, item_discount=item).fit(raw)
    given, full = raw.entries(), made.interactions.entries()
    for position in range(raw.n_users):
        mine = given.user_index == position
        alone = Interactions.from_arrays(
            ["somebody"] * int(mine.sum()),
            given.item_index[mine],
            given.values[mine],
            weights=given.weights[mine],
            times=given.times[mine],
            item_ids=raw.item_ids,
        )
        folded = made.fitted.apply(alone, own="users").entries()
        mine = full.user_index == position
        for name in ("item_index", "values", "weights"):
            expected, got = getattr(full, name), getattr(folded, name)
            assert (got is None) == (expected is None)
            assert got is None or got.tobytes() == expected[mine].tobytes()


def test_a_new_item_takes_its_own_numbers_and_users_keep_theirs():
    made = Preparation("count", "bm25", user_discount=0.5, item_discount=1).fit(small())
    new = Interactions.from_arrays(
        ["ann", "cy"], ["new", "new"], [2, 3], user_ids=["ann", "bob", "cy"], item_ids=["new"]
    )
    idf = max(np.log(3) - np.log(1 + 2), 1e-6)
    v = np.array([2, 3]) * 101 / (100 * (0.2 + 0.8 * np.array([7, 1]) / (16 / 3)) + np.array([2, 3])) * idf
    d = np.array([3, 1]) ** -0.5 / 2 / (N_U**-0.5 / N_I).mean()
    folded = made.fitted.apply(new, own="items")
    assert t_and_e(folded) == [None, pytest.approx(v * d, rel=1e-6)]


@pytest.mark.parametrize("where", ["beyond the fit", "without entries in the fit"])
def test_unknown_items_of_a_new_user_are_counted_in_the_given_entries(where):
    ids = ["x", "y", "z", "zz"]
    data = small(item_ids=ids[: 3 if where == "beyond the fit" else 4])
    made = Preparation("count", "tfidf", item_discount=1).fit(data)
    new = Interactions.from_arrays(["dan", "eve", "eve"], ["zz", "zz", "y"], [4, 9, 1], item_ids=ids)
    assert new.item_ids.labels.tolist() == ids
    t, e = t_and_e(made.fitted.apply(new, own="users"))
    idf = np.array([max(np.log(3) - np.log(1 + n), 1e-6) for n in (2, 1, 2)])  # eve: y, zz
    expected = np.array([2, 1, 3]) * idf / [2, 1, 2] / (1 / N_I).mean()
    assert t is None
    assert e == pytest.approx(expected, rel=1e-6)


def test_own_numbers_on_both_sides_keep_the_numbers_of_the_fit_for_all():
    made = Preparation("count", "bm25", item_discount=1).fit(small())
    new = Interactions.from_arrays(["dan"], ["w"], [4])
    v = 4 * 101 / (100 * (0.2 + 0.8 * 4 / (16 / 3)) + 4) * (np.log(3) - np.log(2))
    e = t_and_e(made.fitted.apply(new, own="both"))[1]
    assert e == pytest.approx([v / (1 / N_I).mean()], rel=1e-6)


def test_empty_histories_and_empty_training_sets():
    settings = Preparation("count", "bm25 normalize tfidf", user_discount=1, item_discount=1)
    nothing = small().take([])
    for own in ("users", "items", "both"):
        assert settings.fit(small()).fitted.apply(nothing, own=own).n_entries == 0
    made = settings.fit(nothing)
    assert made.interactions.n_entries == 0
    assert made.fitted.apply(small(), own="users").n_entries == 6


def test_zero_ratings_alone_stay_zero():
    assert t_and_e(prepared("rating", "bm25(b=1)", data=small([0] * 6)))[0] == [0] * 6


# -- storing ------------------------------------------------------------------------------------------------


def stored():
    settings = Preparation("count", "log bm25 half_life(30)", user_discount=0.5, item_discount=1, scale=2)
    fitted = settings.fit(small(times=range(6))).fitted
    return json.loads(json.dumps(fitted.to_dict())), fitted.to_arrays(), fitted


def test_what_is_stored():
    settings, arrays, fitted = stored()
    assert settings["preparation"]["transforms"] == "log bm25 half_life(30)"
    assert set(settings["constants"]) == {
        "n_users",
        "step1_average_length",
        "step2_reference",
        "mean_discount",
    }
    assert {name: array.shape for name, array in arrays.items()} == dict.fromkeys(
        [
            "users.counts",
            "users.step1_length",
            "users.kept_counts",
            "items.counts",
            "items.idf",
            "items.kept_counts",
        ],
        (3,),
    )
    assert fitted.item_constants["counts"].tolist() == [3, 1, 2]
    assert fitted.user_constants["kept_counts"].tolist() == [3, 2, 1]
    assert not any(array.flags.writeable for array in arrays.values())
    again = FittedPreparation.from_parts(settings, arrays)
    assert again.preparation == fitted.preparation
    assert again.constants == fitted.constants
    assert all(again.to_arrays()[name] is array for name, array in arrays.items())


def test_nothing_is_stored_that_is_not_needed():
    fitted = Preparation("count", "log", scale=40).fit(small()).fitted
    assert fitted.to_arrays() == {}
    assert fitted.constants == {}


def test_scale_auto_makes_the_mean_weight_of_the_fit_one():
    data = Interactions.from_arrays(["a", "a", "b", "b"], ["x", "y", "x", "z"], [4.0, 2.0, 6.0, 0.0])
    prepared = Preparation("count", scale="auto").fit(data)
    assert prepared.interactions.entries().weights.tolist() == [1.0, 0.5, 1.5]
    assert prepared.fitted.constants == {"scale": 0.25}
    new = Interactions.from_arrays(["c"], ["x"], [8.0], item_ids=["x", "y", "z"])
    assert prepared.fitted.apply(new, own="users").entries().weights.tolist() == [2.0]
    ones = Interactions.from_arrays(["a"], ["x"])
    assert Preparation("ignore", scale="auto").fit(ones).interactions.by_user.weights is None
