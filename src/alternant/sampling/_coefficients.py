"""Draws of the coefficients W behind the shifts of prior means: of a link, of attributes, or of both.

The rows are x = μ + Φ W + N(0, Λ⁻¹), and the rows of W are N(0, (τΛ)⁻¹) a priori. With R = x − μ, a draw of
W is one of the prior, corrected by what it leaves of the rows (Matheron's rule):

    W = W⁰ + (ΦᵀΦ + τ)⁻¹ Φᵀ (R − Φ W⁰ − E),      W⁰ ~ N(0, (τΛ)⁻¹),  E ~ N(0, Λ⁻¹), row by row

Λ drops out of the matrix to invert, and (ΦᵀΦ + τ)⁻¹ Φᵀ = Φᵀ (ΦΦᵀ + τ)⁻¹: the smaller of the two is inverted,
once for all draws. The same inverse gives the covariance of rows whatever W is, I + ΦΦᵀ/τ, under which μ and
Λ are drawn: given a W with many rows, Λ could not move.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from alternant.errors import DataError
from alternant.interactions import EntryRows
from alternant.kernels import dense, random
from alternant.objective import Float64, Side, Table
from alternant.prior import PriorPart
from alternant.sampling._rows import Hashes

PENALTY = 1.0
"""τ."""

MOST_INVERTED = 8_192
_EIGEN_BELOW = 128
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
    inverse : float32, shape (n, n) with n the smaller of the numbers of rows and features
        (ΦΦᵀ + τ)⁻¹ or (ΦᵀΦ + τ)⁻¹.
    row_hashes : uint64, shape (n_rows,)
    part_hashes : the purpose of random numbers, and uint64, shape (n_features of the part,), for each part
        They say which random numbers a row and a feature get.
    """

    features: EntryRows
    columns: EntryRows
    inverse: Table
    row_hashes: Hashes
    part_hashes: Sequence[tuple[random.Purpose, Hashes]]

    @property
    def by_rows(self) -> bool:
        """Whether the inverse is that of ΦΦᵀ + τ."""
        return self.features.n_rows <= self.features.n_columns

    def whitened(self, rows: Table, *, n_threads: int) -> Table:
        """Return (I + ΦΦᵀ/τ)⁻¹ X: float32, shape (n_rows, width)."""
        if self.by_rows:
            return dense.multiply(self.inverse, rows, n_threads=n_threads) * np.float32(PENALTY)
        pulled = _product(self.columns, rows, n_threads)
        solved = dense.multiply(self.inverse, pulled, n_threads=n_threads)
        return rows - _product(self.features, solved, n_threads)

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
        of_prior = np.concatenate([numbers(hashes, purpose=each) for each, hashes in self.part_hashes])
        prior = dense.multiply(of_prior, spread * np.float32(PENALTY**-0.5), n_threads=n_threads)
        noise = numbers(self.row_hashes, purpose=random.Purpose.COEFFICIENT_NOISE)
        left = rows - _product(self.features, prior, n_threads)
        left -= dense.multiply(noise, spread, n_threads=n_threads)
        if self.by_rows:
            solved = dense.multiply(self.inverse, left, n_threads=n_threads)
            found = prior + _product(self.columns, solved, n_threads)
        else:
            pulled = _product(self.columns, left, n_threads)
            found = prior + dense.multiply(self.inverse, pulled, n_threads=n_threads)
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

    Raises
    ------
    DataError
        Both the number of rows and that of features are above `MOST_INVERTED`.
    """
    features = _side_by_side(parts)
    columns = features.transposed()
    size = min(features.n_rows, features.n_columns)
    if size > MOST_INVERTED:
        raise DataError(
            f"sampling with a link or attributes inverts a matrix of {size:,} × {size:,} here, the smaller "
            f"of rows and features, and no more than {MOST_INVERTED:,} are possible; pass link=False and no "
            "attributes, or fit without n_samples"
        )
    gram = _gramian(columns if features.n_rows == size else features, n_threads)
    gram[np.diag_indices(size)] += PENALTY
    inverse = inverted(gram.astype(np.float32), n_threads=n_threads)
    purposes = [_PURPOSES[part.kind] for part in parts]
    pairs = tuple(zip(purposes, feature_hashes, strict=True))
    return CoefficientSampler(features, columns, inverse, row_hashes, pairs)


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


def inverted(matrix: Table, *, n_threads: int) -> Table:
    """Invert a symmetric positive definite float32 matrix that is well conditioned, by halves.

    No LAPACK, whose results change with the number of threads.
    """
    n = len(matrix)
    if n <= _EIGEN_BELOW:
        values, basis = dense.symmetric_eigen(matrix.astype(np.float64))
        small: Table = np.einsum("ki,kj->ij", basis / values[:, None], basis).astype(np.float32)
        return small
    multiply = partial(dense.multiply, n_threads=n_threads)
    half = n // 2
    corner = np.ascontiguousarray(matrix[half:, :half])
    first = inverted(np.ascontiguousarray(matrix[:half, :half]), n_threads=n_threads)
    across = multiply(corner, first)
    rest = inverted(
        matrix[half:, half:] - multiply(across, np.ascontiguousarray(corner.T)), n_threads=n_threads
    )
    below = multiply(rest, across)
    out = np.empty((n, n), np.float32)
    out[half:, half:] = rest
    out[half:, :half] = -below
    out[:half, half:] = -below.T
    out[:half, :half] = first + multiply(np.ascontiguousarray(across.T), below)
    return out
