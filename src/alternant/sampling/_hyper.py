"""Draws of what all rows share: the prior of a side, and the noise."""

import numpy as np

from alternant.kernels import dense
from alternant.objective import Table
from alternant.sampling._coefficients import CoefficientSampler
from alternant.sampling._rows import NormalPrior

PRIOR_STRENGTH = 2.0


def draw_prior(
    table: Table,
    generator: np.random.Generator,
    *,
    coefficients: CoefficientSampler | None = None,
    n_threads: int,
) -> NormalPrior:
    """Draw the prior of rows from its posterior, given the rows.

    The prior of the prior is normal-Wishart: W⁻¹ = I with `width` degrees of freedom, and mean 0 that counts
    as `PRIOR_STRENGTH` rows.

    Parameters
    ----------
    table : float32, shape (n_rows, width); rows that have entries
    coefficients : CoefficientSampler, optional
        Rows have shifts. Their coefficients, whatever they are, make rows alike: C = I + ΦΦᵀ/τ is their
        covariance, in units of Λ⁻¹.
    """
    n, width = table.shape
    # With D = C⁻¹: the weight of the rows 1ᵀD1, their mean XᵀD1 / 1ᵀD1, and the scatter about it.
    if coefficients is None:
        weight = float(n)
        centre = table.sum(axis=0, dtype=np.float64) / max(n, 1)
        scatter = dense.gramian(np.ascontiguousarray(table - centre.astype(np.float32)), n_threads=n_threads)
    else:
        ones = coefficients.row_weights
        weight = float(ones.sum(dtype=np.float64))
        centre = np.einsum("ij,i->j", table, ones, dtype=np.float64) / weight
        left = table - centre.astype(np.float32)
        both = np.concatenate([left, coefficients.whitened(left, n_threads=n_threads)], axis=1)
        cross = dense.gramian(both, n_threads=n_threads)[:width, width:]
        scatter = 0.5 * (cross + cross.T)
    scatter += np.eye(width) + PRIOR_STRENGTH * weight / (PRIOR_STRENGTH + weight) * np.multiply.outer(
        centre, centre
    )
    spreads, basis = dense.symmetric_eigen(scatter)
    root = basis.T / np.sqrt(spreads)  # root rootᵀ = scatter⁻¹
    factor = np.tril(generator.standard_normal((width, width)), -1)  # Bartlett's decomposition
    factor[np.diag_indices(width)] = np.sqrt(generator.chisquare(width + n - np.arange(width)))
    half = np.einsum("ij,jk->ik", root, factor)
    precision = np.einsum("ij,kj->ik", half, half)
    values, vectors = dense.symmetric_eigen(precision)
    step = generator.standard_normal(width) / np.sqrt((PRIOR_STRENGTH + weight) * values)
    mean = weight * centre / (PRIOR_STRENGTH + weight) + np.einsum("i,ij->j", step, vectors)
    return NormalPrior(mean, precision)


def draw_noise(square: float, n_entries: int, generator: np.random.Generator) -> float:
    """Draw σ given Σ w (t − prediction)²: the precision of the noise has a Gamma(1, rate 1) prior."""
    return float(1.0 / np.sqrt(generator.gamma(1.0 + 0.5 * n_entries) / (1.0 + 0.5 * square)))
