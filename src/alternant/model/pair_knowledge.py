"""What a model knows about its own answers for pairs: why, and how surely."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from alternant.kernels import resolve_threads
from alternant.model.explaining import Explanation, explain
from alternant.model.snapshot import Snapshot
from alternant.model.spread import pair_spread
from alternant.model.uncertainty import pair_uncertainty


class PairKnowledge(Snapshot):
    """Explanations and uncertainties of pairs."""

    def explain(self, users: Any, items: Any) -> Explanation:
        """Explain the scores of (user, item) pairs: what each entry of the user's history adds.

        Parameters
        ----------
        users : id, ids of shape (n,), or FoldedIn
        items : id or ids, shape (n,)
            A single id (or a single folded-in user) goes with all of the other side.

        Returns
        -------
        Explanation
            The terms of each pair; they sum to :meth:`score`. A term of the history is exactly what the entry
            adds while every weight stays as it is: through its target, less mean and item's bias where the
            model has them, and through the link, where there is one. Biases of users and of days are no part
            of a score; that the entries of a day share one is reckoned with.

        Raises
        ------
        UnknownIdError
            An id is unknown.
        DataError
            The model holds no history, and `users` are not folded in; or as in :meth:`score`.

        Examples
        --------
        >>> from alternant import ExplicitALS, Interactions
        >>> data = Interactions.from_arrays(["ann", "ann", "bob"], ["x", "y", "x"], [5, 3, 4])
        >>> model = ExplicitALS(n_factors=1).fit(data)
        >>> why = model.explain("ann", "y")
        >>> why.kind.tolist(), why.label.tolist()
        (['history', 'history', 'item bias'], ['x', 'y', ''])
        """
        return explain(self, users, items)

    @property
    def uncertainty_source(self) -> Literal["row systems", "draws"]:
        """Where :meth:`uncertainty` comes from: the curvature of the row systems, or the spread of draws."""
        return "row systems" if self.draws is None else "draws"

    def uncertainty(
        self,
        users: Any,
        items: Any,
        *,
        of: Literal["score", "rating"] = "score",
        n_threads: int | None = None,
    ) -> NDArray[np.float32] | float:
        """Estimate how far predictions of (user, item) pairs are off: standard deviations.

        Of explicit models in the units of the values. Of implicit models a relative measure, with the noise
        of an entry set to 1: it tells which pairs are less sure than others, not by how much. Non-negative
        and L1 factors count as if they were free. Prior means count as known. Where the model has biases of
        days, the pair is meant on a day without one.

        Of sampled models it is the spread of what their draws predict; `uncertainty_source` says so.

        Parameters
        ----------
        users : id, ids of shape (n,), or FoldedIn
        items : id or ids, shape (n,)
            A single id (or a single folded-in user) goes with all of the other side.
        of : {"score", "rating"}
            Of the predicted mean; or of a single new value of weight 1, its noise included.
        n_threads : int, optional
            None means all that this process may use. Results do not depend on it.

        Returns
        -------
        float32, shape (n,); a float for two single ids
            Infinite where a row has neither entries nor a ridge.

        Raises
        ------
        UnknownIdError
            An id is unknown.
        DataError
            The model holds no history, `of` is neither, or as in :meth:`score`.

        Examples
        --------
        >>> from alternant import ExplicitALS, Interactions
        >>> data = Interactions.from_arrays(["ann", "ann", "bob"], ["x", "y", "x"], [5, 3, 4])
        >>> model = ExplicitALS(n_factors=1).fit(data)
        >>> model.uncertainty("ann", ["x", "y"]).shape
        (2,)
        """
        threads = resolve_threads(n_threads)
        if self.draws is not None:
            return pair_spread(self, self.draws, users, items, of=of, n_threads=threads)
        return pair_uncertainty(self, users, items, of=of, n_threads=threads)
