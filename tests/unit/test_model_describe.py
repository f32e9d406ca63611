"""What a model says of itself; gradients against differences of a dense float64 objective."""

import dataclasses

import numpy as np
import pytest

from alternant import ExplicitALS, ImplicitALS, Interactions, load
from alternant.model.gradient import relative_gradient
from alternant.objective import ExplicitObjective, ImplicitObjective, Ridge
from small_models import named_model, random_history, random_model

N_USERS, N_ITEMS, K = 6, 5, 2
LAMBDA, NU = {"users": 0.7, "items": 0.3}, {"users": 0.5, "items": 1.0}
FORMS = ("ials", "hkv", "missing-as-zero")


def weighted_history():
    """Every row has entries but the last item; targets of both signs, weights."""
    rng = np.random.default_rng(3)
    plain = random_history(N_USERS, N_ITEMS - 1).entries()
    return Interactions.from_arrays(
        plain.user_index,
        plain.item_index,
        rng.normal(size=len(plain.values)),
        weights=rng.uniform(0.1, 3.0, len(plain.values)),
        item_ids=list(range(N_ITEMS)),
    )


def dense(history):
    """Return targets (NaN where nothing is stored) and weights."""
    entries = history.entries()
    t, e = np.full((N_USERS, N_ITEMS), np.nan), np.zeros((N_USERS, N_ITEMS))
    t[entries.user_index, entries.item_index] = entries.values
    e[entries.user_index, entries.item_index] = entries.weights
    return t, e


def explicit_loss(history, x, y, *, mean, biases):
    """Σ e (t − mean − b_u − b_i − x_u·y_i)² and ridges λ·n^ν, the bias's own 0.9."""
    t, e = dense(history)
    stored, total = ~np.isnan(t), 0.0
    for u in range(N_USERS):
        for i in range(N_ITEMS):
            if stored[u, i]:
                left = t[u, i] - mean - x[u, :K] @ y[i, :K] - ((x[u, K] + y[i, K]) if biases else 0.0)
                total += e[u, i] * left**2
    for side, table, counts in (("users", x, stored.sum(1)), ("items", y, stored.sum(0))):
        for row, n in zip(table, counts, strict=True):
            if n:
                total += LAMBDA[side] * n ** NU[side] * (row[:K] @ row[:K]) + (
                    0.9 * row[K] ** 2 if biases else 0
                )
    return total


def implicit_loss(history, x, y, *, form, w0, exponent):
    """The objective of the three forms, pair by pair."""
    t, e = dense(history)
    stored, total = ~np.isnan(t), 0.0
    n_u, n_i = stored.sum(1), stored.sum(0)
    s = (n_u / n_u[n_u > 0].mean()) ** exponent
    v = np.where(n_i > 0, (np.maximum(n_i, 1) / n_i[n_i > 0].mean()), 0) ** exponent
    for u in range(N_USERS):
        for i in range(N_ITEMS):
            if n_u[u] == 0 or n_i[i] == 0:
                continue
            p, unknown = x[u] @ y[i], w0 * s[u] * v[i]
            if stored[u, i]:
                total += (e[u, i] + (unknown if form == "hkv" else 0.0)) * (t[u, i] - p) ** 2
            if form == "ials" or not stored[u, i]:
                total += unknown * p * p
    n_users, n_items = (n_u > 0).sum(), (n_i > 0).sum()
    for side, table, counts, n_other in (("users", x, n_u, n_items), ("items", y, n_i, n_users)):
        for row, n in zip(table, counts, strict=True):
            if n:
                total += LAMBDA[side] * (n + w0 * n_other) ** NU[side] * (row @ row)
    return total


def slope(loss, table):
    """Central differences: exact for what is quadratic in the table, but for rounding."""
    found = np.zeros_like(table)
    for at in np.ndindex(table.shape):
        step = np.zeros_like(table)
        step[at] = 0.5
        found[at] = loss(table + step) - loss(table - step)
    return found


def expected(loss, x, y):
    """Return both relative norms."""
    x, y = x.astype(float), y.astype(float)
    users = np.linalg.norm(slope(lambda x: loss(x, y), x)) / np.linalg.norm(
        slope(lambda x: loss(x, y), 0 * x)
    )
    items = np.linalg.norm(slope(lambda y: loss(x, y), y)) / np.linalg.norm(
        slope(lambda y: loss(x, y), 0 * y)
    )
    return users, items


def ridges(**bias):
    return {f"{side[:-1]}_ridge": Ridge(LAMBDA[side], NU[side], **bias) for side in ("users", "items")}


def check_gradient(model, loss):
    found = relative_gradient(model, model.prepared(model.history, own="both"))
    assert min(found.users, found.items) > 0.01
    np.testing.assert_allclose(
        (found.users, found.items), expected(loss, model.user_table, model.item_table), rtol=1e-9
    )


@pytest.mark.parametrize("biases", [True, False])
def test_the_gradient_of_ratings(biases, monkeypatch):
    monkeypatch.setattr("alternant.model.gradient.ENTRIES_AT_ONCE", 4)
    history = weighted_history()
    problem = ExplicitObjective(n_factors=K, biases=biases, mean=0.4, **ridges(bias_constant=0.9))
    model = random_model(history, n_factors=K, biases=biases, problem=problem)
    check_gradient(model, lambda x, y: explicit_loss(history, x, y, mean=0.4, biases=biases))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("exponent", [0.0, 0.5])
def test_the_gradient_of_implicit_data(form, exponent):
    history = weighted_history()
    counts = history.by_user.counts, history.by_item.counts
    problem = ImplicitObjective(
        n_factors=K,
        form=form,
        unobserved_weight=0.6,
        n_users=N_USERS,
        n_items=N_ITEMS - 1,
        user_exponent=exponent,
        item_exponent=exponent,
        mean_user_count=counts[0].mean(),
        mean_item_count=counts[1][counts[1] > 0].mean(),
        **ridges(),
    )
    model = random_model(history, n_factors=K, biases=False, problem=problem)
    check_gradient(model, lambda x, y: implicit_loss(history, x, y, form=form, w0=0.6, exponent=exponent))


ESTIMATORS = {
    "auto": ExplicitALS(n_factors=3, n_sweeps=200, tol=0),
    "plain": ExplicitALS(n_factors=3, n_sweeps=200, tol=0, regularization=1.0, biases=False),
    "L1": ExplicitALS(n_factors=3, n_sweeps=80, tol=0, regularization=1.0, l1_regularization=0.5),
    "nonnegative": ExplicitALS(n_factors=3, n_sweeps=80, tol=0, regularization=1.0, nonnegative=True),
    "both": ImplicitALS(
        n_factors=3, n_sweeps=300, tol=0, regularization=0.01, nonnegative=True, l1_regularization=0.001
    ),
    "prepared": ImplicitALS(
        n_factors=3, n_sweeps=80, tol=0, transforms="log", user_discount=0.5, item_discount=0.25
    ),
    **{
        form: ImplicitALS(
            n_factors=3, form=form, regularization=0.001, n_sweeps=200, tol=0, unobserved_item_exponent=0.5
        )
        for form in FORMS
    },
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_fit_ends_where_the_gradient_is_small(name):
    history = random_history(40, 25)
    attributes = {"item_id": list(range(25)), "kind": ["a", "b", "c", "d", "e"] * 5}
    extra = {"item_attributes": attributes} if name == "auto" else {}
    model = ESTIMATORS[name].fit(history, **extra)
    assert np.abs(model.item_table).max() > 0.01
    found = model.describe().gradient
    assert found.users < 1e-6
    assert found.items < 0.01
    start = dataclasses.replace(ESTIMATORS[name], n_sweeps=1).fit(history, **extra).describe().gradient
    assert start.users < 1e-6
    assert start.items > 2 * found.items


def test_sweeps_are_split():
    model = ImplicitALS(n_factors=3, n_sweeps=3, tol=0).fit(random_history(20, 15))
    found = model.describe()
    assert [(entry.sweep, entry.side) for entry in found.sweeps] == [
        (1, "items"),
        (2, "items"),
        (3, "items"),
        (4, "users"),
    ]
    table = str(found)[str(found).index("sweep  ") :].splitlines()[:5]
    assert table[0].split() == ["sweep", "objective", "stored", "all", "pairs", "penalties"]
    assert [line.split()[0] for line in table[1:]] == ["1", "2", "3", "users"]
    for line, entry in zip(table[1:], found.sweeps, strict=True):
        numbers = [float(number.replace(",", "")) for number in line.split()[1:]]
        parts = [entry.objective, entry.observed, entry.unobserved, entry.regularization]
        np.testing.assert_allclose(numbers, parts, rtol=1e-5)
        assert numbers[0] == pytest.approx(sum(numbers[1:]), rel=1e-4)


def test_the_formula_of_ratings():
    model = ExplicitALS(n_factors=1, regularization=0.5, center=False, l1_regularization=0.25).fit(
        random_history(8, 6)
    )
    assert model.describe().formula.splitlines() == [
        "minimised over the tables of users x and items y and biases b:",
        "    Σ_stored e (t − b_u − b_i − x_u·y_i)²",
        "  + Σ_u 0.5·n_u^0.5 ‖x_u‖²",
        "  + Σ_u 0.5·n_u^0.5 b_u²",
        "  + Σ_u 0.25·n_u^0.5 Σ|x_u|",
        "  + Σ_i 0.5·n_i^0.5 ‖y_i‖²",
        "  + Σ_i 0.5·n_i^0.5 b_i²",
        "  + Σ_i 0.25·n_i^0.5 Σ|y_i|",
        "where",
        "    n_u, n_i: entries of a user, of an item; those without are outside the objective",
        "    t = v;  e = w (value v, weight w; missing ones count as 1)",
    ]


def test_the_formula_of_a_link_and_attributes():
    attributes = {"item_id": list(range(6)), "kind": ["a", "b"] * 3}
    model = ExplicitALS(n_factors=1).fit(random_history(8, 6), item_attributes=attributes)
    text = model.describe().formula
    assert f"(t − {model.mean:.6g} − b_u" in text
    ridge = model.problem.user_ridge
    assert (
        f"  + Σ_u ({ridge.slope:.6g}·n_u^0.5 + {ridge.constant:.6g}) ‖x_u − m_u‖²\n  + Σ_u 3 b_u²\n" in text
    )
    assert "  + Σ_i 3 (b_i − m_iᵇ)²\n" in text
    assert f"  + {model.problem.user_link:.6g} Σ ‖z^users‖²\n" in text
    assert f"  + {model.problem.item_attributes:.6g} Σ ‖g^items‖²\nwhere" in text
    assert "    m_u = n_u^−½ Σ_(i with an entry of u) z^users_i\n" in text
    assert " z^items_u + Σ_(features f of i) f·g^items_f\n" in text


@pytest.mark.parametrize(
    ("form", "pairs", "c"),
    [
        ("ials", "all pairs", "e"),
        ("hkv", "pairs that are not stored", "0.5 s_u + e"),
        ("missing-as-zero", "pairs that are not stored", "e"),
    ],
)
def test_the_formula_of_implicit_data(form, pairs, c):
    model = ImplicitALS(
        n_factors=1,
        form=form,
        alpha=3.0,
        unobserved_weight=0.5,
        unobserved_user_exponent=0.5,
        regularization=0.1,
        regularization_exponent=1.0,
        item_regularization=0.2,
        user_discount=0.25,
        transforms="log(epsilon=2)",
        nonnegative=True,
    ).fit(random_history(8, 6))
    mean = model.history.n_entries / 8
    discount = model.preparation.constants["mean_discount"]
    assert model.describe().formula.splitlines() == [
        "minimised over the tables of users x and items y:",
        "    Σ_stored c (t − x_u·y_i)²",
        f"  + 0.5 Σ_({pairs}) s_u (x_u·y_i)²",
        "  + Σ_u 0.1·size_u ‖x_u‖²",
        "  + Σ_i 0.2·size_i ‖y_i‖²",
        "where",
        "    n_u, n_i: entries of a user, of an item; those without are outside the objective",
        f'    c = {c} (form "{form}")',
        "    size_u = n_u + 0.5·6, size_i = n_i + 0.5·8",
        f"    s_u = (n_u / {mean:.6g})^0.5",
        "    x ≥ 0 and y ≥ 0",
        "    t = 1, or 0 where v < 0;  e = 3·w·|v|·d (value v, weight w; missing ones count as 1)",
        f"    d = n_u^−0.25 / {discount:.6g}",
        "    v and w are changed first by log(epsilon=2)",
    ]


def test_without_a_history_there_is_no_gradient():
    found = random_model(random_history(8, 6), history=None).describe()
    assert found.gradient is None
    assert found.warnings == ()
    assert "gradient" not in str(found)


def test_a_saved_model_says_the_same(tmp_path):
    model = ImplicitALS(n_factors=2, user_discount=0.5).fit(random_history(12, 9))
    model.save(tmp_path / "model.safetensors")
    assert load(tmp_path / "model.safetensors").describe() == model.describe()


def test_it_is_frozen_and_its_text_has_all_of_it():
    model = named_model()
    found = model.describe()
    with pytest.raises(dataclasses.FrozenInstanceError, match="formula"):
        found.formula = ""
    text = str(found)
    assert text.startswith(repr(model) + "\n\n" + found.formula + "\n\nsweep ")
    assert text.endswith(f"users {found.gradient.users:.1e}, items {found.gradient.items:.1e}")


def test_repr_of_an_implicit_model_is_short():
    text = repr(ImplicitALS(n_factors=2, tol=0, n_sweeps=2).fit(random_history(12, 9)))
    assert text.startswith(
        "FactorModel: 12 users × 9 items, 2 factors\n  fitted by   ImplicitALS(n_factors=2"
    )
    assert "form='ials'" in text
    assert "tol=0.0" in text
    assert "mean" not in text
    assert "discount" not in text
    assert "attribute" not in text
    assert "transforms" not in text
    assert len(text.splitlines()) <= 8
