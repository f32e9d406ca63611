"""Number the distinct labels of a column, find labels, hash them.

Labels are int64 arrays or chunks of strings (see ``alternant._columns``). Nothing here knows what an id is
for.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from alternant import _kernels
from alternant._columns import NextPiece, Numbered, Piece, StringChunk, string_chunk_rows
from alternant.kernels._small_work import threads_for

Labels = NDArray[np.int64] | Sequence[StringChunk]


def _n_rows(labels: Labels) -> int:
    return len(labels) if isinstance(labels, np.ndarray) else sum(map(string_chunk_rows, labels))


def number_strings(next_piece: NextPiece, n_columns: int, *, n_threads: int | None = None) -> list[Numbered]:
    """Number the distinct strings of columns that come in pieces, in sorted order of their bytes.

    Nothing of a piece is kept but its distinct strings: at any time this takes, for each distinct string of a
    column, its bytes and 30 to 60 more; plus 4 bytes a row of codes, which are the caller's.

    Parameters
    ----------
    next_piece : function of nothing
        None at the end; else for each column its chunks, where it is null (bool, shape (n,), or None) and
        codes (int32, shape (n,)), which get provisional numbers, -1 where null.
    n_columns : int

    Returns
    -------
    list with, for each column, the distinct strings in sorted order (offsets int64 and bytes), and the
    function that makes codes of the provisional numbers, in place
    """
    found: list[Numbered] = []

    def allocate(
        column: int, n_distinct: int, n_bytes: int, n_numbers: int
    ) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.int32]]:
        offsets, data = np.empty(n_distinct + 1, dtype=np.int64), np.empty(n_bytes, dtype=np.uint8)
        rank = np.empty(n_numbers, dtype=np.int32)
        found.append(
            ((offsets, data), lambda numbers: translate(numbers, rank, out=numbers, n_threads=n_threads))
        )
        return offsets, data, rank

    first = next_piece()
    ahead = [] if first is None else [first]
    n_first = len(first[0][2]) if first else 0
    del first

    def pieces() -> list[Piece] | None:
        return ahead.pop() if ahead else next_piece()

    n_threads = threads_for(n_first, n_threads)
    _kernels.number_strings(n_columns, pieces, allocate, n_threads)
    return found


def number_integers(
    labels: NDArray[np.int64] | NDArray[np.int32], *, n_threads: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Number the distinct integers of an array in sorted order.

    Integers that lie densely take at most 3 bytes a row meanwhile, others 30 to 60 bytes a distinct one.

    Returns
    -------
    distinct : int64, shape (n_distinct,), sorted
    codes : int32, shape (n,), the position of each row's label in `distinct`
    """
    codes = np.empty(len(labels), dtype=np.int32)
    found: list[NDArray[np.int64]] = []

    def allocate(n_distinct: int) -> NDArray[np.int64]:
        found.append(np.empty(n_distinct, dtype=np.int64))
        return found[0]

    threads = threads_for(len(labels), n_threads)
    if labels.dtype == np.int32:
        _kernels.number_int32(labels.astype(np.int32, copy=False), codes, allocate, threads)
    else:
        _kernels.number_int64(labels.astype(np.int64, copy=False), codes, allocate, threads)
    return found[0], codes


def factorise(labels: Labels, *, n_threads: int | None = None) -> tuple[Labels, NDArray[np.int32]]:
    """Number the distinct labels of a column in sorted order (integers by value, strings by bytes).

    Returns
    -------
    distinct : int64, shape (n_distinct,); or a list of one chunk of strings
    codes : int32, shape (n,), the number of each row's label
    """
    if isinstance(labels, np.ndarray):
        return number_integers(labels, n_threads=n_threads)
    codes = np.empty(_n_rows(labels), dtype=np.int32)
    threads = threads_for(len(codes), n_threads)
    piece: list[Piece] = [(list(labels), None, codes)]
    pieces = iter([piece])
    [(chunk, translated)] = number_strings(lambda: next(pieces, None), 1, n_threads=threads)
    return [chunk], translated(codes)


def translate(
    numbers: NDArray[np.int32],
    table: NDArray[np.int32],
    *,
    out: NDArray[np.int32] | None = None,
    n_threads: int | None = None,
) -> NDArray[np.int32]:
    """Return ``table[numbers]`` (int32, shape (n,)), 0 where the number is -1; `out` may be `numbers`."""
    if out is None:
        out = np.empty(len(numbers), dtype=np.int32)
    _kernels.translate(numbers, table, out, threads_for(len(numbers), n_threads))
    return out


def used_numbers(
    numbers: NDArray[np.int32], n_numbers: int, *, n_threads: int | None = None
) -> NDArray[np.bool_]:
    """Return which of 0..n_numbers-1 occur among `numbers` (int32, shape (n,)): bool, shape (n_numbers,)."""
    used = np.zeros(n_numbers, dtype=np.uint8)
    _kernels.mark_used(numbers, used, threads_for(len(numbers), n_threads))
    return used.view(np.bool_)


def hashes(labels: Labels, *, n_threads: int | None = None) -> NDArray[np.uint64]:
    """Return the hash of each label: uint64, shape (n,); the same on every machine and in every run."""
    out = np.empty(_n_rows(labels), dtype=np.uint64)
    threads = threads_for(len(out), n_threads)
    if isinstance(labels, np.ndarray):
        _kernels.hash_integers(labels, out, threads)
    else:
        _kernels.hash_strings(list(labels), out, threads)
    return out


def build_index(labels: Labels) -> tuple[NDArray[np.uint64], int | None]:
    """Return the hash table for :func:`find`, and the first row whose label came before, or None."""
    slots = np.empty(max(8, 1 << (2 * _n_rows(labels)).bit_length()), dtype=np.uint64)
    if isinstance(labels, np.ndarray):
        repeated = _kernels.index_integers(labels, slots)
    else:
        repeated = _kernels.index_strings(list(labels), slots)
    return slots, None if repeated < 0 else repeated


def find(
    queries: Labels, labels: Labels, slots: NDArray[np.uint64], *, n_threads: int | None = None
) -> tuple[NDArray[np.int32], int]:
    """Return the position of each query among `labels` (int32, -1 where there is none), and the number of -1.

    `slots` is what :func:`build_index` made of the same `labels`; queries and labels are of one kind.
    """
    positions = np.empty(_n_rows(queries), dtype=np.int32)
    threads = threads_for(len(positions), n_threads)
    if isinstance(queries, np.ndarray) and isinstance(labels, np.ndarray):
        n_unknown = _kernels.find_integers(queries, labels, slots, positions, threads)
    elif not isinstance(queries, np.ndarray) and not isinstance(labels, np.ndarray):
        n_unknown = _kernels.find_strings(list(queries), list(labels), slots, positions, threads)
    else:
        raise TypeError("queries and labels must both be integers or both be strings")
    return positions, n_unknown


def take_strings(chunks: Sequence[StringChunk], rows: NDArray[np.int64]) -> StringChunk:
    """Return the strings of `rows` as one chunk: offsets int64 (n + 1) and their bytes."""
    offsets = np.empty(len(rows) + 1, dtype=np.int64)
    _kernels.string_offsets(list(chunks), rows, offsets)
    data = np.empty(int(offsets[-1]), dtype=np.uint8)
    _kernels.copy_strings(list(chunks), rows, data)
    return offsets, data
