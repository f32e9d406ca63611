"""ImplicitALS from raw values to factors: what it minimises, limits, rules, cold ids, refusals."""

import itertools

import numpy as np
import pytest

from alternant import DataError, ImplicitALS, Interactions
from peers.objectives import implicit_objective
from peers.problems import N_ITEMS, N_USERS, small_data

FORMS = ("ials", "hkv", "missing-as-zero")
N_FACTORS = 3


def interactions_of(data):
    users, items = np.nonzero(data.stored)
    return Interactions.from_arrays(
        users,
        items,
        data.values[data.stored],
        weights=data.weights[data.stored],
        user_ids=np.arange(N_USERS),
        item_ids=np.arange(N_ITEMS),
    )


def estimator(**settings):
    usual = {"n_factors": N_FACTORS, "n_sweeps": 5, "tol": 0.0, "regularization": 0.5}
    return ImplicitALS(**(usual | settings))


@pytest.mark.parametrize(
    ("form", "value"), [(f, v) for f, v in itertools.product(FORMS, ("confidence", "target", "ignore"))]
)
def test_the_objective_is_the_formula_of_raw_values(form, value):
    """The formula that other libraries are compared with, dislikes, weights and empty rows included."""
    data = small_data(0, negative=True, weighted=True, empty=True)
    settings = {
        "form": form,
        "value": value,
        "alpha": 1.7,
        "unobserved_weight": 0.6,
        "item_regularization": 0.3,
        "regularization_exponent": 0.5,
    }
    model = estimator(**settings).fit(interactions_of(data))
    expected = implicit_objective(
        {"regularization": 0.5, **settings},
        data,
        model.user_factors.astype(float),
        model.item_factors.astype(float),
    )
    assert model.objective(model.history) == pytest.approx(expected, rel=1e-5)
    assert model.trace[-1].objective == pytest.approx(expected, rel=1e-5)


def test_count_is_confidence_where_no_value_is_negative():
    data = interactions_of(small_data(1, weighted=True))
    count, confidence = (estimator(value=v).fit(data) for v in ("count", "confidence"))
    assert np.array_equal(count.user_table, confidence.user_table)
    with pytest.raises(DataError, match="values must not be negative under value="):
        estimator(value="count").fit(interactions_of(small_data(1, negative=True)))


def dense_gradient(model):
    """Half the gradient of the users' smooth part, and the size of its terms, from dense pair weights."""
    x, y = model.user_factors.astype(float), model.item_factors.astype(float)
    problem, known = model.problem, model.history
    prepared = known if model.preparation is None else model.preparation.apply(known, own="both")
    u, i, t, e, _ = prepared.entries()
    stored, target, weight = np.zeros((3, model.n_users, model.n_items))
    stored[u, i], target[u, i], weight[u, i] = 1.0, 1.0 if t is None else t, 1.0 if e is None else e
    active = np.outer(model.user_counts > 0, model.item_counts > 0)
    counted = weight + (problem.unobserved_weight * stored if problem.form == "hkv" else 0.0)
    every = problem.unobserved_weight * active * (1.0 if problem.form == "ials" else 1.0 - stored)
    diagonal = problem.diagonal("users", model.user_counts) * (model.user_counts > 0)[:, None]
    pull = (counted * target) @ y
    return ((counted + every) * (x @ y.T)) @ y + diagonal * x - pull, np.abs(pull).max()


@pytest.mark.parametrize("form", FORMS)
def test_users_fulfil_their_normal_equations(form):
    model = estimator(form=form).fit(interactions_of(small_data(2, negative=True, weighted=True, empty=True)))
    gradient, size = dense_gradient(model)
    assert np.abs(gradient).max() <= 1e-5 * size


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("l1", [0.0, 0.05])
def test_nonnegative_users_fulfil_the_kkt_conditions(form, l1):
    model = estimator(form=form, nonnegative=True, l1_regularization=l1, regularization_exponent=0.0).fit(
        interactions_of(small_data(2, negative=True, weighted=True, empty=True))
    )
    gradient, size = dense_gradient(model)
    x = model.user_factors
    slope = (gradient + l1 / 2)[model.user_counts > 0]
    x = x[model.user_counts > 0]
    assert (x >= 0).all()
    assert (x == 0).any()
    assert np.abs(slope[x > 0]).max() <= 1e-5 * size
    assert slope[x == 0].min() >= -1e-5 * size


@pytest.mark.parametrize("form", FORMS)
def test_l1_users_fulfil_the_kkt_conditions(form):
    model = estimator(form=form, l1_regularization=0.4, regularization_exponent=0.0).fit(
        interactions_of(small_data(3, weighted=True))
    )
    gradient, size = dense_gradient(model)
    x = model.user_factors
    assert np.abs(gradient + 0.2 * np.sign(x))[x != 0].max() <= 1e-5 * size
    assert (x == 0).any()
    assert np.abs(gradient[x == 0]).max() <= 0.2 + 1e-5 * size


def test_auto_alpha_makes_the_mean_weight_1():
    data = interactions_of(small_data(4, weighted=True))
    model = ImplicitALS(n_factors=2, n_sweeps=1).fit(data)
    weights = model.preparation.apply(model.history, own="both").by_user.weights
    assert weights.mean(dtype=float) == pytest.approx(1.0, rel=1e-6)
    tenfold = Interactions.from_arrays(
        *data.entries()[:2], data.entries().values * 10, weights=data.entries().weights
    )
    assert ImplicitALS(n_factors=2, n_sweeps=1).fit(tenfold).trace[-1].objective == pytest.approx(
        model.trace[-1].objective, rel=1e-5
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"form": "ials"},
        {"form": "hkv"},
        {"nonnegative": True},
        {"unobserved_item_exponent": -0.5, "unobserved_user_exponent": -0.5},
    ],
)
def test_ids_that_only_attributes_know_get_what_their_attributes_say(settings):
    """Seen to fail with a negative exponent, which made their unobserved weight infinite."""
    data = interactions_of(small_data(5, empty=True))
    genres = {"item_id": np.arange(N_ITEMS + 2), "genre": [f"g{i % 3}" for i in range(N_ITEMS + 2)]}
    towns = {"user_id": np.arange(N_USERS + 2), "town": [f"t{u % 3}" for u in range(N_USERS + 2)]}
    model = estimator(**settings).fit(data, user_attributes=towns, item_attributes=genres)
    assert (model.n_users, model.n_items) == (N_USERS + 2, N_ITEMS + 2)
    for prior, table, counts in (
        (model.user_prior, model.user_factors, model.user_counts),
        (model.item_prior, model.item_factors, model.item_counts),
    ):
        features = np.zeros((len(table), prior.features.n_columns))
        features[prior.features.row_index(), prior.features.indices] = prior.features.values
        cold = counts == 0
        assert np.count_nonzero(cold) == 3
        said = features @ prior.attributes.astype(float)
        assert np.abs(said[cold]).max() > 0
        assert table[cold] == pytest.approx(said[cold], rel=1e-4, abs=1e-6)
    assert np.array_equal(model.fold_in(model.history).table, model.user_table)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"form": "als"}, "form must be"),
        ({"value": "rating"}, "value must be"),
        ({"alpha": 0.0}, "alpha must be a number above 0"),
        ({"unobserved_weight": -1.0}, "unobserved_weight must be a number of at least 0"),
        ({"unobserved_item_exponent": 3.0}, "unobserved_item_exponent must be a number from -2 to 2"),
        ({"form": "hkv"}, 'regularization="auto" is a rule for form="ials", got form=\'hkv\''),
        (
            {"item_regularization_exponent": 0.5},
            'regularization="auto" is made for regularization_exponent=1',
        ),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(DataError, match=message):
        ImplicitALS(**settings)


def test_values_that_leave_no_entry_are_refused():
    data = Interactions.from_arrays([0, 1], [0, 1], [0.0, 0.0])
    with pytest.raises(DataError, match="no entry is left: with value='confidence' an entry of value 0 is"):
        ImplicitALS(n_factors=2).fit(data)


def test_nothing_but_dislikes_is_told(caplog):
    data = Interactions.from_arrays(["a", "b"], ["x", "y"], [-1.0, -2.0])
    ImplicitALS(n_factors=2).fit(data)
    assert "no entry has a target above 0, so every score is 0" in caplog.text
