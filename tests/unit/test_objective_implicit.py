"""The objective of implicit data against loops over all pairs, and its rows against dense systems."""

import itertools

import numpy as np
import pytest

import reference
from alternant import Interactions
from alternant.objective import (
    ImplicitObjective,
    Ridge,
    from_dict,
    implicit_ridge_rule,
    n_active,
    rows_of,
    unobserved_weight_rule,
)
from alternant.solvers import fix_side, solve_side

FORMS = ("ials", "hkv", "missing-as-zero")
N_USERS, N_ITEMS = 12, 9  # the last of each without entries


def entries(*, weighted, targeted):
    """Prepared entries as interactions, and their targets and weights as dense arrays: 0 where not stored."""
    rng = np.random.default_rng(0)
    stored = rng.random((N_USERS, N_ITEMS)) < 0.4
    stored[0, :-1] = stored[:-1, 0] = True
    stored[-1] = stored[:, -1] = False
    weight = stored * (rng.uniform(0.5, 3.0, stored.shape).astype(np.float32) if weighted else 1.0)
    target = stored * (rng.integers(-1, 3, stored.shape) if targeted else 1.0)
    users, items = np.nonzero(stored)
    data = Interactions.from_arrays(
        users,
        items,
        target[stored] if targeted else None,
        weights=weight[stored] if weighted else None,
        user_ids=np.arange(N_USERS),
        item_ids=np.arange(N_ITEMS),
    )
    return data, target, weight


def objective_of(data, form, exponents, **more):
    n_users, n_items = n_active(data)
    settings = {
        "n_factors": 3,
        "form": form,
        "unobserved_weight": 0.4,
        "user_ridge": Ridge.plain(0.3, 0.5),
        "item_ridge": Ridge.plain(0.2, 1.0),
        "n_users": n_users,
        "n_items": n_items,
        "user_exponent": exponents[0],
        "item_exponent": exponents[1],
        "mean_user_count": data.n_entries / n_users,
        "mean_item_count": data.n_entries / n_items,
    }
    return ImplicitObjective(**(settings | more))


def tables(seed=1):
    rng = np.random.default_rng(seed)
    users, items = (rng.normal(size=(n, 3)).astype(np.float32) for n in (N_USERS, N_ITEMS))
    users[-1] = items[-1] = 0.0
    return users, items


def pair_weights(objective, target, weight):
    """The weight of (t − p)² and of p² of each pair, as the definition says."""
    stored = weight > 0
    n_u, n_i = stored.sum(axis=1), stored.sum(axis=0)
    counted, every = np.zeros(weight.shape), np.zeros(weight.shape)
    for u, i in itertools.product(np.flatnonzero(n_u), np.flatnonzero(n_i)):
        unobserved = objective.unobserved_weight
        unobserved *= (n_u[u] / n_u[n_u > 0].mean()) ** objective.user_exponent
        unobserved *= (n_i[i] / n_i[n_i > 0].mean()) ** objective.item_exponent
        if stored[u, i]:
            counted[u, i] = weight[u, i] + (unobserved if objective.form == "hkv" else 0.0)
        if objective.form == "ials" or not stored[u, i]:
            every[u, i] = unobserved
    return counted, every


CASES = [
    (form, exponents, weighted, targeted)
    for form in FORMS
    for exponents in ((0.0, 0.0), (0.5, -0.7))
    for weighted in (False, True)
    for targeted in (False, True)
]


@pytest.mark.parametrize(("form", "exponents", "weighted", "targeted"), CASES)
def test_total_is_the_sum_over_all_pairs(form, exponents, weighted, targeted):
    """Seen to fail with unobserved weights that are infinite for ids without entries."""
    data, target, weight = entries(weighted=weighted, targeted=targeted)
    objective = objective_of(data, form, exponents)
    users, items = tables()
    counted, every = pair_weights(objective, target, weight)
    p = users.astype(float) @ items.T.astype(float)
    expected = np.sum(counted * (target - p) ** 2 + every * p**2)
    n_u, n_i = (weight > 0).sum(axis=1), (weight > 0).sum(axis=0)
    for u in range(N_USERS - 1):
        expected += 0.3 * (n_u[u] + 0.4 * (N_ITEMS - 1)) ** 0.5 * np.sum(users[u].astype(float) ** 2)
    for i in range(N_ITEMS - 1):
        expected += 0.2 * (n_i[i] + 0.4 * (N_USERS - 1)) * np.sum(items[i].astype(float) ** 2)
    assert objective.total(data, users, items) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("side", ["users", "items"])
@pytest.mark.parametrize(("form", "exponents", "weighted", "targeted"), CASES)
def test_a_half_sweep_solves_the_dense_systems(side, form, exponents, weighted, targeted):
    data, target, weight = entries(weighted=weighted, targeted=targeted)
    objective = objective_of(data, form, exponents)
    users, items = tables()
    counted, every = pair_weights(objective, target, weight)
    start = items if side == "users" else users
    if side == "items":
        target, weight, counted, every = target.T, weight.T, counted.T, every.T
    that = "items" if side == "users" else "users"
    fixed, rotation = fix_side(objective, that, start, rows_of(data, that).counts, n_threads=1)
    rows = rows_of(data, side)
    found = solve_side(objective, side, rows, fixed)
    back = found.table.astype(float) @ rotation.T.astype(float)
    diagonal = objective.diagonal(side, rows.counts)
    y = start.astype(float)
    losses = np.zeros(len(back))
    for row in range(len(back) - 1):
        x, _ = reference.solve_row(y, counted[row] + every[row], counted[row] * target[row], diagonal[row])
        assert back[row] == pytest.approx(x, rel=1e-4, abs=1e-5)
        p = y @ x
        losses[row] = np.sum(counted[row] * (target[row] - p) ** 2 + every[row] * p**2)
        losses[row] += np.sum(diagonal[row] * x * x)
    assert not back[-1].any()
    assert found.losses.sum() + objective.constant(data) == pytest.approx(losses.sum(), rel=1e-5)


def test_ids_without_entries_have_no_unobserved_weight():
    data, _, _ = entries(weighted=False, targeted=False)
    for exponent in (-2.0, -0.5, 0.5):
        scale = objective_of(data, "ials", (exponent, 0.0)).unobserved_scale("users", data.by_user.counts)
        assert scale[-1] == 0.0
        assert np.isfinite(scale).all()


def test_an_unobserved_weight_of_0_leaves_the_stored_entries():
    data, target, weight = entries(weighted=True, targeted=True)
    users, items = tables()
    p = users.astype(float) @ items.T.astype(float)
    for form in FORMS:
        objective = objective_of(data, form, (0.0, 0.0), unobserved_weight=0.0)
        assert not objective.has_unobserved
        assert objective.data_loss(data, users, items) == pytest.approx(np.sum(weight * (target - p) ** 2))


def test_the_rules_of_auto():
    data, _, weight = entries(weighted=False, targeted=False)
    n_u, n_i, n = N_USERS - 1, N_ITEMS - 1, int(weight.sum())
    assert unobserved_weight_rule(data) == pytest.approx(14 * n / (n_u * n_i))
    mean = np.sqrt((n / n_u + 0.4 * n_i) * (n / n_i + 0.4 * n_u))
    assert implicit_ridge_rule(data, 0.4) == pytest.approx(0.18 / np.sqrt(mean))


def test_dictionary_round_trip():
    data, _, _ = entries(weighted=False, targeted=False)
    objective = objective_of(data, "hkv", (0.5, -0.7), l1=0.2, nonnegative=True, item_attributes=3.0)
    assert from_dict(objective.to_dict()) == objective
