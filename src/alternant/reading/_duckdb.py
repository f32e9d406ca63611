"""The connection to DuckDB: opened in memory, never reaching for the network; its errors in our words."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from alternant.errors import DataError

Connection = duckdb.DuckDBPyConnection
Relation = duckdb.DuckDBPyRelation


def connect() -> Connection:
    """Open an empty in-memory database that installs no extensions and counts time in UTC."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    connection.execute("set TimeZone = 'UTC'")
    return connection


def identifier(name: str) -> str:
    """Return `name` quoted as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return `text` quoted as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


class NotUtf8Error(Exception):
    """A text file is not UTF-8; the reader tries Latin-1 next."""


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn errors of DuckDB about source `name` into :class:`DataError`."""
    try:
        yield
    except duckdb.Error as error:
        text = str(error)
        if "unicode" in text and "utf-8" in text:
            raise NotUtf8Error from error
        raise DataError(_in_our_words(text, name)) from error


def _in_our_words(text: str, name: str) -> str:
    line = re.search(r"CSV Error on Line: (\d+)", text)
    if not line:
        return (
            f"cannot read {name}: {text.strip()}"
            if "LINE 1" in text
            else f"cannot read {name}: {_first_line(text)}"
        )
    file = re.search(r"^\s*file = (.*)$", text, re.MULTILINE)
    place = f"{Path(file.group(1)).name if file else name}, line {line.group(1)}"
    columns = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    if columns:
        return f"{place}: expected {columns.group(1)} columns, got {columns.group(2)}"
    reasons = [
        row for row in text.splitlines()[1:] if row and not row.startswith(("Original Line", "Possible"))
    ]
    return f"{place}: {reasons[0] if reasons else _first_line(text)}"


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0]
