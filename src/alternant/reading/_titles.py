"""Read the titles of items."""

import logging
import os

from alternant.errors import DataError
from alternant.reading._columns import TITLE_NAMES, USUAL_NAMES, listed
from alternant.reading._duckdb import NotUtf8Error, connect, identifier, rows_of, translated
from alternant.reading._source import as_latin1, open_source
from alternant.reading._text import plain

_log = logging.getLogger("alternant.reading")


def read_titles(source: str | os.PathLike[str]) -> dict[str, str]:
    """Read a table of item ids and titles, such as ``movies.csv`` (movieId, title, genres) or ``movies.dat``.

    Parameters
    ----------
    source : str or path
        What :func:`read` accepts. The id column is the first with a usual name of an item id, ``id``, or the
        first; the title column is called title or name. Without a header line: the first two columns.

    Returns
    -------
    dict of str to str
        The id as it is written, spaces around it dropped, to its title. Integer ids are found by ``str(id)``.
        Rows without an id or a title are left out; of a repeated id the first row counts.

    Raises
    ------
    DataError
        The file is missing, empty or malformed, or has no column of titles.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from alternant.reading import read_titles
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "movies.dat"
    >>> _ = path.write_text("0002844::Fantômas (1913)::Crime|Drama\\n", encoding="utf-8")
    >>> read_titles(path)
    {'0002844': 'Fantômas (1913)'}
    """
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
    query = "select trim({0}::varchar, ' '), {1}::varchar from {2} where {0} is not null and {1} is not null"
    for attempt in (opened, None):
        final = attempt or as_latin1(opened)
        try:
            with translated(final.name):
                sql = query.format(identifier(label), identifier(title), final.relation)
                rows = rows_of(connection, sql)
        except NotUtf8Error:
            continue
        titles: dict[str, str] = {}
        for key, text in rows:
            titles.setdefault(key, text)
        return titles
    raise DataError(f"cannot read {opened.name}: expected text in UTF-8 or Latin-1")
