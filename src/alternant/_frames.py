"""Columns out of any frame, and frames out of result arrays.

Frames are read through the Arrow PyCapsule interface where they offer it, through narwhals otherwise. The
frame libraries themselves are never required.
"""

import importlib.util
from collections.abc import Callable, Container, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from alternant._arrays import array_column
from alternant._arrow import is_arrow, read_arrow
from alternant._arrow_numbered import read_numbered
from alternant._columns import Column, NumberStrings
from alternant._usual_names import USUAL_NAMES, closest
from alternant.errors import DataError

FrameType = Literal["pandas", "polars", "pyarrow"]
FRAME_TYPES: tuple[FrameType, ...] = ("pandas", "polars", "pyarrow")

# pandas speaks Arrow by pyarrow: which may be missing, and refuses mixed objects and big-endian numbers
_PANDAS_REFUSALS = (ImportError, TypeError, ValueError, NotImplementedError)


def frame_type_of(frame: object) -> FrameType | None:
    """Return which library `frame` belongs to, or None for any other."""
    root = type(frame).__module__.partition(".")[0]
    return next((name for name in FRAME_TYPES if name == root), None)


def as_column(data: Any, *, name: str) -> Column:
    """Return one column from an array, a sequence, or a series of any library."""
    if is_arrow(data):
        try:
            table = read_arrow(data)
        except _PANDAS_REFUSALS:
            if frame_type_of(data) != "pandas":
                raise
        else:
            return table.whole()
    if frame_type_of(data) == "pandas" and type(data).__name__ == "Series":
        import narwhals as nw

        return _narwhals_column(nw.from_native(data, series_only=True), name=name)
    return array_column(data, name=name)


Parts = Mapping[str, str] | Callable[[list[Any]], Mapping[str, str]]


def read_columns(
    frame: Any, parts: Parts, *, numbered: Container[str] = (), number: NumberStrings | None = None
) -> dict[str, Column]:
    """Return columns of `frame` by name: with Arrow's interface, any eager frame, or a dict of arrays.

    `parts` maps what a column is to be (user, item, value, …) to its name; or is a function that is given
    the names that the frame has, and returns that. With `number` the columns `numbered` may come as distinct
    strings and codes, where they are strings (:mod:`alternant._arrow_numbered`).
    """
    if isinstance(frame, Mapping):
        names = _names(parts, list(frame))
        return {name: as_column(frame[name], name=f"column {name!r}") for name in names}
    kind = frame_type_of(frame)
    if kind == "pandas" and hasattr(frame, "columns"):
        names = _names(parts, list(frame.columns))
        parts = dict(zip(names, names, strict=True)) if callable(parts) else parts
        frame = frame[names]  # a column that is not asked for may be beyond Arrow
    if kind == "polars" and hasattr(frame, "collect"):
        raise DataError("a lazy frame must be collected first: pass frame.collect()")
    if is_arrow(frame):
        try:
            if number is not None:
                return read_numbered(frame, lambda known: _names(parts, known), numbered, number)
            table = read_arrow(frame)
        except _PANDAS_REFUSALS:
            if kind != "pandas":
                raise
        else:
            return {name: table.column(name) for name in _names(parts, table.names)}
    return _read_by_narwhals(frame, parts)


def _names(parts: Parts, known: list[Any]) -> list[str]:
    """Return the names of the columns to read, each once, or refuse one that is not there, or there twice."""
    if callable(parts):
        parts = parts(known)
    for part, name in parts.items():
        if known.count(name) == 0:
            columns = ", ".join(repr(column) for column in known[:20])
            remedy = ""
            if part in USUAL_NAMES and columns:
                remedy = f": name it with {part}={closest(part, known) or '...'!r}"
            raise DataError(f"no column {name!r} in the frame; it has {columns or 'no columns'}{remedy}")
        if known.count(name) > 1:
            raise DataError(f"the frame has {known.count(name)} columns named {name!r}; rename all but one")
    return list(dict.fromkeys(parts.values()))


def _read_by_narwhals(frame: Any, parts: Parts) -> dict[str, Column]:
    import narwhals as nw  # here, because it would double the time that `import alternant` takes

    try:
        eager = nw.from_native(frame, eager_only=True)
    except TypeError as error:
        expected = (
            "a data frame (pandas, polars, pyarrow or any other with Arrow's interface) or a dict of arrays"
        )
        raise DataError(f"frame must be {expected}, got {type(frame).__name__}") from error
    names = _names(parts, eager.columns)
    return {name: _narwhals_column(eager.get_column(name), name=f"column {name!r}") for name in names}


def _narwhals_column(series: Any, *, name: str) -> Column:
    import narwhals as nw

    words = str(series.dtype)
    if series.dtype == nw.Datetime or series.dtype == nw.Date:
        nulls = series.is_null().to_numpy()
        micro = series.cast(nw.Datetime("us")) if series.dtype == nw.Date else series
        stamps = micro.dt.timestamp("us").fill_null(0).to_numpy().astype(np.int64)
        return Column("time", len(stamps), words, stamps // 1_000_000, nulls if nulls.any() else None)
    if series.dtype.is_numeric() or series.dtype == nw.Boolean:
        nulls = series.is_null().to_numpy()
        if nulls.any():
            filled = series.fill_null(False if series.dtype == nw.Boolean else 0)
            column = array_column(filled.to_numpy(), name=name)
            return Column(column.kind, column.n, words, column.values, nulls)
    return array_column(series.to_numpy(), name=name)


def make_frame(columns: Mapping[str, NDArray[Any]], frame_type: FrameType | str | None = None) -> Any:
    """Return `columns` as a frame of `frame_type`.

    None takes the first of pandas, polars and pyarrow that is installed. Columns are arrays of shape (n,);
    text is an object array of str.
    """
    if frame_type is None:
        installed = [name for name in FRAME_TYPES if importlib.util.find_spec(name) is not None]
        if not installed:
            raise DataError(
                "a frame needs pandas, polars or pyarrow, and none is installed: pip install pandas"
            )
        frame_type = installed[0]
    if frame_type not in FRAME_TYPES:
        raise DataError(f"frame_type must be one of {', '.join(FRAME_TYPES)} or None, got {frame_type!r}")
    if importlib.util.find_spec(frame_type) is None:
        raise DataError(f"a {frame_type} frame needs {frame_type}: pip install {frame_type}")
    if frame_type == "pandas":
        import pandas as pd

        return pd.DataFrame(dict(columns))
    if frame_type == "polars":
        import polars as pl

        return pl.DataFrame({name: _text_list(array) for name, array in columns.items()})
    import pyarrow as pa

    return pa.table({name: _text_list(array) for name, array in columns.items()})


def _text_list(array: NDArray[Any]) -> Any:
    return array.tolist() if array.dtype == object else array
