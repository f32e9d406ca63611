"""What draws of both sides leave of the values."""

import numpy as np

from alternant import retrieval
from alternant.interactions import EntryRows
from alternant.objective import Table
from alternant.sampling._rows import ENTRIES_AT_ONCE, targets


def squared_residuals(
    rows: EntryRows, table: Table, fixed: Table, *, mean: float = 0.0, scale: float = 1.0, n_threads: int
) -> float:
    """Return Σ w (t − x·y − b_x − b_y)² over the entries of `rows`, in float64 but for the products."""
    total = 0.0
    for block in rows.blocks(ENTRIES_AT_ONCE):
        index = np.repeat(np.arange(block.begin, block.end), np.diff(block.offsets))
        fitted = retrieval.pair_scores(
            table, fixed, index, block.indices, left_last="one", n_threads=n_threads
        )
        left = targets(block, mean, scale) - fitted
        left -= table[index, -1]
        squares = left**2
        total += float(np.sum(squares if block.weights is None else squares * block.weights))
    return total
