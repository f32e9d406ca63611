"""The class FactorModel: what a fit leaves, frozen, and its methods; the modules beside it do the work."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alternant._frames import FrameType
from alternant.ids import IdMap
from alternant.interactions import Interactions
from alternant.model import checking, describing, folding, pairs, ranking, saving, totals
from alternant.model.completion import Completion, complete
from alternant.model.folding import FoldedIn
from alternant.model.frames import factors_frame
from alternant.model.neighbours import Neighbours, inverse_norms, similar
from alternant.model.priors import SidePrior
from alternant.model.recommendations import Recommendations
from alternant.objective import FixedSide
from alternant.preparation import FittedPreparation

if TYPE_CHECKING:
    from alternant.objective import Objective

Id = int | str | np.integer[Any]


@dataclass(frozen=True)
class TraceEntry:
    """The objective after one half-sweep; `seconds` count from the start of the fit.

    `unobserved` is the part of all pairs, stored or not, and `regularization` that of all penalties; what is
    left is what the stored entries add.
    """

    sweep: int
    side: Literal["users", "items"]
    objective: float
    seconds: float
    unobserved: float = 0.0
    regularization: float = 0.0

    @property
    def observed(self) -> float:
        """What the stored entries add."""
        return self.objective - self.unobserved - self.regularization


@dataclass(frozen=True, eq=False, repr=False)
class FactorModel:
    """A fitted model, frozen: it predicts, recommends, finds neighbours and folds in new users.

    Estimators return it; :func:`alternant.load` reads it from a file. ``print`` describes it.

    Attributes
    ----------
    user_ids, item_ids : IdMap
    user_table, item_table : float32, shapes (n_users, width) and (n_items, width), read-only
        A row holds the factors and, in a model with biases, the row's own bias last.
    problem : the objective that the tables minimise
    settings : dict, the estimator's settings and its name under "estimator"
    user_counts, item_counts : int64, shapes (n_users,) and (n_items,), entries of each in the training data
    omega : float64, shape (n_factors,), eigenvalues of the items' Gramian, strongest first
    gram : float32, shape (n_factors, n_factors), or None; the items' Gramian of the unobserved part, where
        tables are not in its eigenbasis (non-negative and L1 factors)
    preparation : how raw entries become targets and weights; None: they are these
    user_prior, item_prior : the coefficients of prior means
    user_unobserved, item_unobserved : float64, shapes (n_users,) and (n_items,), or None (ones): the weights
        s and v of the unobserved part
    history : Interactions, the training data as it was given, or None
    trace : TraceEntry of each half-sweep
    stopped : why the fit ended
    value_range : smallest and largest training value, or None
    frame_type : the type of frame that the training data came in, or None
    """

    user_ids: IdMap
    item_ids: IdMap
    user_table: NDArray[np.float32]
    item_table: NDArray[np.float32]
    problem: "Objective"
    settings: dict[str, Any]
    user_counts: NDArray[np.int64]
    item_counts: NDArray[np.int64]
    omega: NDArray[np.float64]
    gram: NDArray[np.float32] | None = None
    preparation: FittedPreparation | None = None
    user_prior: SidePrior = field(default_factory=SidePrior)
    item_prior: SidePrior = field(default_factory=SidePrior)
    user_unobserved: NDArray[np.float64] | None = None
    item_unobserved: NDArray[np.float64] | None = None
    history: Interactions | None = None
    trace: tuple[TraceEntry, ...] = ()
    stopped: str = ""
    value_range: tuple[float, float] | None = None
    frame_type: FrameType | None = None

    def __post_init__(self) -> None:
        checking.check(self)

    # -- what it holds ---------------------------------------------------------------------------------

    @property
    def n_users(self) -> int:
        """The number of users."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """The number of items."""
        return len(self.item_ids)

    @property
    def n_factors(self) -> int:
        """The number of factors of a row, biases not counted."""
        return self.problem.n_factors

    @property
    def user_factors(self) -> NDArray[np.float32]:
        """The users' factors: float32, shape (n_users, n_factors), a read-only view."""
        return self.user_table[:, : self.n_factors]

    @property
    def item_factors(self) -> NDArray[np.float32]:
        """The items' factors: float32, shape (n_items, n_factors), a read-only view."""
        return self.item_table[:, : self.n_factors]

    @property
    def user_biases(self) -> NDArray[np.float32] | None:
        """The users' biases: float32, shape (n_users,), a read-only view; None in a model without."""
        return self.user_table[:, -1] if self.problem.has_biases else None

    @property
    def item_biases(self) -> NDArray[np.float32] | None:
        """The items' biases: float32, shape (n_items,), a read-only view; None in a model without."""
        return self.item_table[:, -1] if self.problem.has_biases else None

    @property
    def mean(self) -> float:
        """The mean that values are centred on; 0.0 without centring."""
        return self.problem.center

    @property
    def fixed_items(self) -> FixedSide:
        """The items as users are folded in under them."""
        is_unobserved = self.problem.has_unobserved
        return FixedSide(
            self.item_table,
            omega=self.omega if is_unobserved and self.gram is None else None,
            gram=self.gram,
            unobserved=self.item_unobserved,
        )

    @cached_property
    def user_scale(self) -> NDArray[np.float32]:
        """The inverse length of each user's factors: float32, shape (n_users,); 0 for a row of zeros."""
        return inverse_norms(self.user_factors)

    @cached_property
    def item_scale(self) -> NDArray[np.float32]:
        """The inverse length of each item's factors: float32, shape (n_items,); 0 for a row of zeros."""
        return inverse_norms(self.item_factors)

    # -- pairs -----------------------------------------------------------------------------------------

    @overload
    def predict(  # type: ignore[overload-overlap]
        self,
        users: Id,
        items: Id,
        *,
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
        unknown: Literal["error", "fallback", "nan"] = ...,
        clip: bool = ...,
        n_threads: int | None = ...,
    ) -> NDArray[np.float32]: ...
    def predict(
        self,
        users: Any,
        items: Any,
        *,
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
        unknown : {"error", "fallback", "nan"}
            What an unknown id gives: UnknownIdError; the mean and the bias of whichever id is known; or NaN.
        clip : bool
            Clip predictions to the range of the training values.
        n_threads : int, optional
            None means all that this process may use. Results do not depend on it.

        Returns
        -------
        float32, shape (n,); a float for two single ids
            On the scale of the training values.

        Raises
        ------
        UnknownIdError
            An id is unknown and `unknown` is "error".
        DataError
            The lengths differ, ids are of the wrong kind, or there is no range to clip to.

        Examples
        --------
        >>> from alternant import ExplicitALS, Interactions
        >>> model = ExplicitALS(n_factors=1).fit(Interactions.from_arrays(["ann", "bob"], ["x", "x"], [5, 3]))
        >>> model.predict("cleo", "y", unknown="fallback")
        4.0
        """
        return pairs.predict(self, users, items, unknown=unknown, clip=clip, n_threads=n_threads)

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
        predictions for 2 users × 1 items; cells in [ ] are known
                  x
        ann  [4.00]
        bob  [4.00]
        """
        return complete(self, users, items, clip=clip, n_threads=n_threads)

    # -- lists -----------------------------------------------------------------------------------------

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
        n_threads : int, optional
            None means all that this process may use. Results do not depend on it.

        Raises
        ------
        UnknownIdError
            A user is unknown or without entries and `unknown` is "error", or a candidate is unknown.
        DataError
            `k` is not a positive integer, `min_entries` is negative, ids are of the wrong kind, or
            `exclude_seen` is asked of a model without history.

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

        Parameters and errors mirror those of :meth:`recommend`.

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

    # -- new data --------------------------------------------------------------------------------------

    def fold_in(
        self,
        history: Interactions | Mapping[Any, float],
        *,
        unknown: Literal["error", "drop"] = "error",
        attributes: Any = None,
        n_threads: int | None = None,
    ) -> FoldedIn:
        """Solve users from their history under the stored items.

        The raw history of a stored user gives the stored row to the same bits, on the same build and level.

        Parameters
        ----------
        history : Interactions, or a mapping of item ids to values for one user
            Made like the training data: the same kind of values, weights and times.
        unknown : {"error", "drop"}
            What becomes of entries of items that the model does not know: UnknownIdError, or they are left
            out, and their number is logged. A user who has none left stays, with zeros: without entries, as
            a user of the model who has none, so that ``recommend`` wants ``unknown="fallback"`` for him.
        attributes : frame, dict of columns or AttributeMatrix, optional
            The users' attributes, as `fit` had them; None: those that the model holds, by id.
        n_threads : int, optional

        Returns
        -------
        FoldedIn
            Accepted wherever `users` is.

        Raises
        ------
        UnknownIdError
            An item is not in this model, and `unknown` is "error".
        DataError
            `history` is neither, or a value is not finite.
        SingularSystemError
            A user has no unique solution.

        Examples
        --------
        >>> from alternant import ExplicitALS, Interactions
        >>> data = Interactions.from_arrays(["ann", "ann", "bob"], ["x", "y", "x"], [5, 3, 4])
        >>> model = ExplicitALS(n_factors=1).fit(data)
        >>> model.recommend(model.fold_in({"y": 5.0})).item_id.tolist()
        ['x']
        """
        return folding.fold_in(self, history, unknown=unknown, attributes=attributes, n_threads=n_threads)

    def objective(self, interactions: Interactions) -> float:
        """Compute the objective of this model's tables on `interactions`, in float64, in one pass.

        Raises
        ------
        UnknownIdError
            A user or item with entries is not in this model.

        Examples
        --------
        >>> from alternant import ExplicitALS, Interactions
        >>> data = Interactions.from_arrays(["ann", "bob"], ["x", "x"], [4, 4])
        >>> ExplicitALS(n_factors=1).fit(data).objective(data)
        0.0
        """
        return totals.objective(self, interactions)

    # -- out -------------------------------------------------------------------------------------------

    def user_factors_frame(self, frame_type: FrameType | None = None) -> Any:
        """Return a frame of user_id, f0, f1, … and bias, one row per user; see :meth:`item_factors_frame`."""
        return factors_frame(self, "users", frame_type)

    def item_factors_frame(self, frame_type: FrameType | None = None) -> Any:
        """Return a frame of item_id, f0, f1, … and bias (where there is one), one row per item.

        `frame_type` None is the type of the training data, else the first of pandas, polars, pyarrow at hand.

        Examples
        --------
        >>> from alternant import ExplicitALS, Interactions
        >>> model = ExplicitALS(n_factors=2).fit(Interactions.from_arrays(["ann", "bob"], ["x", "x"], [5, 3]))
        >>> model.item_factors_frame("polars").columns
        ['item_id', 'f0', 'f1', 'bias']
        """
        return factors_frame(self, "items", frame_type)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write this model to a ``.safetensors`` file; :func:`alternant.load` reads it.

        The file is written beside and renamed: what was there stays whole until the new one is.

        Raises
        ------
        DataError
            `path` does not end in ``.safetensors``.
        OSError
            The file cannot be written.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> from alternant import ExplicitALS, Interactions
        >>> model = ExplicitALS(n_factors=1).fit(Interactions.from_arrays(["ann", "bob"], ["x", "x"], [5, 3]))
        >>> model.save(pathlib.Path(tempfile.mkdtemp()) / "model.safetensors")
        """
        saving.save(self, path)

    def __repr__(self) -> str:
        return describing.describe(self)
