"""Predictions of models of transformed ratings, against the transforms' formulas undone by hand."""

import numpy as np
import pytest

from alternant import DataError, ExplicitALS, ImplicitALS, Interactions
from small_models import random_history

HISTORY = random_history(30, 20, seed=3)
ITEMS = np.arange(20)


def fitted(transforms, **settings):
    return ExplicitALS(n_factors=3, transforms=transforms, **settings).fit(HISTORY)


def on_fitted_scale(model, user, items=ITEMS):
    row = model.user_ids.encode([user])[0]
    return model.mean + model.user_biases[row] + model.score(user, items).astype(float)


def mean_of(user, change=lambda v: v):
    entries = HISTORY.entries()
    return change(entries.values[entries.user_index == user].astype(float)).mean()


def test_log_is_undone():
    model = fitted("log(epsilon=2)")
    np.testing.assert_allclose(
        model.predict(4, ITEMS), 2 * np.expm1(on_fitted_scale(model, 4)), rtol=1e-5, atol=1e-6
    )
    entries = HISTORY.entries()
    error = model.predict(entries.user_index, entries.item_index) - entries.values
    assert np.sqrt(np.mean(error**2)) < entries.values.std()


def test_normalize_is_undone_with_the_users_own_mean():
    model = fitted("normalize")
    for user in (0, 7):
        np.testing.assert_allclose(
            model.predict(user, ITEMS), on_fitted_scale(model, user) * mean_of(user), rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize("order", ["log(epsilon=2) normalize", "normalize log(epsilon=2)"])
def test_steps_are_undone_last_first(order):
    model = fitted(order)
    scaled = on_fitted_scale(model, 5)
    if order.startswith("log"):
        expected = 2 * np.expm1(scaled * mean_of(5, lambda v: np.log1p(v / 2)))
    else:
        expected = 2 * np.expm1(scaled) * mean_of(5)
    np.testing.assert_allclose(model.predict(5, ITEMS), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("transforms", ["log", "normalize", "log normalize"])
def test_folded_in_and_updated_users_and_tables(transforms):
    model = fitted(transforms)
    folded = model.fold_in(HISTORY)
    index = np.arange(30) % 20
    np.testing.assert_array_equal(model.predict(folded, index), model.predict(np.arange(30), index))
    np.testing.assert_array_equal(model.complete().values[6], model.predict(6, ITEMS))
    later = model.updated(Interactions.from_arrays([99, 99, 3], [1, 2, 3], [5.0, 1.0, 4.0]))
    entries = later.history.entries()
    for user in (99, 3, 7):
        own = later.history.take(entries.user_index == later.user_ids.encode([user])[0], prune=True)
        np.testing.assert_array_equal(later.predict(user, index), later.predict(later.fold_in(own), index))


def test_unknown_users_are_taken_for_average_ones():
    model = fitted("normalize")
    means = np.mean([mean_of(user) for user in range(30)])
    expected = (model.mean + model.item_biases[4]) * means
    assert model.predict(1234, 4, unknown="fallback") == pytest.approx(expected, rel=1e-5)
    assert np.isnan(model.predict(1234, 4, unknown="nan"))


def test_the_range_is_that_of_raw_values():
    model = fitted("log")
    assert model.value_range == HISTORY.summary().value_range
    assert model.predict(4, ITEMS, clip=True).max() <= model.value_range[1]
    later = model.updated(Interactions.from_arrays([3], [3], [50.0]))
    assert later.value_range == (HISTORY.summary().value_range[0], 50.0)


def test_what_cannot_be_undone_is_told():
    model = fitted("tfidf")
    np.testing.assert_allclose(model.predict(4, ITEMS), on_fitted_scale(model, 4), rtol=1e-5)
    assert "predictions and scores are on the scale of the changed values" in model.describe().formula
    assert "predictions are changed back" in fitted("log").describe().formula
    plain = ExplicitALS(n_factors=3).fit(HISTORY)
    assert "scale of the" not in plain.describe().formula
    implicit = ImplicitALS(n_factors=3, transforms="log").fit(HISTORY)
    np.testing.assert_array_equal(implicit.predict(4, ITEMS), implicit.score(4, ITEMS))
    assert "scale of the" not in implicit.describe().formula


def test_half_life_alone_leaves_values_as_they_are():
    entries = HISTORY.entries()
    timed = Interactions.from_arrays(
        entries.user_index, entries.item_index, entries.values, times=np.arange(len(entries.values))
    )
    model = ExplicitALS(n_factors=3, transforms="half_life(days=1)").fit(timed)
    np.testing.assert_allclose(model.predict(4, ITEMS), on_fitted_scale(model, 4), rtol=1e-5)
    with pytest.raises(DataError, match="half_life needs times"):
        ExplicitALS(transforms="half_life(days=1)").fit(HISTORY)
