"""Read interactions from files or SQL."""

import logging
import os
from collections.abc import Mapping
from typing import Any, Literal

from alternant.errors import DataError
from alternant.interactions import Interactions
from alternant.reading import _text
from alternant.reading._columns import choose
from alternant.reading._duckdb import Connection, NotUtf8Error, connect, identifier, translated
from alternant.reading._source import Source, as_latin1, open_source

_log = logging.getLogger("alternant.reading")

_WHOLE = {f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG", "HUGE")} | {
    "INTEGER",
    "UINTEGER",
}


def read(
    source: str | os.PathLike[str],
    *,
    user: str | None = None,
    item: str | None = None,
    value: str | None = None,
    weight: str | None = None,
    time: str | None = None,
    event: str | None = None,
    event_weights: Mapping[str, float] | None = None,
    duplicates: Literal["error", "sum", "mean", "max", "last"] | None = None,
    on_invalid: Literal["error", "drop"] = "error",
) -> Interactions:
    """Read interactions from a file, several files, or SQL.

    CSV, TSV and other delimited text (the delimiter is found, ``::`` too; with or without a header line),
    Parquet, and JSON (an array of objects or one object a line); text and JSON also as ``.gz``. What was
    taken for what is logged on the logger ``alternant.reading`` at INFO.

    Ids in delimited text: spaces around them are dropped; a column whose every id is written as a plain
    integer (no leading zeros, no plus sign, within 64 bits) gives integer ids; any other column gives
    strings, exactly as written, so that ``0104257`` stays what it is. In Parquet, JSON and SQL the types are
    those of the columns (DuckDB guesses the types of a CSV file named inside SQL, and drops leading zeros
    there).

    Parameters
    ----------
    source : str or path
        A path; a glob such as ``"part-*.csv"`` (files of the same columns, read in the order of their names);
        or one SQL query that begins with SELECT, WITH or FROM.
    user, item : str or None
        Columns of the user and item ids; None: guessed from the usual names, by position 1 and 2 in a file
        without a header. The columns of such a file are called column1, column2, ….
    value : str or None
        Column of the values, e.g. ratings; None: guessed (position 3), and without one every row counts 1;
        "": none.
    weight : str or None
        Column of the weights; never guessed.
    time : str or None
        Column of the times: integers as given, dates and timestamps as Unix seconds in UTC; None: guessed
        (position 4); "": none.
    event : str or None
        Column of event types, translated by `event_weights`; never guessed.
    event_weights : mapping of str to float or None
        Event type to its weight, e.g. ``{"view": 1, "buy": 5}``.
    duplicates : {"error", "sum", "mean", "max", "last"} or None
        What becomes of several rows of one user and item; None: "error" with values, "sum" (counts) without.
    on_invalid : {"error", "drop"}
        Whether a row with a NaN, infinite or missing value is refused or dropped and counted.

    Returns
    -------
    Interactions

    Raises
    ------
    DataError
        The file is missing, empty or malformed; a column is missing or holds the wrong type (the message
        lists the columns, and names the line of a text file); or the rows are refused by
        ``Interactions.from_frame``.
    MissingExtraError
        DuckDB is not installed (on import of ``alternant.reading``).

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from alternant.reading import read
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "ratings.csv"
    >>> _ = path.write_text("userId,movieId,rating\\n1,0104257,4.5\\n2,0104257,3\\n")
    >>> interactions = read(path)
    >>> interactions.user_ids.labels.tolist(), interactions.item_ids.labels.tolist()
    ([1, 2], ['0104257'])
    """
    asked = {"user": user, "item": item, "value": value, "weight": weight, "time": time, "event": event}
    connection = connect()
    opened = open_source(connection, source, asked=asked.values())
    try:
        columns, expressions = _plan(connection, opened, asked)
    except NotUtf8Error:
        opened = as_latin1(opened)
        columns, expressions = _plan(connection, opened, asked)
    selected = ", ".join(f"{expressions[part]} as {identifier(name)}" for part, name in columns.items())
    with translated(opened.name):
        relation = connection.sql(f"select {selected} from {opened.relation}")
        interactions = Interactions.from_frame(
            relation,
            user=columns["user"],
            item=columns["item"],
            value=columns.get("value"),
            weight=columns.get("weight"),
            time=columns.get("time"),
            event=columns.get("event"),
            event_weights=None
            if event_weights is None
            else {str(name): w for name, w in event_weights.items()},
            duplicates=duplicates,
            on_invalid=on_invalid,
        )
    if interactions.report.n_rows_read == 0:
        raise DataError(f"{opened.name} has no rows; expected one row per interaction")
    return interactions


def _plan(
    connection: Connection, source: Source, asked: Mapping[str, str | None]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return part → column and part → SQL expression, after one pass over what has to be looked at first."""
    has_names = source.dialect is None or source.dialect.has_header
    columns, guessed = choose(list(source.columns), asked, has_names=has_names, source=source.name)
    columns = {part: columns[part] for part in asked if part in columns}
    found = _look(connection, source, columns)
    expressions = {}
    for part, name in list(columns.items()):
        if found.get(part, {}).get("null"):
            raise DataError(
                f"{part} ids must not be empty, got {found[part]['null']:,} empty ones in column {name!r}, "
                f"the first in {_place(source, name, '')}; drop the rows"
            )
        expression = _expression(source, part, name, found.get(part, {}))
        if expression is None and part == "time" and part in guessed:
            example = found[part]["bad_time"]
            _log.warning("%s: column %r is left out, %r is not a time", source.name, name, example)
            del columns[part]
        elif expression is None:
            raise _wrong_type(source, part, name, found[part])
        else:
            expressions[part] = expression
    by_position = "" if has_names else " (no header line: columns by position)"
    chosen = ", ".join(f"{part}={name}" for part, name in columns.items())
    _log.info("reading %s: %s%s", source.name, chosen, by_position)
    for part in ("user", "item"):
        odd = found.get(part, {}).get("not_integer")
        if odd is not None and odd.lstrip("+-").replace(".", "").isdecimal():
            _log.info("%s ids are strings, as written: %r is not a plain integer", part, odd)
    return columns, expressions


def _look(connection: Connection, source: Source, columns: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Pass over the text columns once: which ids are not integers, which values and times are not numbers."""
    asked: dict[tuple[str, str], str] = {}
    for part, name in columns.items():
        column = identifier(name)
        if source.columns[name] != "VARCHAR":
            continue
        if part in {"user", "item"} and source.dialect is not None:
            label = _label(column)
            odd = f"try_cast({label} as bigint)::varchar <> {label} or try_cast({label} as bigint) is null"
            asked[part, "not_integer"] = f"first({label}) filter (where {label} is not null and ({odd}))"
            asked[part, "null"] = f"count(*) - count({label})"
        elif part in {"value", "weight", "time"}:
            present = f"{column} is not null"
            asked[part, "bad"] = (
                f"first({column}) filter (where {present} and try_cast({column} as double) is null)"
            )
        if part == "time":
            asked[part, "not_whole"] = (
                f"first({column}) filter (where {present} and try_cast({column} as bigint) is "
            )
            asked[part, "not_whole"] += f"null or try_cast({column} as bigint)::varchar <> trim({column}))"
            stamp = f"try_cast({column} as timestamptz)"
            asked[part, "bad_time"] = f"first({column}) filter (where {present} and {stamp} is null)"
    if not asked and source.dialect is None:
        return {}
    query = f"select count(*), {', '.join(asked.values()) or '1'} from {source.relation}"
    with translated(source.name):
        [row] = connection.execute(query).fetchall()
    if row[0] == 0:
        raise DataError(f"{source.name} has no rows; expected one row per interaction")
    found: dict[str, dict[str, Any]] = {}
    for (part, fact), answer in zip(asked, row[1:], strict=False):
        found.setdefault(part, {})[fact] = answer
    return found


def _expression(source: Source, part: str, name: str, found: Mapping[str, Any]) -> str | None:
    """Return the SQL that makes the column what its part needs; None where its text does not allow that."""
    column, kind = identifier(name), source.columns[name]
    if part in {"user", "item"}:
        if source.dialect is not None:
            return f"{_label(column)}::bigint" if found["not_integer"] is None else _label(column)
        if kind in _WHOLE:
            return f"{column}::bigint"
        return f"{column}::varchar" if kind == "UUID" or kind.startswith("ENUM") else column
    if part == "event":
        return f"{column}::varchar"  # read() makes strings of the keys of event_weights, too
    if kind != "VARCHAR":
        return (
            f"{column}::double" if kind.startswith("DECIMAL") or kind in {"HUGEINT", "UHUGEINT"} else column
        )
    if part == "time":
        if found["not_whole"] is None:
            return f"{column}::bigint"
        if found["bad"] is None:
            return f"floor({column}::double)::bigint"
        return f"floor(epoch({column}::timestamptz))::bigint" if found["bad_time"] is None else None
    return f"{column}::double" if found["bad"] is None else None


def _label(column: str) -> str:
    """Return the SQL of an id in text: without the spaces around it, null where nothing is left."""
    return f"nullif(trim({column}), '')"


def _wrong_type(source: Source, part: str, name: str, found: Mapping[str, Any]) -> DataError:
    text = found["bad_time"] if part == "time" else found["bad"]
    expected = "a number or a time" if part == "time" else "a number"
    return DataError(
        f"{part} must be {expected}, got {text!r} in column {name!r} in {_place(source, name, text)}; "
        f"correct it, or name another column with {part}="
    )


def _place(source: Source, name: str, text: str) -> str:
    """Return where column `name` is `text` first: a line of a text file, else the source."""
    if source.dialect is None:
        return source.name
    return _text.find_line(source.files, source.dialect, list(source.columns).index(name), text)
