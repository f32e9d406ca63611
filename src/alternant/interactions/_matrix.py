"""Read a matrix of interactions: a scipy sparse matrix or array, or a dense array where NaN marks unknown."""

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alternant._arrays import as_array, checked_positions
from alternant.errors import DataError
from alternant.ids import IdMap

logger = logging.getLogger("alternant")

Triples = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]  # rows, columns, values


def read_matrix(matrix: Any) -> tuple[tuple[int, int], Triples]:
    """Return the shape and the stored entries of `matrix`; duplicates of a COO matrix stay apart."""
    if hasattr(matrix, "tocoo"):
        return _read_sparse(matrix)
    if hasattr(matrix, "columns"):
        raise DataError(
            f"matrix must be an array, got a {type(matrix).__name__}: a pivot table goes in as "
            "frame.to_numpy() with users=frame.index, items=frame.columns; a table of one row per entry "
            "by Interactions.from_frame"
        )
    dense = as_array(matrix, name="matrix", ndim=2)
    if dense.dtype.kind not in "fiub":
        raise DataError(f"matrix must hold numbers, got {dense.dtype}")
    unknown = np.isnan(dense) if dense.dtype.kind == "f" else np.zeros(dense.shape, dtype=np.bool_)
    if not unknown.any():
        raise DataError(
            f"a dense matrix of shape {dense.shape} without NaN has no unknown cells: mark them "
            "with NaN, or pass a scipy.sparse matrix of the known cells"
        )
    logger.info(
        "dense matrix: %d of %d cells are NaN and taken as unknown", np.count_nonzero(unknown), dense.size
    )
    rows, columns = np.nonzero(~unknown)
    return (dense.shape[0], dense.shape[1]), (rows, columns, dense[rows, columns])


def _read_sparse(matrix: Any) -> tuple[tuple[int, int], Triples]:
    if len(matrix.shape) != 2:
        raise DataError(f"matrix must be two-dimensional, got shape {tuple(matrix.shape)}")
    if np.dtype(matrix.dtype).kind not in "fiub":
        raise DataError(f"matrix must hold numbers, got {np.dtype(matrix.dtype)}")
    try:
        if hasattr(matrix, "check_format"):  # scipy trusts indices that were set by hand, out of range too
            matrix.check_format(full_check=True)
        coo = matrix.tocoo()  # unlike tocsr, it leaves duplicates apart
    except ValueError as error:
        raise DataError(f"matrix is not a sound {type(matrix).__name__}: {error}") from error
    rows = checked_positions(coo.row, matrix.shape[0], name="rows of the matrix")
    columns, values = checked_positions(coo.col, matrix.shape[1], name="columns of the matrix"), coo.data
    if getattr(matrix, "format", None) == "bsr":
        stored = values != 0  # zeros inside a block are padding
        rows, columns, values = rows[stored], columns[stored], values[stored]
    return (int(matrix.shape[0]), int(matrix.shape[1])), (rows, columns, values)


def matrix_ids(labels: Any, n: int, *, what: str) -> tuple[IdMap, NDArray[np.int32]]:
    """Return the ids of a matrix's rows or columns, and the position of each; None numbers them."""
    if labels is None:
        return IdMap.from_range(n), np.arange(n, dtype=np.int32)
    if isinstance(labels, IdMap):
        return labels, np.arange(len(labels), dtype=np.int32)
    ids, codes = IdMap.from_labels(labels, what=what)
    if len(ids) != len(codes):
        counts = np.bincount(codes)
        label = ids.decode([int((counts > 1).argmax())]).tolist()[0]
        raise DataError(f"{what}s must name each row or column once, got {label!r} {counts.max()} times")
    return ids, codes


def check_shape(shape: tuple[int, int], n_users: int, n_items: int) -> None:
    """Refuse a matrix whose shape does not fit the ids, with the corrected call where it is transposed."""
    if shape == (n_users, n_items):
        return
    text = f"matrix must have one row per user and one column per item, ({n_users}, {n_items}), got {shape}"
    if shape == (n_items, n_users):
        text += "; it is the wrong way round: Interactions.from_matrix(matrix.T, users=users, items=items)"
    raise DataError(text)
