"""The connection to DuckDB: opened in memory, never reaching for the network; its errors in our words."""

import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import duckdb
from numpy.typing import NDArray

from alternant.errors import DataError

Connection = duckdb.DuckDBPyConnection
Relation = duckdb.DuckDBPyRelation

_T = TypeVar("_T")
_INTERRUPT = "INTERRUPT Error"

SQL_NAME = "the SQL query"
"""What messages call a source that is SQL."""


def connect() -> Connection:
    """Open an empty in-memory database that installs no extensions and counts time in UTC."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    connection.execute("set TimeZone = 'UTC'")
    return connection


def rows_of(connection: Connection, query: str) -> list[Any]:
    """Run a query and return its rows; Ctrl-C ends it at once."""
    return _interruptible(connection, lambda: connection.execute(query).fetchall())


def arrays_of(connection: Connection, query: str) -> dict[str, NDArray[Any]]:
    """Run a query and return its columns as arrays, masked where null; Ctrl-C ends it at once."""
    return _interruptible(connection, lambda: connection.execute(query).fetchnumpy())


def _interruptible(connection: Connection, run: Callable[[], _T]) -> _T:
    """Return what `run` does with `connection`, and stop it at Ctrl-C.

    In a thread of its own: DuckDB looks for signals between the tasks that the calling thread happens to get,
    and where others get them all, a Ctrl-C waits for the end of the query.
    """
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        try:
            return running.result()
        except KeyboardInterrupt:
            connection.interrupt()
            raise


def identifier(name: str) -> str:
    """Return `name` quoted as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return `text` quoted as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


class NotUtf8Error(Exception):
    """A text file is not UTF-8; the reader tries Latin-1 next."""


@contextmanager
def translated(name: str, *, doing: Literal["read", "write"] = "read") -> Iterator[None]:
    """Turn errors of DuckDB about source (or target) `name` into :class:`DataError`.

    What the system refuses to write is an OSError, with its number. Ctrl-C comes as a RuntimeError, an error
    of DuckDB's own, or one that an Arrow stream hands on: it is a KeyboardInterrupt.
    """
    try:
        yield
    except (RuntimeError, DataError, duckdb.Error) as error:
        text = str(error)
        if text.startswith("Query interrupted") or _INTERRUPT in text:
            raise KeyboardInterrupt from error
        if not isinstance(error, duckdb.Error):
            raise
        refused = re.search(r'"errno":"(\d+)"', text) if doing == "write" else None
        if refused:
            number = int(refused[1])
            raise OSError(number, os.strerror(number), name) from error
        if "unicode" in text and "utf-8" in text:
            raise NotUtf8Error from error
        raise DataError(_in_our_words(text, name, doing)) from error


def _in_our_words(text: str, name: str, doing: str) -> str:
    line = re.search(r"CSV Error on Line: (\d+)", text)
    if not line:
        if "not latin-1 encoded" in text:  # what is read as Latin-1 was no UTF-8 either
            return f"cannot read {name}: expected text in UTF-8 or Latin-1"
        # Not where in the query it is: what DuckDB saw is wrapped in ours.
        hints = [line for line in text.splitlines()[1:] if line.startswith("Candidate")]
        return f"cannot {doing} {name}: {'; '.join([_first_line(text).rstrip('!'), *hints])}"
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
