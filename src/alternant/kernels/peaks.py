"""What this machine does at most, measured at the level in use: for benchmarks, which say what share of it
is reached.

Takes part of a second. Time is counted as processor time over threads, so that other work on the machine,
which takes turns with this one, lowers what is found as little as can be.
"""

import math
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from alternant import _kernels

_REPEATS = 5


def multiply_add_rate(*, n_threads: int) -> float:
    """Return the float32 operations per second of multiply-adds in registers on `n_threads` threads (one
    multiply-add is two operations): the best of five runs of some 20 ms.

    Examples
    --------
    >>> multiply_add_rate(n_threads=1) > 0
    True
    """
    rounds, seconds = 1 << 16, 0.0
    while seconds < 0.02:
        rounds *= 2
        seconds, operations = _timed(rounds, n_threads)
    best = min(seconds, *(_timed(rounds, n_threads)[0] for _ in range(_REPEATS - 1)))
    return operations / best


def gather_rate(table: NDArray[np.float32], indices: NDArray[np.int32], *, n_threads: int) -> float:
    """Return the bytes per second at which the rows `indices` of `table` are read: the best of five runs.

    Parameters
    ----------
    table : float32, shape (n_rows, width)
    indices : int32, shape (n,), positions in `table`, in the order in which they are read

    Examples
    --------
    >>> table = np.ones((100, 64), np.float32)
    >>> gather_rate(table, np.arange(100, dtype=np.int32), n_threads=1) > 0
    True
    """
    best = min(
        _seconds(lambda: _kernels.gather_rows(table, indices, n_threads), n_threads) for _ in range(_REPEATS)
    )
    return table.shape[1] * table.itemsize * len(indices) / best if best > 0.0 else math.inf


def _timed(rounds: int, n_threads: int) -> tuple[float, float]:
    began = time.process_time()
    operations = _kernels.multiply_add_chains(rounds, n_threads)
    return (time.process_time() - began) / n_threads, operations


def _seconds(run: Callable[[], object], n_threads: int) -> float:
    began = time.process_time()
    run()
    return (time.process_time() - began) / n_threads
