"""A whole process: start Python, import the library, read the data, fit one sweep, end."""

import statistics
from typing import Any

from benchmarks import report
from benchmarks.launching import WorkerError, launch
from benchmarks.made_data import made
from benchmarks.options import Options
from benchmarks.sweeps import Say, job_for, rotated


def run(options: Options, say: Say) -> list[dict[str, Any]]:
    """Measure every engine at every size, in turn, and print a table for each."""
    results = []
    for size in options.sizes:
        folder = made(size, seed=options.seed, folder=options.data)
        for k in options.factors:
            rows = _measure(options, size, folder, k, say)
            results += rows
            lines = [
                f"{size}, k = {k}: seconds from the start of a process to its end, with one sweep; "
                f"medians of {options.repeat}",
            ]
            table = [
                [
                    row["engine"],
                    *(
                        [
                            f"{row['seconds']:.2f}",
                            f"{row['ratio']:.2f}×",
                            f"{row['peak_bytes'] / 1e6:,.0f}",
                            "",
                        ]
                        if "seconds" in row
                        else ["–", "–", "–", row["failed"]]
                    ),
                ]
                for row in rows
            ]
            report.show(lines, ["engine", "seconds", "times ours", "peak MB", ""], table)
    return results


def _measure(options: Options, size: str, folder: Any, k: int, say: Say) -> list[dict[str, Any]]:
    engines = options.chosen("implicit")
    rows: dict[str, dict[str, Any]] = {
        name: {"engine": name, "work": "cold", "size": size, "n_factors": k, "runs": []} for name in engines
    }
    for turn in range(options.repeat):
        for name in rotated(list(engines), turn):
            if "failed" in rows[name]:
                continue
            say(f"round {turn + 1} of {options.repeat}: {name}")
            job = job_for(options, engines[name], name, work="implicit", folder=folder, k=k, kind="cold")
            try:
                rows[name]["runs"].append(launch(job, engines[name], timeout=options.timeout))
            except WorkerError as error:
                rows[name]["failed"] = str(error)
    for row in rows.values():
        if row["runs"]:
            row["seconds"] = statistics.median(each["process_seconds"] for each in row["runs"])
            row["peak_bytes"] = max(each["peak_bytes"] for each in row["runs"])
    first = next(iter(rows.values()))
    for row in rows.values():
        if "seconds" in row and "seconds" in first:
            row["ratio"] = row["seconds"] / first["seconds"]
    return list(rows.values())
