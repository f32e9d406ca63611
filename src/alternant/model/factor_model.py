"""The class FactorModel: a snapshot and all that it answers."""

import os
from collections.abc import Mapping
from typing import Any, Literal

from alternant._frames import FrameType
from alternant.interactions import Interactions
from alternant.model import describing, folding, saving, totals, updating
from alternant.model.batch_answers import BatchAnswers
from alternant.model.describing import Description
from alternant.model.folding import FoldedIn, FoldedItems
from alternant.model.frames import factors_frame
from alternant.model.pair_answers import PairAnswers
from alternant.model.pair_knowledge import PairKnowledge


class FactorModel(PairAnswers, PairKnowledge, BatchAnswers):
    """A fitted model, frozen: it predicts, recommends, finds neighbours and folds in new users.

    Estimators return it; :func:`alternant.load` reads it from a file. ``print`` describes it. Its attributes
    are those of :class:`alternant.model.Snapshot`.
    """

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
            Made like the training data: the same kind of values, weights and times. A model with biases of
            days wants times, which a mapping does not have.
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

    def fold_in_items(
        self,
        history: Interactions,
        *,
        unknown: Literal["error", "drop"] = "error",
        attributes: Any = None,
        n_threads: int | None = None,
    ) -> FoldedItems:
        """Solve new items from their history under the stored users.

        The raw history of a stored item gives the stored row up to what one more half-sweep would change: a
        fit solves users last.

        Parameters
        ----------
        history : Interactions
            The whole history of its items, made like the training data, by users of the model.
        unknown : {"error", "drop"}
            What becomes of entries of users that the model does not know: UnknownIdError, or they are left
            out, and their number is logged.
        attributes : frame, dict of columns or AttributeMatrix, optional
            The items' attributes, as `fit` had them; None: those that the model holds, by id.
        n_threads : int, optional

        Returns
        -------
        FoldedItems
            :meth:`updated` makes such items a part of a model.

        Raises
        ------
        UnknownIdError
            A user is not in this model, and `unknown` is "error".
        DataError
            `history` is not Interactions, or a value is not finite.
        SingularSystemError
            An item has no unique solution.

        Examples
        --------
        >>> from alternant import ExplicitALS, Interactions
        >>> data = Interactions.from_arrays(["ann", "ann", "bob"], ["x", "y", "x"], [5, 3, 4])
        >>> model = ExplicitALS(n_factors=1).fit(data)
        >>> model.fold_in_items(Interactions.from_arrays(["ann", "bob"], ["z", "z"], [5, 3])).ids
        IdMap(1 string id: 'z')
        """
        return folding.fold_in_items(
            self, history, unknown=unknown, attributes=attributes, n_threads=n_threads
        )

    def updated(
        self,
        interactions: Interactions | None = None,
        *,
        remove_users: Any = None,
        remove_items: Any = None,
        mode: Literal["delta", "full"] = "delta",
        refresh: Literal["touched", "users"] = "touched",
        user_attributes: Any = None,
        item_attributes: Any = None,
        n_threads: int | None = None,
    ) -> "FactorModel":
        """Return a new model that knows later entries, new ids and removals; this one stays as it is.

        First new items are solved from their entries by known users, then new users and those whose history
        changed, exactly, under the items: their rows are those that :meth:`fold_in` of the new model gives,
        to the bit. Items that had entries, the Gramian, coefficients of prior means and what the preparation
        counted stay frozen until a refit. An item that only new users have entries of stays at its prior
        mean (0 without) until then.

        A removed id, its factors, days, entries, attributes and coefficients are not in the new model.
        Nothing but their average influence on the factors, coefficients and totals of others is left until a
        refit.

        Parameters
        ----------
        interactions : Interactions, optional
            Raw entries. Only ids with entries are new to the model: a catalogue invents none.
        remove_users, remove_items : id or sequence of ids, optional
            Who goes. `interactions` must not name them. A model without history cannot solve the users of a
            removed item anew, or count anew.
        mode : {"delta", "full"}
            "delta": the entries join the model's history; one of a known pair replaces its value, weight and
            time. "full": they are the whole history of every user who has any among them; it needs no
            stored history.
        refresh : {"touched", "users"}
            Solve new and changed users, or all.
        user_attributes, item_attributes : frame, dict of columns or AttributeMatrix, optional
            As `fit` had them; they replace those of ids that are known, and ids that only they know are new.
        n_threads : int, optional

        Returns
        -------
        FactorModel

        Raises
        ------
        DataError
            The model holds no history and `mode` or `refresh` needs it; entries that are not like the
            history.
        UnknownIdError
            An id to remove is not in this model.
        SingularSystemError
            A row has no unique solution.

        Examples
        --------
        >>> from alternant import ExplicitALS, Interactions
        >>> data = Interactions.from_arrays(["ann", "ann", "bob"], ["x", "y", "x"], [5, 3, 4])
        >>> model = ExplicitALS(n_factors=1).fit(data)
        >>> later = model.updated(Interactions.from_arrays(["bob", "cy"], ["y", "y"], [2, 5]))
        >>> later.user_ids.labels.tolist(), later.history.n_entries, model.n_users
        (['ann', 'bob', 'cy'], 5, 2)
        """
        return updating.updated(
            self,
            interactions,
            remove_users=remove_users,
            remove_items=remove_items,
            mode=mode,
            refresh=refresh,
            user_attributes=user_attributes,
            item_attributes=item_attributes,
            n_threads=n_threads,
        )

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

    def describe(self) -> Description:
        """Say what this model minimised, with its numbers, and how far it got.

        The loss of every sweep is split into what stored entries, all pairs and penalties add. The gradient
        is computed from the history, in float64: about 0 for the users, who are solved last, and small for
        the items of a fit that converged. `warnings` has a line where positives weigh less than unknown
        pairs.

        Examples
        --------
        >>> from alternant import ExplicitALS, Interactions
        >>> data = Interactions.from_arrays(["ann", "ann", "bob"], ["x", "y", "x"], [5, 3, 4])
        >>> model = ExplicitALS(n_factors=1, regularization=0.5, regularization_exponent=0).fit(data)
        >>> print(model.describe().formula.split("where")[0])
        minimised over the tables of users x and items y and biases b:
            Σ_stored e (t − 4 − b_u − b_i − x_u·y_i)²
          + Σ_u 0.5 ‖x_u‖²
          + Σ_u 0.5 b_u²
          + Σ_i 0.5 ‖y_i‖²
          + Σ_i 0.5 b_i²
        <BLANKLINE>
        """
        return describing.in_full(self)
