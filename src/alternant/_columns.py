"""One column of a caller's table, whatever it came from: what kind it is, its values, which rows are null.

Readers (``_arrow``, ``_frames``) fill it; ids and interactions ask it for what they need. It must not know
frames.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["integer", "float", "boolean", "string", "time", "list", "other"]

# As Arrow lays strings out: (offsets int32 | int64 (n + 1), bytes uint8), or (views uint8 (n, 16), buffers)
StringChunk = tuple[NDArray[Any], NDArray[np.uint8] | list[NDArray[np.uint8]]]

# A piece of a string column: its chunks, where it is null or None, and int32 (n) that get its numbers
Piece = tuple[list[StringChunk], NDArray[np.bool_] | None, NDArray[np.int32]]
NextPiece = Callable[[], list[Piece] | None]
# For each column its distinct strings, sorted, and what makes codes of the numbers in place: see
# alternant.kernels.ids.number_strings
Numbered = tuple[StringChunk, Callable[[NDArray[np.int32]], NDArray[np.int32]]]
NumberStrings = Callable[[NextPiece, int], list[Numbered]]


@dataclass(frozen=True, eq=False)
class Column:
    """A column of `n` rows.

    Attributes
    ----------
    kind : what the values are; "other" cannot be used, and `type_name` says what it is in the caller's words
    n : int, rows
    values : any integer, float or bool dtype, shape (n,), or None for strings and lists; times are int64
        Unix seconds
    nulls : bool, shape (n,), True where the row is null, or None without nulls
    strings : the chunks of a string column, in order of rows
    codes : int32, shape (n,), or None; where given, row i holds string `codes[i]` of `strings`
        (undefined where null, but within their number)
    is_numbered : True where `strings` is one chunk, sorted and distinct, of what rows that are not null hold
    elements : of a list column only: what its lists hold, all in one column
    begins, ends : int64, shape (n,), or None; the list of row i is ``elements[begins[i]:ends[i]]``
        (undefined where null)
    type_name : the type in the caller's words, for messages
    """

    kind: Kind
    n: int
    type_name: str
    values: NDArray[Any] | None = None
    nulls: NDArray[np.bool_] | None = None
    strings: tuple[StringChunk, ...] = ()
    codes: NDArray[np.int32] | None = None
    elements: "Column | None" = None
    begins: NDArray[np.int64] | None = None
    ends: NDArray[np.int64] | None = None
    is_numbered: bool = False

    @property
    def n_strings(self) -> int:
        """The number of strings in `strings`."""
        return sum(map(string_chunk_rows, self.strings))

    @property
    def first_null(self) -> int | None:
        """The first null row, or None."""
        return None if self.nulls is None or not self.nulls.any() else int(self.nulls.argmax())


def string_chunk_rows(chunk: StringChunk) -> int:
    """Return the number of strings in `chunk`."""
    rows = chunk[0]
    return len(rows) if rows.ndim == 2 else len(rows) - 1


def encode_strings(texts: list[str]) -> StringChunk:
    """Return Python strings as one chunk of offsets and UTF-8 bytes."""
    pieces = [text.encode() for text in texts]
    offsets = np.zeros(len(pieces) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, pieces), dtype=np.int64, count=len(pieces)), out=offsets[1:])
    return offsets, np.frombuffer(b"".join(pieces), dtype=np.uint8)
