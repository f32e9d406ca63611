"""evaluate: its numbers against plain loops, its splits, its refusals, its report."""

import json

import numpy as np
import pytest

from alternant import ExplicitALS, ImplicitALS, Interactions
from alternant.errors import DataError
from alternant.evaluation import evaluate, higher_is_better, measure, report_of
from alternant.evaluation.baselines import Popularity
from alternant.metrics import mae, r_squared, rmse
from alternant.splitting import (
    Split,
    item_cold_split,
    leave_last_out,
    predefined_split,
    random_split,
    strong_split,
)
from alternant.synthetic import catalogue

IMPLICIT = ImplicitALS(n_factors=6, n_sweeps=4)


@pytest.fixture(scope="module")
def plays():
    return catalogue(n_users=120, n_items=60, n_entries=2500, seed=3).interactions


def plain_ndcg(listed, relevant, k):
    hits = [1 / np.log2(place + 2) for place, item in enumerate(listed[:k]) if item in relevant]
    return sum(hits) / sum(1 / np.log2(place + 2) for place in range(min(k, len(relevant))))


def relevant_of(split, user):
    index = split.test.user_ids.encode_one(user)
    block = split.test.by_user.block(index, index + 1)
    return set(split.test.item_ids.labels[block.indices[block.values > 0]].tolist())


def test_lists_are_those_of_recommend(plays):
    split = leave_last_out(plays, n_last=3)
    report = evaluate(IMPLICIT, split, metrics=["ndcg@10", "recall@5"], n_resamples=20)
    model = IMPLICIT.fit(split.train)
    for user, ndcg, recall in zip(report.user_id.tolist(), *report.per_user.values(), strict=True):
        listed, relevant = model.recommend(user, 10).item_id.tolist(), relevant_of(split, user)
        assert ndcg == pytest.approx(plain_ndcg(listed, relevant, 10), rel=1e-12)
        assert recall == pytest.approx(len(set(listed[:5]) & relevant) / len(relevant), rel=1e-12)
    assert report["ndcg@10"] == pytest.approx(report.per_user["ndcg@10"].mean())


def test_held_out_users_are_folded_in_from_their_history(plays):
    split = strong_split(plays, user_fraction=0.2)
    report = evaluate(IMPLICIT, split, metrics="ndcg@10", n_resamples=20)
    model = IMPLICIT.fit(split.train)
    held = split.history.take(np.ones(split.history.n_entries, bool), prune=True)
    folded = model.fold_in(held, unknown="drop")
    listed = dict(zip(folded.ids.labels.tolist(), model.recommend(folded, 10), strict=True))
    for user, value in zip(report.user_id.tolist(), report.per_user["ndcg@10"], strict=True):
        expected = plain_ndcg(listed[user].item_id.tolist(), relevant_of(split, user), 10)
        assert value == pytest.approx(expected, rel=1e-12)


def test_errors_are_those_of_predict(plays):
    split = random_split(plays)
    report = evaluate(ExplicitALS(n_factors=4), split, n_resamples=20)
    entries = split.test.entries()
    users = split.test.user_ids.labels[entries.user_index]
    items = split.test.item_ids.labels[entries.item_index]
    predicted = ExplicitALS(n_factors=4).fit(split.train).predict(users, items, unknown="fallback", clip=True)
    for metric, function in (("rmse", rmse), ("mae", mae), ("r_squared", r_squared)):
        assert report[metric] == pytest.approx(function(predicted, entries.values), rel=1e-9)
    assert report["rmse"] < report.row("rmse", "biases").value < report.row("rmse", "mean").value


def test_errors_of_held_out_users_are_those_of_the_folded(plays):
    split = strong_split(plays, user_fraction=0.2)
    estimator = ExplicitALS(n_factors=4)
    found = measure(estimator, split, "rmse")
    model = estimator.fit(split.train)
    held = split.history.take(np.ones(split.history.n_entries, bool), prune=True)
    folded = model.fold_in(held, unknown="drop")
    predicted, actual = [], []
    for user in range(len(folded)):
        one = model.fold_in(held.take(held.entries().user_index == user, prune=True), unknown="drop")
        at = split.test.user_ids.encode_one(folded.ids.labels[user])
        block = split.test.by_user.block(at, at + 1)
        for item, value in zip(block.indices, block.values, strict=True):
            label = split.test.item_ids.labels[item]
            predicted.append(model.predict(one, [label], clip=True)[0])
            actual.append(value)
    assert found["rmse"] == pytest.approx(rmse(predicted, actual), rel=1e-6)


def test_a_model_is_asked_in_its_own_positions(plays):
    """A model of the pruned training part, whose ids stand elsewhere, has the same numbers."""
    split = random_split(plays, test_fraction=0.3)
    pruned = split.train.take(np.ones(split.train.n_entries, bool), prune=True)
    labels = pruned.entries()
    users, items = pruned.user_ids.labels[labels.user_index], pruned.item_ids.labels[labels.item_index]
    turned = Interactions.from_arrays(users, items, labels.values).grown(user_labels=[10**6])
    wide = measure(IMPLICIT.fit(split.train), split, ["ndcg@10", "recall@10"])
    assert measure(IMPLICIT.fit(turned), split, ["ndcg@10", "recall@10"]) == pytest.approx(wide, rel=1e-4)


def test_items_that_only_the_model_knows_take_places(plays):
    model = IMPLICIT.fit(plays)
    one = plays.user_ids.labels[:1]
    unseen = model.recommend(one, 60).item_id
    test = Interactions.from_arrays(one, unseen[1:2], user_ids=one)
    train = Interactions.from_arrays(one, unseen[1:2] * 0 - 1, user_ids=one)
    found = measure(model, predefined_split(train, test), ["reciprocal_rank@20"])
    # The model's own training items are not known here, and may be listed before.
    everything = model.recommend(one, 60, exclude_seen=False).item_id.tolist()
    assert found["reciprocal_rank@20"] == 1 / (1 + everything.index(unseen[1]))


def test_a_user_whom_the_model_does_not_know_gets_the_most_popular(plays):
    test = Interactions.from_arrays([10**6], [plays.item_ids.labels[np.argmax(plays.by_item.counts)]])
    split = predefined_split(plays, test)
    report = evaluate(IMPLICIT, split, metrics="hit_rate@1", n_resamples=10)
    assert report["hit_rate@1"] == 1.0
    assert report.facts["cold users"] == 1
    assert next((row.group, row.n) for row in report.slices if row.by == "user entries") == ("0", 1)


def test_cold_items_are_listed_where_attributes_tell_them_apart(plays):
    split = item_cold_split(plays, item_fraction=0.3)
    about = {"item": plays.item_ids.labels, "kind": plays.item_ids.labels % 5}
    model = IMPLICIT.fit(split.train, item_attributes=about)
    assert measure(model, split, "recall@30")["recall@30"] > 0
    assert measure(IMPLICIT.fit(split.train), split, "recall@30")["recall@30"] == 0


def test_dislikes_and_low_values_are_not_relevant():
    values = np.array([5, 1, 4, -1, 5, 3.0])
    data = Interactions.from_arrays([1, 1, 1, 2, 2, 2], [1, 2, 3, 1, 2, 3], values)
    split = Split(data.take(values == 3), data.take(values != 3))
    assert evaluate(IMPLICIT, split, metrics="recall@5", n_resamples=5).row("recall@5").n_users == 2
    report = evaluate(IMPLICIT, split, metrics="recall@5", relevant_from=4, n_resamples=5)
    n = [row.n for row in report.slices if row.by == "item entries" and row.model == report.model]
    assert sum(n) == 3


def test_a_difference_is_of_the_same_users(plays):
    report = evaluate(IMPLICIT, leave_last_out(plays, n_last=2), metrics="ndcg@10")
    for row in report.differences:
        own, theirs = report.per_user["ndcg@10"], report.per_user_of[row.baseline]["ndcg@10"]
        assert row.difference == pytest.approx((own - theirs).mean())
        assert row.low < row.difference < row.high
    by_chance = next(row for row in report.differences if row.baseline == "random")
    assert by_chance.p < 0.01


def test_the_worst_30_percent_have_the_largest_errors(plays):
    report = evaluate(ExplicitALS(n_factors=4), random_split(plays), n_resamples=20)
    values = np.sort(report.per_user["rmse"][~np.isnan(report.per_user["rmse"])])
    assert report.row("rmse").worst_30 == pytest.approx(values[-round(0.3 * len(values)) :].mean())
    assert np.isnan(report.row("r_squared").worst_30)


def test_numbers_do_not_depend_on_threads(plays):
    split = leave_last_out(plays, n_last=2)
    model = IMPLICIT.fit(split.train)
    one, two = (evaluate(model, split, n_resamples=50, n_threads=threads) for threads in (1, 3))
    assert one.to_dict()["rows"] == two.to_dict()["rows"]


def test_slices_add_up(plays):
    report = evaluate(IMPLICIT, leave_last_out(plays, n_last=2), metrics="recall@10", n_resamples=5)
    own = [row for row in report.slices if row.model == report.model]
    users = [row for row in own if row.by == "user entries"]
    assert sum(row.n * row.value for row in users) / sum(row.n for row in users) == pytest.approx(
        report["recall@10"]
    )
    items = [row for row in own if row.by == "item entries"]
    assert sum(row.n for row in items) == report.facts["test entries"]


def test_mixed_metrics_of_ratings_have_the_same_users(plays):
    report = evaluate(
        ExplicitALS(n_factors=4),
        random_split(plays),
        metrics=["rmse", "ndcg@10"],
        relevant_from=4,
        n_resamples=9,
    )
    lengths = {len(values) for values in report.per_user.values()}
    assert lengths == {len(report.user_id)}
    assert {row.model for row in report.rows if row.metric == "rmse"} == {"ExplicitALS", "mean", "biases"}
    assert report["ndcg@10"] > report.row("ndcg@10", "random").value


def test_a_report_shows_its_numbers_everywhere(plays, tmp_path):
    report = evaluate(IMPLICIT, leave_last_out(plays, n_last=2), n_resamples=20, name="mine <1>")
    data = json.loads(report.to_json())
    assert data["rows"][0]["value"] == report["ndcg@20"]
    assert data["rows"][-1]["low"] is None  # of the catalogue there is no interval
    value, low = f"{report['ndcg@20']:.4f}", f"[{report.row('ndcg@20').low:.4f}, "
    assert f"{value} {low}" in report.to_markdown()
    assert f"{value}<br><small>{low}" in report.to_html()
    assert "<h1>mine &lt;1&gt;</h1>" in report.to_html()
    assert str(report) == report.to_markdown()
    frame = report.to_frame("pandas")
    assert frame[(frame.model == "popularity") & (frame.metric == "ndcg@20")].value.tolist() == [
        report.row("ndcg@20", "popularity").value
    ]
    for name in ("r.md", "r.html", "r.json"):
        report.write(tmp_path / name)
        assert (tmp_path / name).read_text(encoding="utf-8")
    with pytest.raises(DataError, match=r"a report ends in \.md, \.html or \.json, got '.*r\.pdf'"):
        report.write(tmp_path / "r.pdf")
    with pytest.raises(DataError, match=r"no 'ndcg@5' of 'mine <1>' in this report; it has ndcg@20 of mine"):
        report["ndcg@5"]


def test_numbers_measured_elsewhere_become_a_report():
    report = report_of("theirs", {"recall@5": np.array([1.0, 0.0, np.nan])}, user_id=np.arange(3))
    assert report["recall@5"] == 0.5
    assert report.row("recall@5").n_users == 2
    with pytest.raises(DataError, match="one number for each of user_id"):
        report_of("theirs", {"recall@5": np.ones(2)}, user_id=np.arange(3))


def test_which_way_is_better():
    assert [higher_is_better(name) for name in ("rmse", "mae", "r_squared", "auc@5", "sampled_ndcg@10")] == [
        False, False, True, True, True,
    ]  # fmt: skip
    with pytest.raises(DataError, match="gini@5 describes lists; a larger one is neither better nor worse"):
        higher_is_better("gini@5")
    with pytest.raises(DataError, match="no metric 'map'"):
        higher_is_better("map")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"metrics": "rmse"},
            "rmse compares predictions with ratings, and scores of an implicit model are none",
        ),
        ({"metrics": "map@5"}, "no metric 'map@5'; expected one of precision, "),
        ({"metrics": []}, "metrics must name at least one"),
        ({"metrics": "ndcg@x"}, "must have a positive length, as in ndcg@20, got 'x'"),
        ({"k": 0}, "k must be a positive integer, got 0"),
        (
            {"baselines": ["knn"]},
            "no baseline 'knn'; expected one of mean, biases, popularity, random, item-knn",
        ),
        ({"baselines": [Popularity]}, "a baseline must be a name or an estimator, got <class"),
        (
            {"baselines": ["random", "random"]},
            "models must have different names, got ImplicitALS, random, random",
        ),
        ({"relevant_from": 100}, "no entry of the test part is relevant"),
        ({"level": 2}, "level must be a number between 0 and 1, got 2"),
        ({"seed": -1}, "seed must be an integer from 0 to"),
        ({"n_resamples": 0}, "n_resamples must be a positive integer, got 0"),
    ],
)
def test_settings_out_of_range_are_refused(plays, options, message):
    with pytest.raises(DataError, match=message):
        evaluate(IMPLICIT, leave_last_out(plays), **options)


def test_what_cannot_be_evaluated_is_refused(plays):
    split = leave_last_out(plays)
    with pytest.raises(DataError, match=r"split must be a Split, got Interactions; make it with"):
        evaluate(IMPLICIT, plays)
    with pytest.raises(DataError, match=r"expected a FactorModel or an estimator with fit, got dict"):
        evaluate({}, split)
    with pytest.raises(DataError, match="the test part of the split is empty"):
        evaluate(IMPLICIT, Split(plays, plays.take([])))
    with pytest.raises(DataError, match=r"r_squared has no length of a list, got 'r_squared@5'"):
        evaluate(ExplicitALS(), split, metrics="r_squared@5")
    words = Interactions.from_arrays(["a", "b"], ["x", "y"])
    with pytest.raises(DataError, match="ids of the model are strings and those of the split integers"):
        measure(IMPLICIT.fit(words), split)
