"""Users and items that came after the fit: solved from their history under the stored other side."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from alternant._settings import choice
from alternant._words import counted
from alternant.days import DayBiases, UserDays
from alternant.errors import DataError
from alternant.ids import IdMap
from alternant.interactions import EntryRows, Interactions
from alternant.kernels import dense, resolve_threads
from alternant.model.priors import SidePrior, prior_parts
from alternant.objective import FixedSide, Side
from alternant.prior import prior_mean, with_means
from alternant.solvers import solve_side

if TYPE_CHECKING:
    from alternant.model.snapshot import Snapshot

_log = logging.getLogger("alternant.model")

NEW_USER = "new user"
"""The id of a user whose history is given as a mapping of items to values."""


@dataclass(frozen=True, eq=False, repr=False)
class FoldedRows:
    """Rows of one side, solved under a model's other side.

    Attributes
    ----------
    ids : IdMap
    table : float32, shape (n_rows, width), read-only: factors, and the row's bias last where there is one
    history : Interactions that they were solved from, with the model's ids on the other side
    n_factors : int
    """

    side: ClassVar[Side]

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
        """The rows' factors: float32, shape (n_rows, n_factors)."""
        return self.table[:, : self.n_factors]

    @property
    def biases(self) -> NDArray[np.float32] | None:
        """The rows' biases: float32, shape (n_rows,); None in a model without."""
        return self.table[:, -1] if self.table.shape[1] > self.n_factors else None

    def __repr__(self) -> str:
        rows = counted(len(self), "user" if self.side == "users" else "item")
        entries = counted(self.history.n_entries, "entry")
        return f"{type(self).__name__}({rows}, {entries}, {counted(self.n_factors, 'factor')})"


@dataclass(frozen=True, eq=False, repr=False)
class FoldedIn(FoldedRows):
    """Users solved under a model's items; accepted wherever the model takes `users`.

    Attributes are those of :class:`FoldedRows`, and

    item_table : float32, shape (n_items, width), the items that they were solved under
    features : EntryRows, shape (n_users, n_features), their attributes; None in a model without
    day_biases : the biases of their days; None in a model without
    """

    side: ClassVar[Side] = "users"

    item_table: NDArray[np.float32]
    features: EntryRows | None = None
    day_biases: DayBiases | None = None


@dataclass(frozen=True, eq=False, repr=False)
class FoldedItems(FoldedRows):
    """Items solved under a model's users; attributes are those of :class:`FoldedRows`."""

    side: ClassVar[Side] = "items"


def fold_in(
    model: "Snapshot",
    history: Interactions | Mapping[Any, float],
    *,
    unknown: str,
    attributes: Any,
    n_threads: int | None,
) -> FoldedIn:
    """Solve the users of `history`; see :meth:`FactorModel.fold_in`."""
    if isinstance(history, Mapping):
        if model.problem.day_ridge is not None:
            raise DataError(
                "biases of days need times, and a mapping of items to values has none; pass "
                "Interactions.from_arrays(users, items, values, times=times)"
            )
        history = _of_one_user(history)
    if not isinstance(history, Interactions):
        raise DataError(
            "history must be Interactions or a mapping of item ids to values, got "
            f"{type(history).__name__}; a frame goes through Interactions.from_frame"
        )
    known = _known(history, "item", model.item_ids, unknown)
    features = _features("user", model.user_prior, model.user_ids, known.user_ids, attributes)
    rows = model.prepared(known, own="users").by_user
    days = None if model.problem.day_ridge is None else UserDays.of(rows)
    table, biases = _solved(
        model,
        "users",
        rows,
        known.user_ids,
        features,
        model.fixed_items,
        None,
        days,
        resolve_threads(n_threads),
    )
    return FoldedIn(known.user_ids, table, known, model.n_factors, model.item_table, features, biases)


def fold_in_items(
    model: "Snapshot", history: Interactions, *, unknown: str, attributes: Any, n_threads: int | None
) -> FoldedItems:
    """Solve the items of `history`; see :meth:`FactorModel.fold_in_items`."""
    if not isinstance(history, Interactions):
        raise DataError(
            f"history must be Interactions, got {type(history).__name__}; "
            "a frame goes through Interactions.from_frame"
        )
    known = _known(history, "user", model.user_ids, unknown)
    features = _features("item", model.item_prior, model.item_ids, known.item_ids, attributes)
    threads = resolve_threads(n_threads)
    fixed, rotation = model.fix_users(n_threads=threads)
    rows = model.without_days(model.prepared(known, own="items")).by_item
    table, _ = _solved(model, "items", rows, known.item_ids, features, fixed, rotation, None, threads)
    return FoldedItems(known.item_ids, table, known, model.n_factors)


def _known(history: Interactions, what: Literal["user", "item"], ids: IdMap, unknown: str) -> Interactions:
    """Return a history under the model's ids of the fixed side."""
    choice("unknown", unknown, ("error", "drop"))
    if unknown == "drop":
        history = _without_unknown(history, what, ids)
    return with_ids(history, user_ids=ids) if what == "user" else with_ids(history, item_ids=ids)


def _solved(
    model: "Snapshot",
    side: Side,
    rows: EntryRows,
    ids: IdMap,
    features: EntryRows | None,
    fixed: FixedSide,
    rotation: NDArray[np.float32] | None,
    days: UserDays | None,
    n_threads: int,
) -> tuple[NDArray[np.float32], DayBiases | None]:
    """Return the rows of `side`, in the model's basis, which `rotation` turned into that of `fixed`, and the
    biases of `days`."""
    if model.draws is not None:
        others = model.item_ids if side == "users" else model.user_ids
        table = model.draws.table(
            side, rows, features, hashes=ids.hashes, other_hashes=others.hashes, n_threads=n_threads
        )
        return table, None
    parts = prior_parts(model.problem, side, rows, features)
    mean = turned = prior_mean(parts, model.prior(side).coefficients, n_threads=n_threads)
    if mean is not None and rotation is not None:
        turned = dense.multiply(mean, rotation, n_threads=n_threads)
    solved = solve_side(
        model.problem, side, rows, fixed, mean=turned, n_threads=n_threads, ids=ids, days=days
    )
    table = solved.table
    if rotation is not None:
        table = dense.multiply(table, np.ascontiguousarray(rotation.T), n_threads=n_threads)
    biases = None if days is None or solved.day_biases is None else days.biases(solved.day_biases)
    return with_means(table, rows.counts, mean), biases


def _features(
    what: Literal["user", "item"], prior: SidePrior, stored_ids: IdMap, ids: IdMap, attributes: Any
) -> EntryRows | None:
    """Return the features of ids: from attributes that were passed, else those that the model holds."""
    if prior.encoding is None or prior.features is None:
        if attributes is not None:
            raise DataError("attributes need a model that was fitted with attributes of this side")
        return None
    if attributes is not None:
        return prior.encoding.encode(attributes, ids, what=what)
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
        "left out %s of %s; %s of %s have none left",
        counted(history.n_entries - kept.n_entries, "entry"),
        counted(int(np.count_nonzero(~is_known)), f"unknown {what}"),
        f"{np.count_nonzero((rows.counts > 0) & (left.counts == 0)):,}",
        counted(rows.n_rows, "item" if what == "user" else "user"),
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
    remedy = f"leave it out, or take the {what} in by model.updated or a new fit"
    positions[active] = new.encode(old.decode(active), what=what, remedy=remedy)
    return positions
