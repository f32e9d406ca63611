"""Recommendations: ragged ranked lists, one per query, as columns."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alternant._frames import FrameType, make_frame
from alternant.model.choosing import word
from alternant.model.lists import Titles, listed, title_column
from alternant.objective import Side

_LISTS_SHOWN = 5


@dataclass(frozen=True, eq=False, repr=False)
class Recommendations:
    """Ranked lists of items for users, or of users for items; ``print`` shows them.

    The list of query q lies at ``offsets[q]:offsets[q + 1]`` of the columns. A list is as long as there is
    something to recommend, and may be empty; nothing is ever padded. ``len()`` counts the queries; iterating
    gives one `Recommendations` per query.

    Attributes
    ----------
    queries : "users" (items were ranked for users) or "items"
    query_id : int64 or object (str), shape (n_queries,)
    offsets : int64, shape (n_queries + 1,)
    user_id, item_id : int64 or object (str), shape (n_rows,)
    rank : int32, shape (n_rows,), from 1
    score : float32, shape (n_rows,): the model's score, what `explore` made of it, or
        the number of interactions of a fallback
    source : object (str), shape (n_rows,): "model", "attributes" for one without entries whose row is what
        its attributes say, or "fallback" for a list by popularity
    frame_type : the type of frame that the training data came in, or None
    """

    queries: Side
    query_id: NDArray[Any]
    offsets: NDArray[np.int64]
    user_id: NDArray[Any]
    item_id: NDArray[Any]
    rank: NDArray[np.int32]
    score: NDArray[np.float32]
    source: NDArray[np.object_]
    frame_type: FrameType | None = None

    def __len__(self) -> int:
        return len(self.query_id)

    def __iter__(self) -> Iterator["Recommendations"]:
        for query in range(len(self)):
            rows = slice(int(self.offsets[query]), int(self.offsets[query + 1]))
            yield Recommendations(
                self.queries,
                self.query_id[query : query + 1],
                np.array([0, rows.stop - rows.start], np.int64),
                self.user_id[rows],
                self.item_id[rows],
                self.rank[rows],
                self.score[rows],
                self.source[rows],
                self.frame_type,
            )

    def to_frame(self, frame_type: FrameType | None = None, *, titles: Titles | None = None) -> Any:
        """Return columns user_id, item_id, rank, score, source; with `titles` also title, after item_id.

        Parameters
        ----------
        frame_type : "pandas", "polars" or "pyarrow"
            None means the type of the training data, else the first of the three that is installed.
        titles : mapping of item ids to titles, optional
            As from :func:`alternant.read_titles`; an item that it does not have gets "".

        Raises
        ------
        DataError
            The library is not installed, there is no such type, or `titles` is no mapping.

        Examples
        --------
        >>> from alternant import ExplicitALS, Interactions
        >>> data = Interactions.from_arrays(["ann", "ann", "bob"], ["x", "y", "x"], [5, 3, 4])
        >>> model = ExplicitALS(n_factors=1).fit(data)
        >>> model.recommend("bob").to_frame("pandas")[["user_id", "item_id", "rank", "source"]]
          user_id item_id  rank source
        0     bob       y     1  model
        """
        return make_frame(self.columns(titles=titles), frame_type or self.frame_type)

    def columns(self, *, titles: Titles | None = None) -> dict[str, NDArray[Any]]:
        """Return the columns of :meth:`to_frame` as arrays."""
        return {
            "user_id": self.user_id,
            "item_id": self.item_id,
            **({} if titles is None else {"title": title_column(self.item_id, titles)}),
            "rank": self.rank,
            "score": self.score,
            "source": self.source,
        }

    def __repr__(self) -> str:
        lines = []
        for one in islice(self, _LISTS_SHOWN):
            label = one.query_id.tolist()[0]
            fallback = len(one.source) > 0 and one.source[0] == "fallback"
            how = " (fallback: by popularity, score = interactions)" if fallback else ""
            lines.append(f"recommendations for {word(self.queries)} {label!r}{how}")
            results = one.item_id if self.queries == "users" else one.user_id
            lines += listed(
                results, one.score, f"{word('items' if self.queries == 'users' else 'users')}_id", "score"
            )
        if len(self) > _LISTS_SHOWN:
            lines.append(f"and {len(self) - _LISTS_SHOWN:,} more {self.queries}")
        return "\n".join(lines) if lines else f"recommendations for 0 {self.queries}"
