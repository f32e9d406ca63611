"""Days of users: how entries fall into them, spread entries, and the biases that a model holds."""

import numpy as np
import pytest

import reference
from alternant import DataError, Interactions
from alternant.days import SECONDS_OF_A_DAY, DayBiases, UserDays, day_of, days_of, taken_off
from alternant.interactions import EntryRows, unix_seconds
from alternant.kernels.rows import EntryTerm, RowTerms, solve_rows
from alternant.objective import day_ridge_rule, fit_biases
from timed import N_ITEMS, N_USERS, timed_ratings

K, RIDGE, MEAN = 3, 2.5, 3.25


def timed(users, items, values, days, weight=None):
    weights = None if weight is None else np.full(len(users), weight)
    return Interactions.from_arrays(users, items, values, weights=weights, times=days * SECONDS_OF_A_DAY)


def rule_of(users, items, values, days, weight=None):
    data = timed(users, items, values, days, weight)
    return day_ridge_rule(data, fit_biases(data, center=True, n_threads=1))


def test_a_day_begins_at_midnight_of_unix_time():
    times = np.array([-86_401, -86_400, -1, 0, 86_399, 86_400])
    assert day_of(times).tolist() == [-2, -1, -1, 0, 0, 1]


def test_entries_of_a_day_lie_together():
    rows = timed_ratings().by_user
    days = UserDays.of(rows)
    assert sorted(days.order.tolist()) == list(range(rows.n_entries))
    users, day = rows.row_index(), day_of(rows.times)
    for user in range(N_USERS):
        part = slice(*days.offsets[user : user + 2])
        assert days.days[part].tolist() == np.unique(day[users == user]).tolist()
        for group in range(part.start, part.stop):
            entries = days.order[days.entry_offsets[group] : days.entry_offsets[group + 1]]
            assert (users[entries] == user).all()
            assert (day[entries] == days.days[group]).all()
            assert (np.diff(rows.indices[entries]) > 0).all()
            assert (days.of_entry[entries] == group).all()
    assert days.offsets[1] == 0  # user 0 has none
    assert np.diff(days.offsets)[1] == rows.counts[1]


def test_values_less_their_days_are_the_same_by_user_and_by_item():
    ratings = timed_ratings()
    days = UserDays.of(ratings.by_user)
    values = np.random.default_rng(1).normal(size=len(days.days)).astype(np.float32)
    whole = taken_off(ratings, values[days.of_entry])
    assert np.array_equal(days.taken_off(ratings.by_item, values).values, whole.by_item.values)
    expected = {
        (u, i): v - d
        for u, i, v, d in zip(
            ratings.entries().user_index, ratings.entries().item_index, ratings.entries().values,
            values[days.of_entry], strict=True,
        )
    }  # fmt: skip
    entries = whole.entries()
    assert all(
        expected[u, i] == v
        for u, i, v in zip(entries.user_index, entries.item_index, entries.values, strict=True)
    )


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_spread_entries_give_row_and_days_as_one_dense_system(isa, weights, bias):
    """The joint least squares of a row and its days, in float64; the loss counts the days' penalty in."""
    ratings = timed_ratings(weights=weights)
    rows = ratings.by_user
    rng = np.random.default_rng(2)
    table = rng.normal(size=(N_ITEMS, K + bias)).astype(np.float32)
    diagonal = rng.uniform(0.5, 2.0, K + bias)
    days = UserDays.of(rows)
    spread = days.spread(0, N_USERS, table, ridge=RIDGE, n_threads=2)
    out, losses = np.empty((N_USERS, K + bias), np.float32), np.empty(N_USERS)
    terms = RowTerms(
        a=EntryTerm(array=spread.block.weights),
        b=EntryTerm(-MEAN, 1.0),
        b_is_target=True,
        bias_column=bias,
        ridge=np.ones(N_USERS),
        rho=diagonal,
        kappa=np.zeros(K + bias),
    )
    assert (
        solve_rows(
            spread.block, terms, shards=[spread.table], out=out, losses=losses,
            penalties=np.empty(N_USERS), n_threads=2,
        )
        is None
    )  # fmt: skip
    found = spread.biases(out, center=MEAN, has_bias=bias)
    assert spread.penalties(found, ridge=RIDGE).sum() == pytest.approx(
        RIDGE * np.sum(found.astype(float) ** 2)
    )
    columns, explained = reference.design(table.astype(float), bias)
    for user in range(N_USERS):
        part = slice(*rows.offsets[user : user + 2])
        item, local = rows.indices[part], days.of_entry[part] - days.offsets[user]
        n_days = days.offsets[user + 1] - days.offsets[user]
        y = np.hstack([columns[item], np.eye(n_days)[local]])
        w = np.ones(len(item)) if rows.weights is None else rows.weights[part].astype(float)
        t = rows.values[part] - MEAN - explained[item]
        penalty = np.append(diagonal, np.full(n_days, RIDGE))
        x = np.linalg.solve((y.T * w) @ y + np.diag(penalty), y.T @ (w * t))
        assert out[user] == pytest.approx(x[: K + bias], rel=1e-4, abs=1e-5)
        of_user = slice(*days.offsets[user : user + 2])
        assert found[of_user] == pytest.approx(x[K + bias :], rel=1e-4, abs=1e-5)
        loss = np.sum(w * (t - y @ x) ** 2) + np.sum(penalty * x**2)
        assert losses[user] == pytest.approx(loss, rel=1e-5, abs=1e-8)


def test_lookup_is_by_user_and_day():
    biases = DayBiases(np.array([0, 2, 2, 4]), np.array([-3, 10, -3, 11]), np.array([1, 2, 3, 4], np.float32))
    asked = [(0, -3), (0, 10), (0, 11), (1, -3), (2, -3), (2, 10), (2, 11), (-1, -3), (2, 10**15)]
    users, days = np.array(asked).T
    assert biases.at(users, days).tolist() == [1, 2, 0, 0, 3, 0, 4, 0, 0]
    assert biases.at(np.array([], int), np.array([], int)).tolist() == []
    none = DayBiases(np.array([0, 0]), np.array([], np.int64), np.array([], np.float32))
    assert none.at(np.array([0]), np.array([5])).tolist() == [0]


def test_rows_of_biases_are_chosen_replaced_and_added():
    biases = DayBiases(np.array([0, 2, 2, 3]), np.array([1, 2, 7]), np.array([1, 2, 3], np.float32))
    new = DayBiases(np.array([0, 0, 1]), np.array([9]), np.array([5], np.float32))
    replaced = biases.replaced(np.array([0, 1]), new)
    assert replaced.offsets.tolist() == [0, 0, 1, 2]
    assert (replaced.days.tolist(), replaced.values.tolist()) == ([9, 7], [5, 3])
    assert biases.widened(5).offsets.tolist() == [0, 2, 2, 3, 3, 3]
    assert biases.chosen(np.array([2, -1])).offsets.tolist() == [0, 1, 1]
    with pytest.raises(ValueError, match="read-only"):
        biases.values[0] = 1


@pytest.mark.parametrize(
    ("offsets", "days", "values", "message"),
    [
        ([0, 2], [1, 2], [1.0], "one for each day"),
        ([], [], [], "one for each day"),
        ([0, 3], [1, 2], [1.0, 2.0], "offsets of day biases must rise from 0 to 2"),
        ([0, 2, 1, 2], [1, 2], [1.0, 2.0], "offsets of day biases must rise from 0 to 2"),
        ([0, 2], [2, 2], [1.0, 2.0], "days of a user must rise"),
        ([0, 2], [1, 2], [1.0, np.inf], "day biases must be finite"),
    ],
)
def test_damaged_biases_are_refused(offsets, days, values, message):
    arrays = np.array(offsets, np.int64), np.array(days, np.int64), np.array(values, np.float32)
    with pytest.raises(DataError, match=message):
        DayBiases(*arrays)
    if values == [1.0]:
        with pytest.raises(DataError, match="got int64 of shape"):
            DayBiases(arrays[0], arrays[1], np.array([1, 2]))


def test_days_of_another_user_may_fall():
    DayBiases(np.array([0, 1, 1, 2]), np.array([5, 1]), np.array([1, 2], np.float32))


def test_entries_without_times_have_no_days():
    rows = EntryRows(np.array([0, 1]), np.zeros(1, np.int32), 1)
    with pytest.raises(DataError, match="biases of days need times, and these interactions have none"):
        UserDays.of(rows)
    assert len(days_of(EntryRows(np.array([0, 0]), np.zeros(0, np.int32), 1))) == 0


@pytest.mark.parametrize("time", [1_260_759_144_000, -(10**12)])
def test_times_in_milliseconds_are_refused(time):
    for times in ([0, time], [time, 0]):
        with pytest.raises(DataError, match=f"biases of days need times in Unix seconds, got {time}; divide"):
            day_of(np.array(times))
    assert day_of(np.array([10**11])).tolist() == [1_157_407]


def test_times_of_answers_are_read_as_those_of_data_are():
    assert unix_seconds(5).tolist() == [5]
    assert unix_seconds([5.9, -0.5]).tolist() == [5, -1]
    moment = np.datetime64("1970-01-02T00:00:10")
    for one in (moment, np.array(moment), [moment]):
        assert unix_seconds(one).tolist() == [86_410]
    with pytest.raises(DataError, match="times must be finite, got nan at position 1"):
        unix_seconds([1.0, np.nan])
    with pytest.raises(DataError, match="times must be numbers, got"):
        unix_seconds("yesterday")


def test_the_rule_finds_the_variances_that_the_values_were_made_with():
    """σ² / σ_day² is 4; 20 draws of 300 days each."""
    found = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        users, items = (each.ravel() for each in np.indices((60, 40)))
        days = rng.integers(0, 5, len(users))
        values = rng.normal(scale=0.5, size=(60, 5))[users, days] + rng.normal(size=len(users))
        found.append(rule_of(users, items, values, days))
    assert np.median(found) == pytest.approx(4.0, rel=0.1)
    assert 2.0 < min(found) < max(found) < 8.0


def test_the_rule_is_the_textbooks_on_a_balanced_table():
    rng = np.random.default_rng(5)
    users, days, repeats = (each.ravel() for each in np.indices((30, 4, 6)))
    items = days * 6 + repeats
    values = rng.normal(scale=0.8, size=(30, 4))[users, days] + rng.normal(size=len(users))
    data = timed(users, items, values, days)
    model = fit_biases(data, center=True, n_threads=1)
    left = (values.astype(np.float32) - model.predict(users, items)).reshape(30, 4, 6)
    means = left.mean(axis=2)
    within = np.sum((left - means[:, :, None]) ** 2) / (30 * 4 * 5)
    between = 6 * np.sum((means - means.mean(axis=1, keepdims=True)) ** 2) / (30 * 3)
    assert day_ridge_rule(data, model) == pytest.approx(within / ((between - within) / 6), rel=1e-9)


@pytest.mark.parametrize("weight", [1.0, 3.0])
def test_the_rule_keeps_within_its_bounds_and_has_no_scale(weight):
    """Equal weights scale σ² alone, as the data terms of the objective do: λ goes along."""
    users, items = (each.ravel() for each in np.indices((30, 20)))
    days = items % 4
    noise = np.random.default_rng(0).normal(size=600)
    strong = np.where((users + days) % 2 == 0, 5.0, -5.0) + 0.01 * noise
    assert rule_of(users, items, strong, days, weight) == 1.0
    assert rule_of(users, items, noise - np.round(noise), items, weight) == 1000.0  # a day for each entry
    assert rule_of(users, items, noise, np.zeros(600, int), weight) == 1000.0  # one day for each user
    days = np.random.default_rng(1).integers(0, 4, 600)
    mixed = np.random.default_rng(2).normal(scale=0.7, size=(30, 4))[users, days] + noise
    assert rule_of(users, items, 10 * mixed, days, weight) == pytest.approx(
        rule_of(users, items, mixed, days, weight), rel=1e-4
    )
