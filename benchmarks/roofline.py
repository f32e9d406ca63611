"""The least that a sweep has to do, by formula, and how long this machine takes for that at its measured
peaks.

Of a row with n entries, m = min(n, k) and r = max(n, k), in float32:

- exact: m² r / 2 + m³ / 6 multiply-adds (a rank update and a Cholesky factorisation, in the smaller
  orientation);
- conjugate gradient: 2 n k a step, three steps and the residual before them: 8 n k.

`auto` may choose, so it is charged with the fewer. Implicit data have k² / 2 more for a row's part of the
Gramian, and k² to turn it into the eigenbasis. Bytes: each entry's factor row once, in the order of the
data, the entry itself, and the solution. The floor is what takes longer, operations or bytes: nothing that
works in float32 and reads each row once can be faster.
"""

from dataclasses import dataclass

import numpy as np

from alternant.kernels import peaks
from benchmarks.made_data import Ratings

CG_PASSES = 4
ENTRY_BYTES = 8  # a position and a value
GATHERED = 2_000_000  # entries from which the rate is measured


@dataclass(frozen=True)
class Work:
    """Multiply-adds of a sweep, entries of one side (each is gathered on both), bytes besides the gathered
    rows."""

    multiply_adds: float
    gathered_rows: int
    other_bytes: float


@dataclass(frozen=True)
class Peaks:
    """What one instruction-set level does at most here.

    flops : float32 operations per second of multiply-adds in registers
    gather : bytes per second of rows of the items' table (by users) and of the users' table (by items)
    """

    flops: float
    gather: tuple[float, float]


@dataclass(frozen=True)
class Floor:
    """Seconds of a sweep's operations and of its bytes at the peaks."""

    operations: float
    bytes: float
    peaks: Peaks

    @property
    def seconds(self) -> float:
        return max(self.operations, self.bytes)


def row_multiply_adds(counts: np.ndarray, k: int, *, exact: bool) -> np.ndarray:
    """Return the multiply-adds of rows with `counts` entries: float64, shape as `counts`."""
    n = counts.astype(np.float64)
    m, r = np.minimum(n, k), np.maximum(n, k)
    whole = m * m * r / 2.0 + m**3 / 6.0
    return whole if exact else np.minimum(whole, 2.0 * CG_PASSES * n * k)


def work_of(ratings: Ratings, k: int, *, exact: bool, implicit: bool) -> Work:
    """Count one sweep."""
    user_counts = np.diff(ratings.offsets)
    item_counts = np.bincount(ratings.items, minlength=ratings.n_items)
    total = sum(float(row_multiply_adds(each, k, exact=exact).sum()) for each in (user_counts, item_counts))
    n_rows = ratings.n_users + ratings.n_items
    if implicit:
        total += n_rows * 1.5 * k * k
    other = 2 * ratings.n_entries * ENTRY_BYTES + n_rows * 4.0 * k
    return Work(total, ratings.n_entries, other)


def measured_peaks(ratings: Ratings, k: int, *, threads: int) -> Peaks:
    """Measure the level in use, with tables of this size read in the order of these data."""
    by_user = ratings.items[:GATHERED]
    # The users of the first entries by item: what the items' half of a sweep reads.
    some = ratings.n_items * GATHERED // max(ratings.n_entries, GATHERED)
    few = np.flatnonzero(ratings.items < max(1, some))
    by_item = ratings.users()[few[np.argsort(ratings.items[few], kind="stable")]]
    of_items, of_users = (
        peaks.gather_rate(np.ones((rows, k), np.float32), np.ascontiguousarray(indices), n_threads=threads)
        for rows, indices in ((ratings.n_items, by_user), (ratings.n_users, by_item))
    )
    return Peaks(peaks.multiply_add_rate(n_threads=threads), (of_items, of_users))


def floor_of(work: Work, k: int, peak: Peaks) -> Floor:
    """Return how long a sweep takes at least."""
    gathered = sum(4.0 * k * work.gathered_rows / rate for rate in peak.gather)
    stream = max(peak.gather)  # entries and solutions are read and written in order
    return Floor(2.0 * work.multiply_adds / peak.flops, gathered + work.other_bytes / stream, peak)
