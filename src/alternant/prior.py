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
from alternant.kernels.prior import (
    PANEL_COLUMNS,
    Descent,
    RowRidges,
    Weighed,
    panels_of,
    table_of,
    weigh_rows,
)

Table = npt.NDArray[np.float32]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Kind = Literal["link", "attributes"]

# Warm-started steps of conjugate gradients per half-sweep. More do not pay: with 8, test RMSE and last
# objective on ml-latest-small, movietweetings-100k and two million made-up ratings are the same to 4e-4
# and 2e-4.
COEFFICIENT_STEPS = 3


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

    def descent(self, start: Float32, ridges: RowRidges, *, width: int, n_threads: int) -> Descent:
        """Return where the descent to coefficients begins: at 0, on its way to `start`.

        Parameters
        ----------
        start : float32 panels of W, which the result takes over
        ridges : RowRidges, of the rows
        width : how many columns have coefficients
        """
        columns = self.rows.transposed() if self.columns is None else self.columns
        slopes, active = self._squares(columns, ridges, n_threads)
        return Descent(
            columns.block(0, columns.n_rows),
            RowRidges(slopes, active, ridges.rho[:width], ridges.kappa[:width]),
            self.ridge,
            coefficients=np.zeros_like(start),
            residual=np.zeros_like(start),
            direction=start,
        )

    def _squares(self, columns: EntryRows, ridges: RowRidges, n_threads: int) -> tuple[Float64, Float64]:
        """Return Σ_u slope_u φ² and Σ_u active_u φ² of each feature: float64, shape (n_features,)."""
        scale = self.row_scale()
        weights = np.stack([ridges.slopes, ridges.active], axis=1)
        if scale is not None:
            weights *= np.square(scale, dtype=np.float64)[:, None]
        squares = None if columns.values is None else columns.values**2
        squared = EntryRows(columns.offsets, columns.indices, columns.n_columns, values=squares)
        slopes, active = _product(squared, weights.astype(np.float32), n_threads).T.astype(np.float64)
        return np.ascontiguousarray(slopes), np.ascontiguousarray(active)

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
    ridges: RowRidges,
    *,
    mean: Table | None = None,
    has_bias: bool,
    n_steps: int = COEFFICIENT_STEPS,
    n_threads: int,
) -> tuple[Table, ...]:
    """Take conjugate-gradient steps on the coefficients; the objective falls with each.

    Parameters
    ----------
    table : float32, shape (n_rows, width)
        The rows x.
    ridges : RowRidges
        D of each row; 0 for rows that do not count.
    mean : float32, shape (n_rows, width), optional
        The prior means under `coefficients`; None: they are computed.
    has_bias : bool
        The last column is a bias, which links leave alone.

    Returns
    -------
    tuple of new float32 arrays, shaped as `coefficients`
    """
    if mean is None:
        mean = prior_mean(parts, coefficients, n_threads=n_threads)
    if mean is None:
        return ()
    width = table.shape[1]
    weighed, descents = [], []
    for part, each in zip(parts, coefficients, strict=True):
        solved = width - (has_bias and part.kind == "link")
        start = panels_of(each, solved)
        descents.append(part.descent(start, ridges, width=solved, n_threads=n_threads))
        scale, rows = part.row_scale(), part.rows.block(0, part.rows.n_rows)
        out = np.empty((len(start), part.rows.n_rows, PANEL_COLUMNS), np.float32)
        weighed.append(Weighed(rows, scale, start, out))
    n_panels = max(len(each.coefficients) for each in descents)

    def step(lengths: Float64) -> Float64:
        """Take a step of the lengths; return rᵀ P r, column by column."""
        lengths32, squares = lengths.astype(np.float32), np.zeros((n_panels, PANEL_COLUMNS))
        for part_weighed, each in zip(weighed, descents, strict=True):
            n = len(each.coefficients)
            squares[:n] += each.step(part_weighed.out, lengths32[:n], n_threads=n_threads)
        return squares

    def turn(turns: Float64) -> tuple[Float64, Float64]:
        """Turn the direction; return pᵀ r and Σ τ pᵀ p, column by column."""
        slopes, squares = np.zeros((2, n_panels, PANEL_COLUMNS))
        for each in descents:
            n = len(each.coefficients)
            slope, square = each.turn(turns.astype(np.float32)[:n], n_threads=n_threads)
            slopes[:n] += slope
            squares[:n] += square
        return slopes, squares

    # From 0, where the residual is 0 once x is taken off, a step of length 1 along W is where W is.
    weigh_rows(weighed, ridges, table=table, means=mean, n_threads=n_threads)
    residual = step(np.ones((n_panels, PANEL_COLUMNS)))
    turns = np.zeros_like(residual)
    for left in reversed(range(n_steps)):
        slope, curvature = turn(turns)
        curvature += weigh_rows(weighed, ridges, n_threads=n_threads)
        # Where rounding left a direction that is not downhill, the step is 0.
        lengths = _ratio(np.maximum(slope, 0.0), curvature)
        if left == 0:
            found = [each.ahead(lengths.astype(np.float32)[: len(each.direction)]) for each in descents]
            break
        before, residual = residual, step(lengths)
        turns = _ratio(residual, before)
    return tuple(table_of(each, width) for each in found)


def _ratio(above: Float64, below: Float64) -> Float64:
    """Return above / below, 0 where `below` is."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0.0)
