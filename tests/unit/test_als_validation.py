"""Early stopping: a validation metric after each sweep, the best sweep's tables, and a time budget."""

import dataclasses
import logging

import numpy as np
import pytest

from alternant import DataError, ExplicitALS, ImplicitALS, Interactions
from alternant.metrics import rmse
from alternant.splitting import random_split
from alternant.synthetic import catalogue
from alternant.training import HalfSweep

CATALOGUE = catalogue(n_users=150, n_items=100, n_entries=4500)
SPLIT = random_split(CATALOGUE.interactions, test_fraction=0.2, seed=1)
MANY = {"n_sweeps": 30, "tol": 0}
LINKLESS = {"regularization": 0.2, "link": False}


def values_of(model):
    """The validation value of each sweep; the last entry is that of the finished model."""
    return [entry.validation for entry in model.trace if entry.side == "items"]


def best_of(model, *, largest):
    values = values_of(model)
    return 1 + int(np.argmax(values) if largest else np.argmin(values))


@pytest.mark.parametrize(
    "estimator",
    [
        ExplicitALS(n_factors=24, **LINKLESS, **MANY),
        ExplicitALS(n_factors=12, link_regularization=0.1, **MANY),
        ExplicitALS(n_factors=24, **LINKLESS, solver="exact", **MANY),
        ExplicitALS(n_factors=4, nonnegative=True, **LINKLESS, **MANY),
        ImplicitALS(n_factors=16, patience=1, **MANY),
        ImplicitALS(n_factors=16, form="hkv", regularization=1.0, **MANY),
        ImplicitALS(n_factors=4, nonnegative=True, patience=2, **MANY),
    ],
    ids=["explicit", "link", "exact", "nonnegative", "ials", "hkv", "nonnegative-ials"],
)
def test_the_best_sweep_is_restored(estimator):
    """To the bit it is the fit of so many sweeps. Seen to fail with the best tables as buffers (cases of
    explicit data, and of nonnegative factors: with implicit data a sweep leaves turned copies)."""
    model = estimator.fit(SPLIT.train, validation=SPLIT.test)
    best = best_of(model, largest=isinstance(estimator, ImplicitALS))
    values = values_of(model)
    assert len(values) < 30  # it stopped
    assert len(values) == max(best, 3) + estimator.patience
    name = "ndcg@20" if isinstance(estimator, ImplicitALS) else "rmse"
    value = values[best - 1]
    without = len(values) - best
    sweeps = "1 sweep" if without == 1 else f"{without} sweeps"
    assert model.stopped == (
        f"{name} has not improved for {sweeps}; kept sweep {best}, the best with {name} {value:.4f}"
    )
    same = dataclasses.replace(estimator, n_sweeps=best).fit(SPLIT.train)
    assert np.array_equal(model.user_table, same.user_table)
    assert np.array_equal(model.item_table, same.item_table)
    for side in ("users", "items"):
        one, other = model.prior(side).link, same.prior(side).link
        assert (one is None and other is None) or np.array_equal(one, other)
    assert model.trace[-1].objective == same.trace[-1].objective


def test_threads_change_no_bit():
    estimator = ImplicitALS(n_factors=16, n_sweeps=8, patience=1, tol=0)
    models = [
        dataclasses.replace(estimator, n_threads=n).fit(SPLIT.train, validation=SPLIT.test) for n in (1, 3)
    ]
    assert values_of(models[0]) == values_of(models[1])
    assert np.array_equal(models[0].user_table, models[1].user_table)


def test_the_finished_model_is_measured_last():
    model = ExplicitALS(n_factors=4, **LINKLESS).fit(SPLIT.train, validation=SPLIT.test)
    entries = SPLIT.test.entries()
    users = SPLIT.test.user_ids.decode(entries.user_index)
    items = SPLIT.test.item_ids.decode(entries.item_index)
    predicted = model.predict(users, items, unknown="fallback", clip=True)
    assert model.trace[-1].validation == rmse(predicted, entries.values)
    assert model.trace[-2].validation != model.trace[-1].validation
    assert [entry.validation for entry in model.trace[:-1] if entry.side == "users"] == [None] * (
        len(model.trace) // 2
    )


def plain_metric(model, what, k):
    """The mean over users of the textbook metric, list by list."""
    found = []
    entries = SPLIT.test.entries()
    for user in np.unique(entries.user_index):
        items = entries.item_index[entries.user_index == user]
        relevant = set(SPLIT.test.item_ids.decode(items).tolist())
        listed = model.recommend(SPLIT.test.user_ids.decode([user])[0], k).item_id.tolist()
        hits = [item in relevant for item in listed]
        if what == "recall":
            found.append(sum(hits) / len(relevant))
        elif what == "precision":
            found.append(sum(hits) / k)
        else:
            gain = sum(hit / np.log2(rank + 2) for rank, hit in enumerate(hits))
            found.append(gain / sum(1 / np.log2(rank + 2) for rank in range(min(k, len(relevant)))))
    return np.mean(found)


@pytest.mark.parametrize("metric", ["ndcg@5", "recall@3", "precision@7", "ndcg@1000"])
@pytest.mark.parametrize("estimator", [ImplicitALS(n_factors=4), ExplicitALS(n_factors=4, n_sweeps=5)])
def test_list_metrics_are_the_textbook_ones(estimator, metric):
    model = estimator.fit(SPLIT.train, validation=SPLIT.test, validation_metric=metric)
    what, k = metric.split("@")
    assert model.trace[-1].validation == pytest.approx(plain_metric(model, what, int(k)), rel=1e-12)


def test_dislikes_are_not_relevant():
    data = Interactions.from_arrays(["a", "a", "b", "b"], ["x", "y", "x", "z"])
    held_out = Interactions.from_arrays(["a", "b"], ["z", "y"], [1.0, -1.0])
    model = ImplicitALS(n_factors=1).fit(data, validation=held_out, validation_metric="recall@1")
    assert model.trace[-1].validation == 1.0  # b's y does not count
    model = ImplicitALS(n_factors=1, value="ignore").fit(
        data, validation=held_out, validation_metric="recall@1"
    )
    assert model.trace[-1].validation == 1.0  # it counts, and is found


def test_a_function_is_larger_for_better():
    seen = []

    def last_is_best(model, held_out):
        seen.append((model, held_out))
        return float(len(seen))

    model = ImplicitALS(n_factors=4, n_sweeps=5, tol=0).fit(
        SPLIT.train, validation=SPLIT.test, validation_metric=last_is_best
    )
    assert values_of(model) == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert model.stopped == "all 5 sweeps done; kept sweep 5, the best with last_is_best 5.0000"
    assert all(held_out is SPLIT.test for _, held_out in seen)
    assert len(seen) == 6  # the finished model, too


@pytest.mark.parametrize("form", ["ials", "hkv"])
@pytest.mark.parametrize("exponent", [0.0, 0.5])
def test_the_model_of_a_moment_folds_in_as_its_tables_say(form, exponent):
    """A user folded in under the items of a converged fit is his row: the Gramian is the right one."""

    def distance(model, held_out):
        folded = model.fold_in(SPLIT.train).factors
        return -float(np.abs(folded - model.user_factors).max() / np.abs(model.user_factors).max())

    model = ImplicitALS(
        n_factors=4,
        form=form,
        regularization="auto" if form == "ials" else 0.5,
        unobserved_item_exponent=exponent,
        n_sweeps=60,
        tol=0,
        patience=60,
    ).fit(SPLIT.train, validation=SPLIT.test, validation_metric=distance)
    assert values_of(model)[0] < -0.1
    assert values_of(model)[-1] > -2e-2


def test_what_a_callback_is_told():
    told = []

    def callback(event: HalfSweep):
        told.append(event.validation)
        return event.sweep == 3 and event.side == "users"

    model = ImplicitALS(n_factors=4).fit(SPLIT.train, validation=SPLIT.test, callback=callback)
    assert told == [entry.validation for entry in model.trace[:-1]]
    assert [value is None for value in told] == [True, False, True, False, True]
    best = best_of(model, largest=True)
    assert model.stopped.startswith(f"the callback asked to stop; kept sweep {best}, the best with ndcg@20 ")
    same = ImplicitALS(n_factors=4, n_sweeps=best).fit(SPLIT.train)
    assert np.array_equal(model.item_table, same.item_table)


def test_ctrl_c_keeps_the_best():
    def callback(event):
        if event.sweep == 8 and event.side == "users":
            raise KeyboardInterrupt

    values = iter([0.1, 0.2, 0.5, 0.3, 0.3, 0.4, 0.5, 0.6])
    estimator = ExplicitALS(n_factors=4, patience=9, **LINKLESS, **MANY)
    model = estimator.fit(
        SPLIT.train,
        validation=SPLIT.test,
        validation_metric=lambda model, held_out: next(values),
        callback=callback,
    )
    assert model.stopped == (
        "interrupted after 7 whole sweeps; kept sweep 3, the best with <lambda> 0.5000"  # the earlier of two
    )
    same = dataclasses.replace(estimator, n_sweeps=3).fit(SPLIT.train)
    assert np.array_equal(model.user_table, same.user_table)
    assert np.array_equal(model.item_table, same.item_table)


def test_the_time_budget_ends_after_a_whole_sweep():
    model = ImplicitALS(n_factors=4, time_budget=1e-9).fit(SPLIT.train)
    assert model.stopped == "the time budget of 1e-09 s ran out in sweep 1"
    assert len(model.trace) == 3
    assert (
        ImplicitALS(n_factors=4, n_sweeps=1, time_budget=1e-9).fit(SPLIT.train).stopped
        == "the one sweep done"
    )
    with pytest.raises(DataError, match="time_budget must be a number of seconds above 0, or None, got 0"):
        ImplicitALS(time_budget=0)
    with pytest.raises(DataError, match="patience must be a positive integer, got 0"):
        ExplicitALS(patience=0)


def test_unknown_ids_are_left_out_and_counted(caplog):
    """Entries of ids without training entries never make a metric NaN (they are counted apart)."""
    data = Interactions.from_arrays(["a", "a", "b", "b"], ["x", "y", "x", "z"], [5, 3, 4, 2])
    held_out = Interactions.from_arrays(["b", "new", "a", "a"], ["y", "x", "z", "other"], [4, 1, 2, 1])
    with caplog.at_level(logging.INFO, logger="alternant.als"):
        model = ExplicitALS(n_factors=1).fit(data, validation=held_out)
    assert "2 entries of validation of unknown ids left out" in caplog.messages
    assert model.trace[-1].validation == rmse(
        model.predict(["b", "a"], ["y", "z"], clip=True), np.array([4, 2])
    )
    catalogue_user = Interactions.from_arrays(
        ["a", "b", "b"], ["x", "x", "z"], user_ids=["a", "b", "c"], item_ids=["x", "y", "z"]
    )
    held_out = Interactions.from_arrays(["a", "c"], ["z", "x"])
    with caplog.at_level(logging.INFO, logger="alternant.als"):
        model = ImplicitALS(n_factors=1).fit(
            catalogue_user, validation=held_out, validation_metric="recall@1"
        )
    assert "1 validation user without training entries left out" in caplog.messages
    assert model.trace[-1].validation == 1.0


def test_what_cannot_be_measured_is_refused():
    def fit(validation, metric="auto", estimator=None):
        (estimator or ExplicitALS(n_factors=1)).fit(
            SPLIT.train, validation=validation, validation_metric=metric
        )

    no_values = Interactions.from_arrays([1], [1], duplicates="error")
    with pytest.raises(DataError, match=r"^validation must be Interactions, got list$"):
        fit([1])
    with pytest.raises(DataError, match=r"^validation must not be empty: there is nothing to measure$"):
        fit(SPLIT.test.take([]))
    with pytest.raises(DataError, match=r"^rmse needs values \(ratings\), and validation has none"):
        fit(no_values)
    unknown = Interactions.from_arrays([-1], [-1], [3.0])
    with pytest.raises(
        DataError, match=r"none of the 1 entry of validation is of a known .* first is -1, -1"
    ):
        fit(unknown)
    with pytest.raises(DataError, match="user ids are integers here, got strings"):
        fit(Interactions.from_arrays(["a"], ["b"], [3.0]))
    with pytest.raises(DataError, match=r"validation_metric must be \"auto\", .*, got 'ndcg@0'"):
        fit(SPLIT.test, "ndcg@0")
    with pytest.raises(
        DataError, match=r"^rmse compares predictions with ratings, and scores of an implicit"
    ):
        fit(SPLIT.test, "rmse", ImplicitALS())
    with pytest.raises(DataError, match="metric <lambda> must be a finite number, got nan after sweep 1"):
        fit(SPLIT.test, lambda model, held_out: float("nan"))
    with pytest.raises(DataError, match=r"^validation has no meaning with n_samples"):
        fit(SPLIT.test, "rmse", ExplicitALS(n_samples=2))
    with pytest.raises(DataError, match=r"^patience must be left at 3 with n_samples=2, got 5"):
        ExplicitALS(n_samples=2, patience=5)
    cold = Interactions.from_arrays([0], [1], [1.0], user_ids=[0, 1, 2], item_ids=[0, 1])
    data = Interactions.from_arrays([1, 2], [0, 1], user_ids=[0, 1, 2], item_ids=[0, 1])
    with pytest.raises(
        DataError, match=r"^ndcg@20 needs a user with entries in interactions and in validation"
    ):
        ImplicitALS(n_factors=1).fit(data, validation=cold)


def test_a_saved_model_keeps_the_values(tmp_path):
    from alternant import load

    model = ImplicitALS(n_factors=4).fit(SPLIT.train, validation=SPLIT.test)
    model.save(tmp_path / "m.safetensors")
    assert load(tmp_path / "m.safetensors").trace == model.trace
    assert "patience=3" in str(model)
    assert "patience" not in str(ImplicitALS(n_factors=4).fit(SPLIT.train))
