"""Trap 40: α and λ mean something else in every library, and a setting makes a positive weaker than an
unknown pair. Ours: the formula is in the model, and such entries are counted and told."""

import logging

import numpy as np
import pytest

from alternant import ImplicitALS, Interactions, load
from alternant.objective import weak_positives
from small_models import random_history


def counted(model):
    """Count pair by pair."""
    problem, entries = model.problem, model.prepared(model.history, own="both").entries()
    n_u, n_i = model.user_counts, model.item_counts
    found = 0
    for at, (u, i) in enumerate(zip(entries.user_index, entries.item_index, strict=True)):
        unknown = problem.unobserved_weight
        unknown *= (n_u[u] / n_u.mean()) ** problem.user_exponent
        unknown *= (n_i[i] / n_i.mean()) ** problem.item_exponent
        target = 1.0 if entries.values is None else entries.values[at]
        found += bool(target > 0 and np.float32(entries.weights[at]) < np.float32(unknown))
    return found


def fitted(form, **settings):
    """Every fourth value is negative: a dislike, which has target 0."""
    plain = random_history(12, 9).entries()
    values = np.where(np.arange(len(plain.values)) % 4 == 0, -plain.values, plain.values)
    data = Interactions.from_arrays(plain.user_index, plain.item_index, values)
    return ImplicitALS(n_factors=2, form=form, regularization=0.1, n_sweeps=2, **settings).fit(data)


@pytest.mark.parametrize("exponent", [0.0, 0.7])
def test_trap_40_weak_positives_are_counted_and_told(exponent, caplog):
    with caplog.at_level(logging.WARNING, logger="alternant.als"):
        model = fitted("missing-as-zero", alpha=0.4, unobserved_user_exponent=exponent)
    n = counted(model)
    positives = np.count_nonzero(model.history.by_user.values > 0)
    assert 0 < n < positives < model.history.n_entries
    assert weak_positives(model.problem, model.prepared(model.history, own="both")) == n
    (warning,) = model.describe().warnings
    assert warning.startswith(f"{n} of {positives} positives weigh less than an unknown pair")
    assert [record.getMessage() for record in caplog.records] == [warning]
    assert f"warning: {warning}" in str(model.describe())


@pytest.mark.parametrize("form", ["ials", "hkv"])
def test_trap_40_where_weights_are_added_there_are_none(form, caplog):
    with caplog.at_level(logging.WARNING, logger="alternant.als"):
        model = fitted(form, alpha=0.001, unobserved_item_exponent=0.5)
    assert model.describe().warnings == ()
    assert caplog.records == []


def test_trap_40_equal_weights_are_not_weaker():
    history = random_history(12, 9)
    settings = {"form": "missing-as-zero", "value": "ignore", "regularization": 0.1, "n_sweeps": 2}
    for weight in (0.1, 0.3, 0.7):
        model = ImplicitALS(n_factors=2, alpha=weight, unobserved_weight=weight, **settings).fit(history)
        assert model.describe().warnings == ()


def test_trap_40_the_formula_is_in_the_saved_model(tmp_path):
    model = fitted("missing-as-zero", alpha=0.4)
    model.save(tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors").describe()
    assert "e = 0.4·w·|v|" in again.formula
    assert "+ Σ_u 0.1 ‖x_u‖²" in again.formula
    assert again.warnings == model.describe().warnings
