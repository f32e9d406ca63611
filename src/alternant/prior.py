"""Prior means of rows: what attributes, or the mere list of a row's entries, say of its factors.

    m_u = Σ_parts Φ_u W,        the penalty of a row is (x_u − m_u)ᵀ D_u (x_u − m_u)

Two kinds of parts: *attributes*, whose Φ are the feature rows, and the *link*, whose Φ_u is n_u^−½ at each
item that the user has an entry for (and alike for items). The coefficients W are learnt in the same
alternation: each step solves, for the rows with entries,

    min_W  Σ_u (x_u − Φ_u W)ᵀ D_u (x_u − Φ_u W)  +  Σ_parts τ ‖W‖²

by conjugate gradients from where they are, so that the one objective never rises. It must not know models.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from alternant.interactions import EntryRows
from alternant.kernels import dense

Table = npt.NDArray[np.float32]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Kind = Literal["link", "attributes"]

# Warm-started steps of conjugate gradients per half-sweep.
COEFFICIENT_STEPS = 8


@dataclass(frozen=True, eq=False)
class PriorPart:
    """One part of the prior mean of one side's rows.

    Attributes
    ----------
    kind : "link" (the bias has mean 0) or "attributes" (it has one, too)
    rows : EntryRows of Φ, shape (n_rows, n_features); a link's have no values
    ridge : τ
    columns : the same entries by feature; None where no coefficients will be solved for
    """

    kind: Kind
    rows: EntryRows
    ridge: float
    columns: EntryRows | None = None

    @property
    def n_features(self) -> int:
        """The number of rows of W."""
        return self.rows.n_columns

    def row_scale(self) -> Float32 | None:
        """Return what multiplies each row of a link, n^−½ (0 for a row without entries): float32."""
        if self.kind == "attributes":
            return None
        counts = self.rows.counts
        return np.where(counts > 0, np.maximum(counts, 1) ** -0.5, 0.0).astype(np.float32)

    def times(self, coefficients: Table, *, n_threads: int) -> Table:
        """Return Φ W: float32, shape (n_rows, width)."""
        product = _product(self.rows, coefficients, n_threads)
        scale = self.row_scale()
        return product if scale is None else product * scale[:, None]

    def transposed_times(self, table: Table, *, n_threads: int) -> Table:
        """Return Φᵀ X: float32, shape (n_features, width)."""
        scale = self.row_scale()
        columns = self.rows.transposed() if self.columns is None else self.columns
        return _product(columns, table if scale is None else table * scale[:, None], n_threads)


def link_part(rows: EntryRows, columns: EntryRows | None, *, ridge: float) -> PriorPart:
    """Return the link of a side: which entries its rows have, whatever their values."""
    return PriorPart("link", _pattern(rows), ridge, None if columns is None else _pattern(columns))


def attribute_part(features: EntryRows, *, ridge: float, fitted: bool = True) -> PriorPart:
    """Return the attributes of a side; `fitted`: coefficients will be solved for."""
    return PriorPart("attributes", features, ridge, features.transposed() if fitted else None)


def _pattern(rows: EntryRows) -> EntryRows:
    return EntryRows(rows.offsets, rows.indices, rows.n_columns)


def _product(rows: EntryRows, table: Table, n_threads: int) -> Table:
    return dense.multiply_sparse(rows.block(0, rows.n_rows), table, n_threads=n_threads)


def start_coefficients(parts: Sequence[PriorPart], width: int) -> tuple[Table, ...]:
    """Return coefficients of 0 for each part: float32, shape (n_features, width)."""
    return tuple(np.zeros((part.n_features, width), np.float32) for part in parts)


def prior_mean(parts: Sequence[PriorPart], coefficients: Sequence[Table], *, n_threads: int) -> Table | None:
    """Return m of each row: float32, shape (n_rows, width); None without parts."""
    mean = None
    for part, each in zip(parts, coefficients, strict=True):
        product = part.times(each, n_threads=n_threads)
        mean = product if mean is None else mean + product
    return mean


def with_means(table: Table, counts: npt.NDArray[np.int64], mean: Table | None) -> Table:
    """Return the rows, those without entries as their prior means; the table itself where there are none."""
    return table if mean is None else np.where(counts[:, None] > 0, table, mean)


def coefficient_penalty(parts: Sequence[PriorPart], coefficients: Sequence[Table]) -> float:
    """Return Σ_parts τ ‖W‖² in float64."""
    return sum(
        part.ridge * float(np.sum(np.square(each, dtype=np.float64)))
        for part, each in zip(parts, coefficients, strict=True)
    )


def solve_coefficients(
    parts: Sequence[PriorPart],
    coefficients: Sequence[Table],
    table: Table,
    diagonal: Float64,
    *,
    has_bias: bool,
    n_steps: int = COEFFICIENT_STEPS,
    n_threads: int,
) -> tuple[Table, ...]:
    """Take conjugate-gradient steps on the coefficients; the objective falls with each.

    Parameters
    ----------
    table : float32, shape (n_rows, width)
        The rows x.
    diagonal : float64, shape (n_rows, width)
        D of each row; 0 for rows that do not count.
    has_bias : bool
        The last column is a bias, which links leave alone.
    """
    weights = diagonal.astype(np.float32)
    found = [each.copy() for each in coefficients]
    fitted = prior_mean(parts, found, n_threads=n_threads)
    if fitted is None:
        return ()
    left = table - fitted
    scales = [_preconditioner(part, weights, n_threads) for part in parts]

    def gradients() -> list[Table]:
        weighted = left * weights
        found_gradients = []
        for part, each in zip(parts, found, strict=True):
            gradient = part.transposed_times(weighted, n_threads=n_threads) - np.float32(part.ridge) * each
            if has_bias and part.kind == "link":
                gradient[:, -1] = 0.0
            found_gradients.append(gradient)
        return found_gradients

    gradient = gradients()
    direction = [scale * each for scale, each in zip(scales, gradient, strict=True)]
    slope = _inner(direction, gradient)
    for step in range(n_steps):
        image = prior_mean(parts, direction, n_threads=n_threads)
        if image is None:
            break
        curvature = _column_sums(weights, image, image)
        for part, each in zip(parts, direction, strict=True):
            curvature += part.ridge * _column_sums(each, each)
        length = np.divide(slope, curvature, out=np.zeros_like(slope), where=curvature > 0.0)
        length32 = length.astype(np.float32)
        for each, towards in zip(found, direction, strict=True):
            each += towards * length32
        if step + 1 == n_steps:
            break
        left -= image * length32
        gradient = gradients()
        scaled = [scale * each for scale, each in zip(scales, gradient, strict=True)]
        new_slope = _inner(scaled, gradient)
        turn = np.divide(new_slope, slope, out=np.zeros_like(slope), where=slope > 0.0).astype(np.float32)
        direction = [each + turn * before for each, before in zip(scaled, direction, strict=True)]
        # Rounding may leave a direction that is not downhill: start afresh along the gradient there.
        slope = _inner(direction, gradient)
        uphill = slope <= 0.0
        if uphill.any():
            direction = [np.where(uphill, new, old) for new, old in zip(scaled, direction, strict=True)]
            slope = np.where(uphill, new_slope, slope)
    return tuple(found)


def _preconditioner(part: PriorPart, weights: Table, n_threads: int) -> Table:
    """Return 1 / (Σ_u D_u φ² + τ): float32, shape (n_features, width)."""
    columns = part.rows.transposed() if part.columns is None else part.columns
    scale = part.row_scale()
    squares = None if columns.values is None else columns.values**2
    squared = EntryRows(columns.offsets, columns.indices, columns.n_columns, values=squares)
    diagonal = _product(squared, weights if scale is None else weights * scale[:, None] ** 2, n_threads)
    total = diagonal + np.float32(part.ridge)
    inverse: Table = np.divide(np.float32(1.0), total, out=np.zeros_like(total), where=total > 0.0)
    return inverse


def _inner(left: Sequence[Table], right: Sequence[Table]) -> Float64:
    total = np.zeros(left[0].shape[1])
    for a, b in zip(left, right, strict=True):
        total += _column_sums(a, b)
    return total


def _column_sums(*factors: Table) -> Float64:
    """Return the sum of each column of a product of tables, in float64, by blocks of rows in order."""
    total = np.zeros(factors[0].shape[1])
    for begin in range(0, len(factors[0]), 4096):
        product = factors[0][begin : begin + 4096].astype(np.float64)
        for each in factors[1:]:
            product = product * each[begin : begin + 4096]
        total += product.sum(axis=0)
    return total
