"""A held-out metric against seconds: fits of growing length by every engine, judged on the tenth of the
entries that none of them saw.

The data are ml-latest-small, found as by rmse.py (ALTERNANT_DATA), else made up. Implicit: the share of a
user's held-out items among the twenty ranked first, over users who have some. Explicit: RMSE of predictions
within 0.5 to 5; LensKit's and Spark's biases and means are their own, so that theirs is left out.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from alternant.retrieval import top_k
from benchmarks import report
from benchmarks.launching import WorkerError, launch
from benchmarks.made_data import SIZES, Ratings, cache_folder, make
from benchmarks.options import Options
from benchmarks.problems import Factors
from benchmarks.sweeps import Say, job_for, read_factors

LENGTHS = [1, 2, 3, 5, 8, 12, 20]
LIST_LENGTH = 20
HELD_OUT = 0.1


def run(options: Options, work: str, say: Say) -> list[dict[str, Any]]:
    """Measure and print."""
    name, ratings = data(options)
    train, test = split(ratings, seed=options.seed)
    folder = (options.data or cache_folder()) / f"{name}-seed{options.seed}-train"
    train.save(folder)
    engines = options.chosen(work)
    metric_name = f"recall at {LIST_LENGTH}" if work == "implicit" else "RMSE"
    results: list[dict[str, Any]] = []
    for k in options.factors:
        for engine_name, engine in engines.items():
            if work == "explicit" and work in engine.own_sum:
                options.skipped[engine_name] = "keeps its biases or mean to itself"
                continue
            say(f"{engine_name}, k = {k}")
            with tempfile.TemporaryDirectory(prefix="alternant-benchmarks-") as scratch:
                job = job_for(options, engine, engine_name, work=work, folder=folder, k=k, kind="path")
                try:
                    found = launch(
                        job | {"lengths": LENGTHS, "factors": scratch}, engine, timeout=options.timeout
                    )
                except WorkerError as error:
                    options.skipped[engine_name] = str(error)
                    continue
                for n_sweeps, seconds in zip(found["lengths"], found["seconds"], strict=True):
                    factors = read_factors(Path(scratch) / f"{n_sweeps}.npz")
                    value = recall(factors, train, test) if work == "implicit" else rmse(factors, train, test)
                    results.append(
                        {
                            "engine": engine_name,
                            "size": name,
                            "n_factors": k,
                            "n_sweeps": n_sweeps,
                            "seconds": seconds,
                            "metric": value,
                            "metric_name": metric_name,
                        }
                    )
    table = [
        [
            row["engine"],
            str(row["n_factors"]),
            str(row["n_sweeps"]),
            f"{row['seconds']:.3g}",
            f"{row['metric']:.4f}",
            "",
        ]
        for row in results
    ]
    lines = [
        f"{name}: {train.n_entries:,} entries to learn from, {test.n_entries:,} held out; "
        "each fit from the beginning"
    ]
    report.show(lines, ["engine", "k", "sweeps", "seconds", metric_name, ""], table)
    return results


def data(options: Options) -> tuple[str, Ratings]:
    """Return the public data where they are found, else made-up ones."""
    root = os.environ.get("ALTERNANT_DATA")
    file = Path(root) / "ml-latest-small" / "ratings.csv" if root else None
    if file is None or not file.exists():
        size = options.sizes[0]
        return f"{size}, made up", make(SIZES[size], seed=options.seed)
    from alternant import read

    read_in = read(file, duplicates="last")
    rows = read_in.by_user
    values = np.ones(rows.n_entries, np.float32) if rows.values is None else rows.values
    return "ml-latest-small", Ratings(read_in.n_items, rows.offsets, rows.indices, values)


def split(ratings: Ratings, *, seed: int) -> tuple[Ratings, Ratings]:
    """Return nine tenths and one tenth of the entries, at random."""
    rng = np.random.Generator(np.random.Philox(seed))
    held_out = rng.random(ratings.n_entries) < HELD_OUT
    users = ratings.users()
    parts = []
    for chosen in (~held_out, held_out):
        counts = np.bincount(users[chosen], minlength=ratings.n_users)
        offsets = np.concatenate([[0], np.cumsum(counts)])
        parts.append(Ratings(ratings.n_items, offsets, ratings.items[chosen], ratings.values[chosen]))
    return parts[0], parts[1]


def recall(factors: Factors, train: Ratings, test: Ratings) -> float:
    """Return the mean over users of (held-out items among the first twenty) / (held-out items, at most
    twenty)."""
    offsets, indices, _ = top_k(
        np.ascontiguousarray(factors.users, np.float32),
        np.ascontiguousarray(factors.items, np.float32),
        LIST_LENGTH,
        exclude_offsets=train.offsets,
        exclude_indices=train.items,
    )
    n_items = test.n_items
    wanted = test.users().astype(np.int64) * n_items + test.items
    listed = np.repeat(np.arange(test.n_users), np.diff(offsets)) * np.int64(n_items) + indices
    hits = np.bincount(listed[np.isin(listed, wanted)] // n_items, minlength=test.n_users)
    held = np.diff(test.offsets)
    return float(np.mean(hits[held > 0] / np.minimum(held[held > 0], LIST_LENGTH)))


def rmse(factors: Factors, train: Ratings, test: Ratings) -> float:
    """Return the root mean square error of mean + biases + x·y, clipped to the range of the training
    values."""
    users, items = test.users(), test.items
    predicted = np.full(test.n_entries, train.values.mean(dtype=np.float64))
    predicted += np.einsum("ij,ij->i", factors.users[users], factors.items[items])
    if factors.user_biases is not None and factors.item_biases is not None:
        predicted += factors.user_biases[users] + factors.item_biases[items]
    clipped = np.clip(predicted, train.values.min(), train.values.max())
    return float(np.sqrt(np.mean((clipped - test.values) ** 2)))
