"""Biases of users' days: what all that a user rated on one day has in common.

    t ≈ … + d_{u, day},        with the penalty λ Σ d²

A day is 86,400 seconds of Unix time, so it begins at midnight UTC. Given a user's row x, the best d of a day
g with entries e is

    d_g = Σ w (t − y·x) / (W_g + λ),        W_g = Σ w,

and with it in place what the row minimises is an ordinary weighted regression on *spread* entries: with the
weighted means ȳ and t̄ of a day,

    y ← y + κ (y − ȳ),   t ← t + κ (t − t̄),   w ← w λ / (W + λ),        κ = √((W + λ) / λ) − 1.

(The sum of w (t − y·x)² over a day is W r̄² and what the residuals r vary about r̄; with d, W r̄² shrinks by
λ / (W + λ).) So the solvers of rows, prior means and constraints work as they are, a row and its days are
solved exactly and at once, and the loss of a row counts λ Σ d² in. It must not know models.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from alternant.errors import DataError
from alternant.interactions import EntryRows, Interactions, RowBlock
from alternant.kernels import csr, dense

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

SECONDS_OF_A_DAY = 86_400
# The year 5138: times beyond it are in milliseconds or finer.
LATEST_TIME = 10**11
# A spread entry takes a row of float32 factors.
ENTRIES_AT_ONCE = 1 << 18


def day_of(times: Int64) -> Int64:
    """Return the day of each time in Unix seconds: int64.

    Raises
    ------
    DataError
        The times are in milliseconds or finer.

    Examples
    --------
    >>> day_of(np.array([0, 86_399, 86_400, -1])).tolist()
    [0, 0, 1, -1]
    """
    if len(times) and (times.max() > LATEST_TIME or times.min() < -LATEST_TIME):
        wrong = times.max() if times.max() > LATEST_TIME else times.min()
        raise DataError(
            f"biases of days need times in Unix seconds, got {int(wrong)}; "
            "divide milliseconds by 1,000, or pass datetimes"
        )
    return np.asarray(np.floor_divide(times, SECONDS_OF_A_DAY))


def days_of(rows: EntryRows) -> Int64:
    """Return the day of each entry: int64, shape (n_entries,).

    Raises
    ------
    DataError
        The entries have no times.
    """
    if rows.times is not None:
        return day_of(rows.times)
    if rows.n_entries == 0:
        return np.empty(0, np.int64)
    raise DataError(
        "biases of days need times, and these interactions have none; name the time column with time="
    )


@dataclass(frozen=True, eq=False)
class DayBiases:
    """The biases of users' days that a model holds.

    Attributes
    ----------
    offsets : int64, shape (n_users + 1,); the days of user u lie at ``offsets[u]:offsets[u + 1]``
    days : int64, shape (n_days,), rising within a user: Unix seconds over 86,400, rounded down
    values : float32, shape (n_days,)
    """

    offsets: Int64
    days: Int64
    values: Float32

    def __post_init__(self) -> None:
        n = len(self.days)
        shapes = self.offsets.ndim == self.days.ndim == self.values.ndim == 1 and len(self.values) == n
        dtypes = "int64", "int64", "float32"
        fits = all(array.dtype == dtype for array, dtype in zip(self._arrays, dtypes, strict=True))
        if not (shapes and fits and len(self.offsets)):
            raise DataError(
                "day biases must be int64 offsets and days and float32 values, one for each day, "
                f"got {', '.join(f'{a.dtype} of shape {a.shape}' for a in self._arrays)}"
            )
        steps = np.diff(self.offsets)
        if self.offsets[0] != 0 or self.offsets[-1] != n or (len(steps) and steps.min() < 0):
            raise DataError(f"offsets of day biases must rise from 0 to {n}: the data is damaged")
        within = np.ones(n, np.bool_)
        within[self.offsets[:-1][steps > 0]] = False
        if not (np.diff(self.days)[within[1:]] > 0).all():
            raise DataError("days of a user must rise: the data is damaged")
        if not np.isfinite(self.values).all():
            raise DataError("day biases must be finite, got NaN or infinity")
        for array in self._arrays:
            array.flags.writeable = False

    @property
    def _arrays(self) -> tuple[npt.NDArray[Any], ...]:
        return self.offsets, self.days, self.values

    @property
    def n_users(self) -> int:
        """The number of users, those without days included."""
        return len(self.offsets) - 1

    def at(self, user_index: npt.NDArray[np.integer], days: Int64) -> Float32:
        """Return the bias of each (user, day), 0 where there is none: float32, shape (n,).

        Examples
        --------
        >>> biases = DayBiases(np.array([0, 2, 2]), np.array([3, 7]), np.array([0.5, -1.0], np.float32))
        >>> biases.at(np.array([0, 0, 1]), np.array([7, 5, 7])).tolist()
        [-1.0, 0.0, 0.0]
        """
        distinct, keys = self._keys
        found = np.zeros(len(days), np.float32)
        if len(keys) == 0:
            return found
        code = np.minimum(np.searchsorted(distinct, days), len(distinct) - 1)
        asked = user_index.astype(np.int64) * len(distinct) + code
        place = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
        known = (distinct[code] == days) & (keys[place] == asked)
        found[known] = self.values[place[known]]
        return found

    @cached_property
    def _keys(self) -> tuple[Int64, Int64]:
        """Distinct days, and a number for each (user, day), rising."""
        distinct, code = np.unique(self.days, return_inverse=True)
        users = np.repeat(np.arange(self.n_users), np.diff(self.offsets))
        return distinct, users * len(distinct) + code

    def chosen(self, index: npt.NDArray[np.integer]) -> "DayBiases":
        """Return those of the users `index`, in its order; -1 is a user without days.

        Examples
        --------
        >>> biases = DayBiases(np.array([0, 2, 2]), np.array([3, 7]), np.array([0.5, -1.0], np.float32))
        >>> biases.chosen(np.array([1, -1, 0])).offsets.tolist()
        [0, 0, 0, 2]
        """
        counts = np.append(np.diff(self.offsets), 0)[index]
        offsets = np.zeros(len(index) + 1, np.int64)
        np.cumsum(counts, out=offsets[1:])
        first = np.append(self.offsets[:-1], 0)[index]
        places = np.arange(int(offsets[-1])) + np.repeat(first - offsets[:-1], counts)
        return DayBiases(offsets, self.days[places], self.values[places])

    def widened(self, n_users: int) -> "DayBiases":
        """Return the same with more users, who have no days."""
        more = np.full(n_users - self.n_users, self.offsets[-1])
        return DayBiases(np.concatenate([self.offsets, more]), self.days, self.values)

    def replaced(self, index: npt.NDArray[np.integer], new: "DayBiases") -> "DayBiases":
        """Return these, but those of the users `index` are the rows of `new`."""
        both = DayBiases(
            np.concatenate([self.offsets, new.offsets[1:] + self.offsets[-1]]),
            np.concatenate([self.days, new.days]),
            np.concatenate([self.values, new.values]),
        )
        places = np.arange(self.n_users)
        places[index] = self.n_users + np.arange(new.n_users)
        return both.chosen(places)


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
        return self.of_entry[csr.transpose(rows.offsets, rows.indices, n_columns=rows.n_columns)[2]]

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
