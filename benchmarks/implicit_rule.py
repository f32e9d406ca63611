"""How far the default rule of ImplicitALS is from the best of a grid over its two numbers.

    python benchmarks/implicit_rule.py

The data are found as by rmse.py: ml-latest-small (ratings of at least 4) and movietweetings-100k (of at
least 7); of each user with at least 6 such ratings the last 5, or 2, are put aside. Printed is NDCG@20 over
the full catalogue without what the user has in training, gain 1 for each item that was put aside: of the
defaults, and of each pair (unobserved weight, regularization), as multiples of the rule's.
"""

import sys

import numpy as np

from alternant import ImplicitALS, Interactions, read
from alternant.model import FactorModel
from alternant.weighting import select
from rmse import FOLDER

K = 20
FACTORS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0)
RIDGES = (0.25, 0.5, 0.7, 1.0, 1.4, 2.0, 4.0, 8.0)
SETS = (
    ("ml-latest-small/ratings.csv", ">= 4", 5, 6),
    ("movietweetings-100k/ratings.dat", ">= 7", 2, 6),
)


def last_out(data: Interactions, n_out: int, n_least: int) -> tuple[Interactions, Interactions]:
    """Put the last `n_out` entries of each user with at least `n_least` aside: by time, then by item."""
    entries = data.entries()
    order = np.lexsort((entries.item_index, entries.times, entries.user_index))
    counts = data.by_user.counts
    from_end = np.empty(len(order), np.int64)
    from_end[order] = np.concatenate([np.arange(n, 0, -1) for n in counts.tolist()])
    aside = (from_end <= n_out) & (counts[entries.user_index] >= n_least)
    return data.take(~aside), data.take(aside)


def ndcg(model: FactorModel, test: Interactions) -> float:
    """Return the mean NDCG@20 of the users who have entries in `test`."""
    rows = test.by_user
    users = np.flatnonzero(rows.counts)
    lists = model.recommend(test.user_ids.labels[users], K)
    found = test.item_ids.encode(lists.item_id, what="item")
    discount = 1.0 / np.log2(np.arange(2, K + 2))
    total = 0.0
    for place, user in enumerate(users.tolist()):
        listed = found[lists.offsets[place] : lists.offsets[place + 1]]
        relevant = rows.block(user, user + 1).indices
        hits = np.isin(listed, relevant)
        total += (hits * discount[: len(hits)]).sum() / discount[: len(relevant)].sum()
    return total / len(users)


def main() -> None:
    """Print the defaults and the grid of each set."""
    for file, positive, n_out, n_least in SETS:
        path = FOLDER / file
        if not path.exists():
            sys.exit(f"no file {path}: set ALTERNANT_DATA")
        train, test = last_out(select(read(path, duplicates="last"), positive_if=positive), n_out, n_least)
        settings = {"value": "ignore"}
        model = ImplicitALS(**settings).fit(train)
        default, problem = ndcg(model, test), model.problem
        n_tested = np.count_nonzero(test.by_user.counts)
        print(f"{file}, {positive}: {train.n_entries:,} entries, {n_tested:,} users")
        print(
            f"  rule: unobserved weight {problem.unobserved_weight:.3g}, "
            f"regularization {problem.user_ridge.slope:.3g}: NDCG@{K} {default:.4f}"
        )
        print("  regularization × " + "".join(f"{ridge:>8g}" for ridge in RIDGES))
        best = default
        for factor in FACTORS:
            row = []
            for ridge in RIDGES:
                estimator = ImplicitALS(
                    **settings,
                    unobserved_weight=factor * problem.unobserved_weight,
                    regularization=ridge * problem.user_ridge.slope,
                )
                row.append(ndcg(estimator.fit(train), test))
            best = max(best, *row)
            print(f"  unobserved × {factor:<4g} " + "".join(f"{value:8.4f}" for value in row), flush=True)
        print(f"  best {best:.4f}; the rule is {100 * (1 - default / best):.1f} % below")


if __name__ == "__main__":
    main()
