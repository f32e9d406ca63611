"""One measurement in a process of its own: ``python -m benchmarks.worker JOB``, where JOB is a JSON object;
the last line that it writes to stdout is the result, a JSON object too.

`kind` says what: "sweeps" times two run lengths, "cold" one sweep, "path" fits of growing length whose
factors are kept, "topk" ranks.
"""

import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import memory
from benchmarks.engines import PEERS, Engine, Fitter, Job, ours
from benchmarks.made_data import Ratings
from benchmarks.problems import Factors

SAMPLE_PROBE = 64  # every 64th row tells whether a whole sweep is worth waiting for


def engine_named(name: str, solver: str, isa: str | None) -> Engine:
    """Return the engine that a name in a table stands for."""
    return PEERS[name] if name in PEERS else ours(solver, isa)[1]


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Return the wall seconds of a call, and what it returned."""
    gc.collect()
    began = time.perf_counter()
    found = run()
    return time.perf_counter() - began, found


def sweeps(fitter: Fitter, *, short: int, long: int, limit: float) -> tuple[dict[str, Any], Any]:
    """Return what a sweep takes by the difference of two run lengths, and the factors of the longer one.

    Where a sweep takes more than `limit` seconds, the longer run is one sweep longer only. Where it would
    take more than three times as long, and the library lets us, it is estimated from a systematic sample of
    rows.
    """
    if fitter.sample is not None:
        estimate = fitter.sample(SAMPLE_PROBE)
        if estimate > 3.0 * limit:
            stride = min(int(np.ceil(estimate / limit)), SAMPLE_PROBE)
            return {"seconds": fitter.sample(stride), "sampled": stride, "slow": True}, None
    base = memory.resident()
    can_forget = memory.forget_peak()
    began = time.process_time()
    first, _ = timed(lambda: fitter.fit(short))
    growth = memory.peak() - base if can_forget else None
    slow = first > limit * short
    long = short + 1 if slow else long
    middle = time.process_time()
    second, factors = timed(lambda: fitter.fit(long))
    end = time.process_time()
    return {
        "seconds": (second - first) / (long - short),
        # Of all threads of this process; where others compute too, it says more than wall seconds.
        "cpu_seconds": (end - 2.0 * middle + began) / (long - short),
        "runs": [[short, first], [long, second]],
        "n_sweeps": long,
        "slow": slow,
        "base_bytes": base,
        "growth_bytes": growth,
    }, factors


def path(fitter: Fitter, lengths: list[int], keep: Path) -> dict[str, Any]:
    """Fit anew for each number of sweeps, and keep the factors in the folder `keep`."""
    seconds = []
    for n_sweeps in lengths:
        taken, factors = timed(lambda n=n_sweeps: fitter.fit(n))
        seconds.append(taken)
        save(factors, keep / f"{n_sweeps}.npz")
    return {"lengths": lengths, "seconds": seconds}


def save(factors: Factors, file: Path) -> None:
    """Write what there is of factors and biases."""
    named = {key: table for key, table in vars(factors).items() if table is not None}
    np.savez(file, **named)


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Do what `job` says."""
    kind = job["kind"]
    if kind == "topk":
        from benchmarks.topk import rank  # not needed by the others

        return rank(job)
    ratings = Ratings.load(Path(job["data"]))
    engine = engine_named(job["engine"], job["solver"], job["isa"])
    wants_factors = job.get("factors") is not None
    fitter = engine.fitter(
        ratings,
        Job(
            engine=job["engine"],
            work=job["work"],
            n_factors=job["n_factors"],
            threads=job["threads"],
            start=job["seed"],
            options=engine.options | {"factors": wants_factors},
        ),
    )
    gc.collect()
    if kind == "sweeps":
        limits = {name: job[name] for name in ("short", "long", "limit")}
        result, factors = sweeps(fitter, **limits)
        if factors is not None and wants_factors:
            save(factors, Path(job["factors"]))
    elif kind == "cold":
        result = {"seconds": timed(lambda: fitter.fit(1))[0]}
    else:
        result = path(fitter, job["lengths"], Path(job["factors"]))
    children = fitter.children_peak() if fitter.children_peak is not None else 0
    # After a reset the peak of the whole life is not known: the kernel keeps one number only.
    return result | {"peak_bytes": memory.peak() + children, "children_bytes": children}


if __name__ == "__main__":
    print(json.dumps(run(json.loads(sys.argv[1]))))
