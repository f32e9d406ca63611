"""Entries as compressed sparse rows, and the one way to read them: row blocks."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alternant.errors import DataError
from alternant.kernels import csr


@dataclass(frozen=True, eq=False)
class RowBlock:
    """The rows [begin, end) of an :class:`EntryRows`, as views.

    Attributes
    ----------
    offsets : int64, shape (end - begin + 1,); row r's entries are ``offsets[r - begin] - offsets[0]`` and on.
        The first offset is that of the block within the whole, and need not be 0
    indices : int32, shape (offsets[-1] - offsets[0],), positions in the other direction, rising within a row
    values, weights : float32, shape as `indices`, or None
    times : int64 Unix seconds (or whatever integers the caller gave), shape as `indices`, or None
    """

    begin: int
    end: int
    offsets: NDArray[np.int64]
    indices: NDArray[np.int32]
    values: NDArray[np.float32] | None
    weights: NDArray[np.float32] | None
    times: NDArray[np.int64] | None


@dataclass(frozen=True, eq=False)
class EntryRows:
    """All entries in one orientation; arrays are read-only.

    Higher layers use `n_rows`, `n_columns`, `n_entries`, `offsets`, `counts`, `block` and `blocks` only.

    Attributes
    ----------
    offsets : int64, shape (n_rows + 1,)
    indices : int32, shape (n_entries,), rising within a row, no duplicates
    n_columns : int
    values, weights : float32, shape (n_entries,), or None
    times : int64, shape (n_entries,), or None
    """

    offsets: NDArray[np.int64]
    indices: NDArray[np.int32]
    n_columns: int
    values: NDArray[np.float32] | None = None
    weights: NDArray[np.float32] | None = None
    times: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        for name in ("values", "weights", "times"):
            array = getattr(self, name)
            if array is not None and array.shape != self.indices.shape:
                raise DataError(f"{name} must have shape {self.indices.shape}, got {array.shape}")
        for array in (self.offsets, self.indices, self.values, self.weights, self.times):
            if array is not None:
                array.flags.writeable = False

    @property
    def n_rows(self) -> int:
        """The number of rows, those without entries included."""
        return len(self.offsets) - 1

    @property
    def n_entries(self) -> int:
        """The number of stored entries."""
        return int(self.offsets[-1])

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """The number of entries of each row: int64, shape (n_rows,)."""
        return np.diff(self.offsets)

    def block(self, begin: int, end: int) -> RowBlock:
        """Return the rows [begin, end) as views.

        Examples
        --------
        >>> rows = EntryRows(np.array([0, 2, 3]), np.array([0, 4, 1], dtype=np.int32), n_columns=5)
        >>> rows.block(1, 2).indices.tolist()
        [1]
        """
        if not 0 <= begin <= end <= self.n_rows:
            raise DataError(f"a row block must lie within [0, {self.n_rows}), got [{begin}, {end})")
        offsets = self.offsets[begin : end + 1]
        part = slice(int(offsets[0]), int(offsets[-1]))
        return RowBlock(
            begin=begin,
            end=end,
            offsets=offsets,
            indices=self.indices[part],
            values=None if self.values is None else self.values[part],
            weights=None if self.weights is None else self.weights[part],
            times=None if self.times is None else self.times[part],
        )

    def blocks(self, max_entries: int | None = None) -> Iterator[RowBlock]:
        """Yield all rows in blocks of at most `max_entries` entries (or one row that has more); None: one.

        Examples
        --------
        >>> rows = EntryRows(np.array([0, 2, 3]), np.array([0, 4, 1], dtype=np.int32), n_columns=5)
        >>> [(block.begin, block.end) for block in rows.blocks(max_entries=2)]
        [(0, 1), (1, 2)]
        """
        if max_entries is not None and max_entries < 1:
            raise DataError(f"max_entries must be a positive integer or None, got {max_entries!r}")
        begin = 0
        while begin < self.n_rows:
            end = self.n_rows
            if max_entries is not None:
                limit = self.offsets[begin] + max_entries
                end = max(begin + 1, int(np.searchsorted(self.offsets, limit, side="right")) - 1)
            yield self.block(begin, end)
            begin = end

    def transposed(self) -> "EntryRows":
        """Return the same entries by column: its rows are the columns of this one.

        Examples
        --------
        >>> rows = EntryRows(np.array([0, 2, 3]), np.array([0, 1, 1], dtype=np.int32), n_columns=2)
        >>> rows.transposed().indices.tolist()
        [0, 0, 1]
        """
        columns = {name: getattr(self, name) for name in ("values", "weights", "times")}
        given = {name: array for name, array in columns.items() if array is not None}
        offsets, indices, carried = csr.transpose(
            self.offsets, self.indices, n_columns=self.n_columns, carried=list(given.values())
        )
        return EntryRows(offsets, indices, self.n_rows, **dict(zip(given, carried, strict=True)))

    def chosen(self, index: NDArray[np.int32]) -> "EntryRows":
        """Return the rows `index` (int32, shape (n,)), in its order; -1 is a row without entries.

        Examples
        --------
        >>> rows = EntryRows(np.array([0, 2, 3]), np.array([0, 4, 1], dtype=np.int32), n_columns=5)
        >>> rows.chosen(np.array([1, -1, 0, 1], dtype=np.int32)).indices.tolist()
        [1, 0, 4, 1]
        """
        counts = np.append(self.counts, 0)[index]
        offsets = np.zeros(len(index) + 1, np.int64)
        np.cumsum(counts, out=offsets[1:])
        first = np.append(self.offsets[:-1], 0)[index]
        places = np.arange(int(offsets[-1])) + np.repeat(first - offsets[:-1], counts)
        return EntryRows(
            offsets,
            self.indices[places],
            self.n_columns,
            values=None if self.values is None else self.values[places],
            weights=None if self.weights is None else self.weights[places],
            times=None if self.times is None else self.times[places],
        )

    def widened(self, n_rows: int, n_columns: int) -> "EntryRows":
        """Return the same entries in a larger shape; new rows and columns have none."""
        offsets = np.concatenate([self.offsets, np.full(n_rows - self.n_rows, self.offsets[-1])])
        return EntryRows(
            offsets, self.indices, n_columns, values=self.values, weights=self.weights, times=self.times
        )

    def row_index(self) -> NDArray[np.int32]:
        """Return the row of each entry: int32, shape (n_entries,)."""
        return np.repeat(np.arange(self.n_rows, dtype=np.int32), self.counts)


def masked(rows: EntryRows, keep: NDArray[np.bool_]) -> EntryRows:
    """Return the entries where `keep` (bool, shape (n_entries,)) is True."""
    before = np.zeros(len(keep) + 1, dtype=np.int64)
    np.cumsum(keep, out=before[1:])
    return EntryRows(
        before[rows.offsets],
        rows.indices[keep],
        rows.n_columns,
        values=None if rows.values is None else rows.values[keep],
        weights=None if rows.weights is None else rows.weights[keep],
        times=None if rows.times is None else rows.times[keep],
    )


def entry_mask(entries: Any, n: int) -> NDArray[np.bool_]:
    """Return a choice of entries (a mask, or distinct positions) as a mask: bool, shape (n,)."""
    chosen = np.asarray(entries)
    if chosen.dtype == np.bool_:
        if chosen.shape != (n,):
            raise DataError(f"a mask of entries must have shape ({n},), got {chosen.shape}")
        return chosen
    mask = np.zeros(n, dtype=np.bool_)
    if chosen.size == 0:
        return mask
    if chosen.ndim != 1 or chosen.dtype.kind not in "iu" or chosen.min() < 0 or chosen.max() >= n:
        raise DataError(f"entries must be a mask or positions in [0, {n})")
    mask[chosen] = True
    if np.count_nonzero(mask) != len(chosen):
        raise DataError("positions of entries must be distinct")
    return mask
