"""Recommendations for many users, some thousand at a time: as batches, or straight into a file."""

import os
from collections.abc import Callable, Iterator, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alternant import _settings
from alternant._whole_file import whole_file
from alternant.errors import DataError
from alternant.model import ranking
from alternant.model.folding import FoldedIn
from alternant.model.recommendations import Recommendations

if TYPE_CHECKING:
    from alternant.model.snapshot import Snapshot

BATCH_SIZE = 16384
_FORMATS = {".parquet": "parquet", ".pq": "parquet", ".csv": "csv"}

Progress = Callable[[int, int], object]


def batches(
    model: "Snapshot",
    users: Any,
    k: int,
    *,
    batch_size: int,
    exclude_seen: bool,
    exclude: Any,
    candidates: Any,
    min_entries: int,
    unknown: str,
    diversity: float,
    explore: str | None,
    explore_weight: float,
    seed: int | None,
    n_threads: int | None,
) -> Iterator[Recommendations]:
    """Return the lists of `users` in runs of `batch_size`, each ranked when it is asked for."""
    size = _settings.integer("batch_size", batch_size, 1)
    packed = ranking.pack(
        model,
        "users",
        exclude=exclude,
        candidates=candidates,
        min_entries=min_entries,
        n_threads=n_threads,
    )
    asked = everyone(model) if users is None else users
    if isinstance(asked, FoldedIn):
        raise DataError("expected user ids, got folded-in users, who are all there at once; use recommend")
    if isinstance(asked, (str, bytes)) or not (isinstance(asked, Sized) and hasattr(asked, "__getitem__")):
        raise DataError(f"users must be a sequence of ids, got {type(asked).__name__}")

    def ranked() -> Iterator[Recommendations]:
        for begin in range(0, max(len(asked), 1), size):
            yield ranking.recommend(
                model,
                "users",
                asked[begin : begin + size],
                k,
                exclude_seen=exclude_seen,
                exclude=None,
                candidates=None,
                min_entries=0,
                unknown=unknown,
                diversity=diversity,
                explore=explore,
                explore_weight=explore_weight,
                seed=seed,
                n_threads=n_threads,
                packed=packed,
            )

    return ranked()


def everyone(model: "Snapshot") -> NDArray[Any]:
    """Return the ids of all users with entries: int64 or object (str)."""
    return model.user_ids.decode(np.flatnonzero(model.user_counts).astype(np.int32))


def format_of(path: str | os.PathLike[str]) -> str:
    """Return "parquet" or "csv", as the name of a file says."""
    name = os.fspath(path)
    found = _FORMATS.get(Path(name).suffix.lower())
    if found is None:
        raise DataError(f"expected a file name that ends in .parquet, .pq or .csv, got {name!r}")
    return found


def write(
    path: str | os.PathLike[str], lists: Iterator[Recommendations], n_users: int, progress: Progress | None
) -> int:
    """Write the columns of all lists to a file, whole or not at all; return the number of rows."""
    kind = format_of(path)
    from alternant.reading import write_csv, write_parquet  # needs DuckDB; nothing else here does

    n_rows = 0

    def columns() -> Iterator[dict[str, NDArray[Any]]]:
        nonlocal n_rows
        done = 0
        for batch in lists:
            # The first columns decide types, which an empty one cannot tell.
            if len(batch.rank) or (n_rows == 0 and done + len(batch) == n_users):
                yield batch.columns()
            done += len(batch)
            n_rows += len(batch.rank)
            if progress is not None:
                progress(done, n_users)

    with whole_file(path) as new:
        (write_parquet if kind == "parquet" else write_csv)(columns(), new)
    return n_rows
