"""Exact ranking by inner products, and the scores of single pairs, as one call each.

Checks and converts; knows rows and columns of tables, nothing of users, items or ids.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from alternant import _kernels
from alternant.errors import DataError
from alternant.kernels._threads import resolve_threads

LastColumn = Literal["stored", "one", "zero"]
"""How the last column of a table is read: as it is, as 1, or as 0."""

_LAST: dict[str, int] = {"stored": 0, "one": 1, "zero": 2}


def top_k(
    queries: NDArray[np.float32],
    table: NDArray[np.float32],
    *,
    k: int,
    table_last: LastColumn = "stored",
    query_scale: NDArray[np.float32] | None = None,
    table_scale: NDArray[np.float32] | None = None,
    exclude_offsets: NDArray[np.int64] | None = None,
    exclude_indices: NDArray[np.int32] | None = None,
    candidates: NDArray[np.int32] | None = None,
    n_threads: int | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int64]]:
    """Rank the rows of `table` for each query.

    Returns indices int32 and scores float32, both of shape (n_queries, k'), and counts int64 of shape (n_queries,),
    where k' is the smaller of `k` and the number of candidates; of row q only the first counts[q] places are written.
    :func:`alternant.retrieval.top_k` describes the rest.
    """
    queries, table = _table(queries, "queries"), _table(table, "table")
    candidates = None if candidates is None else np.ascontiguousarray(candidates, np.int32)
    if exclude_offsets is not None and exclude_indices is not None:
        exclude_offsets = np.ascontiguousarray(exclude_offsets, np.int64)
        exclude_indices = np.ascontiguousarray(exclude_indices, np.int32)
    n_candidates = len(table) if candidates is None else len(candidates)
    shape = (len(queries), min(k, n_candidates))
    indices, scores = np.empty(shape, np.int32), np.empty(shape, np.float32)
    counts = np.empty(len(queries), np.int64)
    _kernels.top_k(
        queries,
        table,
        _LAST[table_last],
        _scale(query_scale),
        _scale(table_scale),
        exclude_offsets,
        exclude_indices,
        candidates,
        indices,
        scores,
        counts,
        resolve_threads(n_threads),
    )
    return indices, scores, counts


def pair_scores(
    left: NDArray[np.float32],
    right: NDArray[np.float32],
    left_rows: NDArray[np.int32],
    right_rows: NDArray[np.int32],
    *,
    left_last: LastColumn = "stored",
    right_last: LastColumn = "stored",
    left_scale: NDArray[np.float32] | None = None,
    right_scale: NDArray[np.float32] | None = None,
    n_threads: int | None = None,
) -> NDArray[np.float32]:
    """Return the score float32, shape (n_pairs,), of each pair of rows; see :func:`alternant.retrieval.pair_scores`."""
    left_rows, right_rows = np.ascontiguousarray(left_rows, np.int32), np.ascontiguousarray(right_rows, np.int32)
    scores = np.empty(len(left_rows), np.float32)
    _kernels.pair_scores(
        _table(left, "left"),
        _table(right, "right"),
        _LAST[left_last],
        _LAST[right_last],
        _scale(left_scale),
        _scale(right_scale),
        left_rows,
        right_rows,
        scores,
        resolve_threads(n_threads),
    )
    return scores


def _table(table: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    table = np.asarray(table)
    if table.ndim != 2:
        raise DataError(f"{name} must have two dimensions, got shape {table.shape}")
    return np.ascontiguousarray(table, np.float32)


def _scale(scale: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
    return None if scale is None else np.ascontiguousarray(scale, np.float32)
