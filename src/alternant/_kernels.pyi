from typing import Any

import numpy as np
from numpy.typing import NDArray

_UInt8 = NDArray[np.uint8]
_Int32 = NDArray[np.int32]
_Int64 = NDArray[np.int64]
_UInt64 = NDArray[np.uint64]
_Float32 = NDArray[np.float32]
_Float64 = NDArray[np.float64]

def isa_levels() -> list[str]: ...
def isa() -> str: ...
def set_isa(name: str) -> None: ...

# ids.cpp; strings are a list of (offsets int32 | int64, bytes uint8) or (views uint8 (n, 16), [uint8 ...])
_Strings = list[tuple[NDArray[Any], _UInt8 | list[_UInt8]]]

def factorise_integers(labels: _Int64, codes: _Int32, representatives: _Int64, n_threads: int) -> int: ...
def factorise_strings(chunks: _Strings, codes: _Int32, representatives: _Int64, n_threads: int) -> int: ...
def hash_integers(labels: _Int64, hashes: _UInt64, n_threads: int) -> None: ...
def hash_strings(chunks: _Strings, hashes: _UInt64, n_threads: int) -> None: ...
def index_integers(labels: _Int64, slots: _UInt64) -> int: ...
def index_strings(chunks: _Strings, slots: _UInt64) -> int: ...
def find_integers(
    queries: _Int64, labels: _Int64, slots: _UInt64, positions: _Int32, n_threads: int
) -> int: ...
def find_strings(
    queries: _Strings, labels: _Strings, slots: _UInt64, positions: _Int32, n_threads: int
) -> int: ...
def string_offsets(chunks: _Strings, rows: _Int64, offsets: _Int64) -> None: ...
def copy_strings(chunks: _Strings, rows: _Int64, bytes: _UInt8) -> None: ...

# csr.cpp
def sort_entries(
    rows: _Int32,
    columns: _Int32,
    n_columns: int,
    offsets: _Int64,
    indices: _Int32,
    order: _Int64,
    n_threads: int,
) -> int: ...
def check_rows(offsets: _Int64, indices: _Int32, n_columns: int) -> int: ...
def transpose(
    offsets: _Int64,
    indices: _Int32,
    out_offsets: _Int64,
    out_indices: _Int32,
    out_order: _Int64,
    n_threads: int,
) -> None: ...
def gather_float32(values: _Float32, order: _Int64, out: _Float32, n_threads: int) -> None: ...
def gather_int64(values: _Int64, order: _Int64, out: _Int64, n_threads: int) -> None: ...

# topk_binding.cpp; a last column is 0 (as stored), 1 (read as one) or 2 (read as zero)
def top_k(
    queries: _Float32,
    table: _Float32,
    table_last: int,
    query_scale: _Float32 | None,
    table_scale: _Float32 | None,
    exclude_offsets: _Int64 | None,
    exclude_indices: _Int32 | None,
    candidates: _Int32 | None,
    out_indices: _Int32,
    out_scores: _Float32,
    out_counts: _Int64,
    n_threads: int,
) -> None: ...
def pair_scores(
    left: _Float32,
    right: _Float32,
    left_last: int,
    right_last: int,
    left_scale: _Float32 | None,
    right_scale: _Float32 | None,
    left_rows: _Int32,
    right_rows: _Int32,
    out: _Float32,
    n_threads: int,
) -> None: ...

# rows_binding.cpp
def solve_rows(
    offsets: _Int64,
    indices: _Int32,
    values: _Float32 | None,
    *,
    a: _Float32 | None,
    a_constant: float,
    a_slope: float,
    b: _Float32 | None,
    b_constant: float,
    b_slope: float,
    b_is_target: bool,
    shards: list[_Float32],
    bias_column: bool,
    w0: _Float64 | None,
    ridge: _Float64,
    omega: _Float64 | None,
    gram: _Float32 | None,
    rho: _Float64,
    kappa: _Float64,
    h: _Float32 | None,
    out: _Float32,
    losses: _Float64,
    penalties: _Float64,
    n_threads: int,
    stop: _Int32 | None,
) -> tuple[int, int, bool]: ...

# dense_binding.cpp
def gramian(table: _Float32, gram: _Float64, n_threads: int) -> bool: ...
def multiply(table: _Float32, matrix: _Float32, out: _Float32, n_threads: int) -> bool: ...
def multiply_sparse(
    offsets: _Int64,
    indices: _Int32,
    values: _Float32 | None,
    shift: float,
    table: _Float32,
    out: _Float32,
    n_threads: int,
) -> bool: ...
def symmetric_eigen(matrix: _Float64, values: _Float64, vectors: _Float64) -> bool: ...

# biases.cpp
def bias_pass(
    offsets: _Int64,
    indices: _Int32,
    values: _Float32,
    weights: _Float32 | None,
    mean: float,
    fixed: _Float64,
    shrinkage: float,
    biases: _Float64,
    squares: _Float64,
    n_threads: int,
) -> bool: ...

# random.cpp
def standard_normal(ids: _UInt64, seed: int, stream: int, out: _Float32, n_threads: int) -> bool: ...
