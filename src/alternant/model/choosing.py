"""From what a caller passes as users or items (one id, many ids, folded-in users) to rows of a table."""

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from alternant import _settings
from alternant.days import DayBiases
from alternant.errors import DataError, UnknownIdError
from alternant.ids import IdMap
from alternant.interactions import EntryRows
from alternant.model.folding import FoldedIn
from alternant.objective import Side

if TYPE_CHECKING:
    from alternant.model.snapshot import Snapshot

_REMEDIES: dict[Side, str] = {
    "users": "recommend from a history with model.fold_in",
    "items": "a new item comes in by model.updated, or a fit that includes it",
}


def word(side: Side) -> Literal["user", "item"]:
    """Return the word for one of a side."""
    return "user" if side == "users" else "item"


@dataclass(frozen=True, eq=False)
class ChosenRows:
    """The rows that a caller chose.

    Attributes
    ----------
    side : "users" or "items"
    read_labels : what gives `labels`: for pairs, of which there may be very many, nobody asks
    index : int32, shape (n,), rows of `table`; -1 for an unknown id
    table : float32, shape (n_rows, width)
    counts : int64, shape (n_rows,), entries that each row was solved from
    entries : those entries, or None where the model does not hold them
    is_scalar : the caller wrote one id, not a sequence
    is_stored : the rows are those of the model itself, not folded in
    features : the rows' attributes, or None
    day_biases : the biases of users' days, or None
    """

    side: Side
    read_labels: Callable[[], NDArray[Any]]
    index: NDArray[np.int32]
    table: NDArray[np.float32]
    counts: NDArray[np.int64]
    entries: EntryRows | None
    is_scalar: bool
    is_stored: bool
    features: EntryRows | None = None
    day_biases: DayBiases | None = None

    def __len__(self) -> int:
        return len(self.index)

    @cached_property
    def labels(self) -> NDArray[Any]:
        """The ids: int64 or object (str), shape (n,)."""
        return self.read_labels()

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """Whether each id has a row: bool, shape (n,)."""
        return np.asarray(self.index >= 0)

    @property
    def has_entries(self) -> NDArray[np.bool_]:
        """Whether each id has a row that was solved from data: bool, shape (n,)."""
        if len(self.counts) == 0:
            return np.zeros(len(self), np.bool_)
        return np.asarray(self.is_known & (self.counts[self.index] > 0))


def from_attributes(chosen: ChosenRows) -> NDArray[np.bool_]:
    """Return which ids have no entries but attributes, which say what their row is: bool, shape (n,)."""
    if chosen.features is None or len(chosen.counts) == 0:
        return np.zeros(len(chosen), np.bool_)
    only = (chosen.counts == 0) & (chosen.features.counts > 0)
    return np.asarray(chosen.is_known & only[chosen.index])


def choose(model: "Snapshot", side: Side, asked: Any, *, mark_unknown: bool = False) -> ChosenRows:
    """Return the rows for `asked`; an unknown id raises, or gets index -1 with `mark_unknown`.

    Raises
    ------
    UnknownIdError : an id that the model does not know
    DataError : ids of the wrong kind; folded-in users where items are asked for, or of another model
    """
    if isinstance(asked, FoldedIn):
        return _folded(model, side, asked)
    ids: IdMap = model.user_ids if side == "users" else model.item_ids
    is_scalar = _is_scalar(asked)
    if isinstance(asked, np.ndarray) and is_scalar:
        asked = asked.item()
    many = [asked] if is_scalar else list(asked) if isinstance(asked, (Iterator, Set)) else asked
    index = ids.encode(
        many, what=word(side), unknown="mark" if mark_unknown else "error", remedy=_REMEDIES[side]
    )
    history = model.history
    entries = None if history is None else history.by_user if side == "users" else history.by_item
    return ChosenRows(
        side,
        partial(_labels, ids, many, index),
        index,
        model.user_table if side == "users" else model.item_table,
        model.user_counts if side == "users" else model.item_counts,
        entries,
        is_scalar,
        is_stored=True,
        features=(model.user_prior if side == "users" else model.item_prior).features,
        day_biases=model.day_biases if side == "users" else None,
    )


def positions(model: "Snapshot", side: Side, asked: Any, *, skip_unknown: bool) -> NDArray[np.int32]:
    """Return the positions of a list of ids (or one), for `exclude=` and `candidates=`."""
    chosen = choose(model, side, asked, mark_unknown=skip_unknown)
    if not chosen.is_stored:
        raise DataError("exclude and candidates must be ids, got folded-in users")
    return chosen.index[chosen.index >= 0]


def listable(
    model: "Snapshot", side: Side, *, exclude: Any, candidates: Any, min_entries: Any
) -> NDArray[np.int32] | None:
    """Return the positions that a list may hold, ascending; None for all.

    Raises
    ------
    DataError : `min_entries` is no integer of at least 0, or an argument is not ids
    UnknownIdError : a candidate is unknown
    """
    least = _settings.integer("min_entries", min_entries, 0)
    allowed = (model.user_counts if side == "users" else model.item_counts) >= least
    if candidates is not None:
        asked = np.zeros(len(allowed), np.bool_)
        asked[positions(model, side, candidates, skip_unknown=False)] = True
        allowed &= asked
    if exclude is not None:
        allowed[positions(model, side, exclude, skip_unknown=True)] = False
    return None if allowed.all() else np.flatnonzero(allowed).astype(np.int32)


def refuse_without_entries(chosen: ChosenRows) -> None:
    """Raise for the first id that has no row solved from data."""
    missing = ~(chosen.has_entries | from_attributes(chosen))
    if missing.any():
        label = chosen.labels[int(missing.argmax())]
        shown = label if isinstance(label, str) else int(label)
        raise UnknownIdError(
            f"{word(chosen.side)} {shown!r} has no interactions to recommend from; "
            'pass unknown="fallback" to rank by popularity'
        )


def _is_scalar(asked: Any) -> bool:
    if isinstance(asked, np.ndarray):
        return asked.ndim == 0
    return isinstance(asked, (str, bytes)) or not (hasattr(asked, "__iter__") or hasattr(asked, "__len__"))


def _labels(ids: IdMap, asked: Any, index: NDArray[np.int32]) -> NDArray[Any]:
    unknown = index < 0
    if not unknown.any():
        return ids.decode(index)
    labels = np.empty(len(index), object)
    labels[~unknown] = ids.decode(index[~unknown])
    given = np.asarray(asked, dtype=object)[unknown]
    labels[unknown] = given if ids.kind == "integer" else [str(label) for label in given]  # no np.str_
    return labels.astype(np.int64) if ids.kind == "integer" else labels


def _folded(model: "Snapshot", side: Side, folded: FoldedIn) -> ChosenRows:
    if side == "items":
        raise DataError("items must be item ids, got folded-in users")
    # A model loaded twice has the same items at two places.
    if folded.item_table is not model.item_table and not (
        np.array_equal(folded.item_table, model.item_table) and folded.history.item_ids == model.item_ids
    ):
        raise DataError("these users were folded into another model; fold them into this one")
    return ChosenRows(
        side,
        lambda: folded.ids.labels,
        np.arange(len(folded), dtype=np.int32),
        folded.table,
        folded.history.by_user.counts,
        folded.history.by_user,
        is_scalar=False,
        is_stored=False,
        features=folded.features,
        day_biases=folded.day_biases,
    )
