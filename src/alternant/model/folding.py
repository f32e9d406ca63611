"""Users and items that came after the fit: solved from their history under the stored other side."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from alternant.errors import DataError
from alternant.ids import IdMap
from alternant.interactions import EntryRows, Interactions
from alternant.kernels import dense, resolve_threads
from alternant.model.priors import SidePrior, prior_parts
from alternant.prior import prior_mean
from alternant.solvers import fix_side, solve_side

if TYPE_CHECKING:
    from alternant.model.snapshot import Snapshot

_log = logging.getLogger("alternant.model")

NEW_USER = "new user"
"""The id of a user whose history is given as a mapping of items to values."""


@dataclass(frozen=True, eq=False, repr=False)
class FoldedIn:
    """Users solved under a model's items; accepted wherever the model takes `users`.

    Attributes
    ----------
    ids : IdMap
    table : float32, shape (n_users, width), read-only: factors, and the user's bias last where there is one
    history : Interactions that they were solved from, with the model's item ids
    n_factors : int
    item_table : float32, shape (n_items, width), the items that they were solved under
    features : EntryRows, shape (n_users, n_features), their attributes; None in a model without
    """

    ids: IdMap
    table: NDArray[np.float32]
    history: Interactions
    n_factors: int
    item_table: NDArray[np.float32]
    features: EntryRows | None = None

    def __post_init__(self) -> None:
        self.table.flags.writeable = False

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def factors(self) -> NDArray[np.float32]:
        """The users' factors: float32, shape (n_users, n_factors)."""
        return self.table[:, : self.n_factors]

    @property
    def biases(self) -> NDArray[np.float32] | None:
        """The users' biases: float32, shape (n_users,); None in a model without."""
        return self.table[:, -1] if self.table.shape[1] > self.n_factors else None

    def __repr__(self) -> str:
        return f"FoldedIn({len(self):,} users, {self.history.n_entries:,} entries, {self.n_factors} factors)"


@dataclass(frozen=True, eq=False, repr=False)
class FoldedItems:
    """Items solved under a model's users.

    Attributes
    ----------
    ids : IdMap
    table : float32, shape (n_items, width), read-only: factors, and the item's bias last where there is one
    history : Interactions that they were solved from, with the model's user ids
    n_factors : int
    """

    ids: IdMap
    table: NDArray[np.float32]
    history: Interactions
    n_factors: int

    def __post_init__(self) -> None:
        self.table.flags.writeable = False

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def factors(self) -> NDArray[np.float32]:
        """The items' factors: float32, shape (n_items, n_factors)."""
        return self.table[:, : self.n_factors]

    @property
    def biases(self) -> NDArray[np.float32] | None:
        """The items' biases: float32, shape (n_items,); None in a model without."""
        return self.table[:, -1] if self.table.shape[1] > self.n_factors else None

    def __repr__(self) -> str:
        return (
            f"FoldedItems({len(self):,} items, {self.history.n_entries:,} entries, {self.n_factors} factors)"
        )


def fold_in(
    model: "Snapshot",
    history: Interactions | Mapping[Any, float],
    *,
    unknown: str,
    attributes: Any,
    n_threads: int | None,
) -> FoldedIn:
    """Solve the users of `history`; see :meth:`FactorModel.fold_in`."""
    if unknown not in ("error", "drop"):
        raise DataError(f'unknown must be "error" or "drop", got {unknown!r}')
    if isinstance(history, Mapping):
        history = _of_one_user(history)
    if not isinstance(history, Interactions):
        raise DataError(
            "history must be Interactions or a mapping of item ids to values, got "
            f"{type(history).__name__}; a frame goes through Interactions.from_frame"
        )
    if unknown == "drop":
        history = _without_unknown(history, "item", model.item_ids)
    known = with_ids(history, item_ids=model.item_ids)
    prepared = known if model.preparation is None else model.preparation.apply(known, own="users")
    features = _features("user", model.user_prior, model.user_ids, known.user_ids, attributes)
    parts = prior_parts(model.problem, "users", prepared.by_user, features)
    threads = resolve_threads(n_threads)
    mean = prior_mean(parts, model.user_prior.coefficients, n_threads=threads)
    solved = solve_side(
        model.problem,
        "users",
        prepared.by_user,
        model.fixed_items,
        mean=mean,
        n_threads=threads,
        ids=known.user_ids,
    )
    table = solved.table
    if mean is not None:
        table = np.where(prepared.by_user.counts[:, None] > 0, table, mean)
    return FoldedIn(known.user_ids, table, known, model.n_factors, model.item_table, features)


def fold_in_items(
    model: "Snapshot", history: Interactions, *, unknown: str, attributes: Any, n_threads: int | None
) -> FoldedItems:
    """Solve the items of `history`; see :meth:`FactorModel.fold_in_items`."""
    if unknown not in ("error", "drop"):
        raise DataError(f'unknown must be "error" or "drop", got {unknown!r}')
    if not isinstance(history, Interactions):
        raise DataError(
            f"history must be Interactions, got {type(history).__name__}; "
            "a frame goes through Interactions.from_frame"
        )
    if unknown == "drop":
        history = _without_unknown(history, "user", model.user_ids)
    known = with_ids(history, user_ids=model.user_ids)
    prepared = known if model.preparation is None else model.preparation.apply(known, own="items")
    rows = prepared.by_item
    features = _features("item", model.item_prior, model.item_ids, known.item_ids, attributes)
    parts = prior_parts(model.problem, "items", rows, features)
    threads = resolve_threads(n_threads)
    mean = prior_mean(parts, model.item_prior.coefficients, n_threads=threads)
    # Users without entries hold their prior means, and are outside the objective: no part of the Gramian.
    users = np.where(model.user_counts[:, None] > 0, model.user_table, np.float32(0.0))
    fixed, rotation = fix_side(model.problem, "users", users, model.user_counts, n_threads=threads)
    turned = mean
    if mean is not None and rotation is not None:
        turned = dense.multiply(mean, rotation, n_threads=threads)
    table = solve_side(
        model.problem, "items", rows, fixed, mean=turned, n_threads=threads, ids=known.item_ids
    ).table
    if rotation is not None:
        table = dense.multiply(table, np.ascontiguousarray(rotation.T), n_threads=threads)
    if mean is not None:
        table = np.where(rows.counts[:, None] > 0, table, mean)
    return FoldedItems(known.item_ids, table, known, model.n_factors)


def _features(
    what: Literal["user", "item"], prior: SidePrior, stored_ids: IdMap, ids: IdMap, attributes: Any
) -> EntryRows | None:
    """Return the features of ids: from attributes that were passed, else those that the model holds."""
    if prior.encoding is None or prior.features is None:
        if attributes is not None:
            raise DataError("attributes need a model that was fitted with attributes of this side")
        return None
    if attributes is not None:
        encoded: EntryRows = prior.encoding.encode(attributes, ids, what=what)
        return encoded
    if ids.kind != stored_ids.kind:
        return prior.features.chosen(np.full(len(ids), -1, np.int32))
    return prior.features.chosen(stored_ids.encode(ids.labels, what=what, unknown="mark"))


def _of_one_user(history: Mapping[Any, float]) -> Interactions:
    """Return the interactions of one new user from a mapping of item ids to values."""
    if not history:
        raise DataError("a history must name at least one item, got an empty mapping")
    return Interactions.from_arrays([NEW_USER] * len(history), list(history), list(history.values()))


def _without_unknown(history: Interactions, what: Literal["user", "item"], known: IdMap) -> Interactions:
    """Return the entries of users or items that are known, under the same ids; log how many are not."""
    ids = history.user_ids if what == "user" else history.item_ids
    is_known = known.encode(ids.labels, what=what, unknown="mark") >= 0
    if is_known.all():
        return history
    entries = history.entries()
    kept = history.take(is_known[entries.user_index if what == "user" else entries.item_index])
    rows, left = (history.by_item, kept.by_item) if what == "user" else (history.by_user, kept.by_user)
    _log.info(
        "left out %s entries of %s unknown %ss; %s of %s %ss have none left",
        f"{history.n_entries - kept.n_entries:,}",
        f"{np.count_nonzero(~is_known):,}",
        what,
        f"{np.count_nonzero((rows.counts > 0) & (left.counts == 0)):,}",
        f"{rows.n_rows:,}",
        "item" if what == "user" else "user",
    )
    return kept


def with_ids(
    interactions: Interactions, *, user_ids: IdMap | None = None, item_ids: IdMap | None = None
) -> Interactions:
    """Return the same entries under other id maps, which must know every id that has entries."""
    user_ids = interactions.user_ids if user_ids is None else user_ids
    item_ids = interactions.item_ids if item_ids is None else item_ids
    if user_ids == interactions.user_ids and item_ids == interactions.item_ids:
        return interactions
    users = _translated(interactions.user_ids, interactions.by_user.counts, user_ids, "user")
    items = _translated(interactions.item_ids, interactions.by_item.counts, item_ids, "item")
    entries = interactions.entries()
    return Interactions.from_codes(
        user_ids,
        item_ids,
        user_index=users[entries.user_index],
        item_index=items[entries.item_index],
        values=entries.values,
        weights=entries.weights,
        times=entries.times,
    )


def _translated(old: IdMap, counts: NDArray[np.int64], new: IdMap, what: str) -> NDArray[np.int32]:
    """Return the new position of each old one, -1 for ids without entries."""
    active = np.flatnonzero(counts)
    positions = np.full(len(old), -1, np.int32)
    remedy = f"leave it out: a new {what} needs a fit that includes it"
    positions[active] = new.encode(old.decode(active), what=what, remedy=remedy)
    return positions
