"""Five-fold test RMSE of the variants of ExplicitALS on two public data sets.

    python benchmarks/variants.py

The data are found as by rmse.py. Predictions are clipped to the range of the training ratings; a pair with an
unknown user or item gets what is known of the other. In brackets: the best and the worst fold.
"""

import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from alternant import ExplicitALS, Interactions, read
from alternant.kernels import available_threads, isa
from alternant.metrics import rmse
from alternant.reading import read_attributes
from alternant.splitting import k_fold
from rmse import FOLDER

# The ratings, the films, and the columns of the films' ids and genres.
SETS = {
    "ml-latest-small": ("ratings.csv", "movies.csv", "movieId", "genres"),
    "movietweetings-100k": ("ratings.dat", "movies.dat", "column1", "column3"),
}
VARIANTS: Mapping[str, dict[str, Any]] = {
    "no biases, 32 factors": {"n_factors": 32, "link": False, "biases": False},
    "biases, 32 factors": {"n_factors": 32, "link": False},
    "link, 64 factors (default)": {},
    "link and genres, 64 factors": {"genres": True},
    "link and days, 64 factors": {"day_bias_regularization": "auto"},
    "sampling, 32 factors": {"n_factors": 32, "n_samples": 100, "link": False},
    "sampling and link, 32 factors": {"n_factors": 32, "n_samples": 100},
    "sampling, link and genres, 32": {"n_factors": 32, "n_samples": 100, "genres": True},
}


def five_folds(ratings: Interactions, settings: dict[str, Any], genres: Any) -> tuple[list[float], float]:
    """Return the RMSE of each fold, and the seconds of all five."""
    settings = dict(settings)
    attributes = genres if settings.pop("genres", False) else None
    began, errors = time.perf_counter(), []
    for split in k_fold(ratings, n_folds=5, seed=0):
        model = ExplicitALS(**settings).fit(split.train, item_attributes=attributes)
        test = split.test.entries()
        users = split.test.user_ids.labels[test.user_index]
        items = split.test.item_ids.labels[test.item_index]
        times = test.times if model.day_biases is not None else None
        errors.append(
            rmse(model.predict(users, items, times=times, unknown="fallback", clip=True), test.values)
        )
    return errors, time.perf_counter() - began


def main() -> None:
    """Print a table for each set."""
    print(f"{available_threads().n_threads} threads, {isa()}")
    for name, (file, films, id_column, column) in SETS.items():
        path = FOLDER / name / file
        if not path.exists():
            sys.exit(f"no file {path}: set ALTERNANT_DATA")
        ratings = read(path, duplicates="last")
        genres = read_attributes(
            FOLDER / name / films,
            id_column=id_column,
            columns={column: "tags"},
            id_kind=ratings.item_ids.kind,
        )
        genres = {"item_id" if key == id_column else key: array for key, array in genres.items()}
        print(f"\n{name}: {ratings.n_entries:,} ratings")
        for title, settings in VARIANTS.items():
            errors, seconds = five_folds(ratings, settings, genres)
            error = np.sqrt(np.mean(np.square(errors)))
            print(f"  {title:<30} {error:.4f}  ({min(errors):.4f} to {max(errors):.4f})  {seconds:5.1f} s")


if __name__ == "__main__":
    main()
