"""The ranked lists that a model answers with; the modules beside it do the work."""

from typing import Any, Literal

from alternant.model import ranking
from alternant.model.neighbours import Neighbours, similar
from alternant.model.recommendations import Recommendations
from alternant.model.snapshot import Snapshot


class ListAnswers(Snapshot):
    """Recommendations and neighbours."""

    def recommend(
        self,
        users: Any,
        k: int = 10,
        *,
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
    ) -> Recommendations:
        """Rank items for users, by score descending, ties in the order of the items.

        Parameters
        ----------
        users : id, ids of shape (n,), or FoldedIn
        k : int
            Longest list. A user who has seen all but two items gets two; one who has seen all gets none.
        exclude_seen : bool
            Leave out what the user has an entry for in the training data (or in the folded-in history).
        exclude : id or ids, optional
            Items that nobody gets; unknown ones are passed over.
        candidates : id or ids, optional
            Rank these items only.
        min_entries : int
            List only items with at least so many entries in the training data, candidates and the fallback
            included. The default leaves out what nobody has rated (a catalogue's ids), 0 nothing.
        unknown : {"error", "fallback"}
            What users get that the model does not know, or has no entries of: UnknownIdError, or the items
            with most interactions (`source` is then "fallback", `score` their number).
        diversity : float, from 0 to 1
            Above 0 a list is chosen from the best max(10·k, 100) by maximal marginal relevance: the next is
            the one with the most (1 − diversity)·score − diversity·(largest cosine to those before it),
            scores scaled to [0, 1] among these. `score` stays the model's, `rank` is the new order. Lists of
            the fallback stay as they are.
        explore : {"ucb", "thompson"}, optional
            With σ the :meth:`uncertainty` of a pair's score and c the `explore_weight`: rank by score + c·σ
            (an upper confidence bound), or by a draw from N(score, (c·σ)²) for each pair. `score` is then
            this number. All candidates take part. Of implicit models σ is relative, with 1 as the noise of
            an entry, and large beside their scores: a smaller weight is called for.
        explore_weight : float
            c, at least 0; 0 ranks by score.
        seed : int, optional
            Of the draws of "thompson", which needs one: from 0 to 2⁶⁴ − 1. A pair's draw depends on the seed
            and the two ids only.
        n_threads : int, optional
            None means all that this process may use. Results do not depend on it.

        Raises
        ------
        UnknownIdError
            A user is unknown or without entries and `unknown` is "error", or a candidate is unknown.
        DataError
            `k` is not a positive integer, `min_entries` is negative, `diversity` is not from 0 to 1, ids are
            of the wrong kind, `explore_weight` is negative, "thompson" has no seed, or `exclude_seen` or
            `explore` is asked of a model without history.

        Examples
        --------
        >>> from alternant import ExplicitALS, Interactions
        >>> data = Interactions.from_arrays(["ann", "ann", "bob"], ["x", "y", "x"], [5, 3, 4])
        >>> model = ExplicitALS(n_factors=1).fit(data)
        >>> model.recommend("bob").item_id.tolist(), model.recommend("ann").item_id.tolist()
        (['y'], [])
        """
        return ranking.recommend(
            self,
            "users",
            users,
            k,
            exclude_seen=exclude_seen,
            exclude=exclude,
            candidates=candidates,
            min_entries=min_entries,
            unknown=unknown,
            n_threads=n_threads,
            diversity=diversity,
            explore=explore,
            explore_weight=explore_weight,
            seed=seed,
        )

    def recommend_users(
        self,
        items: Any,
        k: int = 10,
        *,
        exclude_seen: bool = True,
        exclude: Any = None,
        candidates: Any = None,
        min_entries: int = 1,
        unknown: Literal["error", "fallback"] = "error",
        n_threads: int | None = None,
    ) -> Recommendations:
        """Rank users for items by :meth:`score`, which leaves the user's bias out: whom an item suits most.

        Parameters and errors mirror those of :meth:`recommend`, without `diversity` and `explore`.

        Examples
        --------
        >>> from alternant import ExplicitALS, Interactions
        >>> data = Interactions.from_arrays(["ann", "ann", "bob"], ["x", "y", "x"], [5, 3, 4])
        >>> ExplicitALS(n_factors=1).fit(data).recommend_users("y").user_id.tolist()
        ['bob']
        """
        return ranking.recommend(
            self,
            "items",
            items,
            k,
            exclude_seen=exclude_seen,
            exclude=exclude,
            candidates=candidates,
            min_entries=min_entries,
            unknown=unknown,
            n_threads=n_threads,
        )

    def similar_items(
        self, items: Any, k: int = 10, *, min_entries: int = 1, n_threads: int | None = None
    ) -> Neighbours:
        """List the items most similar to some items, by the cosine of their factors (biases left out).

        Only items with at least `min_entries` entries in the training data are listed, as in
        :meth:`recommend`.

        Raises
        ------
        UnknownIdError
            An item is unknown.
        DataError
            `k` is not a positive integer, `min_entries` is negative, or ids are of the wrong kind.

        Examples
        --------
        >>> from alternant import ExplicitALS, Interactions
        >>> data = Interactions.from_arrays(["ann", "ann", "bob"], ["x", "y", "x"], [5, 3, 4])
        >>> ExplicitALS(n_factors=1).fit(data).similar_items("x").neighbour_id.tolist()
        ['y']
        """
        return similar(self, "items", items, k, min_entries=min_entries, n_threads=n_threads)

    def similar_users(
        self, users: Any, k: int = 10, *, min_entries: int = 1, n_threads: int | None = None
    ) -> Neighbours:
        """List the users most similar to some users or folded-in users; see :meth:`similar_items`.

        Examples
        --------
        >>> from alternant import ExplicitALS, Interactions
        >>> data = Interactions.from_arrays(["ann", "ann", "bob"], ["x", "y", "x"], [5, 3, 4])
        >>> ExplicitALS(n_factors=1).fit(data).similar_users(["ann", "bob"]).neighbour_id.tolist()
        ['bob', 'ann']
        """
        return similar(self, "users", users, k, min_entries=min_entries, n_threads=n_threads)
