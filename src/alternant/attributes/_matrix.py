"""Attributes that are features already: a matrix with a row for each id. scipy is never required."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alternant._arrays import as_array
from alternant._frames import as_column
from alternant.attributes._table import RowIds, What, row_ids
from alternant.errors import DataError
from alternant.ids import IdMap
from alternant.interactions._matrix import read_matrix


@dataclass(frozen=True, eq=False)
class AttributeMatrix:
    """Features of users or items as a matrix; they are used as they are, not standardised.

    Attributes
    ----------
    ids : integers or strings, shape (n,), or IdMap
        The id of each row.
    matrix : numbers, shape (n, n_features)
        A NumPy array or a scipy sparse matrix or array, which stays sparse; finite. It is not copied, and
        must not be changed.
    names : sequence of str or None
        The name of each feature, distinct. Default: feature0, feature1, ….

    Raises
    ------
    DataError
        The matrix is not two-dimensional, or has other than one row for each id, or no column; names do not
        fit.

    Examples
    --------
    >>> AttributeMatrix(["x", "y"], [[0.5, 0.0], [0.0, 2.0]]).feature_names
    ('feature0', 'feature1')
    """

    ids: Any
    matrix: Any
    names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        matrix = self.matrix
        if hasattr(matrix, "columns"):
            raise DataError(
                f"matrix must be an array, got a {type(matrix).__name__}: pass the frame itself as the "
                "attributes, or frame.to_numpy()"
            )
        if not hasattr(matrix, "tocoo"):
            matrix = as_array(matrix, name="matrix", ndim=2)
            object.__setattr__(self, "matrix", matrix)
        shape = tuple(matrix.shape)
        if np.dtype(matrix.dtype).kind not in "fiub":
            raise DataError(f"matrix must hold numbers, got {np.dtype(matrix.dtype)}")
        n = len(self.ids) if isinstance(self.ids, IdMap) else as_column(self.ids, name="ids").n
        if len(shape) != 2 or shape[0] != n:
            raise DataError(f"matrix must have a row for each of {n} ids, got shape {shape}")
        if shape[1] == 0:
            raise DataError(f"matrix must have a column for each feature, got shape {shape}")
        if self.names is not None:
            _check_names(self.names, shape[1])
            object.__setattr__(self, "names", tuple(self.names))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The name of each column."""
        if self.names is not None:
            return self.names
        return tuple(f"feature{column}" for column in range(self.matrix.shape[1]))

    def row_ids(self, what: What) -> RowIds:
        """Return whose the rows are, or refuse ids that are null, of a wrong type, or there twice."""
        labels = self.ids.labels if isinstance(self.ids, IdMap) else self.ids
        return row_ids(as_column(labels, name=f"{what} ids"), what=what, remedy="keep one of them")

    def cells(
        self, ids: RowIds, keep: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
        """Return row, column and value of the cells that are not 0, of the rows where `keep` is True.

        Cells that a COO matrix stores twice stay apart.
        """
        if hasattr(self.matrix, "tocoo"):
            _, (rows, columns, values) = read_matrix(self.matrix)
        else:
            rows, columns = np.nonzero(self.matrix)
            values = self.matrix[rows, columns]
        kept = keep[rows] & (values != 0)
        rows, columns = rows[kept].astype(np.int64), columns[kept].astype(np.int64)
        with np.errstate(over="ignore"):
            stored = values[kept].astype(np.float32)
        wrong = ~np.isfinite(stored)
        if wrong.any():
            cell = int(wrong.argmax())
            raise DataError(
                f"attribute {self.feature_names[columns[cell]]!r} must be finite in float32, got "
                f"{values[kept][cell]:g} for {ids.what} {ids.label(int(rows[cell]))!r}; correct it"
            )
        return rows, columns, stored


def _check_names(names: Any, n: int) -> None:
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise DataError(f"names must be a sequence of strings or None, got {names!r}")
    if len(names) != n or len(set(names)) != n:
        raise DataError(f"names must be distinct, one for each of {n} columns, got {len(set(names))}")
