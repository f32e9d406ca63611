"""What a caller may name as a source: a file, a glob, or SQL; and how DuckDB reads it."""

import glob
import logging
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from alternant.errors import DataError
from alternant.reading import _text
from alternant.reading._columns import KNOWN, TITLE_NAMES
from alternant.reading._duckdb import SQL_NAME, Connection, NotUtf8Error, literal, rows_of, translated

_log = logging.getLogger("alternant.reading")
_LATIN_1 = "%s is not UTF-8; reading it as Latin-1"

_PARQUET = {".parquet", ".pq"}
_JSON = {".json", ".ndjson", ".jsonl"}
_FOREIGN = set(
    ".xlsx .xls .npz .npy .pkl .pickle .zip .tar .bz2 .xz .zst .safetensors .feather .arrow .h5".split()  # noqa: SIM905
)


@dataclass(frozen=True)
class Source:
    """Something DuckDB can select from.

    Attributes
    ----------
    name : str
        For messages and the log.
    relation : str
        What stands after FROM.
    columns : dict of str to str
        Column name to DuckDB type; all VARCHAR for delimited text.
    files : list of Path
        Empty for SQL.
    dialect : Dialect or None
        Of delimited text; None for typed sources.
    """

    name: str
    relation: str
    columns: dict[str, str]
    files: list[Path]
    dialect: _text.Dialect | None


def open_source(
    connection: Connection, source: str | os.PathLike[str], *, asked: Iterable[str | None] = ()
) -> Source:
    """Return how to read `source`; `asked` are the column names that the caller gave."""
    if isinstance(source, str) and _is_sql(source):
        return _open_sql(connection, source)
    files = _find_files(source)
    name = files[0].name if len(files) == 1 else f"{files[0].name} … {files[-1].name} ({len(files)} files)"
    suffixes = {_text.suffix_of(path) for path in files}
    if suffixes & _FOREIGN:
        raise DataError(
            f"cannot read {name}: expected CSV, TSV, Parquet, JSON or a '::' file, got "
            f"{min(suffixes & _FOREIGN)}"
        )
    for reader, known in (("read_parquet", _PARQUET), ("read_json", _JSON)):
        if suffixes <= known:
            return _open_typed(connection, name, reader, files)
        if suffixes & known:
            raise DataError(
                f"the files of {os.fspath(source)!r} have different formats: {', '.join(sorted(suffixes))}"
            )
    return _open_text(connection, name, files, asked=frozenset(name for name in asked if name))


def as_latin1(source: Source) -> Source:
    """Return the same text source, read as Latin-1."""
    if source.dialect is None:
        raise DataError(f"cannot read {source.name}: expected text in UTF-8")
    _log.info(_LATIN_1, source.name)
    dialect = replace(source.dialect, encoding="latin-1")
    return replace(source, dialect=dialect, relation=_csv_relation(source.files, dialect))


def _is_sql(text: str) -> bool:
    return bool(re.match(r"\s*(select|with|from)\s", text, re.IGNORECASE)) and not os.path.exists(text)


def _find_files(source: str | os.PathLike[str]) -> list[Path]:
    text = os.path.expanduser(os.fspath(source))
    if re.match(r"[a-z][a-z0-9]+://", text):
        raise DataError(f"cannot read {text!r}: expected a file on this machine; download it first")
    path = Path(text)
    if path.is_dir():
        raise DataError(
            f"{text!r} is a folder; name a file, or a glob such as {os.path.join(text, '*.csv')!r}"
        )
    if path.is_file():
        return [path]
    if path.exists():
        raise DataError(
            f"{text!r} is a pipe or a device, and a source is read more than once; save it to a file first"
        )
    if not glob.has_magic(text):
        raise DataError(f"no file {text!r} (looked from {os.getcwd()})")
    files = sorted(Path(found) for found in glob.glob(text, recursive=True) if os.path.isfile(found))
    if not files:
        raise DataError(f"no file matches {text!r} (looked from {os.getcwd()})")
    return files


def _open_text(connection: Connection, name: str, files: list[Path], *, asked: frozenset[str]) -> Source:
    dialects = [_text.sniff(path, known_names=KNOWN.union(TITLE_NAMES), asked_names=asked) for path in files]
    for path, dialect in zip(files, dialects, strict=True):
        if (dialect.names, dialect.delimiter) != (dialects[0].names, dialects[0].delimiter):
            raise DataError(
                f"{path.name} has other columns than {files[0].name}: "
                f"expected {', '.join(dialects[0].names)}; got {', '.join(dialect.names)}"
            )
    latin = any(dialect.encoding == "latin-1" for dialect in dialects)
    if latin:
        _log.info(_LATIN_1, name)
    dialect = replace(dialects[0], encoding="latin-1" if latin else "utf-8")
    relation = _csv_relation(files, dialect)
    return Source(name, relation, dict.fromkeys(dialect.names, "VARCHAR"), files, dialect)


def _csv_relation(files: list[Path], dialect: _text.Dialect) -> str:
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in dialect.names)
    options = {
        "auto_detect": "false",
        "delim": literal(dialect.delimiter),
        "quote": literal(dialect.quote),
        "escape": literal(dialect.quote),
        "header": str(dialect.has_header).lower(),
        "columns": f"{{{columns}}}",
        "encoding": literal(dialect.encoding),
    }
    return f"read_csv({_file_list(files)}, {', '.join(f'{key} = {value}' for key, value in options.items())})"


def _open_typed(connection: Connection, name: str, reader: str, files: list[Path]) -> Source:
    empty = next((path for path in files if path.stat().st_size == 0), None)
    if empty:
        raise DataError(f"{empty.name} is empty; expected one row per interaction")
    relation = f"{reader}({_file_list(files)})"
    return Source(name, relation, _described(connection, relation, name), files, None)


def _open_sql(connection: Connection, text: str) -> Source:
    with translated(SQL_NAME):
        statements = connection.extract_statements(text)
    if len(statements) != 1 or not str(statements[0].type).endswith("SELECT"):
        raise DataError(f"expected one SELECT statement as source, got {text!r}")
    relation = f"({text.strip().rstrip(';')}\n)"  # the query may end with a comment
    return Source(SQL_NAME, relation, _described(connection, relation, SQL_NAME), [], None)


def _described(connection: Connection, relation: str, name: str) -> dict[str, str]:
    try:
        with translated(name):
            rows = rows_of(connection, f"describe select * from {relation}")
    except NotUtf8Error as error:
        raise DataError(f"cannot read {name}: expected text in UTF-8") from error
    return {row[0]: row[1] for row in rows}


def _file_list(files: list[Path]) -> str:
    # A leading [ or * in a real file's name is not a pattern: DuckDB has no escape, but classes work.
    return f"[{', '.join(literal(glob.escape(str(path))) for path in files)}]"
