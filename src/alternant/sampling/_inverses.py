"""Inverses of symmetric positive definite matrices, without LAPACK, whose bits depend on the threads."""

from collections.abc import Callable
from functools import partial

import numpy as np

from alternant.kernels import dense
from alternant.objective import Float64, Table

TOLERANCE = 1e-4
MOST_STEPS = 200
_EIGEN_BELOW = 128


def conjugate_gradients(times: Callable[[Table], Table], right: Table, scale: Table) -> Table:
    """Solve M X = Y for a symmetric positive definite M, every column on its own, from 0.

    Ends when no column's residual is above `TOLERANCE` of its right side, or after `MOST_STEPS`.

    Parameters
    ----------
    times : returns M X
    right : float32, shape (n, width), Y
    scale : float32, shape (n, 1), 1 / diagonal of M
    """
    found, left = np.zeros_like(right), right.copy()
    direction = scaled = left * scale
    slope = _column_sums(left, scaled)
    enough = TOLERANCE**2 * _column_sums(right, right)
    for _ in range(MOST_STEPS):
        if np.all(_column_sums(left, left) <= enough):
            break
        image = times(direction)
        curvature = _column_sums(direction, image)
        length = np.divide(slope, curvature, out=np.zeros_like(slope), where=curvature > 0.0)
        length32 = length.astype(np.float32)
        found += direction * length32
        left -= image * length32
        scaled = left * scale
        before, slope = slope, _column_sums(left, scaled)
        turn = np.divide(slope, before, out=np.zeros_like(slope), where=before > 0.0)
        direction = scaled + direction * turn.astype(np.float32)
    return found


def _column_sums(left: Table, right: Table) -> Float64:
    total: Float64 = np.einsum("ij,ij->j", left, right, dtype=np.float64)
    return total


def inverse_root(matrix: Table, *, n_threads: int) -> Table:
    """Return H with HᵀH the inverse of a symmetric positive definite float32 matrix, by halves.

    No LAPACK, whose results change with the number of threads. The matrix must be well conditioned.
    """
    n = len(matrix)
    if n <= _EIGEN_BELOW:
        values, basis = dense.symmetric_eigen(matrix.astype(np.float64))
        small: Table = (basis / np.sqrt(values)[:, None]).astype(np.float32)
        return small
    multiply = partial(dense.multiply, n_threads=n_threads)
    half = n // 2
    first = inverse_root(np.ascontiguousarray(matrix[:half, :half]), n_threads=n_threads)
    across = multiply(np.ascontiguousarray(matrix[half:, :half]), np.ascontiguousarray(first.T))
    rest = matrix[half:, half:] - multiply(across, np.ascontiguousarray(across.T))
    second = inverse_root(rest, n_threads=n_threads)
    root = np.zeros((n, n), np.float32)
    root[:half, :half] = first
    root[half:, half:] = second
    root[half:, :half] = -multiply(second, multiply(across, first))
    return root
