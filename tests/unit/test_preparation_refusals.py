"""Preparation: settings, data and stored parts that are refused, word for word."""

import re

import numpy as np
import pytest

from alternant.errors import DataError
from alternant.interactions import Interactions
from alternant.preparation import FittedPreparation, Preparation

VALUES = [4.0, 1.0, 2.0, 3.0, 5.0, 1.0]


def small(values=VALUES, **columns):
    users, items = ["ann", "ann", "ann", "bob", "bob", "cy"], ["x", "y", "z", "x", "z", "x"]
    return Interactions.from_arrays(users, items, values, **columns)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"value": "stars"},
            "value must be 'rating' or 'confidence' or 'count' or 'target' or 'ignore', got 'stars'",
        ),
        ({"scale": 0}, 'scale must be a positive number, or "auto", got 0'),
        ({"user_discount": -1}, "user_discount must be a number of at least 0, got -1"),
        ({"item_discount": np.nan}, "item_discount must be a number of at least 0, got nan"),
        (
            {"value": "ignore", "transforms": "half_life(1) log"},
            "value=\"ignore\" leaves only half_life to transforms, got 'half_life(1) log'",
        ),
        (
            {"transforms": None},
            'transforms must be text, as in "log(epsilon=10) half_life(days=30)", got None',
        ),
        (
            {"transforms": "lgo(10)"},
            "transforms must be of log, bm25, tfidf, normalize, half_life, got 'lgo'",
        ),
        (
            {"transforms": "log(10"},
            "transforms must be names with optional numbers in parentheses, as in "
            "\"log(epsilon=10) half_life(days=30)\", got 'log(10', which cannot be read from "
            "'log(10' on",
        ),
        ({"transforms": "log() + bm25"}, "got 'log() + bm25', which cannot be read from '+ bm25' on"),
        ({"transforms": "log(1)bm25"}, "which cannot be read from 'log(1)bm25' on"),
        ({"transforms": "log(eps=1)"}, "log takes epsilon, once each, got 'eps=1'"),
        ({"transforms": "bm25(1, k1=2)"}, "bm25 takes k1 and b, once each, got '1, k1=2'"),
        ({"transforms": "bm25(b=1, 2)"}, "bm25 takes k1 and b, got 'b=1, 2'"),
        ({"transforms": "bm25(1, 0, 2)"}, "bm25 takes k1 and b, got '1, 0, 2'"),
        ({"transforms": "tfidf(2)"}, "tfidf takes no numbers, got '2'"),
        ({"transforms": "log(0)"}, "epsilon of log must be a positive number, got 0.0"),
        ({"transforms": "log(many)"}, "epsilon of log must be a positive number, got 'many'"),
        ({"transforms": "log(inf)"}, "epsilon of log must be a positive number, got inf"),
        ({"transforms": "bm25(0)"}, "k1 of bm25 must be a positive number, got 0.0"),
        ({"transforms": "bm25(b=2)"}, "b of bm25 must be a number from 0 to 1, got 2.0"),
        ({"transforms": "half_life"}, "half_life needs days, as in half_life(days=30), got half_life()"),
        ({"transforms": "half_life(-3)"}, "days of half_life must be a positive number, got -3.0"),
        (
            {"transforms": "half_life(3, reference=today)"},
            "reference of half_life must be a date such as 2024-06-30 or a number of Unix seconds, "
            "got 'today'",
        ),
        ({"transforms": "half_life(3, reference=nan)"}, "or a number of Unix seconds, got 'nan'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(DataError, match=re.escape(message) + "$"):
        Preparation(**settings)


@pytest.mark.parametrize(
    ("settings", "values", "message"),
    [
        (
            ("count",),
            [4, -1.5, 2, 3, 5, 1],
            "values must not be negative under value=\"count\", got -1.5 for user 'ann', item 'y'; "
            'drop the row, or take it as a dislike with value="confidence"',
        ),
        (
            ("rating", "log"),
            [4, 1, 2, -3, 5, 1],
            'log needs values that are not negative under value="rating", got -3.0 for user '
            "'bob', item 'x'; drop the row or leave log out",
        ),
        (
            ("target", "tfidf"),
            [4, 1, 2, -3, 5, 1],
            'tfidf needs values that are not negative under value="target", got -3.0 for user '
            "'bob', item 'x'; drop the row or leave tfidf out",
        ),
        (
            ("rating", "bm25"),
            [-1, 1, 2, 3, 5, 1],
            'bm25 needs values that are not negative under value="rating", got -1.0 for user '
            "'ann', item 'x'; drop the row or leave bm25 out",
        ),
        (
            ("rating", "normalize"),
            [4, 1, 2, 3, 0, 1],
            "normalize needs positive values under value=\"rating\", got 0.0 for user 'bob', item "
            "'z'; drop the row or leave normalize out",
        ),
        (
            ("rating", "half_life(1)"),
            VALUES,
            "half_life needs times, and these interactions have none; name the time column with time=",
        ),
        (
            ("count", "", 0, 0, 1e38),
            VALUES,
            "the weight made of value 4.0 and weight 1.0 must be finite, got inf for user 'ann', "
            "item 'x'; scale values and weights down, or change transforms, discounts or scale",
        ),
        (
            ("rating", "log(1e-320)"),
            VALUES,
            "the target made of value 4.0 and weight 1.0 must be finite, got inf for user 'ann', "
            "item 'x'; scale values and weights down, or change transforms, discounts or scale",
        ),
    ],
)
def test_data_that_do_not_fit_are_refused_with_their_ids(settings, values, message):
    with pytest.raises(DataError, match=re.escape(message) + "$"):
        Preparation(*settings).fit(small(values))


def test_discounts_below_the_smallest_float_are_refused():
    data = Interactions.from_arrays([7, 7], [0, 1], [4.0, 1.0])
    with pytest.raises(DataError, match=r"the weight made of value 4\.0 and .*, got nan for user 7, item 0"):
        Preparation(user_discount=5000).fit(data)


def test_the_value_is_refused_in_a_later_history_too():
    made = Preparation("count").fit(small())
    later = Interactions.from_arrays(["dan"], ["x"], [-1], item_ids=["x", "y", "z"])
    with pytest.raises(DataError, match=r"values must not be negative under .* got -1\.0 for user 'dan'"):
        made.fitted.apply(later, own="users")


def test_a_half_life_without_entries_needs_a_reference():
    nothing = small(times=range(6)).take([])
    with pytest.raises(DataError, match="half_life takes the latest time as its reference, and there are no"):
        Preparation("rating", "half_life(1)").fit(nothing)
    assert Preparation("rating", "half_life(1, 0)").fit(nothing).interactions.n_entries == 0


def test_arguments_of_apply_are_checked():
    fitted = Preparation("count", "bm25").fit(small()).fitted
    with pytest.raises(DataError, match="own must be 'users' or 'items' or 'both', got 'user'"):
        fitted.apply(small(), own="user")
    with pytest.raises(DataError, match="interactions must be Interactions, got list"):
        fitted.apply([1], own="users")
    few = Interactions.from_arrays(["dan"], ["x"], [1])
    with pytest.raises(
        DataError,
        match=r"items must be the 3 of the fit, and new ones after them, got 1; build the "
        "interactions with item_ids= of the model",
    ):
        fitted.apply(few, own="users")
    with pytest.raises(DataError, match="users must be the 3 of the fit, and new ones after them, got 1"):
        fitted.apply(few, own="items")
    assert fitted.apply(few, own="both").n_entries == 1


NAN3 = np.array([1, np.nan, 1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda d, a: d.pop("n_users"),
            "a preparation is stored as constants, n_items, n_users, preparation, got {",
        ),
        (lambda d, a: d.update(n_users=-1), "n_users must be an integer of at least 0, got -1"),
        (
            lambda d, a: d["preparation"].pop("scale"),
            "the settings of a preparation are item_discount, scale, transforms, user_discount, value, got {",
        ),
        (
            lambda d, a: d["preparation"].update(scale=-1),
            'scale must be a positive number, or "auto", got -1',
        ),
        (lambda d, a: d.update(constants=[1]), "constants must be numbers by name, got [1]"),
        (
            lambda d, a: d["constants"].pop("mean_discount"),
            "the constants of this preparation are mean_discount, n_users, step1_average_length, "
            "step2_reference, got n_users, ",
        ),
        (
            lambda d, a: d["constants"].update(mean_discount=0),
            "constant mean_discount must be a positive number, got 0",
        ),
        (
            lambda d, a: d["constants"].update(step2_reference=np.inf),
            "constant step2_reference must be a finite number, got inf",
        ),
        (
            lambda d, a: d["constants"].update(n_users="3"),
            "constant n_users must be a positive number, got '3'",
        ),
        (
            lambda d, a: a.pop("items.idf"),
            "the item constants of this preparation are counts, idf, kept_counts, got counts, kept_counts",
        ),
        (
            lambda d, a: a.update({"users.more": NAN3}),
            "the user constants of this preparation are counts, kept_counts, step1_length, got "
            "counts, kept_counts, more, step1_length",
        ),
        (
            lambda d, a: a.update({"idf": NAN3}),
            "arrays of a preparation are named users.… or items.…, got 'idf'",
        ),
        (lambda d, a: a.update({"items.idf": NAN3}), "items.idf must be finite and not negative"),
        (lambda d, a: a.update({"items.idf": -np.ones(3)}), "items.idf must be finite and not negative"),
        (
            lambda d, a: a.update({"items.idf": np.ones(4)}),
            "items.idf must be float64 of shape (3,), got float64 (4,)",
        ),
        (
            lambda d, a: a.update({"items.idf": np.ones(3, np.float32)}),
            "items.idf must be float64 of shape (3,), got float32 (3,)",
        ),
        (
            lambda d, a: a.update({"items.idf": [1, 2, 3]}),
            "items.idf must be float64 of shape (3,), got list",
        ),
    ],
)
def test_damaged_parts_are_refused(change, message):
    made = Preparation("count", "log bm25 half_life(30)", user_discount=0.5, item_discount=1)
    fitted = made.fit(small(times=range(6))).fitted
    settings, arrays = fitted.to_dict(), fitted.to_arrays()
    change(settings, arrays)
    with pytest.raises(DataError, match=re.escape(message)):
        FittedPreparation.from_parts(settings, arrays)
