"""One pass of the bias model over one side."""

import numpy as np
import numpy.typing as npt

from alternant import _kernels
from alternant.kernels.rows import Block

Float64 = npt.NDArray[np.float64]


def bias_pass(
    block: Block,
    weights: npt.NDArray[np.float32] | None,
    fixed: Float64,
    *,
    mean: float,
    shrinkage: float,
    n_threads: int,
) -> tuple[Float64, Float64]:
    """Return each row's bias Σ w (v − mean − fixed) / (Σ w + shrinkage), and what it leaves: Σ w (residual)².

    Parameters
    ----------
    weights : float32, shape (n_entries,), or None (ones)
    fixed : float64, shape (n_columns,)
        The other side's biases.

    Returns
    -------
    biases, squares : float64, shape (n_rows,)
        Zero for rows without entries.
    """
    n_rows = len(block.offsets) - 1
    values = np.ones(len(block.indices), np.float32) if block.values is None else block.values
    biases, squares = np.empty(n_rows), np.empty(n_rows)
    _kernels.bias_pass(
        block.offsets, block.indices, values, weights, mean, fixed, shrinkage, biases, squares, n_threads
    )
    return biases, squares
