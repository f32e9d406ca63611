"""Exact top-k lists, and the scores of single pairs to the same bits.

    score(q, i) = query_scale[q] · table_scale[i] · Σ_c queries[q, c] · table[i, c]        (scales where given)

Every score is one chain of float32 multiply-adds per 64 columns, columns ascending, and the runs of 64 are added in order
(the compiled kernel documents it). So a score depends on the two rows and the instruction-set level only: not on the
other queries, the number of threads, or whether it was ranked or asked for alone. Knows nothing of ids or models.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alternant import kernels
from alternant.errors import DataError
from alternant.kernels import topk
from alternant.kernels.topk import LastColumn

__all__ = ["LastColumn", "pair_scores", "top_k"]


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
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """Rank the rows of a table for each query, by score descending, then by index ascending.

    Memory: 12 bytes for each of the n_queries · k places, and per thread 128 · (width + 7) bytes or less and a few KB;
    no array of all scores is ever made.

    Parameters
    ----------
    queries : float32, shape (n_queries, width)
    table : float32, shape (n_rows, width)
    k : int
        Longest list; a query with fewer rows left gets a shorter one, never padding.
    table_last : {"stored", "one", "zero"}
        How the last column of `table` is read.
    query_scale, table_scale : float32, shapes (n_queries,) and (n_rows,), both or none
    exclude_offsets, exclude_indices : int64, shape (n_queries + 1,), and int32, both or none
        Rows that query q must not get: exclude_indices[exclude_offsets[q]:exclude_offsets[q + 1]], ascending.
    candidates : integers, shape (n_candidates,), optional
        Rank these rows only; any order, repeats allowed.
    n_threads : int, optional

    Returns
    -------
    offsets : int64, shape (n_queries + 1,)
        The list of query q lies at offsets[q]:offsets[q + 1] of the other two.
    indices : int32, shape (offsets[-1],)
    scores : float32, shape (offsets[-1],)
        A row whose score is NaN or minus infinity is not listed.

    Raises
    ------
    DataError
        `k` is not a positive integer, shapes do not fit together, or an index is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> table = np.array([[1.0], [3.0], [2.0]], np.float32)
    >>> offsets, indices, scores = top_k(np.ones((1, 1), np.float32), table, 2)
    >>> indices.tolist(), scores.tolist()
    ([1, 2], [3.0, 2.0])
    """
    _check_k(k)
    queries, table = _checked(queries, table)
    if (exclude_offsets is None) != (exclude_indices is None):
        raise DataError("give exclude_offsets and exclude_indices together, got one of them")
    _check_scales(query_scale, len(queries), table_scale, len(table))
    indices, scores, counts = topk.top_k(
        queries,
        table,
        k=k,
        table_last=table_last,
        query_scale=query_scale,
        table_scale=table_scale,
        exclude_offsets=exclude_offsets,
        exclude_indices=exclude_indices,
        candidates=None if candidates is None else _candidates(candidates, len(table)),
        n_threads=n_threads,
    )
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    if offsets[-1] == indices.size:
        return offsets, indices.reshape(-1), scores.reshape(-1)
    kept = np.arange(indices.shape[1]) < counts[:, None]
    return offsets, indices[kept], scores[kept]


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
    """Score pairs of rows, to the bits by which :func:`top_k` ranks them.

    Parameters
    ----------
    left, right : float32, shapes (n_left, width) and (n_right, width)
    left_rows, right_rows : int32, shape (n_pairs,)
        Pair p is row left_rows[p] of `left` and row right_rows[p] of `right`.
    left_last, right_last : {"stored", "one", "zero"}
        How the last column of each table is read.
    left_scale, right_scale : float32, one value per row, both or none
    n_threads : int, optional

    Returns
    -------
    scores : float32, shape (n_pairs,)

    Raises
    ------
    DataError
        Shapes do not fit together, or a row number is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> table = np.array([[1.0], [3.0], [2.0]], np.float32)
    >>> pair_scores(table, table, np.array([0, 1], np.int32), np.array([2, 2], np.int32)).tolist()
    [2.0, 6.0]
    """
    left, right = _checked(left, right)
    _check_scales(left_scale, len(left), right_scale, len(right))
    left_rows = _rows(left_rows, len(left), "left_rows")
    right_rows = _rows(right_rows, len(right), "right_rows")
    if len(left_rows) != len(right_rows):
        raise DataError(f"left_rows and right_rows must be of one length, got {len(left_rows)} and {len(right_rows)}")
    return topk.pair_scores(
        left,
        right,
        left_rows,
        right_rows,
        left_last=left_last,
        right_last=right_last,
        left_scale=left_scale,
        right_scale=right_scale,
        n_threads=n_threads,
    )


def _check_k(k: int) -> None:
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise DataError(f"k must be a positive integer, got {k!r}")


def _checked(a: NDArray[np.float32], b: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise DataError(f"both tables must have the same number of columns, got shapes {a.shape} and {b.shape}")
    return a, b
