"""Merge entries of the same user and item, by the caller's policy."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from alternant.errors import DataError

Duplicates = Literal["error", "sum", "mean", "max", "last"]


def check_policy(duplicates: str | None, *, has_values: bool) -> Duplicates:
    """Return the policy: None is "error" with values, "sum" without."""
    if duplicates is None:
        return "error" if has_values else "sum"
    for policy in get_args(Duplicates):
        if duplicates == policy:
            return policy  # type: ignore[no-any-return]
    raise DataError(
        f"duplicates must be one of {', '.join(get_args(Duplicates))} or None, got {duplicates!r}"
    )


def merged_values(
    values: NDArray[np.float32], starts: NDArray[np.int64], lasts: NDArray[np.int64], policy: Duplicates
) -> NDArray[np.float32]:
    """Return one value per run of equal entries.

    Parameters
    ----------
    values : float32, shape (n,), sorted so that equal entries stand together, in input order
    starts : int64, shape (n_runs,), where each run begins
    lasts : int64, shape (n_runs,), the latest entry of each run
    """
    if policy == "last":
        return values[lasts]
    if policy == "max":
        return np.maximum.reduceat(values, starts)
    sums = np.add.reduceat(values.astype(np.float64), starts)
    if policy == "mean":
        sums /= np.diff(starts, append=len(values))
    with np.errstate(over="ignore"):
        return sums.astype(np.float32)


def merged_times(
    times: NDArray[np.int64], starts: NDArray[np.int64], lasts: NDArray[np.int64], policy: Duplicates
) -> NDArray[np.int64]:
    """Return one time per run: the latest, for "mean" the mean rounded down."""
    if policy != "mean":
        return times[lasts]
    # Means of differences to the first time of the run, because sums of times may not fit.
    counts = np.diff(starts, append=len(times))
    first = times[starts]
    means = first + np.add.reduceat(times - np.repeat(first, counts), starts) // counts
    return np.asarray(means, dtype=np.int64)


def latest(times: NDArray[np.int64] | None, starts: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Return the latest entry of each run: the last in input order, of those with the latest time."""
    if times is None:
        return np.append(starts[1:], n) - 1
    counts = np.diff(starts, append=n)
    newest = np.repeat(np.maximum.reduceat(times, starts), counts)
    positions = np.where(times == newest, np.arange(n), -1)
    return np.asarray(np.maximum.reduceat(positions, starts), dtype=np.int64)
