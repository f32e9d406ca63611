"""Seconds per sweep, objective, memory and share of the roofline of every engine, in turn."""

import statistics
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from alternant import kernels
from benchmarks.engines import Engine
from benchmarks.launching import WorkerError, launch
from benchmarks.made_data import Ratings, made
from benchmarks.options import Options
from benchmarks.problems import Factors, Judge
from benchmarks.roofline import ENTRY_BYTES, Floor, floor_of, measured_peaks, work_of

Say = Callable[[str], None]


def measure(options: Options, work: str, size: str, k: int, say: Say) -> list[dict[str, Any]]:
    """Return one row per engine for one size and number of factors."""
    folder = made(size, seed=options.seed, folder=options.data)
    ratings = Ratings.load(folder)
    engines = options.chosen(work)
    judge = Judge(work, ratings) if options.objective else None
    rows: dict[str, dict[str, Any]] = {
        name: {
            "engine": name,
            "work": work,
            "size": size,
            "n_factors": k,
            "n_entries": ratings.n_entries,
            "needed_bytes": needed_bytes(ratings, k),
            "runs": [],
        }
        for name in engines
    }
    with tempfile.TemporaryDirectory(prefix="alternant-benchmarks-") as scratch:
        for turn in range(options.repeat):
            for name in rotated(list(engines), turn):
                row = rows[name]
                if "failed" in row or (turn > 0 and row["runs"][0]["slow"]):
                    continue
                wants_factors = turn == 0 and judge is not None and work not in engines[name].own_sum
                file = Path(scratch) / "factors.npz"
                job = job_for(options, engines[name], name, work=work, folder=folder, k=k) | {
                    "kind": "sweeps",
                    "short": options.sweeps[0],
                    "long": options.sweeps[1],
                    "limit": options.limit,
                }
                if wants_factors and engines[name].gives_factors:
                    job["factors"] = str(file)
                say(f"round {turn + 1} of {options.repeat}: {name}")
                try:
                    row["runs"].append(launch(job, engines[name], timeout=options.timeout))
                    if wants_factors:
                        row["objective"] = objective(
                            judge, job, engines[name], file, options, row["runs"][0], say
                        )
                except WorkerError as error:
                    row["failed"] = str(error)
    floors = floors_for(options, ratings, work, k)
    for name, row in rows.items():
        summarise(row, engines[name], work, floors, options)
    first = next(iter(rows.values()))
    for row in rows.values():
        if "seconds" in row and "seconds" in first:
            row["ratio"] = row["seconds"] / first["seconds"]
        if row.get("objective") is not None and first.get("objective") is not None:
            row["objective_excess"] = row["objective"] / first["objective"] - 1.0
    return list(rows.values())


def needed_bytes(ratings: Ratings, k: int) -> int:
    """Return the bytes of the entries by user and by item, and of two buffers of both sides' factors."""
    n_rows = ratings.n_users + ratings.n_items
    return 2 * ENTRY_BYTES * ratings.n_entries + 8 * (n_rows + 2) + 2 * 4 * k * n_rows


def rotated(names: list[str], turn: int) -> list[str]:
    """Return the names beginning with another one each turn, so that none always follows the same."""
    at = turn % len(names)
    return names[at:] + names[:at]


def job_for(
    options: Options, engine: Engine, name: str, *, work: str, folder: Path, k: int, kind: str = "sweeps"
) -> dict[str, Any]:
    """Return what a worker needs to know."""
    return {
        "kind": kind,
        "engine": name,
        "solver": engine.options.get("solver", "auto"),
        "isa": engine.options.get("isa"),
        "work": work,
        "data": str(folder),
        "n_factors": k,
        "threads": options.threads,
        "seed": options.seed,
    }


def objective(
    judge: Judge | None,
    job: dict[str, Any],
    engine: Engine,
    file: Path,
    options: Options,
    run: dict[str, Any],
    say: Say,
) -> float | None:
    """Return the objective per entry after the longer run's sweeps.

    Where an engine takes time to hand out its factors, they are those of one more run that is not timed.
    """
    if judge is None or run.get("sampled"):
        return None
    say(f"    its objective after {run['n_sweeps']} sweeps")
    if not engine.gives_factors:
        job = job | {"kind": "path", "lengths": [run["n_sweeps"]], "factors": str(file.parent)}
        launch(job, engine, timeout=options.timeout)
        file = file.parent / f"{run['n_sweeps']}.npz"
    return judge.value(read_factors(file))


def read_factors(file: Path) -> Factors:
    """Return what a worker saved."""
    with np.load(file) as stored:
        return Factors(**{key: stored[key] for key in stored.files})


def floors_for(options: Options, ratings: Ratings, work: str, k: int) -> dict[tuple[bool, str | None], Floor]:
    """Return the floor for exact and for other solvers, at each of our levels (None: the level in use)."""
    works = {exact: work_of(ratings, k, exact=exact, implicit=work == "implicit") for exact in (False, True)}
    in_use = kernels.isa()
    measured = {}
    try:
        for level in {in_use, *filter(None, options.isa)}:
            kernels.set_isa(level)
            measured[level] = measured_peaks(ratings, k, threads=options.threads)
    finally:
        kernels.set_isa(in_use)
    return {
        (exact, level): floor_of(works[exact], k, measured[level or in_use])
        for exact in works
        for level in {None, *options.isa}
    }


def summarise(
    row: dict[str, Any],
    engine: Engine,
    work: str,
    floors: dict[tuple[bool, str | None], Floor],
    options: Options,
) -> None:
    """Add medians, memory, the share of the roofline and notes to a row."""
    notes = [row["failed"]] if "failed" in row else []
    runs = row["runs"]
    if runs:
        seconds = [run["seconds"] for run in runs]
        row["seconds"] = statistics.median(seconds)
        row["seconds_range"] = [min(seconds), max(seconds)]
        processor = [run["cpu_seconds"] for run in runs if "cpu_seconds" in run and not run["children_bytes"]]
        row["cpu_seconds"] = statistics.median(processor) if processor else None
        if not runs[0].get("sampled"):
            row["peak_bytes"] = max(run["peak_bytes"] for run in runs)
            growths = [
                run["growth_bytes"] + run["children_bytes"] for run in runs if run["growth_bytes"] is not None
            ]
            row["growth_bytes"] = statistics.median(growths) if growths else None
        floor = floors[engine.exact, engine.options.get("isa")]
        row["floor"] = asdict(floor) | {"seconds": floor.seconds}
        row["roofline"] = floor.seconds / row["seconds"] if row["seconds"] > 0 else None
        if runs[0].get("sampled"):
            notes.append(f"estimated from every {runs[0]['sampled']}th row")
        elif runs[0]["slow"]:
            notes.append("measured once")
        if runs[0]["children_bytes"]:
            notes.append("memory with its Java process")
    if work in engine.own_sum and options.objective:
        notes.append("minimises another sum")
    row["note"] = "; ".join(notes)


def show_scale(results: list[dict[str, Any]]) -> None:
    """Print seconds per entry beside those of the smallest size, and the same of the gathered bytes alone."""
    for engine in dict.fromkeys(row["engine"] for row in results):
        for k in dict.fromkeys(row["n_factors"] for row in results):
            rows = [
                row
                for row in results
                if (row["engine"], row["n_factors"]) == (engine, k) and "seconds" in row
            ]
            if len(rows) < 2:
                continue
            each = [row["seconds"] / row["n_entries"] for row in rows]
            gathered = [row["floor"]["bytes"] / row["n_entries"] for row in rows]
            for row, seconds, bytes_ in zip(rows, each, gathered, strict=True):
                print(
                    f"{engine}, k = {k}, {row['size']}: {1e9 * seconds:.2f} ns per entry, "
                    f"{seconds / each[0]:.2f}× that of {rows[0]['size']}; gathering alone "
                    f"{bytes_ / gathered[0]:.2f}×"
                )
