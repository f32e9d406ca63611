"""The first part of an update: rows that go, and all that was known of them alone."""

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from alternant.errors import DataError
from alternant.ids import IdMap
from alternant.interactions import EntryRows, Interactions
from alternant.model.priors import SidePrior
from alternant.preparation import FittedPreparation

if TYPE_CHECKING:
    from alternant.model.factor_model import FactorModel

What = Literal["user", "item"]
Bool = NDArray[np.bool_]


def rows_to_remove(ids: IdMap, asked: Any, what: What, interactions: Interactions | None) -> Bool:
    """Return which rows go: bool, shape (n,)."""
    gone = np.zeros(len(ids), np.bool_)
    if asked is None:
        return gone
    many = [asked] if isinstance(asked, str | int | np.integer) else asked
    gone[ids.encode(many, what=what)] = True
    if interactions is not None:
        given, rows = entries_of_side(interactions, what)
        positions = ids.encode(given.decode(np.flatnonzero(rows.counts)), what=what, unknown="mark")
        both = positions[(positions >= 0) & gone[positions]]
        if len(both):
            label = ids.decode(both[:1]).tolist()[0]
            raise DataError(f"{what} {label!r} is to be removed and has entries; leave out one of the two")
    return gone


def entries_of_side(interactions: Interactions, what: What) -> tuple[IdMap, EntryRows]:
    if what == "user":
        return interactions.user_ids, interactions.by_user
    return interactions.item_ids, interactions.by_item


@dataclass(frozen=True, eq=False)
class Changed:
    """Which rows a removal has changed: users who have lost entries, items that have lost all of theirs."""

    users: Bool
    items: Bool


def without_rows(model: "FactorModel", users: Bool, items: Bool) -> tuple["FactorModel", Changed]:
    """Return the model with the rows `users` and `items` alone."""
    if users.all() and items.all():
        return model, Changed(np.zeros(model.n_users, np.bool_), np.zeros(model.n_items, np.bool_))
    user_ids, item_ids = (
        model.user_ids.subset(np.flatnonzero(users)),
        model.item_ids.subset(np.flatnonzero(items)),
    )
    user_counts, item_counts, history = model.user_counts[users], model.item_counts[items], model.history
    if history is not None:
        history = _kept(history, user_ids, item_ids, users, items)
        user_counts, item_counts = history.by_user.counts, history.by_item.counts
    changed = Changed(
        user_counts < model.user_counts[users], (item_counts == 0) & (model.item_counts[items] > 0)
    )
    # What only removed users had entries of is all theirs: it goes back to what an item without entries has.
    emptied = np.flatnonzero(changed.items)
    preparation = model.preparation
    if preparation is not None:
        preparation = FittedPreparation(
            preparation.preparation,
            len(user_ids),
            len(item_ids),
            dataclasses.replace(
                preparation.stored,
                users={name: array[users] for name, array in preparation.user_constants.items()},
                items={
                    name: _zeroed(array[items], emptied) for name, array in preparation.item_constants.items()
                },
            ),
        )
    unobserved = model.item_unobserved
    user_prior = _prior_at(model.user_prior, users, items)
    if user_prior.link is not None:
        user_prior = dataclasses.replace(user_prior, link=_zeroed(user_prior.link, emptied))
    reduced = dataclasses.replace(
        model,
        user_ids=user_ids,
        item_ids=item_ids,
        user_table=model.user_table[users],
        item_table=_zeroed(model.item_table[items], emptied),
        user_counts=user_counts,
        item_counts=item_counts,
        preparation=preparation,
        user_prior=user_prior,
        item_prior=_prior_at(model.item_prior, items, users),
        user_unobserved=model.problem.unobserved_scale("users", user_counts),
        item_unobserved=None if unobserved is None else _zeroed(unobserved[items], emptied),
        day_biases=None if model.day_biases is None else model.day_biases.chosen(positions_of(users)),
        history=history,
    )
    return reduced, changed


def _zeroed(rows: NDArray[Any], index: NDArray[np.intp]) -> NDArray[Any]:
    """Return fresh `rows`, 0 at `index`."""
    rows[index] = 0
    return rows


def _kept(history: Interactions, user_ids: IdMap, item_ids: IdMap, users: Bool, items: Bool) -> Interactions:
    """Return the entries whose user and item stay, under the new positions."""
    entries = history.entries()
    keep = users[entries.user_index] & items[entries.item_index]
    values, weights, times = (None if column is None else column[keep] for column in entries[2:])
    kept = Interactions.from_codes(
        user_ids,
        item_ids,
        user_index=(np.cumsum(users) - 1).astype(np.int32)[entries.user_index[keep]],
        item_index=(np.cumsum(items) - 1).astype(np.int32)[entries.item_index[keep]],
        values=values,
        weights=weights,
        times=times,
    )
    return dataclasses.replace(kept, frame_type=history.frame_type)


def _prior_at(prior: SidePrior, rows: Bool, others: Bool) -> SidePrior:
    return dataclasses.replace(
        prior,
        link=None if prior.link is None else prior.link[others],
        features=None if prior.features is None else prior.features.chosen(positions_of(rows)),
    )


def positions_of(mask: Bool) -> NDArray[np.int32]:
    return np.flatnonzero(mask).astype(np.int32)
