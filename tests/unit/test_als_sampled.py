"""Sampled models: averages over draws that answer as any other model does."""

import dataclasses

import numpy as np
import pytest

from alternant import ExplicitALS, Interactions, load
from alternant.errors import DataError

SETTINGS = {"n_factors": 3, "n_samples": 12, "burn_in": 4, "n_kept": 6}


def ratings(n_users=40, n_items=30, n_entries=500, seed=1, weights=False):
    rng = np.random.default_rng(seed)
    cells = rng.choice(n_users * n_items, n_entries, replace=False)
    users, items = cells // n_items, cells % n_items
    signal = rng.normal(size=(n_users, 2))[users] * rng.normal(size=(n_items, 2))[items]
    values = 3.0 + signal.sum(axis=1) + rng.normal(scale=0.3, size=n_entries)
    return Interactions.from_arrays(
        users, items, values, weights=rng.uniform(0.5, 3.0, n_entries) if weights else None
    )


def attributes(n=30):
    rng = np.random.default_rng(5)
    return {
        "item_id": np.arange(n + 1),
        "age": rng.normal(size=n + 1),
        "kind": ["ab"[i % 2] for i in range(n + 1)],
    }


def fitted(link=False, with_attributes=False, **settings):
    data = ratings(weights=link)
    items = attributes() if with_attributes else None
    return data, ExplicitALS(**SETTINGS | {"link": link} | settings).fit(data, item_attributes=items)


KINDS = pytest.mark.parametrize(
    ("link", "with_attributes"), [(False, False), (True, False), (False, True), (True, True)]
)


def naive(model, side, draw, row):
    """Return a row's posterior mean under one draw of the other side, in float64."""
    draws, data = model.draws, model.history
    this, other = draws.of(side), draws.other(side)
    rows = data.by_user if side == "users" else data.by_item
    part = slice(rows.offsets[row], rows.offsets[row + 1])
    index = rows.indices[part]
    mean = this.means[draw].copy()
    if this.link is not None and len(index):
        mean += this.link[draw][index].astype(np.float64).sum(axis=0) / np.sqrt(len(index))
    if this.attributes is not None:
        block = model.prior(side).features.block(row, row + 1)
        values = np.ones(len(block.indices)) if block.values is None else block.values
        mean += values @ this.attributes[draw][block.indices].astype(np.float64)
    known = other.tables[draw][index].astype(np.float64)
    targets = (rows.values[part] - draws.mean) / draws.scale - known[:, -1]
    known[:, -1] = 1.0
    weights = np.ones(len(index)) if rows.weights is None else rows.weights[part].astype(np.float64)
    weights = weights / this.noises[draw] ** 2
    precision = this.precisions[draw]
    right = known.T @ (weights * targets) + precision @ mean
    return np.linalg.solve((known.T * weights) @ known + precision, right)


@KINDS
def test_predictions_are_means_over_draws(link, with_attributes):
    _, model = fitted(link, with_attributes)
    draws = model.draws
    for user, item in [(0, 0), (7, 3), (39, 29), (5, 12)]:
        found = []
        for draw in range(draws.n_draws):
            u, v = naive(model, "users", draw, user), naive(model, "items", draw, item)
            found.append(draws.mean + draws.scale * (u[:-1] @ v[:-1] + u[-1] + v[-1]))
        u, i = model.user_ids.labels[user], model.item_ids.labels[item]
        assert model.predict(u, i) == pytest.approx(np.mean(found), rel=2e-5)


@KINDS
def test_a_stored_history_folds_in_to_the_stored_bits(link, with_attributes):
    data, model = fitted(link, with_attributes)
    np.testing.assert_array_equal(model.fold_in(data, n_threads=3).table, model.user_table)
    one = data.take(data.entries().user_index == 7)
    row = model.fold_in(one).table[model.user_ids.encode([7])]
    np.testing.assert_array_equal(row, model.user_table[[7]])
    items = model.fold_in_items(data).table
    np.testing.assert_array_equal(items, model.item_table[: data.n_items])


@KINDS
def test_the_same_bits_for_1_and_3_threads_and_from_a_file(link, with_attributes, tmp_path):
    data, one = fitted(link, with_attributes, n_threads=1)
    _, three = fitted(link, with_attributes, n_threads=3)
    one.save(tmp_path / "m.safetensors")
    loaded = load(tmp_path / "m.safetensors")
    for other in (three, loaded):
        np.testing.assert_array_equal(other.user_table, one.user_table)
        np.testing.assert_array_equal(other.item_table, one.item_table)
        np.testing.assert_array_equal(other.uncertainty([1, 2], [3, 4]), one.uncertainty([1, 2], [3, 4]))
        np.testing.assert_array_equal(other.fold_in(data).table, one.user_table)
        assert other.mean == one.mean
    assert repr(loaded).splitlines()[0] == repr(one).splitlines()[0]
    assert loaded.describe().formula == one.describe().formula


def test_numbers_do_not_depend_on_row_blocks(monkeypatch):
    from alternant.sampling import _rows

    _, whole = fitted(True)
    monkeypatch.setattr(
        _rows.draw_side, "__kwdefaults__", _rows.draw_side.__kwdefaults__ | {"max_entries": 7}
    )
    _, blocks = fitted(True)
    np.testing.assert_array_equal(blocks.user_table, whole.user_table)
    np.testing.assert_array_equal(blocks.item_table, whole.item_table)


def test_fewer_kept_draws_are_some_of_the_same_chain():
    _, every = fitted(n_samples=6, n_kept=6)
    _, some = fitted(n_samples=6, n_kept=3)
    np.testing.assert_array_equal(some.draws.items.tables, every.draws.items.tables[[1, 3, 5]])
    np.testing.assert_array_equal(some.draws.users.noises, every.draws.users.noises[[1, 3, 5]])


def test_means_agree_with_draws_on_pairs_without_entries():
    """û·v̂ averages to what u·v does, for pairs that are not in the data."""
    data = ratings(n_users=12, n_items=9, n_entries=70)
    model = ExplicitALS(n_factors=2, n_samples=1500, n_kept=1500, link=True).fit(data)
    seen = np.zeros((12, 9), bool)
    entries = data.entries()
    seen[entries.user_index, entries.item_index] = True
    users, items = np.nonzero(~seen)
    draws = model.draws
    found = np.array([draws.predictions(s, draws.users.tables[s][users], items) for s in range(1500)])
    means = model.predict(model.user_ids.decode(users), model.item_ids.decode(items))
    # Draws are not independent along the chain, so this is far wider than their number suggests.
    assert np.all(np.abs(means - found.mean(axis=0)) < 0.15 * found.std(axis=0))


def test_an_average_row_is_a_row_of_zeros():
    """Unknown users and items get what the priors' means say."""
    _, model = fitted()
    draws = model.draws
    row = draws.users.means.astype(np.float32)
    found = [draws.predictions(s, row[s][None], np.array([4]))[0] for s in range(draws.n_draws)]
    naive_items = [naive(model, "items", s, 4) for s in range(draws.n_draws)]
    expected = [
        draws.mean + draws.scale * (m[:-1] @ v[:-1] + m[-1] + v[-1])
        for m, v in zip(draws.users.means, naive_items, strict=True)
    ]
    assert model.predict(999, 4, unknown="fallback") == pytest.approx(np.mean(expected), rel=1e-5)
    assert np.mean(found) == pytest.approx(np.mean(expected), abs=1.0)
    assert model.predict(999, 999, unknown="fallback") == pytest.approx(model.mean, rel=1e-6)


def test_items_with_attributes_only_have_rows():
    _, model = fitted(with_attributes=True)
    assert model.item_counts[model.item_ids.encode([30])[0]] == 0
    assert np.any(model.item_table[model.item_ids.encode([30])[0]] != 0)


def test_lists_are_sorted_by_the_averaged_score():
    _, model = fitted(True)
    found = model.recommend(3, k=5)
    np.testing.assert_allclose(found.score, model.score(3, found.item_id), rtol=1e-5)
    whole = model.complete()
    assert whole.values[3, 4] == pytest.approx(model.predict(3, 4))


def drawn_from_the_model(per_user, noise, seed):
    """Return train and test entries of ratings that the model itself makes."""
    rng = np.random.default_rng(seed)
    n_users, n_items, k = 80, 250, 3
    users, items = (rng.normal(size=(n, k)) for n in (n_users, n_items))
    biases = rng.normal(scale=0.5, size=n_users)[:, None] + rng.normal(scale=0.5, size=n_items)
    values = 3.0 + biases + users @ items.T + rng.normal(scale=noise, size=(n_users, n_items))
    order = np.argsort(rng.random((n_users, n_items)), axis=1)
    return values, order[:, :per_user], order[:, per_user : per_user + 20]


@pytest.mark.parametrize("noise", [0.6, 1.7])
@pytest.mark.parametrize("per_user", [60, 120])
def test_intervals_cover_what_they_say(per_user, noise):
    """The 90 % interval of a rating covers 85 to 95 % on data drawn from the model; that of a score less."""
    values, train, test = drawn_from_the_model(per_user, noise, seed=7)
    user = np.arange(len(values))[:, None]
    data = Interactions.from_arrays(
        np.broadcast_to(user, train.shape).ravel(), train.ravel(), values[user, train].ravel()
    )
    model = ExplicitALS(n_factors=4, n_samples=60, burn_in=20, link=False).fit(data)
    users, items = np.broadcast_to(user, test.shape).ravel(), test.ravel()
    truth = values[users, items]
    left = np.abs(model.predict(users, items) - truth)
    covered = np.mean(left < 1.6449 * model.uncertainty(users, items, of="rating"))
    assert 0.85 < covered < 0.95
    assert np.mean(left < 1.6449 * model.uncertainty(users, items)) < 0.8
    folded = model.fold_in(data)
    of_folded = model.uncertainty(folded, np.zeros(len(folded), int))
    of_stored = model.uncertainty(model.user_ids.labels, np.zeros(model.n_users, int))
    assert 0.85 < of_folded.mean() / of_stored.mean() < 1.15


def test_uncertainty_says_where_it_comes_from():
    data, model = fitted()
    assert model.uncertainty_source == "draws"
    assert ExplicitALS(n_factors=2).fit(data).uncertainty_source == "row systems"
    found = [model.draws.predictions(s, model.draws.users.tables[s][[2]], np.array([5]))[0] for s in range(6)]
    assert model.uncertainty(2, 5) == pytest.approx(np.std(found, ddof=1), rel=1e-5)
    expected = np.hypot(np.std(found, ddof=1), model.draws.noise)
    assert model.uncertainty(2, 5, of="rating") == pytest.approx(expected, rel=1e-5)


def test_values_times_16_give_predictions_times_16():
    """Up to rounding."""
    data = ratings()
    rows = data.by_user
    larger = Interactions.from_arrays(
        data.user_ids.decode(rows.row_index()), data.item_ids.decode(rows.indices), rows.values * 16
    )
    estimator = ExplicitALS(**SETTINGS)
    users, items = np.arange(20), np.arange(20)
    np.testing.assert_allclose(
        estimator.fit(larger).predict(users, items), estimator.fit(data).predict(users, items) * 16, rtol=1e-3
    )


def test_equal_values_are_predicted():
    data = Interactions.from_arrays([0, 0, 1], [0, 1, 0], [4.0, 4.0, 4.0])
    model = ExplicitALS(n_factors=2, n_samples=200, link=False).fit(data)
    assert abs(model.predict(1, 1) - 4.0) < 1.5


def test_a_callback_sees_sweeps_and_ends_the_fit():
    events = []

    def callback(event):
        events.append((event.sweep, event.side, event.n_sweeps))
        return event.sweep == 8

    model = ExplicitALS(**SETTINGS).fit(ratings(), callback=callback)
    assert events == [(sweep, "items", 16) for sweep in range(1, 9)]
    assert model.stopped == "the callback asked to stop"
    assert model.draws.n_draws == 2
    assert [entry.sweep for entry in model.trace] == list(range(1, 9))
    # Stopped while burning in, it has the last draw.
    assert ExplicitALS(**SETTINGS).fit(ratings(), callback=lambda event: True).draws.n_draws == 1


def test_an_interrupted_fit_keeps_its_draws():
    def interrupt(at):
        def callback(event):
            if event.sweep == at:
                raise KeyboardInterrupt

        return callback

    model = ExplicitALS(**SETTINGS).fit(ratings(), callback=interrupt(9))
    assert model.stopped == "interrupted after 9 sweeps, with 2 draws"
    with pytest.raises(KeyboardInterrupt):
        ExplicitALS(**SETTINGS).fit(ratings(), callback=interrupt(3))


def test_objective_is_the_squared_error_of_averages():
    data, model = fitted()
    entries = data.entries()
    left = entries.values - model.predict(
        model.user_ids.decode(entries.user_index), model.item_ids.decode(entries.item_index)
    )
    assert model.objective(data) == pytest.approx(np.sum(left.astype(np.float64) ** 2), rel=1e-4)
    assert model.describe().gradient is None
    assert "averaged over 6 draws" in str(model.describe())


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"regularization": 3.0}, "regularization must be left at 'auto' with n_samples=12, got 3.0"),
        ({"regularization_exponent": 1.0}, "regularization_exponent must be left at 0.5"),
        ({"item_regularization": 1.0}, "item_regularization must be left at None"),
        ({"nonnegative": True}, "nonnegative must be left at False"),
        ({"l1_regularization": 0.1}, "l1_regularization must be left at 0.0"),
        ({"biases": False}, "biases must be left at True"),
        ({"n_sweeps": 5}, "n_sweeps must be left at 12"),
        ({"tol": 0.0}, "tol must be left at 0.0001"),
        ({"init": "spectral"}, "init must be left at 'random'"),
        ({"link_regularization": 3.0}, "link_regularization must be left at 80.0"),
        ({"n_samples": -1}, "n_samples must be an integer of at least 0, got -1"),
        ({"burn_in": -1}, "burn_in must be an integer of at least 0, got -1"),
        ({"n_kept": 0}, "n_kept must be a positive integer, got 0"),
    ],
)
def test_refuses_settings(setting, message):
    with pytest.raises(DataError, match=message):
        ExplicitALS(**SETTINGS | setting)


def test_refuses_what_averages_cannot_answer():
    data, model = fitted()
    with pytest.raises(DataError, match=r"cannot explain its scores.*fitted without n_samples"):
        model.explain(1, 2)
    with pytest.raises(DataError, match=r"cannot be updated.*fit again"):
        model.updated(data)
    with pytest.raises(DataError, match="initial has no meaning with n_samples"):
        ExplicitALS(**SETTINGS).fit(data, initial=model)
    _, single = fitted(n_kept=1)
    with pytest.raises(DataError, match="needs at least 2, and this model kept 1; raise n_kept"):
        single.uncertainty(1, 2)


def test_refuses_draws_that_do_not_fit():
    _, model = fitted()
    draws = model.draws
    wrong = dataclasses.replace(
        draws, users=dataclasses.replace(draws.users, tables=draws.users.tables[:, 1:])
    )
    with pytest.raises(DataError, match="tables must be float32 of shape"):
        dataclasses.replace(model, draws=wrong)
    with pytest.raises(DataError, match="draws must go with a sampled objective"):
        dataclasses.replace(model, draws=None)
    with pytest.raises(DataError, match="scale above 0"):
        dataclasses.replace(model, draws=dataclasses.replace(draws, scale=0.0))


def test_the_summary_has_the_mean_of_the_ratings():
    """Not the model's own centre, which what the priors' means add is a part of, too."""
    data, model = fitted(n_kept=1)
    said = str(model)
    assert f"mean {data.by_user.values.mean():.4g}\n" in said
    assert f"mean {model.mean:.4g}\n" not in said
    assert "(1 draw of 3)" in said
