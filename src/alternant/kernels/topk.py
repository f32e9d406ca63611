"""Exact ranking by inner products, and the scores of single pairs, as one call each.

Checks, converts and explains; knows rows and columns of tables, nothing of users, items or ids.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alternant import _kernels
from alternant.errors import DataError
from alternant.kernels._threads import resolve_threads

LastColumn = Literal["stored", "one", "zero"]
"""How the last column of a table is read: as it is, as 1, or as 0."""

Screen = Literal["float32", "int8 in pairs", "int8 in fours"]
"""The numbers in which a table is looked at before scores are computed; lists are the same with all."""

# What the compiled side never divides among threads (cpp/topk_binding.cpp).
_TILE_QUERIES = 6
_CHUNK_PAIRS = 4096
# Numbers of cpp/topk_task.hpp.
_PANEL_ROWS = 64
_PANEL_BOUNDS = 4
_WIDEST_INT8 = 8192
# Packing a row costs about as much as scoring it so often (measured at 64 columns).
_PACKED_FROM = 24

_LAST: dict[str, int] = {"stored": 0, "one": 1, "zero": 2}
_SCREENS: dict[Screen, int] = {"float32": 0, "int8 in pairs": 1, "int8 in fours": 2}


def screens() -> tuple[Screen, ...]:
    """Return the screens of the level in use, the fastest last.

    Examples
    --------
    >>> screens()[0]
    'float32'
    """
    return tuple(name for name, number in _SCREENS.items() if _kernels.has_screen(number))


@dataclass(frozen=True, eq=False)
class PackedTable:
    """The rows of a table that may be listed, ready to be ranked for many queries; :func:`pack` makes it.

    Bytes: 4 for each row of `table`; for each of `order` 4 and, where packed, 5·width + 4 (8·width without
    int8). `table` itself is kept, not copied.

    Attributes
    ----------
    table : float32, shape (n_rows, width)
    table_last : how its last column is read
    table_scale : float32, shape (n_rows,), or None
    order : int32, shape (n,), the rows that may be listed: by falling norm where packed, else ascending
    position : int32, shape (n_rows,), where a row is in `order`; -1 for one that may not be listed
    screen : the format of `panels`
    rows : float32, shape (n, width), the rows of `order`, or None where every row is to be scored
    panels : uint8, or None
    bounds : float32, shape (n_panels, 4), or None
    isa : the level whose layout `panels` has
    """

    table: NDArray[np.float32]
    table_last: LastColumn
    table_scale: NDArray[np.float32] | None
    order: NDArray[np.int32]
    position: NDArray[np.int32]
    screen: Screen
    rows: NDArray[np.float32] | None
    panels: NDArray[np.uint8] | None
    bounds: NDArray[np.float32] | None
    isa: str


def pack(
    table: NDArray[np.float32],
    *,
    table_last: LastColumn = "stored",
    table_scale: NDArray[np.float32] | None = None,
    candidates: ArrayLike | None = None,
    n_queries: int | None = None,
    screen: Screen | None = None,
    n_threads: int | None = None,
) -> PackedTable:
    """Make a table ready for :func:`top_k`.

    `n_queries` is how many will be asked, if known: for a few, all rows are scored without a screen.
    `screen` None is the fastest that this machine has.
    """
    table = np.ascontiguousarray(table, np.float32)
    if table.ndim != 2:
        raise DataError(f"a table must have two dimensions, got shape {table.shape}")
    if table_scale is not None and table_scale.shape != (len(table),):
        raise DataError(f"table_scale must have shape ({len(table)},), got {table_scale.shape}")
    order = np.arange(len(table), dtype=np.int32)
    if candidates is not None:
        order = _rows(candidates, len(table), "candidates")
        if (np.diff(order) <= 0).any():
            order = np.unique(order)
    if screen is None:
        screen = screens()[-1] if table.shape[1] <= _WIDEST_INT8 else "float32"
    elif screen not in screens():
        raise DataError(f"screen must be one of {', '.join(screens())} here, got {screen!r}")
    rows = panels = bounds = None
    if n_queries is None or n_queries >= _PACKED_FROM:
        threads = _threads(len(order), 1024, n_threads)
        norms = np.empty(len(order), np.float64)
        _kernels.row_norms(table, _LAST[table_last], table_scale, order, norms, threads)
        order = order[np.argsort(-norms, kind="stable")]
        n_panels = -(-len(order) // _PANEL_ROWS)
        each = 4 * table.shape[1] if screen == "float32" else -(-table.shape[1] // 4) * 4
        rows = np.empty((len(order), table.shape[1]), np.float32)
        panels = np.empty(n_panels * _PANEL_ROWS * each, np.uint8)
        bounds = np.empty((n_panels, _PANEL_BOUNDS), np.float32)
        _kernels.pack_panels(
            table, _LAST[table_last], table_scale, order, _SCREENS[screen], rows, panels, bounds, threads
        )
    position = np.full(len(table), -1, np.int32)
    position[order] = np.arange(len(order), dtype=np.int32)
    return PackedTable(
        table, table_last, table_scale, order, position, screen, rows, panels, bounds, _kernels.isa()
    )


def top_k(
    queries: NDArray[np.float32],
    packed: PackedTable,
    k: int,
    *,
    query_scale: NDArray[np.float32] | None = None,
    exclude_offsets: NDArray[np.int64] | None = None,
    exclude_indices: NDArray[np.int32] | None = None,
    exclude_rows: NDArray[np.int32] | None = None,
    n_threads: int | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int64]]:
    """Rank the rows of a packed table for each query.

    Returns indices int32 and scores float32, both of shape (n_queries, k'), and counts int64, shape
    (n_queries,), where k' is the smaller of `k` and the number of candidates; of row q only the first
    counts[q] are written. :func:`alternant.retrieval.top_k` describes the arguments.
    """
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise DataError(f"k must be a positive integer, got {k!r}")
    queries, table = _tables(queries, packed.table)
    _check_scales(query_scale, len(queries), packed.table_scale, len(table))
    if (exclude_offsets is None) != (exclude_indices is None):
        raise DataError("exclude_offsets and exclude_indices go together, got one of them")
    if packed.panels is not None and packed.isa != _kernels.isa():
        raise DataError(f"this table was packed for level {packed.isa!r}, and {_kernels.isa()!r} is in use")
    shape = (len(queries), min(int(k), len(packed.order)))
    indices, scores = np.empty(shape, np.int32), np.empty(shape, np.float32)
    counts = np.empty(len(queries), np.int64)
    _kernels.top_k(
        queries,
        table,
        _LAST[packed.table_last],
        query_scale,
        packed.table_scale,
        None if exclude_offsets is None else np.ascontiguousarray(exclude_offsets, np.int64),
        None if exclude_indices is None else np.ascontiguousarray(exclude_indices, np.int32),
        None if exclude_rows is None else np.ascontiguousarray(exclude_rows, np.int32),
        packed.order,
        packed.position,
        _SCREENS[packed.screen],
        packed.rows,
        packed.panels,
        packed.bounds,
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
