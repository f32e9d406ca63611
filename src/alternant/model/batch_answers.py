"""What a model answers for many users or for everybody, in bounded memory; :mod:`.batches` does the work."""

import os
from collections.abc import Iterator
from typing import Any, Literal

from alternant.model import batches
from alternant.model.batches import BATCH_SIZE, Progress
from alternant.model.list_answers import ListAnswers
from alternant.model.recommendations import Recommendations


class BatchAnswers(ListAnswers):
    """Recommendations batch by batch, and into files."""

    def recommend_batches(
        self,
        users: Any = None,
        k: int = 10,
        *,
        batch_size: int = BATCH_SIZE,
        exclude_seen: bool = True,
        exclude: Any = None,
        candidates: Any = None,
        min_entries: int = 1,
        unknown: Literal["error", "fallback"] = "error",
        diversity: float = 0.0,
        explore: Literal["ucb", "thompson"] | None = None,
        explore_weight: float = 1.0,
        seed: int | None = None,
        n_threads: int | None = None,
    ) -> Iterator[Recommendations]:
        """Yield the lists of many users, `batch_size` users at a time, in their order.

        The lists are those of :meth:`recommend`, whatever the batch. Memory: what
        :func:`alternant.retrieval.top_k` takes for `batch_size` queries, 4 · width bytes for each of these,
        and about 100 bytes (and the labels, where they are strings) for each of their k rows; it does not
        grow with the number of users.

        Parameters
        ----------
        users : sequence of ids, shape (n,), optional
            None: every user with entries, in the order of the model.
        batch_size : int
        k, exclude_seen, exclude, candidates, min_entries, unknown, diversity, explore, explore_weight, seed,
        n_threads
            As in :meth:`recommend`.

        Raises
        ------
        UnknownIdError
            A user of the batch is unknown or without entries and `unknown` is "error", or a candidate is.
        DataError
            As in :meth:`recommend`; or `users` is no sequence of ids.

        Examples
        --------
        >>> from alternant import ExplicitALS, Interactions
        >>> data = Interactions.from_arrays(["ann", "ann", "bob"], ["x", "y", "x"], [5, 3, 4])
        >>> model = ExplicitALS(n_factors=1).fit(data)
        >>> [batch.item_id.tolist() for batch in model.recommend_batches(batch_size=1)]
        [[], ['y']]
        """
        return batches.batches(
            self,
            users,
            k,
            batch_size=batch_size,
            exclude_seen=exclude_seen,
            exclude=exclude,
            candidates=candidates,
            min_entries=min_entries,
            unknown=unknown,
            diversity=diversity,
            explore=explore,
            explore_weight=explore_weight,
            seed=seed,
            n_threads=n_threads,
        )

    def recommend_to(
        self,
        path: str | os.PathLike[str],
        users: Any = None,
        k: int = 10,
        *,
        batch_size: int = BATCH_SIZE,
        exclude_seen: bool = True,
        exclude: Any = None,
        candidates: Any = None,
        min_entries: int = 1,
        unknown: Literal["error", "fallback"] = "error",
        diversity: float = 0.0,
        explore: Literal["ucb", "thompson"] | None = None,
        explore_weight: float = 1.0,
        seed: int | None = None,
        progress: Progress | None = None,
        n_threads: int | None = None,
    ) -> int:
        """Write the lists of many users, or of everybody, to a Parquet or CSV file; return how many rows.

        The columns are user_id, item_id, rank, score and source, one row per recommendation. The file is
        written beside and renamed: at `path` is the old file or the whole new one. Memory is that of
        :meth:`recommend_batches` and of DuckDB, which keeps earlier batches in a temporary file.

        Parameters
        ----------
        path : str or path
            Ends in ``.parquet``, ``.pq`` or ``.csv``.
        progress : callable(n_done, n_users), optional
            Called after each batch.
        users, k, batch_size, exclude_seen, exclude, candidates, min_entries, unknown, diversity, explore,
        explore_weight, seed, n_threads
            As in :meth:`recommend_batches`.

        Raises
        ------
        UnknownIdError, DataError
            As in :meth:`recommend_batches`; or the name of the file says no format.
        MissingExtraError
            DuckDB is not installed (the ``read`` extra).
        OSError
            The file cannot be written; the old one, if any, is as it was.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> from alternant import ExplicitALS, Interactions
        >>> data = Interactions.from_arrays(["ann", "ann", "bob"], ["x", "y", "x"], [5, 3, 4])
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "lists.csv"
        >>> ExplicitALS(n_factors=1).fit(data).recommend_to(file)
        1
        >>> print(file.read_text().splitlines()[0])
        user_id,item_id,rank,score,source
        """
        batches.format_of(path)
        asked = batches.everyone(self) if users is None else users
        lists = self.recommend_batches(
            asked,
            k,
            batch_size=batch_size,
            exclude_seen=exclude_seen,
            exclude=exclude,
            candidates=candidates,
            min_entries=min_entries,
            unknown=unknown,
            diversity=diversity,
            explore=explore,
            explore_weight=explore_weight,
            seed=seed,
            n_threads=n_threads,
        )
        return batches.write(path, lists, len(asked), progress)
