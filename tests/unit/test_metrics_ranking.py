"""Measures of lists: known numbers, other people's code, and what is refused."""

import numpy as np
import pytest

from alternant import retrieval
from alternant.errors import DataError
from alternant.metrics import RANKING_METRICS, catalogue_metrics, ranking_metrics, recall_of_groups

NAMES = (
    "precision",
    "recall",
    "truncated_recall",
    "hit_rate",
    "ndcg",
    "average_precision",
    "reciprocal_rank",
)


def ragged(rows):
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return offsets, np.concatenate([*map(np.asarray, rows), []]).astype(np.int32)


def random_lists(seed, *, n_users=40, n_items=30):
    """Lists and relevant items of any length from 0, in random order."""
    rng = np.random.default_rng(seed)
    lists = [rng.permutation(n_items)[: rng.integers(0, n_items + 1)] for _ in range(n_users)]
    relevant = [rng.permutation(n_items)[: rng.integers(0, 12)] for _ in range(n_users)]
    return lists, relevant


def rate(lists, relevant, metrics, *, n_items=30, **options):
    return ranking_metrics(*ragged(lists), *ragged(relevant), metrics=metrics, n_items=n_items, **options)


@pytest.mark.parametrize("k", [1, 3, 10, 30, 100])
@pytest.mark.parametrize("seed", range(3))
def test_metrics_are_those_of_ir_measures(seed, k):
    """Empty lists, users for whom nothing is relevant, k beyond the catalogue; to 1e-9."""
    ir_measures = pytest.importorskip("ir_measures")
    from ir_measures import AP, RR, P, R, Success, nDCG

    lists, relevant = random_lists(seed)
    theirs = {"precision": P, "recall": R, "hit_rate": Success, "ndcg": nDCG, "average_precision": AP}
    theirs["reciprocal_rank"] = RR
    asked = {measure @ k: f"{name}@{k}" for name, measure in theirs.items()}
    judged = [
        ir_measures.Qrel(str(user), str(item), 1)
        for user, row in enumerate(relevant)
        for item in row.tolist()
    ]
    run = [
        ir_measures.ScoredDoc(str(user), str(item), float(-place))
        for user, row in enumerate(lists)
        for place, item in enumerate(row.tolist())
    ]
    ours = rate(lists, relevant, list(asked.values()))
    n = 0
    for found in ir_measures.iter_calc(list(asked), judged, run):
        value = ours[asked[found.measure]][int(found.query_id)]
        assert value == pytest.approx(found.value, abs=1e-9), found
        n += 1
    some = sum(len(row) > 0 for row in relevant)
    assert n == some * len(asked)
    for values in ours.values():
        assert np.array_equal(np.isnan(values), [len(row) == 0 for row in relevant])


@pytest.mark.parametrize("seed", range(3))
def test_graded_ndcg_is_that_of_scikit_learn(seed):
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    n_items = 25
    for k in (3, 10, 25, 40):
        order = rng.permutation(n_items)
        relevant = rng.permutation(n_items)[:8]
        gains = rng.integers(0, 5, 8).astype(float)
        true = np.zeros(n_items)
        true[relevant] = gains
        scores = np.empty(n_items)
        scores[order] = np.arange(n_items, 0, -1)
        ours = rate([order], [relevant], f"linear_ndcg@{k}", n_items=n_items, gains=gains)
        assert ours[f"linear_ndcg@{k}"][0] == pytest.approx(
            metrics.ndcg_score([true], [scores], k=k), abs=1e-9
        )
        ours = rate([order], [relevant], f"exponential_ndcg@{k}", n_items=n_items, gains=gains)
        theirs = metrics.ndcg_score([np.exp2(true) - 1], [scores], k=k)
        assert ours[f"exponential_ndcg@{k}"][0] == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_auc_is_that_of_scikit_learn_with_unlisted_items_tied(seed):
    metrics = pytest.importorskip("sklearn.metrics")
    lists, relevant = random_lists(seed)
    for k in (1, 5, 30):
        ours = rate(lists, relevant, f"auc@{k}")[f"auc@{k}"]
        for user, (row, wanted) in enumerate(zip(lists, relevant, strict=True)):
            if len(wanted) == 0:
                assert np.isnan(ours[user])
                continue
            scores = np.zeros(30)
            scores[row[:k]] = np.arange(len(row[:k]), 0, -1)
            true = np.isin(np.arange(30), wanted)
            assert ours[user] == pytest.approx(metrics.roc_auc_score(true, scores), abs=1e-9)


def test_average_precision_of_the_whole_list_is_that_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    order, relevant = rng.permutation(50), rng.permutation(50)[:7]
    scores = np.empty(50)
    scores[order] = np.arange(50, 0, -1)
    true = np.isin(np.arange(50), relevant)
    ours = rate([order], [relevant], "average_precision", n_items=50)["average_precision"][0]
    assert ours == pytest.approx(metrics.average_precision_score(true, scores), abs=1e-9)


def test_known_numbers_of_the_variants():
    """Hits at places 1 and 3 of a list of 4; five items are relevant."""
    lists, relevant = [[7, 0, 8, 1]], [[7, 8, 9, 10, 11]]
    found = rate(
        lists,
        relevant,
        ["precision@3", "precision@10", "precision", "recall@3", "truncated_recall@3", "truncated_recall@10",
         "average_precision@3", "truncated_average_precision@3", "reciprocal_rank@3", "hit_rate@1", "ndcg@3"],
    )  # fmt: skip
    log = np.log2
    assert {name: values[0] for name, values in found.items()} == pytest.approx(
        {
            "precision@3": 2 / 3,
            "precision@10": 2 / 10,
            "precision": 2 / 4,
            "recall@3": 2 / 5,
            "truncated_recall@3": 2 / 3,
            "truncated_recall@10": 2 / 5,
            "average_precision@3": (1 + 2 / 3) / 5,
            "truncated_average_precision@3": (1 + 2 / 3) / 3,
            "reciprocal_rank@3": 1.0,
            "hit_rate@1": 1.0,
            "ndcg@3": (1 + 1 / log(4)) / (1 + 1 / log(3) + 1 / log(4)),
        },
        rel=1e-12,
    )


def test_ties_are_ranked_by_position_before_they_are_measured():
    """Score first, then position: of four equal scores the first two positions are listed."""
    offsets, items, _ = retrieval.top_k(np.ones((1, 1), np.float32), np.ones((4, 1), np.float32), 2)
    for relevant, expected in ((0, 1.0), (1, 1 / np.log2(3)), (2, 0.0), (3, 0.0)):
        found = ranking_metrics(
            offsets, items, np.array([0, 1]), np.array([relevant]), metrics="ndcg@2", n_items=4
        )
        assert found["ndcg@2"].tolist() == [pytest.approx(expected)]


def test_relevant_items_may_come_in_any_order():
    lists, relevant = random_lists(9)
    shuffled = [np.sort(row)[::-1] for row in relevant]
    for name in (*NAMES, "auc"):
        np.testing.assert_array_equal(
            rate(lists, relevant, f"{name}@7")[f"{name}@7"],
            rate(lists, shuffled, f"{name}@7")[f"{name}@7"],
        )


def test_gains_follow_their_items_in_any_order():
    found = rate([[3, 1]], [[3, 1]], "linear_ndcg@2", gains=[1.0, 2.0])["linear_ndcg@2"]
    again = rate([[3, 1]], [[1, 3]], "linear_ndcg@2", gains=[2.0, 1.0])["linear_ndcg@2"]
    assert found.tolist() == again.tolist() == [pytest.approx((1 + 2 / np.log2(3)) / (2 + 1 / np.log2(3)))]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rate([[1]], [[1]], "map@5"), r"no metric 'map@5'; expected one of precision, recall, "),
        (lambda: rate([[1]], [[1]], "ndcg@0"), "must have a positive length, as in ndcg@20, got 'ndcg@0'"),
        (lambda: rate([[1]], [[1]], "ndcg@-1"), "must have a positive length"),
        (lambda: rate([[1], [2]], [[1]], "ndcg@5"), "must be of the same users, got 2 and 1"),
        (lambda: rate([[1]], [[30]], "ndcg@5"), r"relevant_items must lie in \[0, 30\), got 30"),
        (lambda: rate([[1]], [[2, 2]], "ndcg@5"), "a set of relevant items has 2 twice, in row 0"),
        (lambda: rate([[1]], [[2]], "linear_ndcg@5"), "linear_ndcg needs gains"),
        (lambda: rate([[1]], [[2]], "linear_ndcg@5", gains=[-1.0]), "gains must be finite and at least 0"),
        (lambda: rate([[1]], [[2]], "ndcg@5", gains=[1.0, 2.0]), r"gains must have the shape .* \(1,\)"),
        (lambda: rate([[1, 2]], [[2]], "auc", n_candidates=1), "n_candidates must be at least the length"),
        (
            lambda: ranking_metrics([1, 2], [0], [0, 0], [], metrics="ndcg@5", n_items=3),
            "list_offsets must rise from 0",
        ),
        (
            lambda: ranking_metrics([0, 1], [0.5], [0, 0], [], metrics="ndcg@5", n_items=3),
            "list_items must be positions, got float64",
        ),
        (
            lambda: ranking_metrics([0, 2], [0], [0, 0], [], metrics="ndcg@5", n_items=3),
            r"list_items must have shape \(2,\), got \(1,\)",
        ),
    ],
)  # fmt: skip
def test_what_breaks_a_promise_is_refused(call, message):
    with pytest.raises(DataError, match=message):
        call()


def test_no_measure_exceeds_1():
    lists, relevant = random_lists(4)
    names = [name for name in RANKING_METRICS if "_ndcg" not in name]
    for values in rate(lists, relevant, [f"{name}@{k}" for name in names for k in (1, 5, 50)]).values():
        known = values[~np.isnan(values)]
        assert known.min() >= 0
        assert known.max() <= 1 + 1e-12


def test_recall_by_group_of_items():
    groups = np.array([0, 0, 1, 1, 2])
    values, n = recall_of_groups(
        *ragged([[0, 2], [4]]), *ragged([[0, 1, 2], [3, 2]]), k=1, n_items=5, group_of_item=groups, n_groups=3
    )
    assert values.tolist()[:2] == [0.5, 0.0]
    assert np.isnan(values[2])
    assert n.tolist() == [2, 3, 0]


def test_catalogue_measures_of_known_lists():
    counts = np.array([8, 4, 1, 0])
    lists = ragged([[0, 1], [0], []])
    found = catalogue_metrics(
        *lists,
        metrics=["coverage@2", "gini@2", "novelty@2", "popularity@2", "popularity_lift@2", "coverage@1"],
        item_counts=counts,
        n_users=8,
        history_popularity=np.array([4.0, 4.0, np.nan]),
    )
    assert found == pytest.approx(
        {
            "coverage@2": 0.5,
            "coverage@1": 0.25,
            "gini@2": (-3 * 0 - 1 * 0 + 1 * 1 + 3 * 2) / (4 * 3),
            "novelty@2": (0.5 * (0 + 1) + 0) / 2,
            "popularity@2": (6 + 8) / 2,
            "popularity_lift@2": (7 - 4) / 4,
        }
    )


def test_similarity_within_lists_is_the_mean_cosine_of_pairs(monkeypatch):
    monkeypatch.setattr("alternant.metrics._catalogue._ROWS_AT_ONCE", 7)
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((20, 3)).astype(np.float32)
    vectors[5] = 0
    rows = [rng.permutation(20)[:n] for n in (4, 0, 1, 9, 2, 5)]
    found = catalogue_metrics(
        *ragged(rows),
        metrics="intra_list_similarity@6",
        item_counts=np.ones(20, int),
        n_users=5,
        item_vectors=vectors,
    )
    means = []
    for row in rows:
        some = vectors[row[:6]].astype(float)
        norms = np.linalg.norm(some, axis=1, keepdims=True)
        unit = some / np.where(norms > 0, norms, 1)
        n = len(unit)
        if n > 1:
            cosines = unit @ unit.T
            means.append((cosines.sum() - np.trace(cosines)) / (n * (n - 1)))
    assert found["intra_list_similarity@6"] == pytest.approx(np.mean(means), rel=1e-6)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("popularity_lift@2", r"popularity_lift needs history_popularity, shape \(1,\)"),
        ("intra_list_similarity@2", r"intra_list_similarity needs item_vectors, shape \(4, width\)"),
        ("ndcg@2", "no metric 'ndcg@2'; expected one of coverage"),
    ],
)
def test_what_a_catalogue_measure_needs_is_asked_for(name, message):
    with pytest.raises(DataError, match=message):
        catalogue_metrics(*ragged([[0, 1]]), metrics=name, item_counts=np.ones(4, int), n_users=1)
