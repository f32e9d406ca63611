"""Read values, weights and times from columns: which rows are usable, and what is wrong with the others."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alternant._columns import Column
from alternant._frames import as_column
from alternant.errors import DataError

FLOAT32_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class Numbers:
    """A column as stored: `values` float32 or int64, shape (n,).

    `invalid` is True where a row cannot be used (bool, shape (n,)), or None when all can; `given` holds the
    numbers as the caller gave them, for messages.
    """

    name: str
    values: NDArray[Any]
    invalid: NDArray[np.bool_] | None
    given: NDArray[Any]

    def kept(self, keep: NDArray[np.bool_]) -> "Numbers":
        """Return the rows where `keep` is True, which are all valid."""
        return Numbers(self.name, self.values[keep], None, self.given[keep])


def _invalid(bad: NDArray[np.bool_], column: Column) -> NDArray[np.bool_] | None:
    bad = bad if column.nulls is None else bad | column.nulls
    return bad if bad.any() else None


def _raw(column: Column, name: str, remedy: str) -> NDArray[Any]:
    if column.values is None or column.kind not in ("integer", "float", "boolean", "time"):
        raise DataError(f"{name} must be numbers, got {column.type_name}; {remedy}")
    return column.values


def float32_numbers(column: Column, *, name: str) -> Numbers:
    """Return values or weights as float32; NaN, null and infinity are marked invalid."""
    if column.kind == "time":
        raise DataError(f"{name} must be numbers, got {column.type_name}; pass times as time")
    raw = _raw(column, name, "convert them to floats")
    with np.errstate(over="ignore"):
        values = np.ascontiguousarray(raw, dtype=np.float32)
    if raw.dtype.kind in "iub":
        return Numbers(name, values, column.nulls, _shown(raw, column))
    return Numbers(name, values, _invalid(~np.isfinite(raw), column), _shown(raw, column))


def int64_times(column: Column, *, name: str) -> Numbers:
    """Return times as int64: integers as given, dates and datetimes as Unix seconds, floats rounded down."""
    raw = _raw(column, name, "pass integers, datetimes or Unix seconds")
    if column.kind == "boolean":
        raise DataError(
            f"{name} must be numbers, got {column.type_name}; pass integers, datetimes or Unix seconds"
        )
    if raw.dtype.kind == "f":
        raw = raw.astype(np.float64, copy=False)
        bad = ~(np.abs(raw) < 2.0**63)  # NaN too
        invalid = _invalid(bad, column)
        whole = np.floor(raw if invalid is None else np.where(invalid, 0, raw)).astype(np.int64)
        return Numbers(name, whole, invalid, _shown(raw, column))
    if raw.dtype == np.uint64 and len(raw) and raw.max() > np.iinfo(np.int64).max:
        raise DataError(f"{name} must fit in 64-bit signed integers, got {raw.max()}")
    return Numbers(name, np.ascontiguousarray(raw, dtype=np.int64), column.nulls, _shown(raw, column))


def unix_seconds(times: Any) -> NDArray[np.int64]:
    """Return times of answers (one, or a sequence) as :class:`Interactions` stores them: int64, shape (n,).

    Raises
    ------
    DataError
        They are no times, or one is missing.
    """
    if isinstance(times, np.ndarray) and times.ndim == 0:
        times = times[()]
    is_scalar = not hasattr(times, "__len__") or isinstance(times, str | bytes)
    numbers = int64_times(as_column([times] if is_scalar else times, name="times"), name="times")
    if numbers.invalid is not None:
        place = int(numbers.invalid.argmax())
        raise DataError(f"times must be finite, got {numbers.given.tolist()[place]!r} at position {place}")
    return np.asarray(numbers.values, np.int64)


def _shown(raw: NDArray[Any], column: Column) -> NDArray[Any]:
    if column.nulls is None:
        return raw
    return np.where(column.nulls, np.nan, raw.astype(np.float64))
