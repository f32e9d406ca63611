"""Check that a column holds labels: integers or strings, none null; and that stored labels are whole."""

import codecs
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alternant._columns import Column, StringChunk
from alternant._frames import as_column
from alternant.errors import DataError
from alternant.kernels import ids as kernels

_TEXT_PIECE = 1 << 22


def label_column(labels: Any, *, what: str) -> Column:
    """Return `labels` as a column of integers or strings without nulls, or refuse it; `what` names them."""
    column = labels if isinstance(labels, Column) else as_column(labels, name=f"{what} ids")
    if column.n == 0 and column.kind not in ("integer", "string"):
        return Column("integer", 0, "int64", np.empty(0, dtype=np.int64))
    row = column.first_null
    if column.kind == "float" and column.values is not None:
        _refuse_floats(column, column.values, what)
    if row is not None:
        raise DataError(f"{what} ids must not be null, got null in row {row}; drop the row")
    if column.kind not in ("integer", "string"):
        raise DataError(
            f"{what} ids must be integers or strings, got {column.type_name}; "
            "convert them, for example with str()"
        )
    return column


def _refuse_floats(column: Column, values: NDArray[Any], what: str) -> None:
    gaps = np.isnan(values) if column.nulls is None else np.isnan(values) | column.nulls
    known = values[~gaps]
    if len(known) == 0:
        raise DataError(f"{what} ids must not be null, got null in row {int(gaps.argmax())}; drop the row")
    if not (np.isfinite(known).all() and (known == np.floor(known)).all()):
        raise DataError(
            f"{what} ids must be integers or strings, got {column.type_name}; convert them to strings"
        )
    if gaps.any():
        raise DataError(
            f"{what} ids must be integers or strings, got {column.type_name} "
            f"(whole numbers with a gap in row {int(gaps.argmax())}); "
            "drop the rows with gaps, then convert with .astype('int64')"
        )
    raise DataError(
        f"{what} ids must be integers or strings, got {column.type_name}; convert with .astype('int64')"
    )


def int64_labels(column: Column, *, what: str) -> NDArray[np.int64]:
    """Return an integer column as int64, or refuse what does not fit."""
    values = np.empty(0, dtype=np.int64) if column.values is None else column.values
    if values.dtype == np.uint64 and len(values) and values.max() > np.iinfo(np.int64).max:
        raise DataError(
            f"{what} ids must fit in 64-bit signed integers, got {values.max()}; convert them to strings"
        )
    return np.ascontiguousarray(values, dtype=np.int64)


def integer_labels(column: Column, *, what: str) -> NDArray[np.int64] | NDArray[np.int32]:
    """Return an integer column as it is where it is int32, else as int64, or refuse what does not fit."""
    if column.values is not None and column.values.dtype == np.int32:
        return np.ascontiguousarray(column.values, dtype=np.int32)
    return int64_labels(column, what=what)


def label_of(column: Column, row: int) -> int | str:
    """Return the label of `row`."""
    if column.values is not None:
        return int(column.values[row])
    index = row if column.codes is None else int(column.codes[row])
    _, data = kernels.take_strings(column.strings, np.array([index], dtype=np.int64))
    return np.asarray(data).tobytes().decode(errors="replace")


def checked_text(chunk: StringChunk, *, what: str) -> StringChunk:
    """Return distinct labels as they are, or refuse bytes that are not UTF-8 (which Arrow does not check)."""
    data = np.asarray(chunk[1])
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for begin in range(0, len(data), _TEXT_PIECE):  # as a whole it would be there three times
            decoder.decode(data[begin : begin + _TEXT_PIECE].tobytes())
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise DataError(f"{what} ids must be valid UTF-8: {error}") from error
    return chunk


def stored_array(array: Any, dtype: Any, name: str) -> NDArray[Any]:
    """Return a view of a stored array, or refuse another dtype or shape."""
    if array.dtype != dtype or array.ndim != 1:
        expected = np.dtype(dtype).name
        raise DataError(
            f"stored ids need {name} of {expected}, shape (n,), got {array.dtype}, shape {array.shape}"
        )
    return np.ascontiguousarray(array).view()


def check_stored_strings(offsets: NDArray[np.int64], data: NDArray[np.uint8]) -> None:
    """Refuse offsets that do not cut `data` into valid UTF-8 strings."""
    if len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != len(data) or (np.diff(offsets) < 0).any():
        raise DataError(f"the offsets of stored ids must rise from 0 to the number of bytes ({len(data)})")
    try:
        data.tobytes().decode()
    except UnicodeDecodeError as error:
        raise DataError(f"stored ids are not valid UTF-8: {error}") from error
    begins = offsets[:-1][np.diff(offsets) > 0]
    if ((data[begins] & 0xC0) == 0x80).any():
        raise DataError("the offsets of stored ids cut a character in two")
