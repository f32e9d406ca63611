"""How many threads to use: an argument, ALTERNANT_NUM_THREADS, or what affinity and the cgroup quota
allow."""

import math
import os
from dataclasses import dataclass
from pathlib import Path

from alternant import _settings

ENVIRONMENT_VARIABLE = "ALTERNANT_NUM_THREADS"
MOST_THREADS = 4096
"""More than any machine has; beyond lie slips of the keyboard, and the end of the system's patience."""


@dataclass(frozen=True)
class ThreadCount:
    """A number of threads and where it comes from (in words, for ``alternant doctor``)."""

    n_threads: int
    source: str


def _cgroup_quota(root: Path = Path("/sys/fs/cgroup")) -> float | None:
    """Return the CPU quota of this process's cgroup in CPUs (v2, then v1), or None without one."""
    try:
        own = [line.split(":", 2)[2] for line in Path("/proc/self/cgroup").read_text().splitlines()]
    except OSError:
        own = []
    quotas = []
    for path in {"/", *own}:
        # A quota on any ancestor binds too.
        parts = [part for part in path.split("/") if part]
        for depth in range(len(parts) + 1):
            folder = root.joinpath(*parts[:depth])
            quotas.append(_read_quota(folder / "cpu.max"))
            quotas.append(_read_quota_v1(root / "cpu" / Path(*parts[:depth])))
    known = [quota for quota in quotas if quota is not None]
    return min(known, default=None)


def _read_quota(file: Path) -> float | None:
    try:
        quota, period = file.read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _read_quota_v1(folder: Path) -> float | None:
    try:
        quota = int((folder / "cpu.cfs_quota_us").read_text())
        period = int((folder / "cpu.cfs_period_us").read_text())
        return quota / period if quota > 0 else None
    except (OSError, ValueError, ZeroDivisionError):
        return None


def available_threads() -> ThreadCount:
    """Return the default number of threads and its source.

    ``ALTERNANT_NUM_THREADS`` where set, else the smaller of the CPUs this process may run on and its cgroup's
    CPU quota (rounded up), at least 1.

    Examples
    --------
    >>> available_threads().n_threads >= 1
    True
    """
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    if named:
        number = int(named) if named.isdecimal() else named
        return ThreadCount(
            _settings.integer(ENVIRONMENT_VARIABLE, number, 1, MOST_THREADS), ENVIRONMENT_VARIABLE
        )
    if hasattr(os, "sched_getaffinity"):
        cpus, source = len(os.sched_getaffinity(0)), "CPU affinity"
    else:
        cpus, source = os.cpu_count() or 1, "CPU count"
    quota = _cgroup_quota()
    if quota is not None and math.ceil(quota) < cpus:
        return ThreadCount(max(1, math.ceil(quota)), "cgroup CPU quota")
    return ThreadCount(cpus, source)


def resolve_threads(n_threads: int | None) -> int:
    """Return `n_threads`, or the default for None; refuse what is no integer from 1 to `MOST_THREADS`."""
    if n_threads is None:
        return available_threads().n_threads
    return _settings.integer("n_threads", n_threads, 1, MOST_THREADS)
