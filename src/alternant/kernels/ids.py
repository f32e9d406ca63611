"""Number the distinct labels of a column, find labels, hash them.

Labels are int64 arrays or chunks of strings (see ``alternant._columns``). Nothing here knows what an id is
for.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from alternant import _kernels
from alternant._columns import StringChunk, string_chunk_rows
from alternant.kernels._small_work import threads_for

Labels = NDArray[np.int64] | Sequence[StringChunk]


def _n_rows(labels: Labels) -> int:
    return len(labels) if isinstance(labels, np.ndarray) else sum(map(string_chunk_rows, labels))


def factorise(labels: Labels, *, n_threads: int | None = None) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Number the distinct labels of a column in sorted order (integers by value, strings by bytes).

    Returns
    -------
    codes : int32, shape (n,), the number of each row's label
    representatives : int64, shape (n_distinct,), for each number a row that holds the label
    """
    n = _n_rows(labels)
    threads = threads_for(n, n_threads)
    codes = np.empty(n, dtype=np.int32)
    representatives = np.empty(n, dtype=np.int64)  # pages beyond n_distinct are never touched
    if isinstance(labels, np.ndarray):
        n_distinct = _kernels.factorise_integers(labels, codes, representatives, threads)
    else:
        n_distinct = _kernels.factorise_strings(list(labels), codes, representatives, threads)
    return codes, representatives[:n_distinct].copy()


def hashes(labels: Labels, *, n_threads: int | None = None) -> NDArray[np.uint64]:
    """Return the hash of each label: uint64, shape (n,); the same on every machine and in every run."""
    out = np.empty(_n_rows(labels), dtype=np.uint64)
    threads = threads_for(len(out), n_threads)
    if isinstance(labels, np.ndarray):
        _kernels.hash_integers(labels, out, threads)
    else:
        _kernels.hash_strings(list(labels), out, threads)
    return out


def build_index(labels: Labels) -> tuple[NDArray[np.uint64], int | None]:
    """Return the hash table for :func:`find`, and the first row whose label came before, or None."""
    slots = np.empty(max(8, 1 << (2 * _n_rows(labels)).bit_length()), dtype=np.uint64)
    if isinstance(labels, np.ndarray):
        repeated = _kernels.index_integers(labels, slots)
    else:
        repeated = _kernels.index_strings(list(labels), slots)
    return slots, None if repeated < 0 else repeated


def find(
    queries: Labels, labels: Labels, slots: NDArray[np.uint64], *, n_threads: int | None = None
) -> tuple[NDArray[np.int32], int]:
    """Return the position of each query among `labels` (int32, -1 where there is none), and the number of -1.

    `slots` is what :func:`build_index` made of the same `labels`; queries and labels are of one kind.
    """
    positions = np.empty(_n_rows(queries), dtype=np.int32)
    threads = threads_for(len(positions), n_threads)
    if isinstance(queries, np.ndarray) and isinstance(labels, np.ndarray):
        n_unknown = _kernels.find_integers(queries, labels, slots, positions, threads)
    elif not isinstance(queries, np.ndarray) and not isinstance(labels, np.ndarray):
        n_unknown = _kernels.find_strings(list(queries), list(labels), slots, positions, threads)
    else:
        raise TypeError("queries and labels must both be integers or both be strings")
    return positions, n_unknown


def take_strings(chunks: Sequence[StringChunk], rows: NDArray[np.int64]) -> StringChunk:
    """Return the strings of `rows` as one chunk: offsets int64 (n + 1) and their bytes."""
    offsets = np.empty(len(rows) + 1, dtype=np.int64)
    _kernels.string_offsets(list(chunks), rows, offsets)
    data = np.empty(int(offsets[-1]), dtype=np.uint8)
    _kernels.copy_strings(list(chunks), rows, data)
    return offsets, data
