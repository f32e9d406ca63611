"""Draws of the coefficients W behind the shifts of prior means: of a link, of attributes, or of both.

The rows are x = μ + Φ W + N(0, Λ⁻¹), and the rows of W are N(0, (τΛ)⁻¹) a priori. With R = x − μ, a draw of
W is one of the prior, corrected by what it leaves of the rows (Matheron's rule):

    W = W⁰ + A Φᵀ (R − Φ W⁰ − E),       W⁰ ~ N(0, (τΛ)⁻¹),  E ~ N(0, Λ⁻¹), row by row

Λ drops out of A = (ΦᵀΦ + τ)⁻¹, and A Φᵀ = Φᵀ (ΦΦᵀ + τ)⁻¹: the smaller of the two is computed once for all
draws, unless it is so large that conjugate gradients are less work. With A = HᵀH at hand, A Φᵀ R + Hᵀ E has
the same distribution for less. The same inverse gives the covariance of rows whatever W is, I + ΦΦᵀ/τ, under
which μ and Λ are drawn: given a W with many rows, Λ could not move.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from alternant.interactions import EntryRows
from alternant.kernels import dense, random
from alternant.objective import Float64, Side, Table
from alternant.prior import PriorPart
from alternant.sampling._inverses import conjugate_gradients, inverse_root
from alternant.sampling._rows import Hashes

PENALTY = 1.0
"""τ."""

MOST_INVERTED = 8_192
STEPS_WORTH = 40
"""A matrix is inverted where it has less numbers than so many times the entries of Φ."""
_ROWS_AT_ONCE = 1 << 12

_PURPOSES = {"link": random.Purpose.LINK_DRAW, "attributes": random.Purpose.ATTRIBUTE_DRAW}


@dataclass(frozen=True, eq=False)
class CoefficientSampler:
    """What draws of the coefficients of one side need, made once.

    Attributes
    ----------
    features : EntryRows, shape (n_rows, n_features)
        Φ of the rows that have entries, all parts side by side.
    columns : the same entries by feature
    by_rows : bool
        Rows are fewer than features, and `inverse` is (ΦΦᵀ + τ)⁻¹.
    inverse : float32, shape (n, n), or None
        A, or that of the rows; None where conjugate gradients take the place of A.
    root : float32, shape (n, n), or None
        H, where `inverse` is A.
    row_hashes : uint64, shape (n_rows,)
    part_hashes : the purpose of random numbers, and uint64, shape (n_features of the part,), for each part
        They say which random numbers a row and a feature get.
    """

    features: EntryRows
    columns: EntryRows
    by_rows: bool
    inverse: Table | None
    root: Table | None
    row_hashes: Hashes
    part_hashes: Sequence[tuple[random.Purpose, Hashes]]

    def whitened(self, rows: Table, *, n_threads: int) -> Table:
        """Return (I + ΦΦᵀ/τ)⁻¹ X: float32, shape (n_rows, width)."""
        if self.by_rows and self.inverse is not None:
            return dense.multiply(self.inverse, rows, n_threads=n_threads) * np.float32(PENALTY)
        pulled = _product(self.columns, rows, n_threads)
        return rows - _product(self.features, self._over_features(pulled, n_threads), n_threads)

    @cached_property
    def row_weights(self) -> Table:
        """(I + ΦΦᵀ/τ)⁻¹ 1: float32, shape (n_rows,)."""
        return self.whitened(np.ones((self.features.n_rows, 1), np.float32), n_threads=1)[:, 0]

    @cached_property
    def _scale(self) -> Table:
        """The inverse of the diagonal of ΦᵀΦ + τ: float32, shape (n_features, 1)."""
        values = self.columns.values
        squares = None if values is None else values**2
        diagonal = np.bincount(self.columns.row_index(), squares, self.columns.n_rows) + PENALTY
        return (1.0 / diagonal).astype(np.float32)[:, None]

    def _over_features(self, table: Table, n_threads: int) -> Table:
        """Return A X: float32, shape (n_features, width)."""
        if self.inverse is not None:
            return dense.multiply(self.inverse, table, n_threads=n_threads)

        def times(direction: Table) -> Table:
            product = _product(self.features, direction, n_threads)
            return _product(self.columns, product, n_threads) + np.float32(PENALTY) * direction

        return conjugate_gradients(times, table, self._scale)

    def draw(
        self, rows: Table, precision: Float64, *, side: Side, seed: int, sweep: int, n_threads: int
    ) -> tuple[Table, ...]:
        """Draw coefficients given R, float32, shape (n_rows, width), and Λ.

        Returns
        -------
        float32, shape (n_features of the part, width), for each part
        """
        values, basis = dense.symmetric_eigen(precision)
        spread = (basis / np.sqrt(values)[:, None]).astype(np.float32)  # normals · spread ~ N(0, Λ⁻¹)
        numbers = partial(
            random.standard_normal,
            n_columns=rows.shape[1],
            seed=seed,
            side=random.Side.USERS if side == "users" else random.Side.ITEMS,
            sweep=sweep,
            n_threads=n_threads,
        )
        normals = np.concatenate([numbers(hashes, purpose=each) for each, hashes in self.part_hashes])
        deviations = dense.multiply(normals, spread, n_threads=n_threads)
        if self.root is not None:
            found = self._over_features(_product(self.columns, rows, n_threads), n_threads)
            found += dense.multiply(np.ascontiguousarray(self.root.T), deviations, n_threads=n_threads)
        else:
            found = deviations * np.float32(PENALTY**-0.5)
            noise = numbers(self.row_hashes, purpose=random.Purpose.COEFFICIENT_NOISE)
            left = rows - _product(self.features, found, n_threads)
            left -= dense.multiply(noise, spread, n_threads=n_threads)
            if self.by_rows and self.inverse is not None:
                left = dense.multiply(self.inverse, left, n_threads=n_threads)
                found += _product(self.columns, left, n_threads)
            else:
                found += self._over_features(_product(self.columns, left, n_threads), n_threads)
        ends = np.cumsum([len(hashes) for _, hashes in self.part_hashes])
        return tuple(np.split(found, ends[:-1]))


def coefficient_sampler(
    parts: Sequence[PriorPart],
    row_hashes: Hashes,
    feature_hashes: Sequence[Hashes],
    *,
    n_threads: int,
) -> CoefficientSampler:
    """Make what draws of coefficients need.

    Parameters
    ----------
    parts : of the rows that have entries
    feature_hashes : uint64, shape (n_features,), for each part
    """
    features = _side_by_side(parts)
    columns = features.transposed()
    size = min(features.n_rows, features.n_columns)
    purposes = [_PURPOSES[part.kind] for part in parts]
    pairs = tuple(zip(purposes, feature_hashes, strict=True))
    if size > MOST_INVERTED or size * size > STEPS_WORTH * features.n_entries:
        return CoefficientSampler(features, columns, False, None, None, row_hashes, pairs)
    by_rows = features.n_rows == size
    gram = _gramian(columns if by_rows else features, n_threads)
    gram[np.diag_indices(size)] += PENALTY
    root = inverse_root(gram.astype(np.float32), n_threads=n_threads)
    inverse = dense.multiply(np.ascontiguousarray(root.T), root, n_threads=n_threads)
    return CoefficientSampler(
        features, columns, by_rows, inverse, None if by_rows else root, row_hashes, pairs
    )


def _side_by_side(parts: Sequence[PriorPart]) -> EntryRows:
    """Return Φ of all parts as one."""
    rows, columns, values, before = [], [], [], 0
    for part in parts:
        scale, index = part.row_scale(), part.rows.row_index()
        stored = part.rows.values
        each = np.ones(len(index), np.float32) if stored is None else stored
        rows.append(index)
        columns.append(part.rows.indices + np.int32(before))
        values.append(each if scale is None else each * scale[index])
        before += part.n_features
    row, column = np.concatenate(rows), np.concatenate(columns)
    order = np.argsort(row, kind="stable")
    offsets = np.zeros(parts[0].rows.n_rows + 1, np.int64)
    np.cumsum(np.bincount(row, minlength=len(offsets) - 1), out=offsets[1:])
    return EntryRows(offsets, column[order], before, values=np.concatenate(values)[order])


def _product(rows: EntryRows, table: Table, n_threads: int) -> Table:
    return dense.multiply_sparse(rows.block(0, rows.n_rows), table, n_threads=n_threads)


def _gramian(rows: EntryRows, n_threads: int) -> Float64:
    """Return SᵀS of sparse rows in float64, by blocks of rows."""
    gram = np.zeros((rows.n_columns, rows.n_columns))
    for begin in range(0, rows.n_rows, _ROWS_AT_ONCE):
        block = rows.block(begin, min(begin + _ROWS_AT_ONCE, rows.n_rows))
        full = np.zeros((block.end - block.begin, rows.n_columns), np.float32)
        index = np.repeat(np.arange(len(full)), np.diff(block.offsets))
        full[index, block.indices] = 1.0 if block.values is None else block.values
        gram += dense.gramian(full, n_threads=n_threads)
    return gram
