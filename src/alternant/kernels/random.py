"""Counter-based random numbers that belong to an id: they do not move when other ids come or go."""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from alternant import _kernels


class Purpose(IntEnum):
    """What numbers are drawn for; each purpose has a stream of its own."""

    START = 1
    SPECTRAL = 2
    PRIOR_DRAW = 3
    NOISE = 4
    LINK_DRAW = 5
    ATTRIBUTE_DRAW = 6
    COEFFICIENT_NOISE = 7
    EXPLORE = 8


class Side(IntEnum):
    """Whose ids the numbers belong to."""

    USERS = 1
    ITEMS = 2


def standard_normal(
    id_hashes: npt.NDArray[np.uint64],
    n_columns: int,
    *,
    seed: int,
    purpose: Purpose,
    side: Side,
    sweep: int = 0,
    n_threads: int,
) -> npt.NDArray[np.float32]:
    """Return standard normal numbers, float32, shape (n_ids, n_columns).

    Each depends on (seed, purpose, side, sweep, hash of the id, column) and on nothing else: Philox4x32-10
    (doi:10.1145/2063384.2063405) with the hash and the column in its counter, then Box and Muller.

    Parameters
    ----------
    id_hashes : uint64, shape (n_ids,)
    seed : int
        From 0 to 2⁶⁴ − 1.
    sweep : int
        From 0 to 2²⁴ − 1.
    """
    out = np.empty((len(id_hashes), n_columns), np.float32)
    stream = sweep << 8 | int(purpose) << 2 | int(side)
    _kernels.standard_normal(np.ascontiguousarray(id_hashes), seed, stream, out, n_threads)
    return out
