"""ExplicitALS with biases per user and day: the objective, fold-in, files, updates, answers, and whether they
help."""

import dataclasses

import numpy as np
import pytest

import reference
from alternant import DataError, ExplicitALS, ImplicitALS, Interactions, ModelFileError, load, modelfile
from alternant.days import SECONDS_OF_A_DAY, UserDays, day_of
from alternant.metrics import rmse
from alternant.objective import rows_of
from alternant.training import LocalBackend, SideState
from timed import N_ITEMS, N_USERS, timed_ratings

SMALL = ExplicitALS(n_factors=3, day_bias_regularization=2.0, n_sweeps=4, tol=0, seed=3)
VARIANTS = {
    "default": {},
    "plain": {"link": False},
    "no biases": {"biases": False, "center": False},
    "a number": {"regularization": 0.4, "regularization_exponent": 1},
    "nonnegative": {"regularization": 0.4, "nonnegative": True},
    "l1": {"regularization": 0.4, "l1_regularization": 0.2},
    "discount": {"item_discount": 0.5, "transforms": "half_life(days=2)"},
}


@pytest.fixture(params=list(VARIANTS))
def settings(request):
    return dataclasses.replace(SMALL, **VARIANTS[request.param])


def dense_of(ratings):
    """Values, weights and days as dense tables, NaN where nothing is stored."""
    tables = np.full((3, ratings.n_users, ratings.n_items), np.nan)
    entries = ratings.entries()
    columns = entries.values, entries.weights if ratings.has_weights else 1.0, day_of(entries.times)
    for table, column in zip(tables, columns, strict=True):
        table[entries.user_index, entries.item_index] = column
    return tables


def solve_users(values, weights, days, items, penalties, ridge, *, mean, biases):
    """Users and their days at once, in float64; d of each cell, 0 where nothing is stored."""
    columns, explained = reference.design(items, biases)
    users, of_cell, square = np.zeros((len(values), items.shape[1])), np.zeros_like(values), 0.0
    for u, row in enumerate(values):
        known = np.flatnonzero(~np.isnan(row))
        if known.size:
            distinct, day = np.unique(days[u, known], return_inverse=True)
            y = np.hstack([columns[known], np.eye(len(distinct))[day]])
            w = weights[u, known]
            system = (y.T * w) @ y + np.diag(np.append(penalties[u], np.full(len(distinct), ridge)))
            x = np.linalg.solve(system, y.T @ (w * (row[known] - mean - explained[known])))
            users[u], d = np.split(x, [items.shape[1]])
            of_cell[u, known] = d[day]
            square += d @ d
    return users, of_cell, square


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("biases", [False, True])
def test_a_whole_fit_is_the_reference(isa, biases, weights):
    """Every half-sweep's objective, and the end; the objective falls at each."""
    ratings = timed_ratings(weights=weights)
    values, w, days = dense_of(ratings)
    start = np.random.default_rng(0).normal(size=(N_ITEMS, 3)).astype(np.float32)
    settings = dataclasses.replace(
        SMALL,
        regularization=1.5,
        regularization_exponent=0.5,
        biases=biases,
        link=False,
        n_sweeps=3,
        solver="exact",
    )
    model = settings.fit(ratings, initial=start)
    mean = np.nansum(w * values) / np.nansum(w)
    known = ~np.isnan(values)
    penalties = [
        np.repeat(reference.ridge(known.sum(axis), regularization=1.5, exponent=0.5)[:, None], 3 + biases, 1)
        for axis in (1, 0)
    ]
    of = {"mean": mean, "biases": biases}
    items = np.zeros((N_ITEMS, 3 + biases))
    items[:, :3] = start
    expected = []
    for half in range(7):
        if half % 2 == 0:
            users, d, square = solve_users(values, w, days, items, penalties[0], 2.0, **of)
        else:
            items = reference.solve_side(
                (values - d).T, users, penalties[1], weights=np.nan_to_num(w).T, **of
            )
        loss = reference.objective(values - d, users, items, *penalties, weights=w, **of)
        expected.append(loss + 2.0 * square)
    found = [entry.objective for entry in model.trace]
    assert found == pytest.approx(expected, rel=1e-5)
    assert (np.diff(found) < 0).all()
    assert model.objective(ratings) == pytest.approx(expected[-1], rel=1e-5)
    entries = ratings.entries()
    predicted = model.predict(entries.user_index, entries.item_index, times=entries.times)
    dense = reference.predict(users, items, **of) + d
    assert predicted == pytest.approx(dense[entries.user_index, entries.item_index], rel=1e-3, abs=1e-3)


def test_the_objective_falls_and_is_what_the_loop_says(settings):
    ratings = timed_ratings(1)
    model = settings.fit(ratings)
    values = np.array([entry.objective for entry in model.trace])
    assert (np.diff(values) <= 1e-6 * values[:-1]).all()
    assert model.trace[-1].objective == pytest.approx(model.objective(ratings), rel=1e-5)
    last = model.trace[-1]
    squares = model.problem.day_ridge * np.sum(model.day_biases.values.astype(float) ** 2)
    assert squares > 0
    assert last.regularization > squares
    prepared = model.without_days(model.prepared(ratings, own="both"))
    observed = model.problem.data_loss(prepared, model.user_table, model.item_table)
    assert last.observed == pytest.approx(observed, rel=1e-4)


def test_users_are_at_the_minimum_over_rows_and_days(settings):
    """The gradient over users' rows, and over each day's bias, is 0 at the last step."""
    ratings = timed_ratings(2)
    model = settings.fit(ratings)
    assert model.describe().gradient.users < 1e-5
    prepared = model.prepared(ratings, own="both")
    days = UserDays.of(prepared.by_user)
    assert np.array_equal(days.days, model.day_biases.days)
    entries = prepared.entries()
    p = model.predict(entries.user_index, entries.item_index, times=entries.times).astype(float)
    w = np.ones(len(p)) if entries.weights is None else entries.weights
    gradient = np.bincount(days.of_entry, w * (entries.values - p)) - 2.0 * model.day_biases.values
    assert np.abs(gradient).max() < 1e-4


def test_fold_in_of_a_history_gives_the_stored_bits(settings, isa):
    ratings = timed_ratings(3)
    model = settings.fit(ratings)
    folded = model.fold_in(ratings)
    assert np.array_equal(folded.table, model.user_table)
    for name in ("offsets", "days", "values"):
        assert np.array_equal(getattr(folded.day_biases, name), getattr(model.day_biases, name))
    one = ratings.take(ratings.entries().user_index == 5)
    alone = model.fold_in(
        Interactions.from_arrays(
            ["new"] * one.n_entries, one.entries().item_index, one.entries().values, times=one.entries().times
        )
    )
    if settings.transforms:
        return  # the reference time of the decay is another one: the weights of a new user differ
    assert np.array_equal(alone.table[0], model.user_table[5])
    items, time = np.arange(N_ITEMS), int(one.entries().times[0])
    known = model.predict(5, items, times=time)
    assert np.array_equal(model.predict(alone, items, times=time), known)
    assert np.abs(known - model.predict(5, items)).min() > 0


@pytest.mark.parametrize("n_threads", [2, 3, 7])
def test_threads_and_blocks_change_no_bit(settings, n_threads):
    ratings = timed_ratings(4)
    model = dataclasses.replace(settings, n_threads=1).fit(ratings)
    again = dataclasses.replace(settings, n_threads=n_threads).fit(ratings)
    assert np.array_equal(model.user_table, again.user_table)
    assert np.array_equal(model.item_table, again.item_table)
    assert np.array_equal(model.day_biases.values, again.day_biases.values)
    assert [e.objective for e in model.trace] == [e.objective for e in again.trace]
    if model.user_prior.is_empty:
        prepared = model.prepared(ratings, own="both")
        none = SideState(np.zeros_like(model.user_table))
        for max_entries in (1, 13, None):
            backend = LocalBackend(
                prepared, model.problem, n_threads, days=UserDays.of(prepared.by_user),
                max_entries=max_entries,
            )  # fmt: skip
            users = backend.solve("users", model.fixed_items, none, np.empty_like(model.user_table))
            assert np.array_equal(users.table, model.user_table)
            assert np.array_equal(users.day_biases, model.day_biases.values)


def test_item_half_sweeps_see_targets_less_the_days():
    ratings = timed_ratings(5)
    model = dataclasses.replace(SMALL, link=False, n_sweeps=200).fit(ratings)
    folded = model.fold_in_items(ratings)
    assert folded.table == pytest.approx(model.item_table, abs=1e-3)
    assert model.describe().gradient.items < 1e-3
    assert rows_of(ratings, "items").n_entries == ratings.n_entries


def test_a_file_holds_the_days(settings, tmp_path):
    ratings = timed_ratings(6)
    model = settings.fit(ratings)
    model.save(tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    entries = ratings.entries()
    asked = entries.user_index, entries.item_index
    assert np.array_equal(
        again.predict(*asked, times=entries.times), model.predict(*asked, times=entries.times)
    )
    assert np.array_equal(again.day_biases.days, model.day_biases.days)
    assert again.objective(ratings) == model.objective(ratings)


def test_a_file_that_lies_about_days_is_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    SMALL.fit(timed_ratings(6)).save(path)
    arrays, content = modelfile.read(path)
    less = {name: array for name, array in arrays.items() if not name.startswith("day_biases")}
    modelfile.write(path, less, content)
    with pytest.raises(ModelFileError, match=r"biases of days must go with their ridge 2\.0"):
        load(path)
    short = arrays | {"day_biases.offsets": np.array([0, len(arrays["day_biases.days"])])}
    modelfile.write(path, short, content)
    with pytest.raises(ModelFileError, match=f"days of a user must rise|must be those of {N_USERS} users"):
        load(path)


def test_updates_solve_the_days_of_whom_they_touch():
    ratings = timed_ratings(7)
    model = SMALL.fit(ratings)
    later = Interactions.from_arrays(
        [3, 3, 99], [0, 1, 4], [1.0, 5.0, 4.0], times=np.array([900, 900, 901]) * SECONDS_OF_A_DAY
    )
    new = model.updated(later)
    assert new.day_biases.n_users == N_USERS + 1
    assert new.predict(99, 4, times=901 * SECONDS_OF_A_DAY) != new.predict(99, 4)
    folded = new.fold_in(new.history)
    assert np.array_equal(folded.table, new.user_table)
    assert np.array_equal(folded.day_biases.values, new.day_biases.values)
    untouched = np.setdiff1d(np.arange(N_USERS), [3])
    assert np.array_equal(new.day_biases.chosen(untouched).values, model.day_biases.chosen(untouched).values)


def test_what_is_removed_leaves_no_day():
    ratings = timed_ratings(8)
    model = SMALL.fit(ratings)
    left = model.updated(remove_users=[1, 4])
    keep = np.setdiff1d(np.arange(N_USERS), [1, 4])
    assert np.array_equal(left.day_biases.values, model.day_biases.chosen(keep).values)
    assert left.day_biases.days.max() < 100  # user 1 alone has later days
    fewer = model.updated(remove_items=[0, 1, 2])
    folded = fewer.fold_in(fewer.history)
    assert np.array_equal(folded.day_biases.values, fewer.day_biases.values)
    assert np.array_equal(folded.day_biases.days, fewer.day_biases.days)


def test_an_update_without_a_stored_history(tmp_path):
    model = dataclasses.replace(SMALL.fit(timed_ratings(7)), history=None)
    whole = Interactions.from_arrays([3, 3], [0, 1], [1.0, 5.0], times=[5, 6])
    new = model.updated(whole, mode="full")
    assert new.day_biases.chosen(np.array([3])).days.tolist() == [0]
    with pytest.raises(DataError, match="biases of days need times"):
        model.updated(Interactions.from_arrays([3], [0], [1.0]), mode="full")


def test_predictions_take_times():
    ratings = timed_ratings(9)
    model = SMALL.fit(ratings)
    user = 5
    days = model.day_biases
    day, bias = days.days[days.offsets[user]], days.values[days.offsets[user]]
    time = int(day) * SECONDS_OF_A_DAY
    plain = model.predict(user, [0, 1])
    assert model.predict(user, [0, 1], times=time) == pytest.approx(plain + bias, abs=1e-6)
    assert model.predict(user, [0, 1], times=[time, time + 10**9]) == pytest.approx(
        [plain[0] + bias, plain[1]], abs=1e-6
    )
    assert model.predict(user, 0, times=np.datetime64(time, "s")) == pytest.approx(plain[0] + bias, abs=1e-6)
    assert model.predict(77, 0, times=time, unknown="fallback") == model.predict(77, 0, unknown="fallback")
    assert np.isnan(model.predict(77, 0, times=time, unknown="nan"))
    with pytest.raises(DataError, match="times must be one time, or one for each of 2 pairs, got 3"):
        model.predict(user, [0, 1], times=[time] * 3)
    with pytest.raises(DataError, match="times must be finite, got nan at position 0"):
        model.predict(user, 0, times=np.nan)
    for other in (dataclasses.replace(SMALL, day_bias_regularization=None), ImplicitALS(n_factors=2)):
        with pytest.raises(
            DataError, match="times are for models with biases of days, and this one has none"
        ):
            other.fit(ratings).predict(user, 0, times=time)


def test_lists_and_scores_know_no_days():
    ratings = timed_ratings(10)
    model = SMALL.fit(ratings)
    none = dataclasses.replace(
        model,
        day_biases=None,
        problem=dataclasses.replace(model.problem, day_ridge=None),
    )
    assert np.array_equal(model.complete().values, none.complete().values)
    assert model.recommend(3, k=5).score.tolist() == none.recommend(3, k=5).score.tolist()


def test_explanations_sum_to_the_score(settings):
    ratings = timed_ratings(11)
    model = settings.fit(ratings)
    users, items = np.divmod(np.arange(N_USERS * N_ITEMS), N_ITEMS)
    why = model.explain(users, items)
    assert why.score == pytest.approx(model.score(users, items), abs=1e-5)
    folded = model.fold_in(ratings)
    assert model.explain(folded, np.arange(N_USERS)).score == pytest.approx(
        model.score(folded, np.arange(N_USERS)), abs=1e-5
    )


def test_a_term_of_an_explanation_is_what_the_entry_adds():
    """Raise one value by 1 and fold in again: the score moves by what a unit of the target adds."""
    ratings = timed_ratings(12)
    model = dataclasses.replace(SMALL, link=False).fit(ratings)
    entries = ratings.entries()
    mine = np.flatnonzero(entries.user_index == 6)
    changed = entries.values.copy()
    changed[mine[2]] += 1.0
    again = Interactions.from_arrays(
        entries.user_index, entries.item_index, changed, times=entries.times,
        user_ids=np.arange(N_USERS), item_ids=np.arange(N_ITEMS),
    )  # fmt: skip
    moved = model.score(model.fold_in(again), np.arange(N_USERS))[6] - model.score(6, 6)
    why = model.explain(6, 6)
    at = why.label.tolist().index(int(entries.item_index[mine[2]]))
    item = entries.item_index[mine[2]]
    target = entries.values[mine[2]] - model.mean - model.item_biases[item]
    assert moved == pytest.approx(why.contribution[at] / target, abs=1e-5)


def test_uncertainty_is_that_of_the_joint_system():
    ratings = timed_ratings(13)
    model = dataclasses.replace(SMALL, link=False).fit(ratings)
    values, _, days = dense_of(ratings)
    k, n = 3, ratings.n_entries
    parts, taken = {}, []
    for side in ("users", "items"):
        fixed = (model.item_table if side == "users" else model.user_table).astype(float)
        columns, _ = reference.design(fixed, True)
        table, cells = (values, days) if side == "users" else (values.T, days.T)
        counts = (~np.isnan(table)).sum(1)
        total = 0.0
        for row in range(len(table)):
            known = np.flatnonzero(~np.isnan(table[row]))
            y = columns[known]
            if side == "users":
                distinct, day = np.unique(cells[row, known], return_inverse=True)
                y = np.hstack([y, np.eye(len(distinct))[day]])
            penalty = np.full(y.shape[1], 2.0)
            penalty[: k + 1] = model.problem.diagonal(side, counts[row : row + 1])[0]
            inverse = np.linalg.inv(y.T @ y + np.diag(penalty))
            parts[side, row] = inverse[: k + 1, : k + 1]
            if known.size:
                total += y.shape[1] - np.sum(np.diag(inverse) * penalty)
        taken.append(total)
    entries = ratings.entries()
    p = model.predict(entries.user_index, entries.item_index, times=entries.times)
    noise = np.sum((entries.values - p.astype(float)) ** 2) / (
        n * max(1 - taken[0] / n, 1 / n) * max(1 - taken[1] / n, 1 / n)
    )
    for user, item in ((3, 4), (1, 0), (7, 19)):
        v = np.append(model.item_factors[item], 1.0)
        u = np.append(model.user_factors[user], 1.0)
        variance = noise * (v @ parts["users", user] @ v + u @ parts["items", item] @ u)
        # The days' dimensions are estimated from eight probes.
        assert model.uncertainty(user, item) == pytest.approx(np.sqrt(variance), rel=0.03)


def test_the_formula_names_the_days():
    text = SMALL.fit(timed_ratings()).describe().formula
    assert "− b_u − b_i − d_u,day − x_u·y_i)²" in text
    assert "+ 2 Σ_(u, day) d_u,day²" in text
    assert "day: that of the entry's time" in text
    assert "d_u,day" not in ExplicitALS(n_factors=2).fit(timed_ratings()).describe().formula


def test_what_cannot_have_days_is_refused():
    plain = Interactions.from_arrays([1, 2], [1, 1], [3.0, 4.0])
    with pytest.raises(
        DataError, match="day_bias_regularization needs times, and these interactions have none"
    ):
        SMALL.fit(plain)
    for bad in (0, -1.0, "yes", np.nan, True):
        with pytest.raises(
            DataError, match='day_bias_regularization must be a number above 0, "auto" or None, got'
        ):
            ExplicitALS(day_bias_regularization=bad)
    model = SMALL.fit(timed_ratings())
    for ask in (model.fold_in, model.fold_in_items, model.objective):
        with pytest.raises(DataError, match="biases of days need times, and these interactions have none"):
            ask(plain)
    with pytest.raises(DataError, match=r"biases of days need times, and a mapping .*pass Interactions"):
        model.fold_in({1: 4.0})
    with pytest.raises(TypeError, match="day_bias_regularization"):
        ImplicitALS(day_bias_regularization="auto")


def generated(strength, seed=0):
    """Ratings with biases, two factors, noise 0.7 and a bias per user and day of the deviation `strength`."""
    rng = np.random.default_rng(seed)
    n_users, n_items, n_days = 150, 120, 6
    users, items = np.nonzero(rng.random((n_users, n_items)) < 0.3)
    days = rng.integers(0, n_days, len(users))
    d = rng.normal(scale=strength, size=(n_users, n_days))
    p, q = rng.normal(scale=0.6, size=(n_users, 2)), rng.normal(scale=0.6, size=(n_items, 2))
    b, c = rng.normal(scale=0.4, size=n_users), rng.normal(scale=0.4, size=n_items)
    values = 3 + b[users] + c[items] + np.sum(p[users] * q[items], axis=1) + d[users, days]
    values += rng.normal(scale=0.7, size=len(users))
    test = rng.random(len(users)) < 0.2
    train = Interactions.from_arrays(
        users[~test], items[~test], values[~test], times=days[~test] * SECONDS_OF_A_DAY
    )
    return train, (users[test], items[test], days[test] * SECONDS_OF_A_DAY, values[test])


@pytest.mark.parametrize("link", [False, "auto"])
def test_they_help_where_days_differ_and_cost_little_where_they_do_not(link):
    def errors(strength):
        train, (users, items, times, values) = generated(strength)
        plain = ExplicitALS(n_factors=8, link=link).fit(train)
        model = ExplicitALS(n_factors=8, link=link, day_bias_regularization="auto").fit(train)
        without = rmse(plain.predict(users, items, unknown="fallback"), values)
        return rmse(model.predict(users, items, times=times, unknown="fallback"), values) / without

    assert errors(0.6) < 0.95
    assert errors(0.0) < 1.005
