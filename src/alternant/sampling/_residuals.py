"""What draws of both sides predict, and what they leave of the values."""

import numpy as np
import numpy.typing as npt

from alternant.interactions import EntryRows
from alternant.objective import Float64, Table
from alternant.sampling._rows import targets

ENTRIES_IN_CACHE = 1 << 12


def squared_residuals(
    rows: EntryRows, table: Table, fixed: Table, *, mean: float = 0.0, scale: float = 1.0
) -> float:
    """Return Σ w (t − x·y − b_x − b_y)² over the entries of `rows`, in float64."""
    total = 0.0
    for block in rows.blocks(ENTRIES_IN_CACHE):
        index = np.repeat(np.arange(block.begin, block.end), np.diff(block.offsets))
        squares = (targets(block, mean, scale) - scores(table, fixed, index, block.indices)) ** 2
        total += float(np.sum(squares if block.weights is None else squares * block.weights))
    return total


def scores(
    users: Table, items: Table, user_index: npt.NDArray[np.integer], item_index: npt.NDArray[np.integer]
) -> Float64:
    """Return p·q + b_u + b_i of pairs of positions: float64, shape (n_pairs,)."""
    found = np.empty(len(user_index))
    for begin in range(0, len(found), ENTRIES_IN_CACHE):
        part = slice(begin, begin + ENTRIES_IN_CACHE)
        left, right = users[user_index[part]], items[item_index[part]]
        found[part] = np.einsum("ij,ij->i", left[:, :-1], right[:, :-1])
        found[part] += left[:, -1]
        found[part] += right[:, -1]
    return found
