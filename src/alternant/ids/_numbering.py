"""Number several columns of a table in one pass over it."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alternant._frames import read_columns
from alternant.ids._labels import label_column
from alternant.ids._map import IdMap
from alternant.kernels import ids as kernels


def number_columns(
    frame: Any, names: Sequence[str], *, n_threads: int | None = None
) -> dict[str, tuple[IdMap, NDArray[np.int32]]]:
    """Number the distinct labels of columns of a table, each in sorted order.

    A source that offers Arrow batches one after the other (``__arrow_c_stream__``: a reader of files, a
    query) is read once and never held as a whole. Peak memory, for n rows of strings: 4.5 bytes a row and
    column, plus for each distinct label twice its bytes and at most 80 more, plus a million rows as they
    come.

    Parameters
    ----------
    frame : a pandas, polars or pyarrow table, anything with Arrow's PyCapsule interface, or a dict of arrays
    names : columns of integers or strings, without nulls
    n_threads : None means all that this process may use; results do not depend on it

    Returns
    -------
    by name, the ids and each row's position in them (int32, shape (n,))

    Raises
    ------
    DataError : a column is missing, or holds nulls or anything but integers or strings

    Examples
    --------
    >>> numbered = number_columns({"user": ["bob", "ann", "bob"]}, ["user"])
    >>> ids, codes = numbered["user"]
    >>> ids.labels.tolist(), codes.tolist()
    (['ann', 'bob'], [1, 0, 1])
    """
    number = partial(kernels.number_strings, n_threads=n_threads)
    columns = read_columns(frame, {name: name for name in names}, numbered=set(names), number=number)
    found = {}
    for name in list(columns):
        column = label_column(columns.pop(name), what=name)
        found[name] = IdMap.from_column(column, what=name, n_threads=n_threads)
    return found
