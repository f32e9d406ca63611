"""Every model against a brute-force dense float64 loss: its value, descent, stationary users, fold-in."""

import numpy as np
import pytest

from alternant import ExplicitALS, ImplicitALS, Interactions, load

N_USERS, N_ITEMS = 30, 24
GENRES = {"item_id": np.arange(N_ITEMS + 2), "genre": [f"g{i % 4}" for i in range(N_ITEMS + 2)]}
TOWNS = {"user_id": np.arange(N_USERS + 1), "town": [f"t{u % 3}" for u in range(N_USERS + 1)]}
IMPLICIT = [
    {},
    {"value": "ignore"},
    {"value": "target", "alpha": 2.0},
    {"unobserved_weight": 0.3, "regularization": 0.1, "item_regularization": 0.2},
    {"regularization": 0.1, "regularization_exponent": 0.5, "item_regularization_exponent": 0.0},
    {"unobserved_user_exponent": 0.4, "unobserved_item_exponent": -0.3},
    {"form": "hkv", "regularization": 2.0, "alpha": 4.0},
    {"form": "hkv", "regularization": 2.0, "unobserved_item_exponent": 0.5, "unobserved_weight": 0.7},
    {"form": "missing-as-zero", "regularization": 2.0, "value": "target"},
    {"form": "missing-as-zero", "regularization": 2.0, "alpha": 0.3},
    {"user_discount": 0.2, "item_discount": 0.3},
    {"nonnegative": True},
    {"l1_regularization": 0.01},
    {"nonnegative": True, "form": "hkv", "regularization": 1.0, "l1_regularization": 0.2},
    {"attributes": True},
    {"attributes": True, "form": "hkv", "regularization": 2.0},
    {"attributes": True, "unobserved_user_exponent": -0.5, "unobserved_item_exponent": -0.3},
    {"form": "missing-as-zero", "regularization": 2.0, "unobserved_item_exponent": 0.5},
    {"unobserved_weight": 0.0, "regularization": 0.5},
    {"init": "spectral"},
]
EXPLICIT = [
    {},
    {"link": False},
    {"link": True, "regularization": 0.3, "regularization_exponent": 1.0},
    {"biases": False, "center": False, "bias_regularization": 1.0},
    {"bias_regularization": 0.5, "item_regularization": 0.7},
    {"attributes": True},
    {"attributes": True, "link": False, "biases": False},
    {"attributes": True, "regularization": 0.3, "regularization_exponent": 1.0},
    {"attributes": True, "link": False, "regularization": 0.3},
    {"nonnegative": True, "link": False},
    {"l1_regularization": 0.1},
    {"item_discount": 0.2, "link": False},
    {"transforms": "log(epsilon=2)", "link": False},
]
CASES = [(ImplicitALS, each) for each in IMPLICIT] + [(ExplicitALS, each) for each in EXPLICIT]


def data(estimator, *, seed=0):
    rng = np.random.default_rng(seed)
    users, items = np.nonzero(rng.random((N_USERS, N_ITEMS)) < 0.3)
    values = rng.integers(1, 6, len(users)).astype(float)
    if estimator is ImplicitALS:
        values[::7] *= -1.0  # dislikes
    return Interactions.from_arrays(
        users, items, values, weights=rng.uniform(0.5, 2.0, len(users)).astype(np.float32)
    )


def fit(estimator, settings, **more):
    settings = dict(settings)
    attributes = settings.pop("attributes", False)
    seen = []
    model = estimator(**{"n_factors": 5, "n_sweeps": 6, "tol": 0.0, **settings, **more}).fit(
        data(estimator),
        user_attributes=TOWNS if attributes else None,
        item_attributes=GENRES if attributes else None,
        callback=lambda event: seen.append(event.objective),
    )
    return model, seen


def entries(model):
    """The model's own targets t and weights e, dense; what they are is tested in test_preparation."""
    known = model.history
    prepared = known if model.preparation is None else model.preparation.apply(known, own="both")
    u, i, t, e, _ = prepared.entries()
    target, weight = np.zeros((model.n_users, model.n_items)), np.zeros((model.n_users, model.n_items))
    target[u, i] = 1.0 if t is None else t
    weight[u, i] = 1.0 if e is None else e
    return target, weight


def mean_of(model, side, table, stored):
    """Prior means by dense products."""
    prior = model.user_prior if side == "users" else model.item_prior
    mean, penalty = np.zeros(table.shape), 0.0
    if prior.link is not None:
        n = np.maximum(stored.sum(axis=1, keepdims=True), 1)
        mean += (stored / np.sqrt(n)) @ prior.link.astype(float)
        penalty += model.problem.link_ridge(side) * np.sum(prior.link.astype(float) ** 2)
    if prior.attributes is not None:
        features = np.zeros((len(table), prior.features.n_columns))
        features[prior.features.row_index(), prior.features.indices] = prior.features.values
        mean += features @ prior.attributes.astype(float)
        penalty += model.problem.attribute_ridge(side) * np.sum(prior.attributes.astype(float) ** 2)
    return mean, penalty


def brute_force(model, users=None):
    """The objective in loops over dense float64 arrays."""
    p, k = model.problem, model.n_factors
    x = model.user_table.astype(float) if users is None else users
    y = model.item_table.astype(float)
    target, e = entries(model)
    stored = e > 0
    n_u, n_i = stored.sum(axis=1), stored.sum(axis=0)
    prediction = p.center + x[:, :k] @ y[:, :k].T
    if p.has_biases:
        prediction = prediction + x[:, k:] + y[:, k]
    if p.kind == "explicit":
        total = np.sum(e * stored * (target - prediction) ** 2)
        sizes = n_u.astype(float), n_i.astype(float)
    else:
        a0 = p.unobserved_weight
        s = (n_u > 0) * (np.maximum(n_u, 1) / n_u[n_u > 0].mean()) ** p.user_exponent
        v = (n_i > 0) * (np.maximum(n_i, 1) / n_i[n_i > 0].mean()) ** p.item_exponent
        every = a0 * np.outer(s, v)
        c = every + e if p.form == "hkv" else e
        pairs = np.ones_like(stored) if p.form == "ials" else ~stored
        total = np.sum(c * stored * (target - prediction) ** 2) + np.sum(every * pairs * prediction**2)
        sizes = n_u + a0 * np.count_nonzero(n_i), n_i + a0 * np.count_nonzero(n_u)
    for side, table, n, size, cells in (
        ("users", x, n_u, sizes[0], stored),
        ("items", y, n_i, sizes[1], stored.T),
    ):
        ridge, (mean, penalty) = p.ridge(side), mean_of(model, side, table, cells)
        total += penalty
        for row in np.flatnonzero(n):
            power = size[row] ** ridge.exponent
            left = table[row] - mean[row]
            total += (ridge.slope * power + ridge.constant) * np.sum(left[:k] ** 2)
            total += p.l1 * power * np.sum(np.abs(table[row, :k]))
            if p.has_biases:
                total += (ridge.bias_slope * power + ridge.bias_constant) * left[k] ** 2
    return total


@pytest.mark.parametrize(("estimator", "settings"), CASES, ids=lambda x: str(getattr(x, "__name__", x)))
def test_the_objective_is_the_brute_force_loss_and_never_rises(estimator, settings):
    """Seen to fail with the constant of hkv left out, and with the link's penalty of one side."""
    model, seen = fit(estimator, settings)
    expected = brute_force(model)
    assert model.objective(model.history) == pytest.approx(expected, rel=1e-5)
    assert model.trace[-1].objective == pytest.approx(expected, rel=1e-5)
    assert all(b <= a * (1 + 1e-6) for a, b in zip(seen, [*seen[1:], expected], strict=True))
    last = model.trace[-1]
    assert last.observed + last.unobserved + last.regularization == pytest.approx(last.objective)


@pytest.mark.parametrize(("estimator", "settings"), CASES, ids=lambda x: str(getattr(x, "__name__", x)))
def test_no_step_of_a_user_lowers_the_brute_force_loss(estimator, settings):
    """Users are solved last, exactly: a step of any coordinate that is allowed raises the loss."""
    model, _ = fit(estimator, settings)
    x, least = model.user_table.astype(float), brute_force(model)
    rng = np.random.default_rng(1)
    for row in rng.choice(np.flatnonzero(model.user_counts), 4, replace=False):
        for column in range(model.problem.width):
            up, down, free = x.copy(), x.copy(), column >= model.n_factors
            up[row, column] += 0.01
            down[row, column] -= 0.01
            higher, lower = brute_force(model, up), brute_force(model, down)
            may_fall = free or not model.problem.nonnegative or x[row, column] >= 0.01
            assert higher >= least * (1 - 1e-9)
            assert not may_fall or lower >= least * (1 - 1e-9)
            if (
                model.problem.l1 == 0.0
                and may_fall
                and not (model.problem.nonnegative and x[row, column] == 0)
            ):
                # A parabola with its vertex here: both steps cost the same.
                assert higher - least == pytest.approx(lower - least, rel=2e-2, abs=1e-7 * least)


@pytest.mark.parametrize(("estimator", "settings"), CASES, ids=lambda x: str(getattr(x, "__name__", x)))
def test_fold_in_threads_and_files_change_no_bit(estimator, settings, tmp_path):
    model, _ = fit(estimator, settings, n_threads=1)
    assert np.array_equal(model.fold_in(model.history).table, model.user_table)
    again, _ = fit(estimator, settings, n_threads=3)
    assert np.array_equal(again.user_table, model.user_table)
    assert np.array_equal(again.item_table, model.item_table)
    assert [each.objective for each in again.trace] == [each.objective for each in model.trace]
    model.save(tmp_path / "m.safetensors")
    loaded = load(tmp_path / "m.safetensors")
    assert np.array_equal(loaded.fold_in(loaded.history).table, model.user_table)
    assert loaded.objective(loaded.history) == model.objective(model.history)
    assert loaded.problem == model.problem
