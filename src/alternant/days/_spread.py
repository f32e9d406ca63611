"""The entries of users by day, spread so that solving a user's row solves the biases of his days along.

    t ≈ … + d_{u, day},        with the penalty λ Σ d²

Given the row x, the best d of a day g with entries e is

    d_g = Σ w (t − y·x) / (W_g + λ),        W_g = Σ w,

and with it in place what the row minimises is an ordinary weighted regression on *spread* entries: with the
weighted means ȳ and t̄ of a day,

    y ← y + κ (y − ȳ),   t ← t + κ (t − t̄),   w ← w λ / (W + λ),        κ = √((W + λ) / λ) − 1.

(The sum of w (t − y·x)² over a day is W r̄² and what the residuals r vary about r̄; with d, W r̄² shrinks by
λ / (W + λ).) So the solvers of rows, prior means and constraints work as they are, a row and its days are
solved exactly and at once, and the loss of a row counts λ Σ d² in.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from alternant.days._biases import DayBiases, days_of
from alternant.errors import DataError
from alternant.interactions import EntryRows, Interactions, RowBlock
from alternant.kernels import csr, dense

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

# A spread entry takes a row of float32 factors.
ENTRIES_AT_ONCE = 1 << 18


@dataclass(frozen=True, eq=False)
class UserDays:
    """The prepared entries of users, by day.

    Attributes
    ----------
    rows : EntryRows of users, with times
    order : int64, shape (n_entries,), the entries sorted by user, day and item
    offsets : int64, shape (n_users + 1,), the days of each user
    days : int64, shape (n_days,)
    entry_offsets : int64, shape (n_days + 1,), the entries of each day, in `order`
    """

    rows: EntryRows
    order: Int64
    offsets: Int64
    days: Int64
    entry_offsets: Int64

    @classmethod
    def of(cls, rows: EntryRows) -> "UserDays":
        """Return the entries of users' rows by day.

        Raises
        ------
        DataError
            The entries have no times.

        Examples
        --------
        >>> times = np.array([90_000, 5, 95_000])
        >>> rows = EntryRows(np.array([0, 3]), np.arange(3, dtype=np.int32), n_columns=3, times=times)
        >>> UserDays.of(rows).days.tolist(), UserDays.of(rows).order.tolist()
        ([0, 1], [1, 0, 2])
        """
        n, days, users = rows.n_entries, days_of(rows), rows.row_index()
        order = np.lexsort((days, users)).astype(np.int64, copy=False)
        days, users = days[order], users[order]
        is_first = np.ones(n, np.bool_)
        is_first[1:] = (days[1:] != days[:-1]) | (users[1:] != users[:-1])
        first = np.flatnonzero(is_first)
        offsets = np.searchsorted(first, rows.offsets).astype(np.int64, copy=False)
        return cls(rows, order, offsets, days[first], np.append(first, n))

    @cached_property
    def of_entry(self) -> Int64:
        """The day of each entry, by user: int64, shape (n_entries,)."""
        found = np.empty(len(self.order), np.int64)
        found[self.order] = np.repeat(np.arange(len(self.days)), np.diff(self.entry_offsets))
        return found

    @cached_property
    def of_entry_by_item(self) -> Int64:
        """The day of each entry, by item: int64, shape (n_entries,)."""
        rows = self.rows
        _, _, (found,) = csr.transpose(
            rows.offsets, rows.indices, n_columns=rows.n_columns, carried=[self.of_entry]
        )
        return found

    def taken_off(self, by_item: EntryRows, values: Float32) -> EntryRows:
        """Return the entries by item, whose targets are less the biases `values` (float32) of their days."""
        if by_item.values is None:
            raise DataError("biases of days need values, got entries without")
        return replace(by_item, values=by_item.values - values[self.of_entry_by_item])

    def biases(self, values: Float32) -> DayBiases:
        """Return biases, float32 of shape (n_days,), as a model holds them."""
        return DayBiases(self.offsets, self.days, values)

    def spread(self, begin: int, end: int, table: Float32, *, ridge: float, n_threads: int) -> "Spread":
        """Return the entries of the users [begin, end) spread, and each one's row of the fixed side.

        Parameters
        ----------
        table : float32, shape (n_items, width)
        ridge : λ, above 0
        """
        rows, part = self.rows, slice(int(self.offsets[begin]), int(self.offsets[end]))
        offsets = self.entry_offsets[part.start : part.stop + 1]
        first = int(offsets[0])
        local = offsets - first
        sizes = np.diff(offsets)
        order = self.order[first : int(offsets[-1])]
        n = len(order)
        indices = rows.indices[order]
        w = np.ones(n) if rows.weights is None else rows.weights[order].astype(np.float64)
        t = np.ones(n) if rows.values is None else rows.values[order].astype(np.float64)
        weight = _sums(w, local)
        share = w / np.repeat(np.where(weight > 0.0, weight, 1.0), sizes)
        kappa = np.sqrt((weight + ridge) / ridge) - 1.0
        # A day is a row of a sparse matrix of the items that it has.
        averages = RowBlock(0, len(sizes), local, indices, share.astype(np.float32), None, None)
        row_means = dense.multiply_sparse(averages, table, n_threads=n_threads)
        means = _sums(share * t, local)
        t += np.repeat(kappa, sizes) * (t - np.repeat(means, sizes))
        y = table[indices]
        y += np.repeat(kappa.astype(np.float32), sizes)[:, None] * (y - np.repeat(row_means, sizes, axis=0))
        w *= np.repeat(ridge / (weight + ridge), sizes)
        block = RowBlock(
            begin,
            end,
            rows.offsets[begin : end + 1] - rows.offsets[begin],
            np.arange(n, dtype=np.int32),
            t.astype(np.float32),
            w.astype(np.float32),
            None,
        )
        owner = np.repeat(np.arange(end - begin), np.diff(self.offsets[begin : end + 1]))
        return Spread(block, y, part, owner, weight / (weight + ridge), means, row_means)


@dataclass(frozen=True, eq=False)
class Spread:
    """Spread entries of a block of users, and what their days' biases follow from.

    Attributes
    ----------
    block : RowBlock, entries by user and day; index e is row e of `table`
    table : float32, shape (n_entries, width)
    part : the block's days among all
    owner : int64, shape (n_days,), the user of each day, from 0
    shrinkage : float64, shape (n_days,), W / (W + λ)
    means : float64, shape (n_days,), t̄
    row_means : float32, shape (n_days, width), ȳ
    """

    block: RowBlock
    table: Float32
    part: slice
    owner: Int64
    shrinkage: Float64
    means: Float64
    row_means: Float32

    def biases(self, found: Float32, *, center: float, has_bias: bool) -> Float32:
        """Return the biases of the days, float32 of shape (n_days,), given the users' rows `found`."""
        x, y = found[self.owner].astype(np.float64), self.row_means.astype(np.float64)
        k = found.shape[1] - has_bias
        fitted = center + np.einsum("ij,ij->i", x[:, :k], y[:, :k])
        if has_bias:
            fitted += x[:, -1] + y[:, -1]
        return np.asarray(self.shrinkage * (self.means - fitted), np.float32)

    def penalties(self, values: Float32, *, ridge: float) -> Float64:
        """Return λ Σ d² of each user: float64, shape (n_users,)."""
        squares = ridge * np.square(values, dtype=np.float64)
        return np.bincount(self.owner, squares, self.block.end - self.block.begin).astype(np.float64)


def taken_off(prepared: Interactions, at_entry: Float32) -> Interactions:
    """Return prepared interactions whose targets are less `at_entry`, float32 of shape (n_entries,)."""
    rows = prepared.by_user
    if rows.values is None:
        raise DataError("biases of days need values, got entries without")
    by_user = replace(rows, values=rows.values - at_entry)
    return replace(prepared, by_user=by_user, by_item=by_user.transposed())


def _sums(numbers: Float64, offsets: Int64) -> Float64:
    """Return the sum over each run of entries, none of them empty: float64, shape (n_runs,)."""
    if len(offsets) < 2:
        return np.empty(0)
    return np.add.reduceat(numbers, offsets[:-1])
