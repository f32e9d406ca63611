"""Delimited text: what separates the columns, whether there is a header line, and where a value stands."""

import csv
import gzip
import itertools
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from alternant._usual_names import plain
from alternant.errors import DataError

_DELIMITERS = ("::", "\t", ",", ";", "|", " ")
_SAMPLE_LINES = 50
_UTF_16 = ("\xff\xfe", "\xfe\xff")  # its byte-order marks, read as Latin-1


@dataclass(frozen=True)
class Dialect:
    """How a text file is written.

    Attributes
    ----------
    delimiter : str
        One character, or ``::``.
    has_header : bool
        The first line names the columns.
    names : tuple of str
        The columns: as the header has them, else ``column1``, ``column2``, ….
    encoding : str
        ``utf-8`` or ``latin-1``.
    """

    delimiter: str
    has_header: bool
    names: tuple[str, ...]
    encoding: str

    @property
    def quote(self) -> str:
        """The quoting character; the ``::`` files have none (their titles hold plain quotes)."""
        return "" if self.delimiter == "::" else '"'

    def fields(self, lines: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
        """Yield (line number from 1, fields) of each row that is not empty."""
        if self.delimiter == "::":
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield number, line.rstrip("\r\n").split("::")
            return
        reader = csv.reader(lines, delimiter=self.delimiter)
        for row in reader:
            if row:
                yield reader.line_num, row


def suffix_of(path: Path) -> str:
    """Return the suffix that tells the format: that of ``ratings.csv.gz`` is ``.csv``."""
    name = Path(path.stem) if path.suffix.lower() == ".gz" else path
    return name.suffix.lower()


def open_text(path: Path, encoding: str = "utf-8") -> IO[str]:
    """Open a plain or compressed text file, without a byte-order mark."""
    opener: Callable[..., IO[str]] = gzip.open if path.suffix.lower() == ".gz" else open
    return opener(path, "rt", encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="")


def sniff(path: Path, *, known_names: frozenset[str], asked_names: frozenset[str]) -> Dialect:
    """Return the dialect of the text file `path`.

    The first line is a header when it holds a name from `asked_names` (given by the caller) or `known_names`
    (usual ones, in the spelling of :func:`plain`), or when the second line has numbers where the first has
    none.
    """
    lines, encoding = _sample(path)
    if not lines:
        raise DataError(f"{path.name} is empty; expected one line per interaction: user, item, value")
    delimiter = "\t" if suffix_of(path) in {".tsv", ".tab"} else _delimiter(lines)
    dialect = Dialect(delimiter, False, (), encoding)
    try:
        rows = [row for _, row in dialect.fields(iter(lines))]
    except csv.Error as error:
        raise DataError(f"cannot read {path.name}: {error}; is a quote left open?") from error
    first, second = [field.strip() for field in rows[0]], rows[1] if len(rows) > 1 else []
    named = asked_names.intersection(first) or known_names.intersection(plain(field) for field in first)
    has_header = not any(_is_number(field) for field in first) and (
        bool(named) or any(_is_number(field) for field in second)
    )
    names = tuple(first) if has_header else tuple(f"column{i}" for i in range(1, len(first) + 1))
    return Dialect(delimiter, has_header, _distinct(names), encoding)


def find_line(files: list[Path], dialect: Dialect, column: int, text: str) -> str:
    """Return where the first row stands whose column is `text`, e.g. ``ratings.csv, line 12``."""
    for path in files:
        with open_text(path, dialect.encoding) as stream:
            rows = dialect.fields(stream)
            try:
                for number, row in itertools.islice(rows, int(dialect.has_header), None):
                    if column < len(row) and row[column].strip(" ") == text.strip(" "):
                        return f"{path.name}, line {number}"
            except csv.Error:  # DuckDB reads longer fields
                return path.name
    return files[0].name


def _sample(path: Path) -> tuple[list[str], str]:
    for encoding in ("utf-8", "latin-1"):
        try:
            with open_text(path, encoding) as stream:
                lines = list(itertools.islice((line for line in stream if line.strip()), _SAMPLE_LINES))
        except UnicodeDecodeError:
            continue
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"cannot read {path.name}: {error}") from error
        if encoding == "latin-1" and lines and lines[0].startswith(_UTF_16):
            raise DataError(f"{path.name} is UTF-16; expected text in UTF-8: save it as that")
        return lines, encoding
    raise DataError(f"cannot read {path.name}: expected text in UTF-8 or Latin-1")


def _delimiter(lines: list[str]) -> str:
    """Return the delimiter that splits every sample line into one same number of fields, the largest."""
    best, most = "", 1
    for delimiter in _DELIMITERS:
        try:
            counts = {len(row) for _, row in Dialect(delimiter, False, (), "").fields(iter(lines))}
        except csv.Error:  # a field longer than any ought to be: not this delimiter
            continue
        if len(counts) == 1 and min(counts) > most:
            best, most = delimiter, min(counts)
            if delimiter == "::":
                break
    if best:
        return best
    # Uneven lines: take what the first line uses most; the reader then names the line that does not fit.
    return max(_DELIMITERS[:-1], key=lines[0].count) if any(map(lines[0].count, _DELIMITERS[:-1])) else ","


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    result = []
    for position, name in enumerate(names, start=1):
        name = name or f"column{position}"
        seen[name.lower()] = seen.get(name.lower(), 0) + 1
        result.append(name if seen[name.lower()] == 1 else f"{name}_{seen[name.lower()]}")
    return tuple(result)
