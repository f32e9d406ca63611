"""Exact ranking by inner products, and the scores of single pairs, as one call each.

Checks, converts and explains; knows rows and columns of tables, nothing of users, items or ids.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alternant import _kernels
from alternant.errors import DataError
from alternant.kernels._threads import resolve_threads

LastColumn = Literal["stored", "one", "zero"]
"""How the last column of a table is read: as it is, as 1, or as 0."""

# What the compiled side never divides among threads (cpp/topk_binding.cpp).
_TILE_QUERIES = 6
_CHUNK_PAIRS = 4096

_LAST: dict[str, int] = {"stored": 0, "one": 1, "zero": 2}


def top_k(
    queries: NDArray[np.float32],
    table: NDArray[np.float32],
    k: int,
    *,
    table_last: LastColumn = "stored",
    query_scale: NDArray[np.float32] | None = None,
    table_scale: NDArray[np.float32] | None = None,
    exclude_offsets: NDArray[np.int64] | None = None,
    exclude_indices: NDArray[np.int32] | None = None,
    candidates: ArrayLike | None = None,
    n_threads: int | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int64]]:
    """Rank the rows of `table` for each query.

    Returns indices int32 and scores float32, both of shape (n_queries, k'), and counts int64, shape
    (n_queries,), where k' is the smaller of `k` and the number of candidates; of row q only the first
    counts[q] are written. :func:`alternant.retrieval.top_k` describes the arguments.
    """
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise DataError(f"k must be a positive integer, got {k!r}")
    queries, table = _tables(queries, table)
    _check_scales(query_scale, len(queries), table_scale, len(table))
    if (exclude_offsets is None) != (exclude_indices is None):
        raise DataError("exclude_offsets and exclude_indices go together, got one of them")
    rows = None if candidates is None else np.unique(_rows(candidates, len(table), "candidates"))
    shape = (len(queries), min(int(k), len(table) if rows is None else len(rows)))
    indices, scores = np.empty(shape, np.int32), np.empty(shape, np.float32)
    counts = np.empty(len(queries), np.int64)
    _kernels.top_k(
        queries,
        table,
        _LAST[table_last],
        query_scale,
        table_scale,
        None if exclude_offsets is None else np.ascontiguousarray(exclude_offsets, np.int64),
        None if exclude_indices is None else np.ascontiguousarray(exclude_indices, np.int32),
        rows,
        indices,
        scores,
        counts,
        _threads(len(queries), _TILE_QUERIES, n_threads),
    )
    return indices, scores, counts


def pair_scores(
    left: NDArray[np.float32],
    right: NDArray[np.float32],
    left_rows: ArrayLike,
    right_rows: ArrayLike,
    *,
    left_last: LastColumn = "stored",
    right_last: LastColumn = "stored",
    left_scale: NDArray[np.float32] | None = None,
    right_scale: NDArray[np.float32] | None = None,
    n_threads: int | None = None,
) -> NDArray[np.float32]:
    """Return the scores float32, shape (n_pairs,); see :func:`alternant.retrieval.pair_scores`."""
    left, right = _tables(left, right)
    _check_scales(left_scale, len(left), right_scale, len(right))
    a, b = _rows(left_rows, len(left), "left_rows"), _rows(right_rows, len(right), "right_rows")
    if len(a) != len(b):
        raise DataError(f"left_rows and right_rows must be of one length, got {len(a)} and {len(b)}")
    scores = np.empty(len(a), np.float32)
    _kernels.pair_scores(
        left,
        right,
        _LAST[left_last],
        _LAST[right_last],
        left_scale,
        right_scale,
        a,
        b,
        scores,
        _threads(len(a), _CHUNK_PAIRS, n_threads),
    )
    return scores


def _threads(n: int, indivisible: int, n_threads: int | None) -> int:
    """Return how many threads; the system is not asked, which takes longer, where one does it all."""
    return 1 if n_threads is None and n <= indivisible else resolve_threads(n_threads)


def _tables(
    a: NDArray[np.float32], b: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    a, b = np.ascontiguousarray(a, np.float32), np.ascontiguousarray(b, np.float32)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise DataError(
            f"both tables must have the same number of columns, got shapes {a.shape} and {b.shape}"
        )
    return a, b


def _rows(rows: ArrayLike, n_rows: int, name: str) -> NDArray[np.int32]:
    array = np.asarray(rows)
    if array.size == 0:
        return np.empty(0, np.int32)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise DataError(f"{name} must be integers in one dimension, got {array.dtype} of shape {array.shape}")
    low, high = array.min(), array.max()
    if low < 0 or high >= n_rows:
        raise DataError(f"{name} must lie in 0..{n_rows - 1}, got {low if low < 0 else high}")
    return np.ascontiguousarray(array, np.int32)


def _check_scales(a: NDArray[np.float32] | None, n_a: int, b: NDArray[np.float32] | None, n_b: int) -> None:
    if a is None and b is None:
        return
    if a is None or b is None or a.shape != (n_a,) or b.shape != (n_b,):
        shapes = [None if scale is None else scale.shape for scale in (a, b)]
        raise DataError(f"scales must have shapes ({n_a},) and ({n_b},), got {shapes[0]} and {shapes[1]}")
