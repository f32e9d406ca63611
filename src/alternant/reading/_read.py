"""Read interactions from files or SQL."""

import logging
import os
from collections.abc import Mapping
from typing import Literal

from alternant.errors import DataError
from alternant.interactions import Interactions
from alternant.reading._columns import choose
from alternant.reading._duckdb import Connection, NotUtf8Error, connect, identifier, translated
from alternant.reading._source import Source, as_latin1, open_source
from alternant.reading._types import Kind, id_expression, look, number_expression, wrong_type

_log = logging.getLogger("alternant.reading")


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
    user_kind: Kind | None = None,
    item_kind: Kind | None = None,
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
    user : str or None
        Column of the user ids. Default: guessed from the usual names; the first in a file without a header,
        whose columns are called column1, column2, ….
    item : str or None
        Column of the item ids. Default: guessed from the usual names; the second in a file without a header.
    value : str or None
        Column of the values, e.g. ratings. Default: guessed; the third without a header. Without one, every
        row counts 1. "" stands for no such column.
    weight : str or None
        Column of the weights. Never guessed.
    time : str or None
        Column of the times: integers as given, dates and timestamps as Unix seconds in UTC. Default: guessed;
        the fourth without a header. "" stands for no such column.
    event : str or None
        Column of event types, each of which is given a weight. Never guessed.
    event_weights : mapping of str to float or None
        The weight of each event type; 0 leaves a type out.
    user_kind, item_kind : {"integer", "string"} or None
        What ids are to be, where several files have to agree. Default: integers where all are written as
        plain integers, else strings.
    duplicates : {"error", "sum", "mean", "max", "last"} or None
        What becomes of several rows of one user and item. Default: error with values, sum (counts) without.
    on_invalid : {"error", "drop"}
        Whether a row with a NaN, infinite or missing value is refused, or dropped and counted.

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
    kinds = {"user": user_kind, "item": item_kind}
    for part, name in asked.items():
        if name is not None and not isinstance(name, str):
            raise DataError(f"{part} must be the name of a column or None, got {name!r}")
    if event_weights is not None and not isinstance(event_weights, Mapping):
        raise DataError(f"event_weights must map event types to numbers, got {event_weights!r}")
    for part, kind in kinds.items():
        if kind not in (None, "integer", "string"):
            raise DataError(f'{part}_kind must be "integer", "string" or None, got {kind!r}')
    connection = connect()
    opened = open_source(connection, source, asked=asked.values())
    try:
        columns, expressions = _plan(connection, opened, asked, kinds)
    except NotUtf8Error:
        opened = as_latin1(opened)
        columns, expressions = _plan(connection, opened, asked, kinds)
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
            event_weights=event_weights and {str(name): w for name, w in event_weights.items()},
            duplicates=duplicates,
            on_invalid=on_invalid,
        )
    if interactions.report.n_rows_read == 0:
        raise DataError(f"{opened.name} has no rows; expected one row per interaction")
    return interactions


def find_columns(
    source: str | os.PathLike[str],
    *,
    user: str | None = None,
    item: str | None = None,
    value: str | None = None,
    weight: str | None = None,
    time: str | None = None,
    event: str | None = None,
) -> tuple[dict[str, str], list[str]]:
    """Return what :func:`read` would take for what, without reading the rows.

    Parameters
    ----------
    source, user, item, value, weight, time, event
        As for :func:`read`.

    Returns
    -------
    dict of str to str
        Part (user, item, value, …) to its column.
    list of str
        The columns that would not be used.

    Raises
    ------
    DataError
        As from :func:`read`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "ratings.csv"
    >>> _ = path.write_text("userId,movieId,points\\n1,2,4.5\\n")
    >>> find_columns(path)
    ({'user': 'userId', 'item': 'movieId'}, ['points'])
    """
    asked = {"user": user, "item": item, "value": value, "weight": weight, "time": time, "event": event}
    opened = open_source(connect(), source, asked=asked.values())
    has_names = opened.dialect is None or opened.dialect.has_header
    columns, _ = choose(list(opened.columns), asked, has_names=has_names, source=opened.name)
    return columns, [name for name in opened.columns if name not in columns.values()]


def _plan(
    connection: Connection, source: Source, asked: Mapping[str, str | None], kinds: Mapping[str, Kind | None]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return part → column and part → SQL expression, after one pass over what has to be looked at first."""
    has_names = source.dialect is None or source.dialect.has_header
    columns, guessed = choose(list(source.columns), asked, has_names=has_names, source=source.name)
    columns = {part: columns[part] for part in asked if part in columns}
    # What a typed source calls a string is one: no pass over all rows to see whether it reads as an integer.
    strings = {part for part, kind in kinds.items() if source.dialect is None and kind is None}
    found = look(connection, source, columns, as_they_are=strings)
    expressions = {}
    for part, name in list(columns.items()):
        if part in kinds:
            expressions[part] = id_expression(source, part, name, found.get(part, {}), kind=kinds[part])
            continue
        expression = number_expression(source, part, name, found.get(part, {}))
        if expression is not None:
            expressions[part] = expression
        elif part == "time" and part in guessed:
            example = found[part]["not_time"]
            _log.warning("%s: column %r is left out, %r is not a time", source.name, name, example)
            del columns[part]
        else:
            raise wrong_type(source, part, name, found[part])
    notes = [] if has_names else ["no header line: columns by position"]
    if not {"value", "weight", "event"} & columns.keys():
        notes.append("no values: every row counts 1")
    chosen = ", ".join(f"{part}={name}" for part, name in columns.items())
    _log.info("reading %s: %s%s", source.name, chosen, f" ({'; '.join(notes)})" if notes else "")
    for part, kind in kinds.items():
        odd = found.get(part, {}).get("not_integer")
        if (
            kind is None
            and source.dialect is not None
            and odd
            and odd.lstrip("+-").replace(".", "").isdecimal()
        ):
            _log.info("%s ids are strings, as written: %r is not a plain integer", part, odd)
    return columns, expressions
