"""What the columns of a source hold, looked at in one pass, and the SQL that makes of them what is needed."""

import re
from collections.abc import Container, Mapping
from typing import Any, Literal

from alternant.errors import DataError
from alternant.reading import _text
from alternant.reading._duckdb import Connection, identifier, rows_of, translated
from alternant.reading._source import Source

Kind = Literal["integer", "string"]
Facts = Mapping[str, Any]

_WHOLE = {f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG", "HUGE")} | {
    "INTEGER",
    "UINTEGER",
}


def look(
    connection: Connection,
    source: Source,
    columns: Mapping[str, str],
    *,
    a_row: str = "interaction",
    as_they_are: Container[str] = (),
) -> dict[str, dict[str, Any]]:
    """Pass over the text columns once, and return the first text of each part that is not what it may be.

    Of ids: ``not_integer``, and ``n_empty``. Of numbers: ``not_number``; of times also ``not_whole`` and
    ``not_time``. None stands for "there is none". `a_row` is what a row is one of, for messages. The parts
    `as_they_are` are ids that are strings whatever they hold: nothing is asked of them.
    """
    asked: dict[tuple[str, str], str] = {}
    for part, name in columns.items():
        if source.columns[name] != "VARCHAR" or part == "event" or part in as_they_are:
            continue
        column = _label(identifier(name))

        def first_that_is_not(kind: str, column: str = column, *, as_written: bool = False) -> str:
            wrong = f"try_cast({column} as {kind}) is null"
            if as_written:
                wrong += f" or try_cast({column} as {kind})::varchar <> {column}"
            return f"first({column}) filter (where {column} is not null and ({wrong}))"

        if part in {"user", "item"}:
            asked[part, "not_integer"] = first_that_is_not("bigint", as_written=True)
            asked[part, "n_empty"] = f"count(*) - count({column})"
            continue
        asked[part, "not_number"] = first_that_is_not("double")
        if part == "time":
            asked[part, "not_whole"] = first_that_is_not("bigint", as_written=True)
            asked[part, "not_time"] = first_that_is_not("timestamptz")
    if not asked:
        return {}
    with translated(source.name):
        query = f"select count(*), {', '.join(asked.values())} from {source.relation}"
        [row] = rows_of(connection, query)
    if row[0] == 0:
        raise DataError(f"{source.name} has no rows; expected one row per {a_row}")
    found: dict[str, dict[str, Any]] = {}
    for (part, fact), answer in zip(asked, row[1:], strict=True):
        found.setdefault(part, {})[fact] = answer
    return found


def id_expression(source: Source, part: str, name: str, found: Facts, *, kind: Kind | None) -> str:
    """Return the SQL of a column of ids: of `kind`, or for None as text says it and as typed columns are."""
    column, stored = identifier(name), source.columns[name]
    if stored in _WHOLE:
        return f"{column}::varchar" if kind == "string" else f"{column}::bigint"
    if stored == "UUID" or stored.startswith("ENUM"):
        return f"{column}::varchar"
    if stored != "VARCHAR" or (source.dialect is None and kind is None):
        return column  # what is no id is refused by Interactions.from_frame
    if found["n_empty"] and source.dialect is not None:
        raise DataError(
            f"{part} ids must not be empty, got {found['n_empty']:,} empty ones in column {name!r}, "
            f"the first in {_place(source, name, '')}; drop the rows"
        )
    odd = found["not_integer"]
    if kind == "integer" and odd is not None:
        raise DataError(
            f"{part} ids must be plain integers here, got {odd!r} in column {name!r} in "
            f"{_place(source, name, odd)}"
        )
    return _label(column) if kind == "string" or odd is not None else f"{_label(column)}::bigint"


def number_expression(source: Source, part: str, name: str, found: Facts) -> str | None:
    """Return the SQL of a column of values, weights, times or events; None where its text is not that."""
    column, stored = identifier(name), source.columns[name]
    if part == "event":
        return f"{column}::varchar"  # read() makes strings of the keys of event_weights, too
    if stored != "VARCHAR":
        exact = stored.startswith("DECIMAL") or stored in {"HUGEINT", "UHUGEINT"}
        return f"{column}::double" if exact else column
    text = _label(column)
    if part == "time" and found["not_whole"] is None:
        return f"{text}::bigint"
    if part == "time" and found["not_number"] is None:
        return f"floor({text}::double)::bigint"
    if part == "time":
        return f"floor(epoch({text}::timestamptz))::bigint" if found["not_time"] is None else None
    return f"{text}::double" if found["not_number"] is None else None


def wrong_type(source: Source, part: str, name: str, found: Facts) -> DataError:
    """Return the error about a column whose text is not a number (or time), naming the first such text."""
    text = found["not_time"] if part == "time" else found["not_number"]
    has_comma = re.fullmatch(r"\s*[-+]?\d+,\d+\s*", text) is not None
    remedy = "write its decimal comma as a point" if has_comma else "correct it"
    expected = "a number or a time" if part == "time" else "a number"
    return DataError(
        f"{part} must be {expected}, got {text!r} in column {name!r} in {_place(source, name, text)}; "
        f"{remedy}, or name another column with {part}="
    )


def _label(column: str) -> str:
    """Return the SQL of a text without the spaces around it, null where nothing is left."""
    return f"nullif(trim({column}, ' '), '')"


def _place(source: Source, name: str, text: str) -> str:
    """Return where column `name` is `text` first: a line of a text file, else the source."""
    if source.dialect is None:
        return source.name
    return _text.find_line(source.files, source.dialect, list(source.columns).index(name), text)
