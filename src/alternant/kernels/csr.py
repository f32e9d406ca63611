"""Compressed sparse rows: sort entries into rows, transpose, gather, check.

Offsets are int64 everywhere, so that more than 2^31 entries are nothing special.
"""

from typing import overload

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
    n_threads: int | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64], int]:
    """Sort entries by row, then column, then input order.

    Parameters
    ----------
    rows, columns : int32, shape (n,), where each entry lies

    Returns
    -------
    offsets : int64, shape (n_rows + 1,)
    indices : int32, shape (n,), the columns of the entries in sorted order
    order : int64, shape (n,), which input entry each sorted entry is
    n_repeats : entries whose (row, column) is that of the entry before
    """
    _check_sizes(n_rows=n_rows, n_columns=n_columns)
    offsets = np.empty(n_rows + 1, dtype=np.int64)
    indices = np.empty(len(rows), dtype=np.int32)
    order = np.empty(len(rows), dtype=np.int64)
    n_repeats = _kernels.sort_entries(
        rows, columns, n_columns, offsets, indices, order, threads_for(len(rows), n_threads)
    )
    return offsets, indices, order, n_repeats


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
    offsets: NDArray[np.int64], indices: NDArray[np.int32], *, n_columns: int, n_threads: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Return the rows of the transposed matrix: offsets (n_columns + 1,), indices and order (n,) as above."""
    _check_sizes(n_columns=n_columns)
    out_offsets = np.empty(n_columns + 1, dtype=np.int64)
    out_indices = np.empty(len(indices), dtype=np.int32)
    out_order = np.empty(len(indices), dtype=np.int64)
    _kernels.transpose(
        offsets, indices, out_offsets, out_indices, out_order, threads_for(len(indices), n_threads)
    )
    return out_offsets, out_indices, out_order


@overload
def gather(
    values: NDArray[np.float32], order: NDArray[np.int64], *, n_threads: int | None = None
) -> NDArray[np.float32]: ...
@overload
def gather(
    values: NDArray[np.int64], order: NDArray[np.int64], *, n_threads: int | None = None
) -> NDArray[np.int64]: ...
def gather(
    values: NDArray[np.float32] | NDArray[np.int64],
    order: NDArray[np.int64],
    *,
    n_threads: int | None = None,
) -> NDArray[np.float32] | NDArray[np.int64]:
    """Return ``values[order]`` (float32 or int64, shape (n,)), by several threads."""
    threads = threads_for(len(order), n_threads)
    if values.dtype == np.float32:
        out = np.empty(len(order), dtype=np.float32)
        _kernels.gather_float32(values.astype(np.float32, copy=False), order, out, threads)
        return out
    whole = np.empty(len(order), dtype=np.int64)
    _kernels.gather_int64(values.astype(np.int64, copy=False), order, whole, threads)
    return whole
