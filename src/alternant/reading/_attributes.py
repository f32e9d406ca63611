"""Read a table of attributes of users or items."""

import logging
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alternant.attributes import AttributeKind, id_column_of
from alternant.errors import DataError
from alternant.reading import _text
from alternant.reading._columns import listed
from alternant.reading._duckdb import (
    Connection,
    NotUtf8Error,
    arrays_of,
    connect,
    identifier,
    rows_of,
    translated,
)
from alternant.reading._source import Source, as_latin1, open_source
from alternant.reading._types import Kind, id_expression

_log = logging.getLogger("alternant.reading")

_ID = ("id", "Id", "ID")  # usual in tables of attributes: tells a line of names
_INTEGERS = "TINYINT SMALLINT INTEGER BIGINT UTINYINT USMALLINT UINTEGER".split()  # noqa: SIM905
_TEXTS = r"VARCHAR|UUID|ENUM\(.*\)"
_NUMBERS = r"FLOAT|DOUBLE|U?HUGEINT|UBIGINT|DECIMAL\(.*\)"
# DuckDB type -> what it is read as
_READ_AS = (
    ("BOOLEAN", "boolean"),
    ("|".join(_INTEGERS), "bigint"),
    (_NUMBERS, "double"),
    (_TEXTS, "varchar"),
    (r"DATE|TIMESTAMP.*", "timestamp"),
    (rf"({_TEXTS}|BOOLEAN|U?BIGINT|{'|'.join(_INTEGERS)})\[\d*\]", "varchar[]"),
    (rf"({_NUMBERS})\[\d*\]", "double[]"),
)


def read_attributes(
    source: str | os.PathLike[str],
    *,
    id_column: str | None = None,
    columns: Mapping[str, AttributeKind | None] | Sequence[str] | None = None,
    id_kind: Kind | None = None,
) -> dict[str, NDArray[Any]]:
    """Read a table of attributes, such as ``movies.csv`` (movieId, title, genres), as columns by name.

    Columns of text files are read as integers or numbers where each cell is empty or such (and none begins
    with a needless zero, as zip codes do), as booleans where each is ``true`` or ``false``, else as strings
    without the spaces around them. Other sources have types, which are kept; lists become lists of strings.

    Parameters
    ----------
    source : str or path
        What :func:`read` accepts.
    id_column : str or None
        The column of the ids. Default: the first that has a usual name of an item id or user id, or ``id``;
        the first column of a file without a header.
    columns : mapping of str to kind, sequence of str, or None
        The columns to read beside the ids, as for ``AttributeEncoding.fit``: "categorical" and "tags" are
        read as they are written, "numeric" must be numbers. Default: all of a type that can be used; others
        are left out with a warning in the log.
    id_kind : {"integer", "string"} or None
        What ids are to be, where they have to agree with those of ratings. Default: the rule of :func:`read`.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        The ids first, then the columns in the order of the source: bool, int64, float64 (NaN where missing),
        datetime64, or object (str or list of str). Where values are missing, booleans and integers are
        objects, too, and None stands for what is missing. It is a table for ``AttributeEncoding.fit``, and
        for a data frame of any library.

    Raises
    ------
    DataError
        The file is missing, empty or malformed; no column looks like ids; a column of `columns` is missing,
        is of a type that cannot be used, or is "numeric" and holds other text (the message names the line);
        an id of a text file is empty.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from alternant.reading import read_attributes
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "movies.csv"
    >>> _ = path.write_text("movieId,genres,year\\n1,Comedy|Drama,1995\\n2,Drama,\\n")
    >>> read_attributes(path)["year"].tolist()
    [1995, None]
    """
    if id_kind not in (None, "integer", "string"):
        raise DataError(f'id_kind must be "integer", "string" or None, got {id_kind!r}')
    if isinstance(columns, str) or not isinstance(columns, Mapping | Sequence | None):
        raise DataError(f"columns must map names to kinds, or be a list of names, got {columns!r}")
    kinds: dict[str, Any] | None = None
    if columns is not None:
        kinds = dict(columns) if isinstance(columns, Mapping) else dict.fromkeys(columns)
    connection = connect()
    opened = open_source(connection, source, asked=[*_ID, id_column, *(kinds or ())])
    label, what = _id_column(opened, id_column)
    names = _chosen(opened, label, kinds)
    wished = {name: (kinds or {}).get(name) for name in names}
    _log.info("reading attributes from %s: id=%s, %s", opened.name, label, ", ".join(names))
    try:
        arrays = _arrays(connection, opened, what, label, wished, id_kind)
    except NotUtf8Error:
        arrays = _arrays(connection, as_latin1(opened), what, label, wished, id_kind)
    return {name: _plain(array) for name, array in arrays.items()}


def _id_column(source: Source, asked: str | None) -> tuple[str, str]:
    """Return the column of ids, and whose they are, for messages."""
    names = list(source.columns)
    if asked is None and source.dialect is not None and not source.dialect.has_header:
        return names[0], "item"
    candidates = names if asked is None else [asked]
    found = {what: id_column_of(candidates, what) for what in ("item", "user")}
    usual = [(name, what) for what, name in found.items() if name is not None]
    if asked is not None:
        if asked not in names:
            raise DataError(
                f"{source.name} has no column {asked!r} (asked for as id_column); its columns are "
                f"{listed(names)}"
            )
        return asked, usual[0][1] if usual else "item"
    if not usual:
        raise DataError(
            f"{source.name} has no column that looks like ids; its columns are {listed(names)}: name one "
            "with id_column="
        )
    return min(usual, key=lambda pair: names.index(pair[0]))


def _chosen(source: Source, label: str, kinds: Mapping[str, Any] | None) -> list[str]:
    """Return the attributes to read, in the order of the source."""
    if kinds is None:
        chosen = []
        for name, stored in source.columns.items():
            if name == label:
                continue
            if _read_as(stored) is None:
                _log.warning("column %r of %s is left out: its type is %s", name, source.name, stored)
            else:
                chosen.append(name)
        return chosen
    for name in kinds:
        if name not in source.columns:
            raise DataError(
                f"{source.name} has no column {name!r} (asked for in columns=); its columns are "
                f"{listed(list(source.columns))}"
            )
        if name == label:
            raise DataError(f"column {name!r} holds the ids and cannot be an attribute")
        if _read_as(source.columns[name]) is None:
            raise DataError(
                f"attribute {name!r} must hold numbers, booleans, strings or lists of strings, got "
                f"{source.columns[name]}; convert it or leave it out of columns="
            )
    return [name for name in source.columns if name in kinds]


def _read_as(stored: str) -> str | None:
    return next((read_as for pattern, read_as in _READ_AS if re.fullmatch(pattern, stored)), None)


def _arrays(
    connection: Connection,
    source: Source,
    what: str,
    label: str,
    kinds: Mapping[str, Any],
    id_kind: Kind | None,
) -> dict[str, NDArray[Any]]:
    facts = _look(connection, source, [label, *kinds], what)
    key = id_expression(
        source, what, label, facts.get(label, {"n_empty": 0, "not_integer": None}), kind=id_kind
    )
    selected = [f"{key} as {identifier(label)}"]
    for name, kind in kinds.items():
        column = identifier(name)
        if source.dialect is None:
            expression = f"{column}::{_read_as(source.columns[name])}"
        else:
            expression = f"{_written(column)}::{_text_type(source, name, facts[name], kind)}"
        selected.append(f"{expression} as {column}")
    with translated(source.name):
        return arrays_of(connection, f"select {', '.join(selected)} from {source.relation}")


def _look(connection: Connection, source: Source, names: list[str], what: str) -> dict[str, dict[str, Any]]:
    """Pass over the text columns once; return of each the first text that is not of some type, or None."""
    asked: dict[tuple[str, str], str] = {}
    for name in names:
        if source.columns[name] != "VARCHAR":
            continue
        column = _written(identifier(name))
        whole = f"try_cast({column} as bigint)"
        wrong = {
            "not_integer": f"{whole} is null or {whole}::varchar <> {column}",
            "not_number": f"try_cast({column} as double) is null",
            "not_boolean": f"lower({column}) not in ('true', 'false')",
            "zero": f"regexp_matches({column}, '^[-+]?0[0-9]')",
        }
        for fact, condition in wrong.items():
            asked[name, fact] = f"first({column}) filter (where {column} is not null and ({condition}))"
        asked[name, "n_empty"] = f"count(*) - count({column})"
    with translated(source.name):
        [row] = rows_of(
            connection, f"select {', '.join(['count(*)', *asked.values()])} from {source.relation}"
        )
    if row[0] == 0:
        raise DataError(f"{source.name} has no rows; expected one row per {what}")
    found: dict[str, dict[str, Any]] = {}
    for (name, fact), answer in zip(asked, row[1:], strict=True):
        found.setdefault(name, {})[fact] = answer
    return found


def _text_type(source: Source, name: str, found: Mapping[str, Any], kind: AttributeKind | None) -> str:
    """Return the SQL type of a column of text."""
    if kind in ("categorical", "tags"):
        return "varchar"
    if found["not_integer"] is None:
        return "bigint"
    if found["not_number"] is None and (found["zero"] is None or kind == "numeric"):
        return "double"
    if kind == "numeric" and source.dialect is not None:
        text = found["not_number"]
        place = _text.find_line(source.files, source.dialect, list(source.columns).index(name), text)
        raise DataError(
            f"attribute {name!r} must be a number, got {text!r} in {place}; correct it, or empty the cell"
        )
    return "boolean" if found["not_boolean"] is None else "varchar"


def _written(column: str) -> str:
    """Return the SQL of a text without the spaces around it, null where nothing is left."""
    return f"nullif(trim({column}, ' '), '')"


def _plain(array: Any) -> NDArray[Any]:
    """Return an array without a mask: NaN, NaT or None where values are missing; lists as Python lists."""
    missing = np.ma.getmaskarray(array)
    values: NDArray[Any] = np.ma.getdata(array)
    if values.dtype == object:
        plain = np.empty(len(values), dtype=object)
        for row in np.flatnonzero(~missing).tolist():
            value = values[row]
            plain[row] = value.tolist() if isinstance(value, np.ndarray) else value
        return plain
    if not missing.any():
        return values
    if values.dtype.kind in "fM":
        given = values.copy()
        given[missing] = np.nan if values.dtype.kind == "f" else np.array("NaT", values.dtype)
        return given
    given = values.astype(object)
    given[missing] = None
    return given
