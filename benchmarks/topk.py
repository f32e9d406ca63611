"""Ten items for every user, those that he has left out: ours beside implicit's, with trained and with
Gaussian factors.

Trained factors have items of very different norms, which lets a ranking stop early; Gaussian ones do not.
"""

import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import memory, report
from benchmarks.engines import PEERS, ours
from benchmarks.launching import WorkerError, launch
from benchmarks.made_data import Ratings, made
from benchmarks.options import Options
from benchmarks.sweeps import Say, job_for, rotated

LIST_LENGTH = 10
SWEEPS = 4
COMPARED = 10_000  # places of the lists


def run(options: Options, say: Say) -> list[dict[str, Any]]:
    """Measure both kinds of factors at every size and number of factors, and print a table for each."""
    results = []
    for size in options.sizes:
        folder = made(size, seed=options.seed, folder=options.data)
        for k in options.factors:
            for kind in ("trained", "Gaussian"):
                rows = _measure(options, size, folder, k, kind, say)
                results += rows
                lines = [
                    f"{size}, k = {k}, {kind} factors: seconds to rank {LIST_LENGTH} items for all "
                    f"{Ratings.load(folder).n_users:,} users, seen ones excluded; medians of {options.repeat}"
                ]
                table = [
                    [
                        row["engine"],
                        f"{row['seconds']:.3g}",
                        f"{row['ratio']:.1f}×",
                        f"{row['growth_bytes'] / 1e6:,.0f}",
                        row["note"],
                    ]
                    if "seconds" in row
                    else [row["engine"], "–", "–", "–", row["failed"]]
                    for row in rows
                ]
                report.show(lines, ["engine", "seconds", "times ours", "growth MB", ""], table)
    return results


def _measure(options: Options, size: str, folder: Path, k: int, kind: str, say: Say) -> list[dict[str, Any]]:
    engines = dict(ours("auto", level) for level in options.isa)
    others = options.engines is None or any(name.startswith("implicit ") for name in options.engines)
    if others and PEERS["implicit CG"].missing() is None:
        engines["implicit"] = PEERS["implicit CG"]
    rows: dict[str, dict[str, Any]] = {
        name: {"engine": name, "work": "topk", "size": size, "n_factors": k, "factors_kind": kind, "runs": []}
        for name in engines
    }
    with tempfile.TemporaryDirectory(prefix="alternant-benchmarks-") as scratch:
        file = _factors(options, folder, k, kind, Path(scratch), say)
        for turn in range(options.repeat):
            for name in rotated(list(engines), turn):
                row = rows[name]
                if "failed" in row or (turn > 0 and row["runs"][0]["seconds"] > options.limit):
                    continue
                say(f"round {turn + 1} of {options.repeat}: {name}, {kind} factors")
                job = job_for(options, engines[name], name, work="topk", folder=folder, k=k, kind="topk")
                try:
                    row["runs"].append(
                        launch(job | {"factors": str(file)}, engines[name], timeout=options.timeout)
                    )
                except WorkerError as error:
                    row["failed"] = str(error)
    for row in rows.values():
        if row["runs"]:
            row["seconds"] = statistics.median(each["seconds"] for each in row["runs"])
            row["growth_bytes"] = statistics.median(each["growth_bytes"] for each in row["runs"])
    first = next(iter(rows.values()))
    for row in rows.values():
        if "seconds" in row and "seconds" in first:
            row["ratio"] = row["seconds"] / first["seconds"]
            # Rounding may swap neighbours of nearly equal scores.
            pairs = zip(row["runs"][0]["first"], first["runs"][0]["first"], strict=True)
            row["same_places"] = statistics.mean(a == b for a, b in pairs)
            row["note"] = f"{row['same_places']:.1%} of places as in the first row"
    return list(rows.values())


def _factors(options: Options, folder: Path, k: int, kind: str, scratch: Path, say: Say) -> Path:
    """Return the file of the factors that are ranked."""
    ratings = Ratings.load(folder)
    if kind == "trained":
        name, engine = ours("auto", None)
        say(f"training the factors that are ranked: {SWEEPS} sweeps")
        job = job_for(options, engine, name, work="implicit", folder=folder, k=k, kind="path")
        launch(job | {"lengths": [SWEEPS], "factors": str(scratch)}, engine, timeout=options.timeout)
        return scratch / f"{SWEEPS}.npz"
    rng = np.random.Generator(np.random.Philox(options.seed))
    file = scratch / "gaussian.npz"
    shapes = {"users": (ratings.n_users, k), "items": (ratings.n_items, k)}
    np.savez(file, **{side: rng.standard_normal(shape, dtype=np.float32) for side, shape in shapes.items()})
    return file


def rank(job: dict[str, Any]) -> dict[str, Any]:
    """Rank in a worker; the best of two goes, since the first one touches memory anew."""
    ratings = Ratings.load(Path(job["data"]))
    with np.load(job["factors"]) as stored:
        users, items = stored["users"], stored["items"]
    call = (
        _ours(ratings, users, items, job)
        if job["engine"] != "implicit"
        else _implicit(ratings, users, items, job)
    )
    from benchmarks.worker import timed  # the worker imports this module

    base = memory.resident()
    memory.forget_peak()
    seconds = []
    for _ in range(2):
        taken, lists = timed(call)
        seconds.append(taken)
    return {
        "seconds": min(seconds),
        "growth_bytes": memory.peak() - base,
        "peak_bytes": memory.peak(),
        "first": np.asarray(lists).ravel()[:COMPARED].tolist(),
    }


def _ours(ratings: Ratings, users: np.ndarray, items: np.ndarray, job: dict[str, Any]) -> Any:
    from alternant.retrieval import top_k

    return lambda: top_k(
        users,
        items,
        LIST_LENGTH,
        exclude_offsets=ratings.offsets,
        exclude_indices=ratings.items,
        n_threads=job["threads"],
    )[1]


def _implicit(ratings: Ratings, users: np.ndarray, items: np.ndarray, job: dict[str, Any]) -> Any:
    from implicit.cpu.als import AlternatingLeastSquares
    from scipy import sparse

    matrix = sparse.csr_matrix(
        (ratings.values, ratings.items, ratings.offsets), shape=(ratings.n_users, ratings.n_items)
    )
    model = AlternatingLeastSquares(factors=users.shape[1], num_threads=job["threads"])
    model.user_factors, model.item_factors = users, items
    everybody = np.arange(ratings.n_users)
    return lambda: model.recommend(everybody, matrix, N=LIST_LENGTH, filter_already_liked_items=True)[0]
