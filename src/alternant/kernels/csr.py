"""Compressed sparse rows: sort entries into rows, transpose, check.

Offsets are int64 everywhere, so that more than 2^31 entries are nothing special.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alternant import _kernels
from alternant.errors import DataError
from alternant.kernels._small_work import threads_for

MAX_IDS = 2**31 - 1


def _check_sizes(**sizes: int) -> None:
    for name, size in sizes.items():
        if not 0 <= size <= MAX_IDS:
            raise DataError(f"{name} must lie between 0 and 2,147,483,647, got {size}")


def sort_entries(
    rows: NDArray[np.int32],
    columns: NDArray[np.int32],
    *,
    n_rows: int,
    n_columns: int,
    carried: Sequence[NDArray[Any]] = (),
    n_threads: int | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int32], list[NDArray[Any]], int]:
    """Sort entries by row, then column, then input order.

    Entries that are sorted already are copied. Otherwise, beside what goes in and comes out, this takes 2
    bytes an entry, and for each thread 24 or less for each entry of a run of rows: of about n / 2048 entries,
    or of one row where it has more.

    Parameters
    ----------
    rows, columns : int32, shape (n,), where each entry lies
    carried : arrays of shape (n,) and any dtype of 4 or 8 bytes, sorted along

    Returns
    -------
    offsets : int64, shape (n_rows + 1,)
    indices : int32, shape (n,), the columns of the entries in sorted order
    carried : the arrays in sorted order
    n_repeats : entries whose (row, column) is that of the entry before
    """
    _check_sizes(n_rows=n_rows, n_columns=n_columns)
    offsets = np.empty(n_rows + 1, dtype=np.int64)
    indices = np.empty(len(rows), dtype=np.int32)
    pairs = [(np.ascontiguousarray(array), np.empty_like(array, order="C")) for array in carried]
    n_repeats = _kernels.sort_entries(
        rows, columns, n_columns, offsets, indices, pairs, threads_for(len(rows), n_threads)
    )
    return offsets, indices, [out for _, out in pairs], n_repeats


def check_rows(offsets: NDArray[np.int64], indices: NDArray[np.int32], *, n_columns: int) -> None:
    """Refuse offsets that do not cover the indices, and indices that are unsorted, repeated or outside."""
    _check_sizes(n_columns=n_columns)
    row = _kernels.check_rows(offsets, indices, n_columns)
    if row >= 0:
        raise DataError(
            f"row {row} of {len(offsets) - 1} is damaged: offsets must start at 0, not fall, and end at the "
            f"number of entries ({len(indices)}); indices must rise within a row and lie in [0, {n_columns})"
        )


def transpose(
    offsets: NDArray[np.int64],
    indices: NDArray[np.int32],
    *,
    n_columns: int,
    carried: Sequence[NDArray[Any]] = (),
    n_threads: int | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int32], list[NDArray[Any]]]:
    """Return the rows of the transposed matrix: offsets (n_columns + 1,), indices (n,) and what is carried.

    Memory is that of :func:`sort_entries`.
    """
    _check_sizes(n_columns=n_columns)
    out_offsets = np.empty(n_columns + 1, dtype=np.int64)
    out_indices = np.empty(len(indices), dtype=np.int32)
    pairs = [(np.ascontiguousarray(array), np.empty_like(array, order="C")) for array in carried]
    _kernels.transpose(
        offsets, indices, out_offsets, out_indices, pairs, threads_for(len(indices), n_threads)
    )
    return out_offsets, out_indices, [out for _, out in pairs]
