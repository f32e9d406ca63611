"""Write columns to a Parquet or CSV file."""

import os
import tempfile
from collections.abc import Iterable, Mapping
from typing import Any

from numpy.typing import NDArray

from alternant.reading._duckdb import connect, literal, rows_of, translated

Batch = Mapping[str, NDArray[Any]]


def write_parquet(columns: Batch | Iterable[Batch], path: str | os.PathLike[str]) -> None:
    """Write columns of equal length as a Parquet file.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n,), or an iterable of such
        Integers, floats, or objects that are all str or None. Of an iterable one batch at a time is in
        memory, the others in a temporary file; it must hold at least one.
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
    _write(columns, path, "format parquet")


def write_csv(columns: Batch | Iterable[Batch], path: str | os.PathLike[str]) -> None:
    """Write columns of equal length as a CSV file, names first; see :func:`write_parquet`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from alternant.reading import write_csv
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "table.csv"
    >>> write_csv({"id": np.array([1, 2]), "f0": np.array([0.1, 1.5], np.float32)}, path)
    >>> path.read_text()
    'id,f0\\n1,0.1\\n2,1.5\\n'
    """
    _write(columns, path, "format csv, header")


def _write(columns: Batch | Iterable[Batch], path: str | os.PathLike[str], format: str) -> None:
    options = f"{format}, use_tmp_file false"  # else DuckDB would replace what is there
    copy = f"copy columns_to_write to {literal(os.fspath(path))} ({options})"
    connection = connect()
    if isinstance(columns, Mapping):
        connection.register("columns_to_write", dict(columns))
        with translated(os.fspath(path), doing="write"):
            rows_of(connection, copy)
        return
    with tempfile.TemporaryDirectory(prefix="alternant-") as folder:
        with translated(os.fspath(path), doing="write"):
            connection.execute(f"attach {literal(os.path.join(folder, 'batches'))} as kept; use kept")
            for number, batch in enumerate(columns):
                connection.register("batch", dict(batch))
                how = "create table columns_to_write as" if number == 0 else "insert into columns_to_write"
                rows_of(connection, f"{how} from batch")
            rows_of(connection, copy)
        connection.close()
