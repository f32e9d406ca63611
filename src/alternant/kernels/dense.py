"""Products with tall factor tables; eigendecompositions and inverses of small matrices.

The same bits for any number of threads.
"""

import numpy as np
import numpy.typing as npt

from alternant import _kernels
from alternant.errors import DivergedError
from alternant.kernels.rows import Block

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]


def gramian(
    table: Float32, *, weights: Float64 | None = None, n_columns: int | None = None, n_threads: int
) -> Float64:
    """Return Σ w y yᵀ over the rows y of a table, in float64.

    Parameters
    ----------
    table : float32, shape (n, width)
    weights : float64, shape (n,), at least 0, optional
        None: ones.
    n_columns : int, optional
        Only the first columns count; None: all.

    Returns
    -------
    float64, shape (n_columns, n_columns)
    """
    width = table.shape[1] if n_columns is None else n_columns
    gram = np.empty((width, width))
    scale = None if weights is None else np.sqrt(weights).astype(np.float32)
    _kernels.gramian(table, scale, gram, n_threads)
    return gram


def multiply(table: Float32, matrix: Float32, *, out: Float32 | None = None, n_threads: int) -> Float32:
    """Return table · matrix, for float32 arrays of shapes (n, width) and (width, out_width).

    A table may have more columns than the matrix has rows: those behind are copied behind the product.

    Parameters
    ----------
    out : float32, shape (n, out_width + columns left over), optional
        Where to write; no part of `table`. None: a new array.
    """
    if out is None:
        left_over = table.shape[1] - matrix.shape[0]
        out = np.empty((table.shape[0], matrix.shape[1] + max(left_over, 0)), np.float32)
    _kernels.multiply(table, np.ascontiguousarray(matrix), out, n_threads)
    return out


def multiply_sparse(block: Block, table: Float32, *, shift: float = 0.0, n_threads: int) -> Float32:
    """Return (S − shift) · table, where S holds the block's entries; the shift touches those only."""
    out = np.empty((len(block.offsets) - 1, table.shape[1]), np.float32)
    _kernels.multiply_sparse(block.offsets, block.indices, block.values, shift, table, out, n_threads)
    return out


def symmetric_eigen(matrix: Float64, *, n_threads: int = 1) -> tuple[Float64, Float64]:
    """Decompose a symmetric float64 matrix: A = Vᵀ diag(w) V.

    Returns
    -------
    values : float64, shape (n,)
        Eigenvalues, descending.
    vectors : float64, shape (n, n)
        Row i is the unit eigenvector of values[i]; its component of largest magnitude is positive.
    """
    values = np.empty(len(matrix))
    vectors = np.empty(matrix.shape)
    if not _kernels.symmetric_eigen(np.ascontiguousarray(matrix), values, vectors, n_threads):
        raise DivergedError("eigendecomposition of a matrix that is not finite: factors have diverged")
    return values, vectors


def half_inverses(matrices: Float64, *, n_threads: int) -> tuple[Float32, int]:
    """Return C with M⁻¹ = CᵀC, lower triangular, of symmetric matrices M, which are overwritten.

    Parameters
    ----------
    matrices : float64, shape (n, width, width), C-contiguous; the upper triangles are read

    Returns
    -------
    halves : float32, shape (n, width, width)
    failed : int
        The first matrix that is not positive definite, -1 where all are.
    """
    n, width, _ = matrices.shape
    halves = np.empty(matrices.shape, np.float32)
    flat, out = matrices.reshape(n * width, width), halves.reshape(n * width, width)
    return halves, _kernels.half_inverses(flat, out, n_threads) if n else -1
