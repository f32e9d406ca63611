"""Read the titles of items."""

import logging
import os
from typing import Any

from alternant._usual_names import USUAL_NAMES, plain
from alternant.errors import DataError
from alternant.reading._columns import TITLE_NAMES, listed
from alternant.reading._duckdb import Connection, NotUtf8Error, connect, identifier, rows_of, translated
from alternant.reading._source import Source, as_latin1, open_source
from alternant.reading._types import Kind, id_expression, look

_log = logging.getLogger("alternant.reading")


def read_titles(
    source: str | os.PathLike[str], *, item_kind: Kind | None = None
) -> dict[int, str] | dict[str, str]:
    """Read a table of item ids and titles, such as ``movies.csv`` (movieId, title, genres) or ``movies.dat``.

    Parameters
    ----------
    source : str or path
        What :func:`read` accepts. The id column is the first with a usual name of an item id, ``id``, or the
        first; the title column is called title or name. Without a header line: the first two columns.
    item_kind : {"integer", "string"} or None
        What ids are to be, where they have to agree with those of ratings. Default: integers where every id
        is written as a plain integer, else strings as they are written; the rule of :func:`read`.

    Returns
    -------
    dict of int or str to str
        The id to its title, so that ``titles.get(item_id)`` finds what a model recommends. Rows without an id
        or a title are left out; of a repeated id the first row counts.

    Raises
    ------
    DataError
        The file is missing, empty or malformed, or has no column of titles; or an id is no integer and
        `item_kind` is "integer".

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from alternant.reading import read_titles
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "movies.dat"
    >>> _ = path.write_text("0002844::Fantômas (1913)::Crime|Drama\\n", encoding="utf-8")
    >>> read_titles(path)
    {'0002844': 'Fantômas (1913)'}
    """
    if item_kind not in (None, "integer", "string"):
        raise DataError(f'item_kind must be "integer", "string" or None, got {item_kind!r}')
    connection = connect()
    opened = open_source(connection, source)
    names = list(opened.columns)
    by_plain_name = {plain(name): name for name in reversed(names)}
    if opened.dialect is not None and not opened.dialect.has_header:
        label, title = names[0], names[1] if len(names) > 1 else None
    else:
        label = next(
            (by_plain_name[name] for name in (*USUAL_NAMES["item"], "id") if name in by_plain_name), names[0]
        )
        title = next(
            (by_plain_name[name] for name in TITLE_NAMES if by_plain_name.get(name, label) != label), None
        )
    if title is None:
        raise DataError(
            f"{opened.name} has no column of titles; expected one called title or name, got {listed(names)}"
        )
    _log.info("reading titles from %s: id=%s, title=%s", opened.name, label, title)
    try:
        rows = _rows(connection, opened, label, title, item_kind)
    except NotUtf8Error:
        rows = _rows(connection, as_latin1(opened), label, title, item_kind)
    titles: dict[Any, str] = {}
    for key, text in rows:
        titles.setdefault(key, text)
    return titles


def _rows(connection: Connection, source: Source, label: str, title: str, kind: Kind | None) -> list[Any]:
    """Return (id, title) of each row that has both."""
    found = look(connection, source, {"item": label}, a_row="item").get("item", {})
    key = id_expression(source, "item", label, {**found, "n_empty": 0}, kind=kind)
    query = f"select {key} as key, {identifier(title)}::varchar as title from {source.relation}"
    with translated(source.name):
        return rows_of(connection, f"from ({query}) where key is not null and title is not null")
