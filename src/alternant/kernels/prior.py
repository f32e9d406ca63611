"""Prior means of rows: right sides and penalties, and the passes of conjugate gradients for coefficients.

Coefficients and what is multiplied with them lie in *panels*, float32, shape (n_panels, n, PANEL_COLUMNS): a
table cut into runs of columns, the last one filled up with zeros. The same bits for any number of threads.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from alternant import _kernels
from alternant.kernels.rows import Block

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

PANEL_COLUMNS: int = _kernels.panel_columns


@dataclass(frozen=True, eq=False)
class RowRidges:
    """The ridge of each row, column by column, as four vectors: D_u = slope_u · ρ + active_u · κ.

    slopes : float64, shape (n_rows,); 0 for rows that do not count
    active : float64, shape (n_rows,); 1, or 0 for rows that do not count
    rho, kappa : float64, shape (width,)
    """

    slopes: Float64
    active: Float64
    rho: Float64
    kappa: Float64

    @property
    def vectors(self) -> tuple[Float64, Float64, Float64, Float64]:
        """All four, as the kernels take them."""
        return self.slopes, self.active, self.rho, self.kappa


@dataclass(frozen=True, eq=False)
class Weighed:
    """One part of the prior mean, where rows are weighed.

    rows : Block of all rows of Φ
    scale : float32, shape (n_rows,), what multiplies each row; or None
    direction : panels, shape (n_panels, n_features, PANEL_COLUMNS), p
    out : panels, shape (n_panels, n_rows, PANEL_COLUMNS), overwritten
    """

    rows: Block
    scale: Float32 | None
    direction: Float32
    out: Float32


def panels_of(table: Float32, width: int) -> Float32:
    """Return the first `width` columns of a table, shape (n, ≥ width), as panels."""
    n_panels = -(-width // PANEL_COLUMNS)
    panels = np.zeros((n_panels, len(table), PANEL_COLUMNS), np.float32)
    for panel, begin in zip(panels, range(0, width, PANEL_COLUMNS), strict=True):
        columns = table[:, begin : min(begin + PANEL_COLUMNS, width)]
        panel[:, : columns.shape[1]] = columns
    return panels


def table_of(panels: Float32, width: int) -> Float32:
    """Return panels as a table of `width` columns; columns that the panels lack are 0."""
    table = np.zeros((panels.shape[1], width), np.float32)
    for panel, begin in zip(panels, range(0, width, PANEL_COLUMNS), strict=False):
        columns = table[:, begin : begin + PANEL_COLUMNS]
        columns[:] = panel[:, : columns.shape[1]]
    return table


def weigh_rows(
    parts: Sequence[Weighed],
    ridges: RowRidges,
    *,
    table: Float32 | None = None,
    means: Float32 | None = None,
    n_threads: int,
) -> Float64:
    """Fill each part's `out` with φ_u D_u y_u, y = means − table where given, else Σ_parts Φ p.

    Returns
    -------
    float64, shape (n_panels, PANEL_COLUMNS)
        yᵀ D y, column by column.
    """
    sums = np.empty((max(len(part.direction) for part in parts), PANEL_COLUMNS))
    arrays = [
        (
            part.rows.offsets,
            part.rows.indices,
            part.rows.values,
            part.scale,
            part.direction,
            part.out,
        )
        for part in parts
    ]
    _kernels.weigh_rows(arrays, ridges.vectors, table, means, sums, n_threads)
    return sums


@dataclass(frozen=True, eq=False)
class Descent:
    """The coefficients W of one part on their way: panels of shape (n_panels, n_features, PANEL_COLUMNS).

    columns : Block of all features, the entries of Φᵀ without the rows' scale
    diagonal : RowRidges of the features, the diagonal of Φᵀ D Φ; its width is that of the coefficients
    ridge : τ
    coefficients, residual, direction : W, r and p, overwritten
    """

    columns: Block
    diagonal: RowRidges
    ridge: float
    coefficients: Float32
    residual: Float32
    direction: Float32

    def step(self, weighed: Float32, lengths: Float32, *, n_threads: int) -> Float64:
        """Step along the direction: W += α p, r −= α (Φᵀ D Φ p + τ p).

        Parameters
        ----------
        weighed : panels, shape (n_panels, n_rows, PANEL_COLUMNS), what :func:`weigh_rows` wrote
        lengths : float32, shape (n_panels, PANEL_COLUMNS), α

        Returns
        -------
        float64, shape (n_panels, PANEL_COLUMNS)
            rᵀ P r, P the inverse of the diagonal of Φᵀ D Φ + τ.
        """
        sums = np.empty(lengths.shape)
        _kernels.step_coefficients(
            self.columns.offsets,
            self.columns.indices,
            self.columns.values,
            weighed,
            self.diagonal.vectors,
            self.ridge,
            lengths,
            self.coefficients,
            self.residual,
            self.direction,
            sums,
            n_threads,
        )
        return sums

    def ahead(self, lengths: Float32) -> Float32:
        """Return the coefficients one step ahead, as panels, where no other will follow."""
        return self.coefficients + self.direction * lengths[:, None]

    def turn(self, turns: Float32, *, n_threads: int) -> tuple[Float64, Float64]:
        """Turn the direction: p = P r + β p, with β = `turns`, float32, shape (n_panels, PANEL_COLUMNS).

        Returns
        -------
        slopes, squares : float64, shape (n_panels, PANEL_COLUMNS)
            pᵀ r and τ pᵀ p.
        """
        sums = np.empty((len(turns), 2 * PANEL_COLUMNS))
        _kernels.turn_direction(
            self.diagonal.vectors, self.ridge, turns, self.residual, self.direction, sums, n_threads
        )
        return sums[:, :PANEL_COLUMNS], sums[:, PANEL_COLUMNS:]


def mean_terms(means: Float32, ridges: RowRidges, *, n_threads: int) -> Float32:
    """Return h = D m, float32, shape (n_rows, width): what prior means add to the right sides of rows."""
    h = np.empty(means.shape, np.float32)
    _kernels.mean_terms(means, ridges.vectors, h, n_threads)
    return h


def mean_penalties(
    table: Float32,
    means: Float32,
    ridges: RowRidges,
    *,
    losses: Float64 | None = None,
    n_threads: int,
) -> Float64:
    """Return (x − m)ᵀ D (x − m) of each row: float64, shape (n_rows,).

    Parameters
    ----------
    table, means : float32, shape (n_rows, width), x and m
    losses : float64, shape (n_rows,), optional
        What the row kernel returned under h = :func:`mean_terms`, with xᵀDx − 2hᵀx for its penalty;
        overwritten by the losses with (x − m)ᵀD(x − m).
    """
    penalties = np.empty(len(table))
    _kernels.mean_penalties(table, means, ridges.vectors, losses, penalties, n_threads)
    return penalties
