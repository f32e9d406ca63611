"""The explicit objective and the scale-free rule against the plain reference."""

import numpy as np
import pytest

import reference
from alternant import DataError, ExplicitALS
from alternant.objective import Ridge, fit_biases, from_dict, scale_free_ridge
from objectives import explicit
from peers.objectives import explicit_objective
from peers.problems import small_data
from tables import NAN, random_ratings, ratings_of


def tables(seed, objective, *shape):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, objective.width)).astype(np.float32) for n in shape]


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_total_is_the_dense_sum(biases, weighted):
    dense = random_ratings(0, 30, 20)
    weights = np.random.default_rng(1).uniform(0.5, 2.0, dense.shape).astype(np.float32) if weighted else None
    ratings = ratings_of(dense, weights)
    objective = explicit(3, biases, 2.5, Ridge(0.3, 0.5, 1.0, 0.0, 3.0), Ridge.plain(0.7, 1.0))
    users, items = tables(2, objective, 30, 20)
    penalties = [
        objective.ridge(side).diagonal(rows.counts, 3, bias=biases) * (rows.counts > 0)[:, None]
        for side, rows in (("users", ratings.by_user), ("items", ratings.by_item))
    ]
    expected = reference.objective(
        dense, users.astype(float), items.astype(float), *penalties, mean=2.5, biases=biases, weights=weights
    )
    assert objective.total(ratings, users, items) == pytest.approx(expected, rel=1e-12)


def test_ridge_diagonal():
    counts = np.array([0, 1, 4])
    assert np.array_equal(Ridge.plain(2.0, 0.5).diagonal(counts, 1, bias=True), [[0, 0], [2, 2], [4, 4]])
    assert np.array_equal(
        Ridge(2.0, 0.5, 1.0, 0.0, 3.0).diagonal(counts, 1, bias=True), [[1, 3], [3, 3], [5, 3]]
    )
    assert np.array_equal(Ridge.plain(2.0, 0.0).diagonal(counts, 2, bias=False), np.full((3, 2), 2.0))


@pytest.mark.parametrize("center", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_bias_model_is_eight_plain_passes(center, weighted):
    dense = random_ratings(3, 25, 40)
    dense[4] = NAN
    weights = np.random.default_rng(1).uniform(0.5, 2.0, dense.shape).astype(np.float32)
    weights = weights if weighted else np.ones_like(weights)
    known = ~np.isnan(dense)
    w = np.where(known, weights, 0.0).astype(float)
    values = np.nan_to_num(dense)
    mean = (w * values).sum() / w.sum() if center else 0.0
    user, item = np.zeros((25, 1)), np.zeros((1, 40))
    for _ in range(8):
        user = (w * (values - mean - item)).sum(1, keepdims=True) / (w.sum(1, keepdims=True) + 5)
        item = (w * (values - mean - user)).sum(0, keepdims=True) / (w.sum(0, keepdims=True) + 5)
    scale = np.sqrt((w * (values - mean - user - item) ** 2).sum() / w.sum())

    found = fit_biases(ratings_of(dense, weights if weighted else None), center=center, n_threads=2)
    assert found.mean == pytest.approx(mean, rel=1e-12)
    assert found.user_biases == pytest.approx(user[:, 0], rel=1e-9, abs=1e-12)
    assert found.item_biases == pytest.approx(item[0], rel=1e-9, abs=1e-12)
    assert found.scale == pytest.approx(scale, rel=1e-9)
    assert found.predict(np.array([0]), np.array([1])) == pytest.approx([mean + user[0, 0] + item[0, 1]])


def test_scale_has_a_floor_and_is_zero_for_equal_values():
    biases_only = np.add.outer(
        np.zeros(300), np.repeat([1.0, 5.0], 300)
    )  # items explain everything but the shrinkage
    found = fit_biases(ratings_of(biases_only), center=True, n_threads=1)
    assert found.scale >= 1e-3 * np.std(biases_only)
    assert fit_biases(ratings_of(np.full((3, 3), 4.0)), center=True, n_threads=1).scale == 0.0


def test_scale_free_ridge():
    dense = random_ratings(4, 16, 81, known=1.0)
    dense[:, 5] = NAN  # an item without entries does not count
    ridge = scale_free_ridge(ratings_of(dense), 2.0)
    aspect = (80 / 16) ** 0.25
    assert ridge == Ridge(
        slope=pytest.approx(2.0 * 0.65 * (aspect + 1 / aspect)),
        exponent=0.5,
        constant=6.0,
        bias_slope=0.0,
        bias_constant=3.0,
    )


def test_dictionary_round_trip():
    objective = explicit(3, True, 2.5, Ridge(0.3, 0.5, 1.0, 0.0, 3.0), Ridge.plain(0.7, 1.0))
    assert from_dict(objective.to_dict()) == objective


def test_a_foreign_dictionary_is_refused():
    good = explicit(3, True, 2.5, Ridge(0.3), Ridge(0.7)).to_dict()
    with pytest.raises(
        DataError, match="objective kind must be one of 'explicit', 'implicit', 'sampled', got 'magic'"
    ):
        from_dict({**good, "kind": "magic"})
    with pytest.raises(DataError, match="the objective lacks a field or has one too many: 'user_ridge'"):
        from_dict({name: value for name, value in good.items() if name != "user_ridge"})
    with pytest.raises(DataError, match="the objective lacks a field or has one too many"):
        from_dict({**good, "extra": 1})


@pytest.mark.parametrize("bias_regularization", [None, 1.5])
def test_a_fit_minimises_the_formula_that_other_libraries_are_compared_with(bias_regularization):
    data = small_data(0, negative=True, weighted=True, empty=True)
    settings = {"regularization": 0.3, "item_regularization": 0.5, "regularization_exponent": 1.0}
    settings |= {} if bias_regularization is None else {"bias_regularization": bias_regularization}
    ratings = ratings_of(np.where(data.stored, data.values, NAN), data.weights)
    model = ExplicitALS(n_factors=3, n_sweeps=5, **settings).fit(ratings)
    tables = model.user_factors, model.item_factors, model.user_biases, model.item_biases
    expected = explicit_objective(
        {"center": True, **settings}, data, *(each.astype(float) for each in tables)
    )
    assert model.objective(ratings) == pytest.approx(expected, rel=1e-5)
    assert model.trace[-1].objective == pytest.approx(expected, rel=1e-5)
