"""Recommending items that nobody has taken yet, from their genres.

    python benchmarks/cold_items.py

ml-latest-small, found as by rmse.py: ratings of at least 4; all entries of a random tenth of the items are
put aside, and each user who has some of them gets a ranking of those items alone. Compared are ImplicitALS
with the genres as item attributes, the cosine between the genres of an item and the mean genres of a user's
training items, and random order: recall@20 and NDCG@20, the mean over users with a 95 % bootstrap interval.
"""

import sys

import numpy as np
from numpy.typing import NDArray

from alternant import ImplicitALS, read
from alternant.reading import read_attributes
from alternant.weighting import select
from rmse import FOLDER

K = 20


def measures(order: NDArray[np.int64], relevant: NDArray[np.bool_]) -> tuple[float, float]:
    """Return recall@20 and NDCG@20 of one ranking of all candidates."""
    discount = 1.0 / np.log2(np.arange(2, K + 2))
    hits = relevant[order[:K]]
    n = int(relevant.sum())
    return hits.sum() / n, (hits * discount[: len(hits)]).sum() / discount[:n].sum()


def report(name: str, found: list[tuple[float, float]]) -> None:
    """Print means and intervals."""
    values = np.array(found)
    rng = np.random.default_rng(0)
    means = np.array([values[rng.integers(len(values), size=len(values))].mean(axis=0) for _ in range(1000)])
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    cells = [f"{values[:, c].mean():.4f} ({low[c]:.4f} to {high[c]:.4f})" for c in range(2)]
    print(f"  {name:<28} recall@{K} {cells[0]}   NDCG@{K} {cells[1]}", flush=True)


def main() -> None:
    """Print the comparison for three random splits."""
    path = FOLDER / "ml-latest-small" / "ratings.csv"
    if not path.exists():
        sys.exit(f"no file {path}: set ALTERNANT_DATA")
    data = select(read(path), positive_if=">= 4")
    genres = read_attributes(path.with_name("movies.csv"), columns={"genres": "tags"})
    for seed in range(3):
        cold = np.random.default_rng(seed).random(data.n_items) < 0.1
        is_cold = cold[data.entries().item_index]
        train, test = data.take(~is_cold), data.take(is_cold)
        columns = np.flatnonzero(cold)
        labels = data.item_ids.labels[columns]
        model = ImplicitALS(value="ignore").fit(train, item_attributes=genres)
        known = model.item_prior.features
        if known is None:
            raise RuntimeError("the model has no attributes")
        features = np.zeros((model.n_items, known.n_columns))
        features[known.row_index(), known.indices] = known.values
        position = model.item_ids.encode(data.item_ids.labels, what="item", unknown="mark")
        length = np.linalg.norm(features, axis=1, keepdims=True)
        unit = features / np.where(length > 0.0, length, 1.0)
        users = np.flatnonzero((test.by_user.counts > 0) & (train.by_user.counts > 0))
        rng = np.random.default_rng(seed)
        results: dict[str, list[tuple[float, float]]] = {
            "ImplicitALS": [],
            "cosine of genres": [],
            "random": [],
        }
        for user in users.tolist():
            relevant = np.isin(columns, test.by_user.block(user, user + 1).indices)
            user_id = data.user_ids.labels[user]
            profile = unit[position[train.by_user.block(user, user + 1).indices]].mean(axis=0)
            scores = {
                "ImplicitALS": model.score(user_id, labels),
                "cosine of genres": unit[position[columns]] @ profile,
                "random": rng.random(len(columns)),
            }
            for name, score in scores.items():
                # Ties, of which equal genres make many, in random order.
                order = np.lexsort((rng.random(len(columns)), -np.asarray(score)))
                results[name].append(measures(order, relevant))
        print(f"split {seed}: {len(columns)} cold items, {len(users)} users")
        for name, found in results.items():
            report(name, found)


if __name__ == "__main__":
    main()
