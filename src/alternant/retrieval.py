"""Exact top-k lists, and the scores of single pairs to the same bits.

    score(q, i) = query_scale[q] · table_scale[i] · Σ_c queries[q, c] · table[i, c]     (scales where given)

Every score is one chain of float32 multiply-adds per lane of a vector (column c belongs to lane c modulo
their number), and the sum of the lanes. So it depends on the two rows and the instruction-set level: not on
the other queries, the number of threads, or whether it was ranked or asked for alone.

Not every score is computed. Rows are looked at in 8-bit integers, by falling norm, under a bound on the
error that always holds; those that might be listed are scored (cpp/topk.hpp). Knows nothing of ids or models.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alternant.errors import DataError
from alternant.kernels import topk
from alternant.kernels.topk import LastColumn, PackedTable, pack

__all__ = ["LastColumn", "PackedTable", "pack", "pair_scores", "top_k"]


def top_k(
    queries: NDArray[np.float32],
    table: NDArray[np.float32] | PackedTable,
    k: int,
    *,
    table_last: LastColumn = "stored",
    query_scale: NDArray[np.float32] | None = None,
    table_scale: NDArray[np.float32] | None = None,
    exclude_offsets: NDArray[np.int64] | None = None,
    exclude_indices: NDArray[np.int32] | None = None,
    exclude_rows: NDArray[np.int32] | None = None,
    candidates: ArrayLike | None = None,
    n_threads: int | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """Rank the rows of a table for each query, by score descending, then by index ascending.

    Memory, beside the arguments, of a call with Q queries and n candidates in p = ⌈n / 64⌉ panels of W
    columns (rounded up to 4): 8 · Q · k + 8 · Q bytes for the result (twice that while lists of unequal
    length are put together); the packed table (see `PackedTable`); and per thread, for the B ≤ 192 queries
    that it looks at together, at most B · (4 · W + 160 + 8 · p) bytes, of which 8 · B · p, the excluded
    rows, are at most 16 MiB or those of 6 queries. An array of all scores is never made.

    Parameters
    ----------
    queries : float32, shape (n_queries, width)
    table : float32, shape (n_rows, width), or PackedTable
        What :func:`pack` made serves any number of calls; it holds `table_last`, `table_scale` and
        `candidates`, which must then not be given.
    k : int
        Longest list; a query with fewer rows left gets a shorter one, never padding.
    table_last : {"stored", "one", "zero"}
        How the last column of `table` is read.
    query_scale, table_scale : float32, shapes (n_queries,) and (n_rows,), both or none
    exclude_offsets, exclude_indices : int64, shape (n_queries + 1,), and int32, both or none
        Rows that query q must not get: exclude_indices[exclude_offsets[q]:exclude_offsets[q + 1]], ascending.
    exclude_rows : int32, shape (n_queries,), optional
        Where it is given, those of query q are at r = exclude_rows[q] in place of q: the offsets are those of
        a whole history, and the queries some of its rows.
    candidates : integers, shape (n_candidates,), optional
        Rank these rows only; any order, repeats count once.
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
        `k` is not a positive integer, shapes do not fit together, or a candidate is out of range.
    ValueError
        The exclude arrays are out of order or out of range.

    Examples
    --------
    >>> import numpy as np
    >>> table = np.array([[1.0], [3.0], [2.0]], np.float32)
    >>> offsets, indices, scores = top_k(np.ones((1, 1), np.float32), table, 2)
    >>> indices.tolist(), scores.tolist()
    ([1, 2], [3.0, 2.0])
    """
    if isinstance(table, PackedTable):
        if table_last != "stored" or table_scale is not None or candidates is not None:
            raise DataError("a packed table holds table_last, table_scale and candidates; give them to pack")
        packed = table
    else:
        packed = pack(
            table,
            table_last=table_last,
            table_scale=table_scale,
            candidates=candidates,
            n_queries=len(queries),
            n_threads=n_threads,
        )
    indices, scores, counts = topk.top_k(
        queries,
        packed,
        k,
        query_scale=query_scale,
        exclude_offsets=exclude_offsets,
        exclude_indices=exclude_indices,
        exclude_rows=exclude_rows,
        n_threads=n_threads,
    )
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    if offsets[-1] == indices.size:
        return offsets, indices.reshape(-1), scores.reshape(-1)
    listed = np.arange(indices.shape[1]) < counts[:, None]
    return offsets, indices[listed], scores[listed]


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
    """Score pairs of rows, to the bits by which :func:`top_k` ranks them.

    Parameters
    ----------
    left, right : float32, shapes (n_left, width) and (n_right, width)
    left_rows, right_rows : integers, shape (n_pairs,)
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
    >>> pair_scores(table, table, [0, 1], [2, 2]).tolist()
    [2.0, 6.0]
    """
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
