"""Published protocols: their files, against plain loops over the same lists."""

import numpy as np
import pytest

from alternant import ImplicitALS, Interactions
from alternant.errors import DataError
from alternant.protocols import he, liang, lightgcn

SMALL = ImplicitALS(n_factors=4, n_sweeps=3)


@pytest.fixture(scope="module")
def pairs():
    rng = np.random.default_rng(1)
    return np.argwhere(rng.random((30, 25)) < np.linspace(0.6, 0.1, 25))


@pytest.fixture
def files(pairs, tmp_path):
    """train.txt and test.txt, and the same as a dict of user → items."""
    test = np.random.default_rng(2).random(len(pairs)) < 0.2
    parts = []
    for name, chosen in (("train.txt", pairs[~test]), ("test.txt", pairs[test])):
        rows = {user: chosen[chosen[:, 0] == user, 1].tolist() for user in range(30)}
        text = "".join(f"{user} {' '.join(map(str, items))}\n" for user, items in rows.items())
        (tmp_path / name).write_text(text)
        parts.append(rows)
    return tmp_path, *parts


def fitted(rows):
    users = [user for user, items in rows.items() for _ in items]
    items = [item for items in rows.values() for item in items]
    return SMALL.fit(Interactions.from_arrays(users, items))


def test_lightgcn_has_the_recall_and_ndcg_of_plain_loops(files):
    folder, train, test = files
    report = lightgcn(folder / "train.txt", folder / "test.txt", estimator=SMALL)
    model = fitted(train)
    recall, ndcg = [], []
    for user, wanted in test.items():
        if not wanted:
            continue
        listed = model.recommend(user, 20).item_id.tolist()
        hits = np.isin(listed, wanted)
        recall.append(hits.sum() / len(wanted))
        best = (1 / np.log2(np.arange(2, min(20, len(wanted)) + 2))).sum()
        ndcg.append((hits / np.log2(np.arange(2, len(hits) + 2))).sum() / best)
    assert report["recall@20"] == pytest.approx(np.mean(recall), rel=1e-12)
    assert report["ndcg@20"] == pytest.approx(np.mean(ndcg), rel=1e-12)
    assert report.row("recall@20").n_users == len(recall) < 30  # users without test items do not count


def test_lightgcn_files_may_have_empty_lines_and_repeats(tmp_path):
    (tmp_path / "train").write_text("0 1 1 2\n\n1 2\r\n2\n")
    (tmp_path / "test").write_text("1 1\n")
    assert lightgcn(tmp_path / "train", tmp_path / "test", estimator=SMALL).facts["training entries"] == 3


def test_liang_folds_the_held_out_users_in(pairs, tmp_path):
    train, held = pairs[pairs[:, 0] < 22], pairs[pairs[:, 0] >= 22]
    target = np.random.default_rng(0).random(len(held)) < 0.3
    for name, chosen in (("train.csv", train), ("tr.csv", held[~target]), ("te.csv", held[target])):
        lines = [f"{user},{item}" for user, item in chosen]
        (tmp_path / name).write_text("\n".join(["uid,sid", *lines]) + "\n")
    report = liang(tmp_path / "train.csv", tmp_path / "tr.csv", tmp_path / "te.csv", estimator=SMALL)
    model = SMALL.fit(Interactions.from_arrays(train[:, 0], train[:, 1]))
    folded = model.fold_in(Interactions.from_arrays(held[~target, 0], held[~target, 1]), unknown="drop")
    values = []
    for user, one in zip(folded.ids.labels, model.recommend(folded, 20), strict=True):
        wanted = held[target & (held[:, 0] == user), 1]
        if len(wanted):
            values.append(np.isin(one.item_id, wanted).sum() / min(20, len(wanted)))
    assert report["truncated_recall@20"] == pytest.approx(np.mean(values), rel=1e-12)
    assert report.facts["history entries"] == np.count_nonzero(~target)


def test_he_ranks_each_item_among_its_negatives(pairs, tmp_path):
    last = dict(enumerate(pairs[pairs[:, 0] == u, 1].tolist() for u in range(30)))
    rng = np.random.default_rng(0)
    train, lines, wanted, others = [], [], [], []
    for user, items in last.items():
        train += [f"{user}\t{item}\t5\t0" for item in items[:-1]]
        some = rng.permutation(np.setdiff1d(np.arange(40), items))[:9]
        lines.append("\t".join([f"({user},{items[-1]})", *map(str, some)]))
        wanted.append(items[-1])
        others.append(some)
    (tmp_path / "train.rating").write_text("\n".join(train))
    (tmp_path / "test.negative").write_text("\n".join(lines))
    (tmp_path / "test.rating").write_text("".join(f"{u}\t{i}\t4\t1\n" for u, i in enumerate(wanted)))
    with pytest.warns(UserWarning, match="sampled items do not estimate those of the whole catalogue"):
        report = he(
            tmp_path / "train.rating",
            tmp_path / "test.negative",
            test=tmp_path / "test.rating",
            estimator=SMALL,
            metrics=["sampled_hit_rate@3", "sampled_ndcg@3"],
        )
    rows = np.array([line.split("\t")[:2] for line in train], int)
    catalogue = np.unique(np.concatenate([rows[:, 1], wanted, np.concatenate(others)]))
    model = SMALL.fit(
        Interactions.from_arrays(rows[:, 0], rows[:, 1], user_ids=range(30), item_ids=catalogue)
    )
    hits = []
    for user in range(30):
        items = np.array([wanted[user], *others[user]])
        scores = model.score(user, items)
        hits.append(wanted[user] in items[np.lexsort((items, -scores))][:3])
    assert report["sampled_hit_rate@3"] == pytest.approx(np.mean(hits))
    assert 0 < report["sampled_ndcg@3"] <= report["sampled_hit_rate@3"]

    (tmp_path / "test.rating").write_text("0\t39\t4\t1\n")
    with pytest.raises(DataError, match=r"do not name the same pairs of user and item"):
        he(tmp_path / "train.rating", tmp_path / "test.negative", test=tmp_path / "test.rating")


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        ("0 1\n0 x 2\n", "1 1\n", r"train, line 2: expected integers, got '0 x 2'"),
        ("", "1 1\n", r"train has no line of a user and items"),
        ("0 1\n", "0 1\n", r"the test part has 1 entry that the other parts have too"),
        ("0 99999999999999999999999\n", "0 1\n", r"train: expected integers of 64 bits"),
    ],
)
def test_files_that_are_not_like_this_are_refused(tmp_path, train, test, message):
    (tmp_path / "train").write_text(train)
    (tmp_path / "test").write_text(test)
    with pytest.raises(DataError, match=message):
        lightgcn(tmp_path / "train", tmp_path / "test")


def test_pairs_and_negatives_that_are_not_like_this_are_refused(tmp_path):
    for name, text in (("good", "0\t1\n1\t2\n"), ("words", "u,i\n0,a\n"), ("none", "uid,sid\n")):
        (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=r"words: expected a user and an item, both integers, got '0,a'"):
        liang(tmp_path / "words", tmp_path / "good", tmp_path / "good")
    with pytest.raises(DataError, match="none has no line of a user and an item"):
        liang(tmp_path / "none", tmp_path / "good", tmp_path / "good")
    (tmp_path / "negative").write_text("(0,2)\t3\t4\n(1,1)\t3\n")
    with pytest.raises(DataError, match=r"as many negatives on each, got lines of 3, 4 numbers"):
        he(tmp_path / "good", tmp_path / "negative")
    (tmp_path / "negative").write_text("(0,1)\t3\n")
    with pytest.raises(DataError, match=r"1 of the 1 test pairs are in "):
        he(tmp_path / "good", tmp_path / "negative")
