import numpy as np
from numpy.typing import NDArray

def isa_levels() -> list[str]: ...
def isa() -> str: ...
def set_isa(name: str) -> None: ...
def top_k(
    queries: NDArray[np.float32],
    table: NDArray[np.float32],
    table_last: int,
    query_scale: NDArray[np.float32] | None,
    table_scale: NDArray[np.float32] | None,
    exclude_offsets: NDArray[np.int64] | None,
    exclude_indices: NDArray[np.int32] | None,
    candidates: NDArray[np.int32] | None,
    out_indices: NDArray[np.int32],
    out_scores: NDArray[np.float32],
    out_counts: NDArray[np.int64],
    n_threads: int,
) -> None: ...
def pair_scores(
    left: NDArray[np.float32],
    right: NDArray[np.float32],
    left_last: int,
    right_last: int,
    left_scale: NDArray[np.float32] | None,
    right_scale: NDArray[np.float32] | None,
    left_rows: NDArray[np.int32],
    right_rows: NDArray[np.int32],
    out: NDArray[np.float32],
    n_threads: int,
) -> None: ...
