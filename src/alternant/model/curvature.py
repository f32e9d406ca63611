"""The inverses of row systems, made once for a row and used for many vectors; and cheap bounds on them.

For a row with system A = D + Σ a y yᵀ (over its entries; D has what is shared by all rows too):

    qᵀ A⁻¹ q  =  |C q|²,                                   C = L⁻¹ of the Cholesky factor L of A
    qᵀ A⁻¹ q  ≤  qᵀ D⁻¹ q − (sᵀ D⁻¹ q)² / (W + sᵀ D⁻¹ s),   s = Σ a y,  W = Σ a

The bound is that of the entries put together in their mean y: Σ a y yᵀ ⪰ s sᵀ / W.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from alternant.days import UserDays
from alternant.errors import DataError
from alternant.interactions import EntryRows, RowBlock
from alternant.kernels import dense
from alternant.kernels.rows import RowTerms

if TYPE_CHECKING:
    from alternant.model.uncertainty import SideSystems

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

NUMBERS_AT_ONCE = 1 << 22  # of systems in float64
ENTRIES_AT_ONCE = 1 << 18


def half_inverses(
    systems: "SideSystems", index: NDArray[np.int32], *, n_threads: int
) -> Iterator[tuple[slice, Float32]]:
    """Yield parts of `index` and their C: float32, shape (n, width, width), A⁻¹ = CᵀC.

    A row without entries has its ridge alone, and infinity where that is 0. A row's C does not depend on the
    other rows.
    """
    width = systems.objective.width
    at_once = max(1, NUMBERS_AT_ONCE // width**2)
    for begin in range(0, len(index), at_once):
        part = slice(begin, min(begin + at_once, len(index)))
        found = np.empty((part.stop - begin, width, width), np.float32)
        place = 0
        for rows in _blocks(systems, index[part]):
            found[place : place + rows.n_rows] = _half_inverses(systems, rows, n_threads)
            place += rows.n_rows
        yield part, found


def ceilings(systems: "SideSystems", index: NDArray[np.int32]) -> tuple[Float32, Float32]:
    """Return what bounds qᵀA⁻¹q ≤ Σ_c inverse_c q_c² − (direction · q)² of rows, rounding apart.

    Returns
    -------
    inverse : float32, shape (n, width)
        Infinite, or as good as that, where nothing is known.
    direction : float32, shape (n, width)
    """
    width = systems.objective.width
    inverse, direction = np.empty((len(index), width), np.float32), np.empty((len(index), width), np.float32)
    place = 0
    for rows in _blocks(systems, index):
        part = slice(place, place + rows.n_rows)
        place = part.stop
        block, vectors = _entries(systems, rows)
        terms, a = _terms(systems, block)
        shared = _diagonal(systems, rows, terms)
        starts = rows.offsets[:-1]
        weights, sums = np.zeros(rows.n_rows), np.zeros((rows.n_rows, width))
        has = rows.counts > 0
        lowest = np.zeros(rows.n_rows)
        if has.any():
            # Sums over the entries of each row with entries: these rows lie one after the other.
            weights[has] = np.add.reduceat(a, starts[has])
            lowest[has] = np.minimum.reduceat(a, starts[has])
            sums[has] = np.add.reduceat(a[:, None] * vectors, starts[has], axis=0)
        bounded = lowest >= 0.0
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            inverses = np.where(bounded[:, None], 1.0 / shared, np.inf)
            scaled = np.where(sums == 0.0, 0.0, sums * inverses)
            length = weights + np.einsum("ij,ij->i", sums, scaled)
            directions = scaled / np.sqrt(length)[:, None]
            known = bounded & (weights > 0.0) & np.isfinite(directions).all(axis=1)
            inverse[part] = inverses
            direction[part] = np.where(known[:, None], directions, 0.0)
    return inverse, direction


def _blocks(systems: "SideSystems", index: NDArray[np.int32]) -> Iterator[EntryRows]:
    """Yield the rows of `index`, some entries at a time."""
    ends = np.cumsum(systems.rows.counts[index])
    begin = 0
    while begin < len(index):
        limit = (ends[begin - 1] if begin else 0) + ENTRIES_AT_ONCE
        end = max(begin + 1, int(np.searchsorted(ends, limit, side="right")))
        yield systems.rows.chosen(index[begin:end])
        begin = end


def _entries(systems: "SideSystems", rows: EntryRows) -> tuple[RowBlock, Float32]:
    """Return the entries that systems are made of, and the fixed side's row of each: with 1 in the place of a
    bias, float32, shape (n_entries, width). Those of users with biases of days are spread."""
    block, ridge = rows.block(0, rows.n_rows), systems.objective.day_ridge
    if systems.side == "users" and ridge is not None:
        spread = UserDays.of(rows).spread(0, rows.n_rows, systems.fixed.table, ridge=ridge, n_threads=1)
        block, vectors = spread.block, spread.table
    else:
        vectors = systems.fixed.table[rows.indices]
    if systems.objective.has_biases:
        vectors[:, -1] = 1.0
    return block, vectors


def _terms(systems: "SideSystems", block: RowBlock) -> tuple[RowTerms, Float64]:
    """Return the terms of rows, and a of each of their entries: float64, shape (n_entries,)."""
    terms = systems.objective.row_terms(systems.side, block, systems.fixed)
    if terms.a.array is not None:
        return terms, terms.a.array.astype(np.float64)
    a = np.full(len(block.indices), terms.a.constant)
    if terms.a.slope != 0.0:
        a += terms.a.slope * (1.0 if block.values is None else block.values.astype(np.float64))
    return terms, a


def _diagonal(systems: "SideSystems", rows: EntryRows, terms: RowTerms) -> Float64:
    """Return the ridge of each row and what is on the diagonal for all: float64, shape (n_rows, width).

    A row without entries is outside the objective, and has its ridge alone. A Gramian that is not diagonal is
    left out, which leaves a bound a bound.
    """
    found = systems.objective.diagonal(systems.side, rows.counts)
    if terms.w0 is not None and terms.omega is not None:
        found += np.where(rows.counts > 0, terms.w0, 0.0)[:, None] * terms.omega
    return found


def _half_inverses(systems: "SideSystems", rows: EntryRows, n_threads: int) -> Float32:
    block, vectors = _entries(systems, rows)
    terms, a = _terms(systems, block)
    width = systems.objective.width
    shared = _diagonal(systems, rows, terms)
    root = np.sqrt(np.abs(a))
    found = np.zeros((rows.n_rows, width, width))
    for row in np.flatnonzero(rows.counts).tolist():
        entries = slice(int(rows.offsets[row]), int(rows.offsets[row + 1]))
        scaled = (root[entries, None] * vectors[entries]).astype(np.float32)
        negative = a[entries] < 0.0
        if negative.any():
            found[row] = dense.gramian(np.ascontiguousarray(scaled[~negative]), n_threads=1)
            found[row] -= dense.gramian(np.ascontiguousarray(scaled[negative]), n_threads=1)
        else:
            found[row] = dense.gramian(scaled, n_threads=1)
        if terms.w0 is not None and terms.gram is not None:
            found[row] += terms.w0[row] * terms.gram
    diagonal = np.arange(width)
    found[:, diagonal, diagonal] += shared
    empty = rows.counts == 0
    found[empty] = np.eye(width)
    halves, failed = dense.half_inverses(found, n_threads=n_threads)
    if failed >= 0:
        raise DataError(
            f"a row of the {systems.side} has no unique solution, and so no uncertainty; raise regularization"
        )
    halves[empty] = 0.0
    with np.errstate(divide="ignore"):
        halves[np.flatnonzero(empty)[:, None], diagonal, diagonal] = 1.0 / np.sqrt(shared[empty])
    return halves
