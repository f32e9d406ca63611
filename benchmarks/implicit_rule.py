"""How far the default rule of ImplicitALS is from the best of a grid over its two numbers.

    python benchmarks/implicit_rule.py

The data are found as by rmse.py: ml-latest-small (ratings of at least 4) and movietweetings-100k (of at
least 7); of each user with at least 6 such ratings the last 5, or 2, are put aside. Printed is NDCG@20 over
the full catalogue without what the user has in training, gain 1 for each item that was put aside: of the
defaults, and of each pair (unobserved weight, regularization), as multiples of the rule's.
"""

import sys

from alternant import ImplicitALS, read
from alternant.evaluation import measure
from alternant.splitting import leave_last_out
from alternant.weighting import select
from rmse import FOLDER

METRIC = "ndcg@20"
FACTORS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0)
RIDGES = (0.25, 0.5, 0.7, 1.0, 1.4, 2.0, 4.0, 8.0)
SETS = (
    ("ml-latest-small/ratings.csv", ">= 4", 5, 6),
    ("movietweetings-100k/ratings.dat", ">= 7", 2, 6),
)


def main() -> None:
    """Print the defaults and the grid of each set."""
    for file, positive, n_out, n_least in SETS:
        path = FOLDER / file
        if not path.exists():
            sys.exit(f"no file {path}: set ALTERNANT_DATA")
        data = select(read(path, duplicates="last"), positive_if=positive)
        split = leave_last_out(data, n_last=n_out, min_entries=n_least)
        settings = {"value": "ignore"}
        model = ImplicitALS(**settings).fit(split.train)
        default, problem = measure(model, split, METRIC)[METRIC], model.problem
        n_tested = len(split.test_users)
        print(f"{file}, {positive}: {split.train.n_entries:,} entries, {n_tested:,} users")
        print(
            f"  rule: unobserved weight {problem.unobserved_weight:.3g}, "
            f"regularization {problem.user_ridge.slope:.3g}: NDCG@20 {default:.4f}"
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
                row.append(measure(estimator, split, METRIC)[METRIC])
            best = max(best, *row)
            print(f"  unobserved × {factor:<4g} " + "".join(f"{value:8.4f}" for value in row), flush=True)
        print(f"  best {best:.4f}; the rule is {100 * (1 - default / best):.1f} % below")


if __name__ == "__main__":
    main()
