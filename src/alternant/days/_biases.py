"""The biases of users' days that a model holds, and which day a time is of."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from alternant.errors import DataError
from alternant.interactions import EntryRows

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

SECONDS_OF_A_DAY = 86_400
# The year 5138: times beyond it are in milliseconds or finer.
LATEST_TIME = 10**11


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
