"""Compiled kernels of alternant; imported by alternant.kernels only."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import numpy
from numpy.typing import NDArray

_Float32In1 = Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu", writable=False)]
_Float32In2 = Annotated[
    NDArray[numpy.float32], dict(shape=(None, None), order="C", device="cpu", writable=False)
]
_Float32In3 = Annotated[
    NDArray[numpy.float32], dict(shape=(None, None, None), order="C", device="cpu", writable=False)
]
_Float32Out1 = Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")]
_Float32Out2 = Annotated[NDArray[numpy.float32], dict(shape=(None, None), order="C", device="cpu")]
_Float32Out3 = Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order="C", device="cpu")]
_Float64In1 = Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu", writable=False)]
_Float64In2 = Annotated[
    NDArray[numpy.float64], dict(shape=(None, None), order="C", device="cpu", writable=False)
]
_Float64Out1 = Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")]
_Float64Out2 = Annotated[NDArray[numpy.float64], dict(shape=(None, None), order="C", device="cpu")]
_Int32In1 = Annotated[NDArray[numpy.int32], dict(shape=(None,), order="C", device="cpu", writable=False)]
_Int32Out1 = Annotated[NDArray[numpy.int32], dict(shape=(None,), order="C", device="cpu")]
_Int32Out2 = Annotated[NDArray[numpy.int32], dict(shape=(None, None), order="C", device="cpu")]
_Int64In1 = Annotated[NDArray[numpy.int64], dict(shape=(None,), order="C", device="cpu", writable=False)]
_Int64Out1 = Annotated[NDArray[numpy.int64], dict(shape=(None,), order="C", device="cpu")]
_StopFlag = Annotated[NDArray[numpy.int32], dict(shape=(1), order="C", device="cpu")]
_UInt64In1 = Annotated[NDArray[numpy.uint64], dict(shape=(None,), order="C", device="cpu", writable=False)]
_UInt64Out1 = Annotated[NDArray[numpy.uint64], dict(shape=(None,), order="C", device="cpu")]
_UInt8In1 = Annotated[NDArray[numpy.uint8], dict(shape=(None,), order="C", device="cpu", writable=False)]
_UInt8Out1 = Annotated[NDArray[numpy.uint8], dict(shape=(None,), order="C", device="cpu")]

def isa_levels() -> list[Any]:
    """List the instruction-set levels that this machine runs, best last."""

def isa() -> str:
    """Name the level in use."""

def set_isa(name: str) -> None:
    """Use one level from now on."""

def least_iterative_entries(width: int) -> int:
    """Rows of fewer entries are never solved by steps from a start."""

def solve_rows(
    offsets: _Int64In1,
    indices: _Int32In1,
    values: _Float32In1 | None,
    *,
    a: _Float32In1 | None,
    a_constant: float,
    a_slope: float,
    b: _Float32In1 | None,
    b_constant: float,
    b_slope: float,
    b_is_target: bool,
    shards: list[Any],
    bias_column: bool,
    w0: _Float64In1 | None,
    ridge: _Float64In1,
    omega: _Float64In1 | None,
    gram: _Float32In2 | None,
    rho: _Float64In1,
    kappa: _Float64In1,
    h: _Float32In2 | None,
    nonnegative: bool,
    l1: _Float64In1 | None,
    start: _Float32In2 | None,
    iterative: bool,
    spread: _Float64In1 | None,
    out: _Float32Out2,
    losses: _Float64Out1,
    penalties: _Float64Out1,
    n_threads: int,
    stop: _StopFlag | None,
) -> tuple[int, int, bool]:
    """Solve the row systems of one block; returns (failure, row, stopped)."""

def gramian(table: _Float32In2, scale: _Float32In1 | None, gram: _Float64Out2, n_threads: int) -> bool:
    """
    Fill gram with tableᵀ diag(scale²) table in float64; returns whether it was stopped.
    """

def multiply(table: _Float32In2, matrix: _Float32In2, out: _Float32Out2, n_threads: int) -> bool:
    """
    Fill out with table · matrix, and the columns that the matrix leaves over.
    """

def multiply_sparse(
    offsets: _Int64In1,
    indices: _Int32In1,
    values: _Float32In1 | None,
    shift: float,
    table: _Float32In2,
    out: _Float32Out2,
    n_threads: int,
) -> bool:
    """Fill out with (entries − shift) · table."""

def symmetric_eigen(matrix: _Float64In2, values: _Float64Out1, vectors: _Float64Out2, n_threads: int) -> bool:
    """Decompose a symmetric matrix; returns whether it converged."""

def bias_pass(
    offsets: _Int64In1,
    indices: _Int32In1,
    values: _Float32In1,
    weights: _Float32In1 | None,
    mean: float,
    fixed: _Float64In1,
    shrinkage: float,
    biases: _Float64Out1,
    squares: _Float64Out1,
    n_threads: int,
) -> bool:
    """Fill each row's shrunk bias and its sum of squared residuals."""

panel_columns: int = 16

def weigh_rows(
    parts: Sequence[
        tuple[
            _Int64In1,
            _Int32In1,
            _Float32In1 | None,
            _Float32In1 | None,
            _Float32In3,
            Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order="C", device="cpu")],
        ]
    ],
    ridges: tuple[
        _Float64In1,
        _Float64In1,
        _Float64In1,
        Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu", writable=False)],
    ],
    table: _Float32In2 | None,
    means: _Float32In2 | None,
    sums: _Float64Out2,
    n_threads: int,
) -> bool:
    """
    Fill each part's out with φ D (means − table), or φ D Φ p; sums with yᵀ D y.
    """

def step_coefficients(
    offsets: _Int64In1,
    indices: _Int32In1,
    values: _Float32In1 | None,
    weighed: _Float32In3,
    diagonal: tuple[
        _Float64In1,
        _Float64In1,
        _Float64In1,
        Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu", writable=False)],
    ],
    ridge: float,
    lengths: _Float32In2,
    coefficients: _Float32Out3,
    residual: _Float32Out3,
    direction: _Float32Out3,
    sums: _Float64Out2,
    n_threads: int,
) -> bool:
    """Step along a direction; sums become rᵀ P r."""

def turn_direction(
    diagonal: tuple[
        _Float64In1,
        _Float64In1,
        _Float64In1,
        Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu", writable=False)],
    ],
    ridge: float,
    turns: _Float32In2,
    residual: _Float32Out3,
    direction: _Float32Out3,
    sums: _Float64Out2,
    n_threads: int,
) -> bool:
    """Replace p by P r + turns · p; sums become pᵀ r and ridge · pᵀ p."""

def mean_terms(
    means: _Float32In2,
    ridges: tuple[
        _Float64In1,
        _Float64In1,
        _Float64In1,
        Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu", writable=False)],
    ],
    h: _Float32Out2,
    n_threads: int,
) -> bool:
    """Fill h with D · means."""

def mean_penalties(
    table: _Float32In2,
    means: _Float32In2,
    ridges: tuple[
        _Float64In1,
        _Float64In1,
        _Float64In1,
        Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu", writable=False)],
    ],
    losses: _Float64Out1 | None,
    penalties: _Float64Out1,
    n_threads: int,
) -> bool:
    """
    Fill penalties with (x − m)ᵀ D (x − m); turn losses of h = D m into those.
    """

def has_screen(screen: int) -> bool:
    """Tell whether the level in use has a screen."""

def row_norms(
    table: _Float32In2,
    table_last: int,
    table_scale: _Float32In1 | None,
    order: _Int32In1 | None,
    out: _Float64Out1,
    n_threads: int,
) -> None:
    """
    Write the Euclidean norm of each row as it is scored; infinity where it cannot be bounded.
    """

def pack_panels(
    table: _Float32In2,
    table_last: int,
    table_scale: _Float32In1 | None,
    order: _Int32In1,
    screen: int,
    rows: _Float32Out2,
    panels: _UInt8Out1,
    bounds: _Float32Out2,
    n_threads: int,
) -> None:
    """
    Pack rows in the given order, falling norms, for a screen: 64 rows and 4 bounds a panel.
    """

def top_k(
    queries: _Float32In2,
    table: _Float32In2,
    table_last: int,
    query_scale: _Float32In1 | None,
    table_scale: _Float32In1 | None,
    exclude_offsets: _Int64In1 | None,
    exclude_indices: _Int32In1 | None,
    exclude_rows: _Int32In1 | None,
    order: _Int32In1,
    position: _Int32In1 | None,
    screen: int,
    rows: _Float32In2 | None,
    panels: _UInt8In1 | None,
    bounds: _Float32In2 | None,
    out_indices: _Int32Out2,
    out_scores: _Float32Out2,
    out_counts: _Int64Out1,
    n_threads: int,
) -> None:
    """
    Write the k best rows of table (n_rows, width) for each query (n_queries, width), best first, ties by index.
    """

def pair_scores(
    left: _Float32In2,
    right: _Float32In2,
    left_last: int,
    right_last: int,
    left_scale: _Float32In1 | None,
    right_scale: _Float32In1 | None,
    left_rows: _Int32In1,
    right_rows: _Int32In1,
    out: _Float32Out1,
    n_threads: int,
) -> None:
    """Write the score of each pair of rows, to the bits that top_k ranks by."""

def hash_integers(labels: _Int64In1, hashes: _UInt64Out1, n_threads: int) -> None: ...
def hash_strings(chunks: list[Any], hashes: _UInt64Out1, n_threads: int) -> None: ...
def index_integers(labels: _Int64In1, slots: _UInt64Out1) -> int: ...
def index_strings(chunks: list[Any], slots: _UInt64Out1) -> int: ...
def find_integers(
    queries: _Int64In1, labels: _Int64In1, slots: _UInt64In1, positions: _Int32Out1, n_threads: int
) -> int: ...
def find_strings(
    queries: list[Any], labels: list[Any], slots: _UInt64In1, positions: _Int32Out1, n_threads: int
) -> int: ...
def string_offsets(chunks: list[Any], rows: _Int64In1, offsets: _Int64Out1) -> None: ...
def copy_strings(chunks: list[Any], rows: _Int64In1, bytes: _UInt8Out1) -> None: ...
def number_strings(
    n_columns: int, next_piece: Callable[..., Any], allocate: Callable[..., Any], n_threads: int
) -> None: ...
def number_int64(
    labels: _Int64In1, codes: _Int32Out1, allocate: Callable[..., Any], n_threads: int
) -> None: ...
def number_int32(
    labels: _Int32In1, codes: _Int32Out1, allocate: Callable[..., Any], n_threads: int
) -> None: ...
def translate(numbers: _Int32In1, table: _Int32In1, out: _Int32Out1, n_threads: int) -> None: ...
def mark_used(numbers: _Int32In1, used: _UInt8Out1, n_threads: int) -> None: ...
def sort_entries(
    rows: _Int32In1,
    columns: _Int32In1,
    n_columns: int,
    offsets: _Int64Out1,
    indices: _Int32Out1,
    carried: list[Any],
    n_threads: int,
) -> int: ...
def check_rows(offsets: _Int64In1, indices: _Int32In1, n_columns: int) -> int: ...
def transpose(
    offsets: _Int64In1,
    indices: _Int32In1,
    out_offsets: _Int64Out1,
    out_indices: _Int32Out1,
    carried: list[Any],
    n_threads: int,
) -> None: ...
def standard_normal(ids: _UInt64In1, seed: int, stream: int, out: _Float32Out2, n_threads: int) -> bool:
    """
    Fill row i of out with standard normals that depend on ids[i], seed, stream and the column only.
    """

def half_inverses(matrices: _Float64Out2, out: _Float32Out2, n_threads: int) -> int:
    """
    Fill out with the inverses of Cholesky factors; returns the first matrix that has none, or -1.
    """

def multiply_add_chains(rounds: int, n_threads: int) -> float:
    """
    Multiply and add in registers on each thread; returns how many operations that were.
    """

def gather_rows(table: _Float32In2, indices: _Int32In1, n_threads: int) -> float:
    """Read rows of a table; returns the sum of their numbers."""
