"""Similar items and similar users, by the cosine of their factors.

    similarity(a, b) = x_a · x_b / (‖x_a‖ ‖x_b‖)        over the factor columns; biases are left out

A row of zeros has similarity 0 to everything. The same bits for (a, b) and (b, a).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alternant import retrieval
from alternant._frames import FrameType, make_frame
from alternant.errors import DataError
from alternant.model.choosing import choose, listable, word
from alternant.model.lists import Titles, listed, ranks, title_column
from alternant.objective import Side

if TYPE_CHECKING:
    from alternant.model.snapshot import Snapshot

_LISTS_SHOWN = 5


@dataclass(frozen=True, eq=False, repr=False)
class Neighbours:
    """Ranked lists of the most similar items (or users) of each item (or user); ``print`` shows them.

    The list of query q lies at ``offsets[q]:offsets[q + 1]`` of the columns; nothing is its own neighbour.
    ``len()`` counts the queries; iterating gives one `Neighbours` per query.

    Attributes
    ----------
    side : "items" or "users"
    query_id : int64 or object (str), shape (n_queries,)
    offsets : int64, shape (n_queries + 1,)
    neighbour_id : int64 or object (str), shape (n_rows,)
    rank : int32, shape (n_rows,), from 1
    similarity : float32, shape (n_rows,), from -1 to 1 up to rounding
    frame_type : the type of frame that the training data came in, or None
    """

    side: Side
    query_id: NDArray[Any]
    offsets: NDArray[np.int64]
    neighbour_id: NDArray[Any]
    rank: NDArray[np.int32]
    similarity: NDArray[np.float32]
    frame_type: FrameType | None = None

    def __len__(self) -> int:
        return len(self.query_id)

    def __iter__(self) -> Iterator["Neighbours"]:
        for query in range(len(self)):
            rows = slice(int(self.offsets[query]), int(self.offsets[query + 1]))
            yield Neighbours(
                self.side,
                self.query_id[query : query + 1],
                np.array([0, rows.stop - rows.start], np.int64),
                self.neighbour_id[rows],
                self.rank[rows],
                self.similarity[rows],
                self.frame_type,
            )

    def to_frame(self, frame_type: FrameType | None = None, *, titles: Titles | None = None) -> Any:
        """Return columns item_id, similar_item_id (or user_id, similar_user_id), rank, similarity.

        `frame_type` and `titles` are as in :meth:`Recommendations.to_frame`; the title is that of the similar
        item.

        Examples
        --------
        >>> from alternant import ExplicitALS, Interactions
        >>> data = Interactions.from_arrays(["ann", "ann", "bob"], ["x", "y", "x"], [5, 3, 4])
        >>> model = ExplicitALS(n_factors=1).fit(data)
        >>> list(model.similar_items("x").to_frame("pandas").columns)
        ['item_id', 'similar_item_id', 'rank', 'similarity']
        """
        if titles is not None and self.side == "users":
            raise DataError("titles belong to items, and these are similar users")
        name = word(self.side)
        columns: dict[str, NDArray[Any]] = {
            f"{name}_id": np.repeat(self.query_id, np.diff(self.offsets)),
            f"similar_{name}_id": self.neighbour_id,
            **({} if titles is None else {"title": title_column(self.neighbour_id, titles)}),
            "rank": self.rank,
            "similarity": self.similarity,
        }
        return make_frame(columns, frame_type or self.frame_type)

    def __repr__(self) -> str:
        lines = []
        for one in islice(self, _LISTS_SHOWN):
            lines.append(f"{self.side} similar to {one.query_id.tolist()[0]!r}")
            lines += listed(one.neighbour_id, one.similarity, f"{word(self.side)}_id", "similarity")
        if len(self) > _LISTS_SHOWN:
            lines.append(f"and {len(self) - _LISTS_SHOWN:,} more {self.side}")
        return "\n".join(lines) if lines else f"{self.side} similar to 0 {self.side}"


def similar(
    model: "Snapshot", side: Side, asked: Any, k: int, *, min_entries: int, n_threads: int | None
) -> Neighbours:
    """Rank a side by similarity to some of it; see :meth:`FactorModel.similar_items`."""
    chosen = choose(model, side, asked)
    table = model.user_table if side == "users" else model.item_table
    scale = model.user_scale if side == "users" else model.item_scale
    queries = chosen.table[chosen.index]
    queries[:, model.n_factors :] = 0  # leaves the bias out of every product
    n = len(chosen)
    offsets, indices, similarity = retrieval.top_k(
        queries,
        table,
        k,
        query_scale=inverse_norms(queries),
        table_scale=scale,
        exclude_offsets=np.arange(n + 1, dtype=np.int64) if chosen.is_stored else None,
        exclude_indices=chosen.index if chosen.is_stored else None,
        candidates=listable(model, side, exclude=None, candidates=None, min_entries=min_entries),
        n_threads=n_threads,
    )
    ids = model.user_ids if side == "users" else model.item_ids
    return Neighbours(
        side, chosen.labels, offsets, ids.decode(indices), ranks(offsets), similarity, model.frame_type
    )


def inverse_norms(factors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return 1 / ‖row‖, computed in float64, as float32, shape (n,); 0 for a row of zeros."""
    norms = np.sqrt(np.einsum("ij,ij->i", factors, factors, dtype=np.float64))
    with np.errstate(divide="ignore", over="ignore"):
        inverse = np.where(norms > 0, 1 / norms, 0).astype(np.float32)
    return np.where(np.isfinite(inverse), inverse, np.float32(0))
