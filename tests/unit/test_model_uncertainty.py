"""Uncertainties of pairs, against row systems written out in dense float64."""

from dataclasses import replace

import numpy as np
import pytest

from alternant import DataError, ExplicitALS, ImplicitALS, Interactions, UnknownIdError
from alternant.model import uncertainty
from small_models import named_model, random_history

HISTORY = random_history(30, 20, seed=3)
USERS, ITEMS = (each.ravel() for each in np.meshgrid(np.arange(30), np.arange(20), indexing="ij"))

ESTIMATORS = {
    "explicit": ExplicitALS(n_factors=4, regularization=0.2),
    "no biases": ExplicitALS(n_factors=4, regularization=0.2, biases=False),
    "discount": ExplicitALS(n_factors=4, regularization=0.2, item_discount=0.5, user_discount=0.25),
    "nonnegative": ExplicitALS(n_factors=4, regularization=0.2, nonnegative=True, link=False),
    "l1": ExplicitALS(n_factors=4, regularization=0.2, l1_regularization=0.05, link=False),
    "ials": ImplicitALS(n_factors=4),
    "ials nonnegative": ImplicitALS(n_factors=4, nonnegative=True),
    "hkv": ImplicitALS(
        n_factors=4, form="hkv", regularization=0.1, unobserved_item_exponent=0.5,
        unobserved_user_exponent=0.2,
    ),
    "missing-as-zero": ImplicitALS(n_factors=4, form="missing-as-zero", regularization=0.1),
}  # fmt: skip


@pytest.fixture(scope="module", params=list(ESTIMATORS))
def model(request):
    return ESTIMATORS[request.param].fit(HISTORY)


def dense_systems(model, side):
    """A of each row of `side`, from the objective's definition; and D."""
    problem, history = model.problem, model.history
    prepared = history if model.preparation is None else model.preparation.apply(history, own="both")
    entries = prepared.entries()
    weights = np.ones(prepared.n_entries) if entries.weights is None else entries.weights.astype(np.float64)
    stored, weight = np.zeros((model.n_users, model.n_items), bool), np.zeros((model.n_users, model.n_items))
    stored[entries.user_index, entries.item_index] = True
    weight[entries.user_index, entries.item_index] = weights
    if problem.kind == "implicit":
        s, v = (
            problem.unobserved_scale(each, counts)
            for each, counts in (("users", model.user_counts), ("items", model.item_counts))
        )
        s, v = (
            (counts > 0).astype(float) if each is None else each
            for each, counts in ((s, model.user_counts), (v, model.item_counts))
        )
        unobserved = problem.unobserved_weight * np.outer(s, v)
        if problem.form == "ials":
            weight = weight + unobserved
        elif problem.form == "hkv":
            weight = unobserved + weight
        else:
            weight = np.where(stored, weight, unobserved)
    counts = model.user_counts if side == "users" else model.item_counts
    fixed = (model.item_table if side == "users" else model.user_table).astype(np.float64)
    if problem.has_biases:
        fixed[:, -1] = 1.0
    weight = weight if side == "users" else weight.T
    ridge = problem.diagonal(side, counts)
    systems = np.einsum("ui,ij,ik->ujk", weight, fixed, fixed)
    return systems + ridge[:, :, None] * np.eye(problem.width), ridge


def dense_deviations(model, *, of):
    inverses = [np.linalg.inv(dense_systems(model, side)[0]) for side in ("users", "items")]
    u, v = model.user_table.astype(np.float64), model.item_table.astype(np.float64)
    if model.problem.has_biases:
        u[:, -1] = v[:, -1] = 1.0
    variance = np.einsum("ij,ujk,ik->ui", v, inverses[0], v) + np.einsum("uj,ijk,uk->ui", u, inverses[1], u)
    return np.sqrt(dense_noise(model) * (variance + (of == "rating")))


def dense_noise(model):
    if model.problem.kind == "implicit":
        return 1.0
    history = model.history
    prepared = history if model.preparation is None else model.preparation.apply(history, own="both")
    entries, n = prepared.entries(), prepared.n_entries
    left = entries.values - model.predict(
        model.user_ids.decode(entries.user_index), model.item_ids.decode(entries.item_index)
    )
    weights = 1.0 if entries.weights is None else entries.weights
    free = n
    for side in ("users", "items"):
        systems, ridge = dense_systems(model, side)
        used = np.einsum("uj,ujj->", -ridge, np.linalg.inv(systems)) + ridge.size
        free *= 1 - used / n
    return np.sum(weights * left.astype(np.float64) ** 2) / free


@pytest.mark.parametrize("of", ["score", "rating"])
def test_deviations_are_those_of_dense_systems(model, of):
    found = model.uncertainty(USERS, ITEMS, of=of)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, dense_deviations(model, of=of).ravel(), rtol=2e-4)


def test_folded_in_users_are_as_sure_as_the_stored(model):
    some = model.fold_in(model.history)
    items = np.arange(30) % 20
    np.testing.assert_array_equal(model.uncertainty(some, items), model.uncertainty(np.arange(30), items))


def test_answers_do_not_depend_on_threads_or_blocks(model, monkeypatch):
    expected = model.uncertainty(USERS, ITEMS, n_threads=1)
    np.testing.assert_array_equal(model.uncertainty(USERS, ITEMS, n_threads=2), expected)
    monkeypatch.setattr(uncertainty, "ENTRIES_AT_ONCE", 7)
    monkeypatch.setattr(uncertainty, "ROWS_AT_ONCE", 3)
    np.testing.assert_array_equal(model.uncertainty(USERS, ITEMS), expected)


def test_probes_estimate_what_is_exact_for_few_rows(monkeypatch):
    history = random_history(300, 60, seed=1)
    model = ExplicitALS(n_factors=4).fit(history)
    side = uncertainty.model_systems(model, n_threads=2).users
    exact = side.dimensions(n_threads=2)
    monkeypatch.setattr(uncertainty, "EXACT_BELOW", 0)
    estimate = side.dimensions(n_threads=2)
    assert estimate != exact
    assert estimate == pytest.approx(exact, rel=0.02)


def test_more_entries_make_surer():
    model = ExplicitALS(n_factors=2).fit(HISTORY)
    few, many = model.fold_in({0: 4.0}), model.fold_in(dict.fromkeys(range(15), 4.0))
    assert model.uncertainty(few, 17)[0] > model.uncertainty(many, 17)[0]


def test_two_single_ids_give_a_float():
    model = ExplicitALS(n_factors=2).fit(HISTORY)
    assert isinstance(model.uncertainty(3, 4), float)
    assert model.uncertainty(3, [4, 5]).shape == (2,)


def test_a_row_without_entries_has_its_ridge_alone():
    history = Interactions.from_arrays(
        ["a", "a", "b", "b"], ["x", "y", "x", "y"], [5, 3, 4, 1], user_ids=["a", "b", "c"]
    )
    ruled = ExplicitALS(n_factors=1).fit(history)
    assert np.isfinite(ruled.uncertainty("c", "x"))
    assert ruled.uncertainty("c", "x") > ruled.uncertainty("a", "x")
    plain = ExplicitALS(n_factors=1, regularization=0.1, regularization_exponent=1.0).fit(history)
    assert plain.uncertainty("c", "x") == np.inf


def test_refusals():
    model = named_model()
    with pytest.raises(DataError, match="of must be"):
        model.uncertainty("alice", "x", of="both")
    with pytest.raises(UnknownIdError, match="'dora'"):
        model.uncertainty("dora", "x")
    with pytest.raises(DataError, match="uncertainty needs the history"):
        replace(model, history=None).uncertainty("alice", "x")


def test_a_user_folded_in_alone_is_as_sure_as_the_stored():
    """The other users' entries, which item discounts count, come from the fit."""
    model = ESTIMATORS["discount"].fit(HISTORY)
    alone = model.fold_in(HISTORY.take(HISTORY.entries().user_index == 7, prune=True))
    stored = model.uncertainty(7, np.arange(20))
    np.testing.assert_array_equal(model.uncertainty(alone, np.arange(20)), stored)


def test_users_whom_only_attributes_know_are_no_part_of_the_items_systems():
    """Their rows are prior means, outside the objective; seen to fail with them in the Gramian."""
    towns = {"user_id": np.arange(40), "town": [f"t{u % 3}" for u in range(40)]}
    model = ImplicitALS(n_factors=4).fit(HISTORY, user_attributes=towns)
    assert (model.user_counts[30:] == 0).all()
    assert (model.user_table[30:] != 0).any()
    without = replace(
        model, user_table=np.where(model.user_counts[:, None] > 0, model.user_table, np.float32(0))
    )
    np.testing.assert_array_equal(model.uncertainty(0, ITEMS[:20]), without.uncertainty(0, ITEMS[:20]))


def test_without_any_entry_there_is_no_noise_to_tell():
    """Seen to fail as a ZeroDivisionError."""
    model = named_model()
    left = model.updated(remove_users=model.user_ids.labels[1:])
    emptied = left.updated(remove_items=left.item_ids.decode(left.history.by_user.indices))
    assert emptied.history.n_entries == 0
    with pytest.raises(DataError, match="uncertainty needs entries to tell the noise from"):
        emptied.uncertainty(emptied.user_ids.labels[0], emptied.item_ids.labels)
