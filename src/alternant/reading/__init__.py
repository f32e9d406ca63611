"""Files and SQL in, tables of results out: the only package that imports DuckDB.

``read`` makes :class:`~alternant.interactions.Interactions` from CSV, TSV, Parquet, JSON, the ``::`` files of
old MovieLens sets, or SQL; ``read_titles`` makes names for ids, ``read_attributes`` tables of what else is
known of them; ``write_parquet`` and ``write_csv`` write columns. Importing
this package without DuckDB raises the error that holds the install line. Nothing here opens the network.
"""

from alternant._optional import require

require("duckdb", extra="read", purpose="reading files")

from alternant.reading._attributes import read_attributes  # noqa: E402
from alternant.reading._read import find_columns, read  # noqa: E402
from alternant.reading._titles import read_titles  # noqa: E402
from alternant.reading._write import write_csv, write_parquet  # noqa: E402

__all__ = ["find_columns", "read", "read_attributes", "read_titles", "write_csv", "write_parquet"]
