"""Test RMSE of plain factors and biases on two public data sets, against biases alone.

    python benchmarks/rmse.py

Data, found in the folder ALTERNANT_DATA, else in ../shared/data beside the project's folder:

    ml-latest-small/ratings.csv         https://grouplens.org/datasets/movielens/latest/
    movietweetings-100k/ratings.dat     https://github.com/sidooms/MovieTweetings

Prints, with predictions clipped to the range of the training ratings:

1. over five random 90/10 splits of ml-latest-small, how far below joint ridge biases the RMSE is. The biases
   get the two ridges of a grid (0.5 to 8 in steps of 0.5) that are best on the test part itself, which
   favours them. A cold user or item has bias 0 in both.
2. over five folds of each set, the RMSE: the root of the mean of the folds' mean squares.
"""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from alternant import ExplicitALS, Interactions, read
from alternant.kernels import available_threads, isa
from alternant.metrics import rmse
from alternant.splitting import Split, k_fold, random_split

FOLDER = Path(os.environ.get("ALTERNANT_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
FILES = ("ml-latest-small/ratings.csv", "movietweetings-100k/ratings.dat")
RIDGES = np.arange(0.5, 8.25, 0.5)
PASSES = 8  # each pair of ridges starts from the biases of its neighbour


def model_rmse(split: Split) -> float:
    """Fit factors and biases to the train part and return the clipped RMSE on the test part."""
    test = split.test.entries()
    users, items = split.test.user_ids.labels[test.user_index], split.test.item_ids.labels[test.item_index]
    model = ExplicitALS(n_factors=32, link=False).fit(split.train)
    return rmse(model.predict(users, items, unknown="fallback", clip=True), test.values)


def biases_rmse(split: Split) -> float:
    """Return the clipped test RMSE of value = mean + b_u + b_i at the best pair of ridges of the grid."""
    users, items, values, *_ = split.train.entries()
    test = split.test.entries()
    low, high = values.min(), values.max()
    mean = values.mean(dtype=np.float64)
    centred = values - mean
    n_of_user, n_of_item = split.train.by_user.counts, split.train.by_item.counts
    b_item = np.zeros(len(n_of_item))
    best = np.inf
    for user_ridge, item_ridge in there_and_back():
        for _ in range(PASSES):
            b_user = np.bincount(users, centred - b_item[items], len(n_of_user)) / (n_of_user + user_ridge)
            b_item = np.bincount(items, centred - b_user[users], len(n_of_item)) / (n_of_item + item_ridge)
        predicted = np.clip(mean + b_user[test.user_index] + b_item[test.item_index], low, high)
        best = min(best, rmse(predicted, test.values))
    return best


def there_and_back() -> Iterator[tuple[float, float]]:
    """Walk over the grid of ridges in steps from neighbour to neighbour."""
    for turn, user_ridge in enumerate(RIDGES):
        for item_ridge in RIDGES if turn % 2 == 0 else RIDGES[::-1]:
            yield user_ridge, item_ridge


def gain_over_biases(ratings: Interactions) -> None:
    """Print the first measurement."""
    gains = []
    for seed in range(5):
        split = random_split(ratings, test_fraction=0.1, seed=seed)
        ours, biases = model_rmse(split), biases_rmse(split)
        gains.append(biases - ours)
        print(f"  split {seed}: biases {biases:.4f}, alternant {ours:.4f}, gain {biases - ours:.4f}")
    print(f"  mean gain {np.mean(gains):.4f} ({min(gains):.4f} to {max(gains):.4f})")


def five_folds(ratings: Interactions) -> None:
    """Print the second measurement."""
    began = time.perf_counter()
    folds = [model_rmse(split) for split in k_fold(ratings, n_folds=5, seed=0)]
    seconds = time.perf_counter() - began
    error = np.sqrt(np.mean(np.square(folds)))
    print(f"  RMSE {error:.4f} ({min(folds):.4f} to {max(folds):.4f}), {seconds:.1f} s")


def main() -> None:
    """Run both measurements."""
    missing = [str(FOLDER / file) for file in FILES if not (FOLDER / file).exists()]
    if missing:
        sys.exit(f"no file {missing[0]}: set ALTERNANT_DATA to the folder that holds {', '.join(FILES)}")
    print(f"ExplicitALS(n_factors=32, link=False); {available_threads().n_threads} threads, {isa()}\n")
    sets = {file: read(FOLDER / file, duplicates="last") for file in FILES}
    print(f"{FILES[0]}, five random 90/10 splits")
    gain_over_biases(sets[FILES[0]])
    for file, ratings in sets.items():
        print(f"{file}, five folds")
        five_folds(ratings)


if __name__ == "__main__":
    main()
