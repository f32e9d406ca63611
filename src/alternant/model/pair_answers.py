"""What a model answers about pairs of a user and an item; the modules beside it do the work."""

from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alternant.model import pairs
from alternant.model.completion import Completion, complete
from alternant.model.folding import FoldedIn
from alternant.model.snapshot import Snapshot

Id = int | str | np.integer[Any]


class PairAnswers(Snapshot):
    """Predictions and scores of pairs, and of all of them."""

    @overload
    def predict(  # type: ignore[overload-overlap]
        self,
        users: Id,
        items: Id,
        *,
        times: Any = ...,
        unknown: Literal["error", "fallback", "nan"] = ...,
        clip: bool = ...,
        n_threads: int | None = ...,
    ) -> float: ...
    @overload
    def predict(
        self,
        users: ArrayLike | FoldedIn,
        items: ArrayLike,
        *,
        times: Any = ...,
        unknown: Literal["error", "fallback", "nan"] = ...,
        clip: bool = ...,
        n_threads: int | None = ...,
    ) -> NDArray[np.float32]: ...
    def predict(
        self,
        users: Any,
        items: Any,
        *,
        times: Any = None,
        unknown: Literal["error", "fallback", "nan"] = "error",
        clip: bool = False,
        n_threads: int | None = None,
    ) -> NDArray[np.float32] | float:
        """Predict values of (user, item) pairs: mean + user's bias + item's bias + p · q.

        Parameters
        ----------
        users : id, ids of shape (n,), or FoldedIn
        items : id or ids, shape (n,)
            A single id (or a single folded-in user) goes with all of the other side.
        times : time or times, shape (n,), optional
            Of models with biases of days: the times of the pairs, as the training data had them (integers in
            Unix seconds, or datetimes). A day on which the user has entries adds its bias; others, and None,
            add nothing.
        unknown : {"error", "fallback", "nan"}
            What an unknown id gives: UnknownIdError; the mean and the bias of whichever id is known; or NaN.
        clip : bool
            Clip predictions to the range of the training values.
        n_threads : int, optional
            None means all that this process may use. Results do not depend on it.

        Returns
        -------
        float32, shape (n,); a float for two single ids
            On the scale of the training values: transforms log and normalize are undone (for an unknown user,
            as if his mean were the average one). With bm25 or tfidf on the scale that these leave.

        Raises
        ------
        UnknownIdError
            An id is unknown and `unknown` is "error".
        DataError
            The lengths differ, ids or times are of the wrong kind, there is no range to clip to, or `times`
            are given and the model has no biases of days.

        Examples
        --------
        >>> from alternant import ExplicitALS, Interactions
        >>> model = ExplicitALS(n_factors=1).fit(Interactions.from_arrays(["ann", "bob"], ["x", "x"], [5, 3]))
        >>> model.predict("cleo", "y", unknown="fallback")
        4.0
        """
        return pairs.predict(self, users, items, times=times, unknown=unknown, clip=clip, n_threads=n_threads)

    @overload
    def score(  # type: ignore[overload-overlap]
        self, users: Id, items: Id, *, n_threads: int | None = ...
    ) -> float: ...
    @overload
    def score(
        self, users: ArrayLike | FoldedIn, items: ArrayLike, *, n_threads: int | None = ...
    ) -> NDArray[np.float32]: ...
    def score(self, users: Any, items: Any, *, n_threads: int | None = None) -> NDArray[np.float32] | float:
        """Score (user, item) pairs by what rankings sort by, p · q + item's bias, to the same bits.

        Parameters, shapes and errors are those of :meth:`predict`.

        Examples
        --------
        >>> from alternant import ExplicitALS, Interactions
        >>> model = ExplicitALS(n_factors=1).fit(Interactions.from_arrays(["ann", "bob"], ["x", "x"], [5, 3]))
        >>> model.score(["ann", "bob"], "x").shape
        (2,)
        """
        return pairs.score(self, users, items, n_threads=n_threads)

    def complete(
        self, *, users: Any = None, items: Any = None, clip: bool = False, n_threads: int | None = None
    ) -> Completion:
        """Predict every pair, known or not, as a labelled table with the known cells marked.

        Parameters
        ----------
        users, items : ids, or FoldedIn for users; None means all
            The result takes 5 bytes for each pair.
        clip : bool
            Clip predictions to the range of the training values.
        n_threads : int, optional

        Raises
        ------
        UnknownIdError, DataError
            As in :meth:`predict`.

        Examples
        --------
        >>> from alternant import ExplicitALS, Interactions
        >>> model = ExplicitALS(n_factors=1).fit(Interactions.from_arrays(["ann", "bob"], ["x", "x"], [4, 4]))
        >>> print(model.complete())
        predictions for 2 users × 1 item; cells in [ ] are known
                  x
        ann  [4.00]
        bob  [4.00]
        """
        return complete(self, users, items, clip=clip, n_threads=n_threads)
