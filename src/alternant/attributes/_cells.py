"""What the cells of a column hold: a number or none, a text or none, several tags. It must not know kinds
of attributes, nor ids.
"""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alternant._columns import Column
from alternant.errors import DataError
from alternant.kernels import ids as kernels

SEPARATOR = "|"
_NO_TAGS = ("", "(no genres listed)")  # the second is MovieLens's word for none


@dataclass(frozen=True, eq=False)
class Cells:
    """The texts of a column: row `rows[j]` holds `words[codes[j]]`.

    Attributes
    ----------
    rows : int64, shape (m,), rising; a row of several tags occurs several times
    codes : int64, shape (m,)
    words : the distinct texts, sorted, none empty; no row holds one of them twice
    """

    rows: NDArray[np.int64]
    codes: NDArray[np.int64]
    words: list[str]

    def of_rows(self, keep: NDArray[np.bool_]) -> "Cells":
        """Return the cells of the rows where `keep` (bool, shape (n,)) is True, and their words only."""
        kept = keep[self.rows]
        codes = self.codes[kept]
        used = np.flatnonzero(np.bincount(codes, minlength=len(self.words)))
        renumbered = np.zeros(len(self.words), dtype=np.int64)
        renumbered[used] = np.arange(len(used))
        return Cells(self.rows[kept], renumbered[codes], [self.words[word] for word in used.tolist()])


def numbers(column: Column, *, name: str) -> NDArray[np.float64]:
    """Return a column of numbers, booleans or times as float64, shape (n,), NaN where it is missing."""
    if column.nulls is not None and column.nulls.all():
        return np.full(column.n, np.nan)
    if column.values is None or column.kind not in ("integer", "float", "boolean", "time"):
        raise DataError(
            f"attribute {name!r} must hold numbers, got {column.type_name}; convert them to floats, "
            'or pass columns= with "categorical" or "tags" for it'
        )
    values = column.values.astype(np.float64)
    if column.nulls is not None:
        values[column.nulls] = np.nan
    return values


def texts(column: Column, *, name: str) -> Cells:
    """Return the texts of a column of strings, or of integers, booleans or floats as Python writes them.

    Nulls, NaN and empty strings are none. Floats that are whole are written as integers, because a gap makes
    floats of a column of integers.
    """
    given = np.ones(column.n, dtype=np.bool_) if column.nulls is None else ~column.nulls
    if not given.any():
        return _no_cells()
    if column.kind == "string":
        rows = np.flatnonzero(given)
        strings = list(column.strings)
        chunk = kernels.take_strings(
            strings, rows if column.codes is None else column.codes[rows].astype(np.int64)
        )
        [words], codes = kernels.factorise([chunk])
        return _without_empty(rows, codes.astype(np.int64), _decoded(words, name=name))
    if column.values is None or column.kind not in ("integer", "boolean", "float"):
        raise DataError(
            f"attribute {name!r} must hold strings or integers, got {column.type_name}; "
            "convert them, for example with str()"
        )
    if column.kind == "float":
        given &= ~np.isnan(column.values)
    found, inverse = np.unique(column.values[given], return_inverse=True)
    return _sorted(np.flatnonzero(given), inverse.astype(np.int64), list(map(_written, found.tolist())))


def tags(column: Column, *, name: str) -> Cells:
    """Return the tags of a column of lists, or of strings such as ``"Comedy|Drama"``.

    Spaces around a tag are dropped; a row's repeated tags count once; nulls, ``""`` and
    ``"(no genres listed)"`` are none.
    """
    if column.kind != "list":
        return _split(texts(column, name=name))
    if column.elements is None or column.begins is None or column.ends is None:
        raise TypeError("a list column has elements, begins and ends")
    lengths = column.ends - column.begins
    if column.nulls is not None:
        lengths = np.where(column.nulls, 0, lengths)
    rows, places = _spread(lengths, column.begins)
    if column.elements.kind == "float" and not _all_missing(column.elements):
        raise DataError(
            f"attribute {name!r} must hold strings or integers, got lists of {column.elements.type_name}; "
            "pass vectors as an AttributeMatrix"
        )
    held = texts(column.elements, name=name)
    code_of_element = np.full(column.elements.n, -1, dtype=np.int64)
    code_of_element[held.rows] = held.codes
    codes = code_of_element[places]
    there = codes >= 0
    return _split(Cells(rows[there], codes[there], held.words), whole=True)


def _split(cells: Cells, *, whole: bool = False) -> Cells:
    """Return the tags in the words of `cells`, or the words as tags, each once a row."""
    pieces = [[word] if whole else word.split(SEPARATOR) for word in cells.words]
    cleaned = [{piece.strip() for piece in some}.difference(_NO_TAGS) for some in pieces]
    words = sorted(set().union(*cleaned))
    place = {word: code for code, word in enumerate(words)}
    tag_codes = [place[word] for some in cleaned for word in sorted(some)]
    flat = np.array(tag_codes, dtype=np.int64)
    sizes = np.fromiter(map(len, cleaned), dtype=np.int64, count=len(cleaned))
    begins = np.cumsum(sizes) - sizes
    cell, places = _spread(sizes[cells.codes], begins[cells.codes])
    rows, codes = cells.rows[cell], flat[places]
    key = np.unique(rows * max(1, len(words)) + codes)
    return Cells(key // max(1, len(words)), key % max(1, len(words)), words)


def _spread(
    lengths: NDArray[np.int64], begins: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each i `lengths[i]` times i, and the places begins[i], begins[i] + 1, …"""
    owner = np.repeat(np.arange(len(lengths)), lengths)
    before = np.cumsum(lengths) - lengths
    return owner, np.arange(len(owner)) - before[owner] + begins[owner]


def _all_missing(column: Column) -> bool:
    if column.values is None:
        return False
    missing = np.isnan(column.values)
    return bool((missing if column.nulls is None else missing | column.nulls).all())


def _no_cells() -> Cells:
    none = np.empty(0, dtype=np.int64)
    return Cells(none, none, [])


def _written(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _decoded(chunk: Any, *, name: str) -> list[str]:
    offsets, data = chunk
    whole = np.asarray(data).tobytes()
    try:
        return [whole[begin:end].decode() for begin, end in itertools.pairwise(offsets.tolist())]
    except UnicodeDecodeError as error:
        raise DataError(f"attribute {name!r} must be valid UTF-8: {error}") from error


def _without_empty(rows: NDArray[np.int64], codes: NDArray[np.int64], words: list[str]) -> Cells:
    if words and words[0] == "":  # sorted: it is the first
        full = codes > 0
        return Cells(rows[full], codes[full] - 1, words[1:])
    return Cells(rows, codes, words)


def _sorted(rows: NDArray[np.int64], codes: NDArray[np.int64], words: list[str]) -> Cells:
    """Numbers are sorted by value: sort their texts, and join those that are written alike."""
    order = {word: place for place, word in enumerate(sorted(set(words)))}
    return Cells(rows, np.array([order[word] for word in words], dtype=np.int64)[codes], list(order))
