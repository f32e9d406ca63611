"""Turn what callers pass as arrays into arrays of the dtype, byte order and layout that the library uses.

In one place, so that read-only, big-endian, strided and oddly typed arrays are converted once or refused
with a true message. It must not know frames or Arrow.
"""

import datetime
import decimal
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alternant._columns import Column, encode_strings
from alternant.errors import DataError


def as_array(data: Any, *, name: str, ndim: int = 1) -> NDArray[Any]:
    """Return `data` as a native, C-contiguous array of `ndim` dimensions; copied only where needed."""
    if isinstance(data, np.ma.MaskedArray):
        raise DataError(
            f"{name} must not be a masked array: the mask would be lost; pass the unmasked entries only"
        )
    if isinstance(data, set | frozenset | Mapping):
        raise DataError(
            f"{name} must be an array or a sequence, got a {type(data).__name__}, whose order says nothing; "
            "pass a list"
        )
    if isinstance(data, str | bytes) or (not hasattr(data, "__array__") and not hasattr(data, "__iter__")):
        raise DataError(f"{name} must be an array or a sequence, got {type(data).__name__}")
    if isinstance(data, list | tuple) and any(isinstance(x, str) for x in data):
        array = np.empty(len(data), dtype=object)  # np.asarray would turn [1, "a"] into strings
        array[:] = data
    else:
        try:
            array = np.asarray(data if hasattr(data, "__array__") else list(data))
        except (ValueError, OverflowError) as error:
            raise DataError(f"{name} cannot be read as an array: {error}") from error
    if array.dtype.kind == "f" and isinstance(data, list | tuple) and all(type(x) is int for x in data):
        array = np.array(data, dtype=object)  # NumPy makes floats of [2**63, -1]
    if array.ndim != ndim:
        words = {1: "one-dimensional", 2: "two-dimensional"}[ndim]
        raise DataError(f"{name} must be {words}, got an array of shape {array.shape}")
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return np.ascontiguousarray(array)


def checked_positions(data: Any, n: int, *, name: str) -> NDArray[np.int32]:
    """Return positions as int32, or refuse what does not lie in [0, n)."""
    array = as_array(data, name=name)
    if array.dtype.kind not in "iu" and len(array):
        raise DataError(f"{name} must be integers, got {array.dtype}")
    if len(array) and (array.min() < 0 or array.max() >= n):
        row = int(((array < 0) | (array >= n)).argmax())
        raise DataError(f"{name} must lie in [0, {n}), got {array[row]} in row {row}")
    return array.astype(np.int32, copy=False)


def array_column(data: Any, *, name: str) -> Column:
    """Return `data` (an array or a sequence) as a column."""
    array = as_array(data, name=name)
    n, words = len(array), str(array.dtype)
    match array.dtype.kind:
        case "i" | "u":
            return Column("integer", n, words, array)
        case "f":
            return Column("float", n, words, array.astype(np.float64) if array.dtype.itemsize > 8 else array)
        case "b":
            return Column("boolean", n, words, array)
        case "M":
            return _time_column(array, words)
        case "U" | "T" | "O":
            return _object_column(array.tolist(), name=name, words=words)
        case _:
            return Column("other", n, "bytes" if array.dtype.kind == "S" else words)


def _time_column(array: NDArray[Any], words: str) -> Column:
    nulls = np.isnat(array)
    # datetime64 casts to coarser units by rounding down, before 1970 too.
    seconds = array.astype("datetime64[s]").astype(np.int64)
    return Column("time", len(array), words, seconds, nulls if nulls.any() else None)


_LISTS = (list, tuple, set, frozenset, np.ndarray)


def _is_null(value: object) -> bool:
    return (
        value is None
        or type(value).__name__ in ("NAType", "NaTType")
        or (isinstance(value, float) and value != value)
    )


def _object_column(values: list[Any], *, name: str, words: str) -> Column:
    """Return Python objects as a column: all text, integers, numbers, times or lists, or "other"."""
    n = len(values)
    kinds = set(map(type, values))
    nulls = None
    if not kinds <= {str, int}:
        nulls = np.fromiter((_is_null(value) for value in values), dtype=np.bool_, count=n)
        kinds = {type(value) for value, null in zip(values, nulls, strict=True) if not null}
        nulls = nulls if nulls.any() else None
    if kinds and all(issubclass(kind, str) for kind in kinds):
        texts = values if nulls is None else ["" if _is_null(value) else value for value in values]
        try:
            return Column("string", n, "str", nulls=nulls, strings=(encode_strings(texts),))
        except UnicodeEncodeError as error:
            raise DataError(f"{name} must be valid text: {error}") from error
    if not kinds:
        return Column("float", n, words, np.full(n, np.nan), nulls)
    if all(issubclass(kind, bool | np.bool_) for kind in kinds):
        return Column("boolean", n, "bool", _filled(values, nulls, False, np.bool_), nulls)
    if all(issubclass(kind, int | np.integer) and kind is not bool for kind in kinds):
        try:
            return Column("integer", n, "int", _filled(values, nulls, 0, np.int64), nulls)
        except OverflowError:
            return Column("other", n, "integers beyond 64 bits", nulls=nulls)
    number_kinds = int | float | decimal.Decimal | np.integer | np.floating
    if all(issubclass(kind, number_kinds) and kind is not bool for kind in kinds):
        return Column("float", n, "float", _filled(values, nulls, math.nan, np.float64), nulls)
    if all(issubclass(kind, datetime.date) for kind in kinds):
        seconds = [0 if _is_null(value) else _unix_seconds(value) for value in values]
        return Column("time", n, "datetime", np.array(seconds, dtype=np.int64), nulls)
    if all(issubclass(kind, _LISTS) for kind in kinds):
        return _list_column(values, nulls, name=name)
    if len(kinds) > 1:
        names = " and ".join(sorted(kind.__name__ for kind in kinds))
        return Column("other", n, f"a mixture of {names}", nulls=nulls)
    return Column("other", n, next(iter(kinds)).__name__, nulls=nulls)


def _list_column(values: list[Any], nulls: NDArray[np.bool_] | None, *, name: str) -> Column:
    lists = [[] if value is None or _is_null(value) else list(value) for value in values]
    ends = np.cumsum(np.fromiter(map(len, lists), dtype=np.int64, count=len(lists)))
    flat = [element for elements in lists for element in elements]
    elements = _object_column(flat, name=name, words="null")
    begins = np.concatenate([np.zeros(1, dtype=np.int64), ends[:-1]])
    return Column("list", len(values), "list", nulls=nulls, elements=elements, begins=begins, ends=ends)


def _filled(values: list[Any], nulls: NDArray[np.bool_] | None, fill: Any, dtype: Any) -> NDArray[Any]:
    filled = values if nulls is None else [fill if _is_null(value) else value for value in values]
    return np.array(filled, dtype=dtype)


def _unix_seconds(value: datetime.date) -> int:
    """Return Unix seconds, rounded down; without a time zone, UTC is meant."""
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime(value.year, value.month, value.day)
    if value.tzinfo is None:
        value = value.replace(tzinfo=datetime.UTC)
    return math.floor(value.timestamp())
