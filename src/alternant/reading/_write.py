"""Write columns to a Parquet file."""

import os
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from alternant.reading._duckdb import connect, literal, rows_of, translated


def write_parquet(columns: Mapping[str, NDArray[Any]], path: str | os.PathLike[str]) -> None:
    """Write columns of equal length as a Parquet file.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n,)
        Integers, floats, or objects that are all str or None.
    path : str or path
        Overwritten where it exists; not atomic (write beside and rename).

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from alternant.reading import write_parquet
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "table.parquet"
    >>> write_parquet({"id": np.array([1, 2]), "f0": np.array([0.5, 1.5], np.float32)}, path)
    >>> path.read_bytes()[:4]
    b'PAR1'
    """
    connection = connect()
    connection.register("columns_to_write", dict(columns))
    options = "format parquet, use_tmp_file false"  # else DuckDB would replace what is there
    with translated(os.fspath(path), doing="write"):
        rows_of(connection, f"copy columns_to_write to {literal(os.fspath(path))} ({options})")
