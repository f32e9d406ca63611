"""Explanations of every kind of model: the terms, against a dense float64 solve, and their sums."""

import numpy as np
import pytest

from alternant import DataError, ExplicitALS, ImplicitALS, Interactions, UnknownIdError
from small_models import random_history

HISTORY = random_history(30, 20, seed=3)
USERS, ITEMS = (each.ravel() for each in np.meshgrid(np.arange(30), np.arange(20), indexing="ij"))


def weighted(history, seed=5):
    entries = history.entries()
    weights = np.random.default_rng(seed).uniform(0.5, 2.0, history.n_entries)
    return Interactions.from_codes(
        history.user_ids,
        history.item_ids,
        user_index=entries.user_index,
        item_index=entries.item_index,
        values=entries.values,
        weights=weights.astype(np.float32),
    )


GENRES = {
    "item_attributes": {"item_id": np.arange(20), "genre": ["a", "b", "c", "d"] * 5},
    "user_attributes": {"user_id": np.arange(30), "group": ["p", "q", "r"] * 10},
}

ESTIMATORS = {
    "explicit": (ExplicitALS(n_factors=4), {}),
    "no biases": (ExplicitALS(n_factors=4, biases=False, link=False), {}),
    "link": (ExplicitALS(n_factors=4, link=True), {}),
    "attributes": (ExplicitALS(n_factors=4, link=True), GENRES),
    "discount": (ExplicitALS(n_factors=4, item_discount=0.5, user_discount=0.25), {}),
    "plain ridge": (ExplicitALS(n_factors=4, regularization=0.1), {}),
    "ials": (ImplicitALS(n_factors=4), {}),
    "ials attributes": (ImplicitALS(n_factors=4), GENRES),
    "hkv": (ImplicitALS(n_factors=4, form="hkv", regularization=0.1), {}),
    "missing-as-zero": (ImplicitALS(n_factors=4, form="missing-as-zero", regularization=0.1), {}),
    "exponents": (
        ImplicitALS(
            n_factors=4, form="hkv", regularization=0.1, unobserved_item_exponent=0.5,
            unobserved_user_exponent=0.25,
        ),
        {},
    ),
    "nonnegative": (ExplicitALS(n_factors=4, nonnegative=True, link=False), {}),
    "l1": (ExplicitALS(n_factors=4, l1_regularization=0.5, link=False), {}),
    "implicit nonnegative": (ImplicitALS(n_factors=4, nonnegative=True), {}),
    "implicit l1": (ImplicitALS(n_factors=4, l1_regularization=0.002), {}),
}  # fmt: skip


@pytest.fixture(scope="module", params=list(ESTIMATORS))
def fitted(request):
    estimator, extra = ESTIMATORS[request.param]
    history = weighted(HISTORY) if request.param in ("no biases", "ials") else HISTORY
    return request.param, estimator.fit(history, **extra)


def assert_sums(why, scores):
    largest = np.zeros(len(why))
    np.maximum.at(largest, why.pair_index, np.abs(why.contribution))
    assert np.all(np.abs(why.score - scores) <= 1e-5 * np.maximum(largest, 1.0))


def test_terms_sum_to_the_score(fitted):
    name, model = fitted
    why = model.explain(USERS, ITEMS)
    scores = model.score(USERS, ITEMS)
    assert np.abs(scores).max() > 0.05
    assert_sums(why, scores)
    kinds = {"history"}
    kinds |= {"item bias"} if model.item_biases is not None else set()
    kinds |= {"attribute"} if "attributes" in name else set()
    kinds |= {"constant"} if "l1" in name else set()
    assert set(why.kind) == kinds


def test_folded_in_users_have_the_terms_of_the_stored(fitted):
    _, model = fitted
    some = model.fold_in(model.history)
    np.testing.assert_array_equal(some.table, model.user_table)
    why, stored = model.explain(some, np.arange(30) % 20), model.explain(np.arange(30), np.arange(30) % 20)
    np.testing.assert_allclose(why.contribution, stored.contribution, rtol=1e-12, atol=1e-15)
    assert why.label.tolist() == stored.label.tolist()
