"""Read a table batch by batch through the Arrow interface, and number its strings as they come.

No batch is kept, so that a source which makes its batches as it goes (a file, a query) never is in memory as
a whole: what stays are 4 bytes a row of a column of strings, its distinct strings, and the values of others.
"""

from collections.abc import Callable, Container
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alternant._arrow import ArrowStream, ArrowTable, Released, read_arrow
from alternant._columns import Column, Kind, NumberStrings, Piece
from alternant.errors import DataError

_PIECE_ROWS = 1 << 20
"""Small batches are numbered together: starting threads takes time."""


def read_numbered(
    data: Any, choose: Callable[[list[Any]], list[str]], numbered: Container[str], number: NumberStrings
) -> dict[str, Column]:
    """Return columns of a table by name; those of strings among `numbered` as distinct strings and codes.

    Parameters
    ----------
    data : anything with ``__arrow_c_stream__`` or ``__arrow_c_array__``
    choose : given the names that the table has, returns those to read
    numbered : names of columns that are numbered where they are strings; other types are read as they are
    number : see :data:`alternant._columns.NumberStrings`
    """
    if not hasattr(data, "__arrow_c_stream__"):
        table = read_arrow(data)
        return {name: table.column(name) for name in choose(table.names)}
    stream = ArrowStream(data.__arrow_c_stream__())
    table = ArrowTable(stream.type)
    chosen = choose(table.names)
    types = {name: table.type_of(name) for name in chosen}
    strings = [name for name in chosen if name in numbered and types[name].is_string]
    others = [name for name in chosen if name not in strings]
    if not all(types[name].is_flat for name in others):
        table.owners = list(stream)
        return {name: table.column(name) for name in chosen}
    read = _Reader(stream, strings, others).columns(number)
    return {name: read[name] for name in chosen}


class _Growing:
    """An array of unknown length. It grows by an eighth at a time, in place where the system can."""

    def __init__(self, dtype: Any) -> None:
        self._array = np.empty(0, dtype=dtype)
        self._n = 0

    def space(self, n: int) -> NDArray[Any]:
        """Return the next `n` elements; they may be written until the next call."""
        begin, self._n = self._n, self._n + n
        if self._n > len(self._array):
            self._array.resize(self._n + self._n // 8, refcheck=False)
        return self._array[begin : self._n]

    def finished(self) -> NDArray[Any]:
        """Return everything."""
        self._array.resize(self._n, refcheck=False)
        return self._array


class _Nulls:
    """Where a column that comes in pieces is null."""

    def __init__(self) -> None:
        self._n = 0
        self._pieces: list[tuple[int, NDArray[np.bool_]]] = []

    def add(self, n: int, nulls: NDArray[np.bool_] | None) -> None:
        """Add a piece of `n` rows."""
        if nulls is not None:
            self._pieces.append((self._n, nulls))
        self._n += n

    def finished(self) -> NDArray[np.bool_] | None:
        """Return where rows are null (bool, shape (n,)), or None without nulls."""
        if not self._pieces:
            return None
        nulls = np.zeros(self._n, dtype=np.bool_)
        for begin, piece in self._pieces:
            nulls[begin : begin + len(piece)] = piece
        return nulls


class _Reader:
    """What was read so far of the columns `strings` and `others`."""

    def __init__(self, stream: ArrowStream, strings: list[str], others: list[str]) -> None:
        self._type = stream.type
        self._batches = iter(stream)
        self._next: Released | None = next(self._batches, None)
        self._piece = ArrowTable(self._type)
        self._n = 0
        self._codes = {name: _Growing(np.int32) for name in strings}
        self._nulls = {name: _Nulls() for name in (*strings, *others)}
        self._others = others
        self._values: dict[str, _Growing] = {}
        self._kinds: dict[str, Kind] = {}
        self._whole: dict[str, Column] | None = None  # the others of a table of one batch: nothing is copied

    def columns(self, number: NumberStrings) -> dict[str, Column]:
        """Read everything; return the columns by name."""
        found = number(self._next_piece, len(self._codes))
        columns = dict(self._whole or {})
        for (name, growing), (chunk, translate) in zip(self._codes.items(), found, strict=True):
            columns[name] = Column(
                "string",
                self._n,
                self._piece.type_of(name).words,
                nulls=self._nulls[name].finished(),
                strings=(chunk,),
                codes=translate(growing.finished()),
                is_numbered=True,
            )
        for name in self._others:
            if name not in columns:
                words, values = self._piece.type_of(name).words, self._values[name].finished()
                nulls = self._nulls[name].finished()
                columns[name] = Column(self._kinds[name], self._n, words, values, nulls)
        return columns

    def _next_piece(self) -> list[Piece] | None:
        piece = ArrowTable(self._type)
        n = 0
        while self._next is not None and n < _PIECE_ROWS:
            piece.owners.append(self._next)
            n += self._next.struct.length
            self._next = next(self._batches, None)
        is_whole = self._n == 0 and len(piece.owners) <= 1 and self._next is None
        self._piece = piece  # kept alive until the next call
        self._n += n
        if n == 0 and not is_whole:
            return None
        self._add_others(piece, n, is_whole=is_whole)
        if n == 0:
            return None
        parts: list[Piece] = []
        for name, growing in self._codes.items():
            chunks, nulls = piece.string_chunks(name)
            self._nulls[name].add(n, nulls)
            parts.append((chunks, nulls, growing.space(n)))
        return parts

    def _add_others(self, piece: ArrowTable, n: int, *, is_whole: bool) -> None:
        columns = {name: piece.column(name) for name in self._others}
        if is_whole:
            self._whole = columns
            return
        for name, column in columns.items():
            if column.values is None:
                raise DataError(f"column {name!r} cannot be read: {column.type_name}")
            if name not in self._values:
                self._values[name] = _Growing(column.values.dtype)
                self._kinds[name] = column.kind
            self._values[name].space(n)[:] = column.values
            self._nulls[name].add(n, column.nulls)
