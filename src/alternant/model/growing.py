"""The second part of an update: ids, entries and attributes that come; new rows are 0 as yet."""

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alternant.errors import DataError
from alternant.ids import IdMap
from alternant.interactions import EntryRows, Interactions
from alternant.model import folding
from alternant.model.priors import SidePrior
from alternant.model.removing import Bool, Changed, What, entries_of_side
from alternant.preparation import FittedPreparation

if TYPE_CHECKING:
    from alternant.model.factor_model import FactorModel


@dataclass(frozen=True, eq=False)
class Growth:
    """A model that has grown, its new rows 0 as yet.

    given, entries : Interactions with the grown ids: the new entries, and the whole histories that are known
    touched_users, named_items : bool, one for each row: new or changed; new, or given attributes
    """

    model: "FactorModel"
    given: Interactions
    entries: Interactions
    touched_users: Bool
    named_items: Bool


def with_more(
    model: "FactorModel",
    changed: Changed,
    interactions: Interactions | None,
    mode: str,
    user_attributes: Any,
    item_attributes: Any,
) -> Growth:
    user_ids = _grown_ids(model.user_ids, interactions, model.user_prior, user_attributes, "user")
    item_ids = _grown_ids(model.item_ids, interactions, model.item_prior, item_attributes, "item")
    n_users, n_items = len(user_ids), len(item_ids)
    given = _given(interactions, user_ids, item_ids)
    is_given = given.by_user.counts > 0
    old_users, old_items = padded(model.user_counts, n_users), padded(model.item_counts, n_items)
    if model.history is None:
        history, entries = None, given
        user_counts = np.where(is_given, given.by_user.counts, old_users)
        # Who had which items is not known: new users count, and items that nobody had.
        by_new = given.take((old_users == 0)[given.entries().user_index]).by_item.counts
        item_counts = np.where(old_items > 0, old_items + by_new, given.by_item.counts)
    else:
        wide = model.history.grown(
            user_labels=user_ids.decode(np.arange(model.n_users, n_users)),
            item_labels=item_ids.decode(np.arange(model.n_items, n_items)),
        )
        history = entries = _merged(wide, given, mode)
        user_counts, item_counts = history.by_user.counts, history.by_item.counts
    user_prior, named_users = _grown_prior(model.user_prior, user_ids, n_items, user_attributes, "user")
    item_prior, named_items = _grown_prior(model.item_prior, item_ids, n_users, item_attributes, "item")
    named_users[model.n_users :] = True
    named_items[model.n_items :] = True
    named_items[: model.n_items] |= changed.items
    has_changed = is_given | padded(changed.users, n_users)
    scale = model.problem.unobserved_scale("items", item_counts)
    if scale is not None and model.item_unobserved is not None:
        # Weights of items that had entries are part of the frozen Gramian.
        frozen = old_items > 0
        scale[frozen] = padded(model.item_unobserved, n_items)[frozen]
    grown = dataclasses.replace(
        model,
        user_ids=user_ids,
        item_ids=item_ids,
        user_table=padded(model.user_table, n_users),
        item_table=padded(model.item_table, n_items),
        user_counts=user_counts,
        item_counts=item_counts,
        preparation=_grown_preparation(model.preparation, entries, has_changed),
        user_prior=user_prior,
        item_prior=item_prior,
        user_unobserved=model.problem.unobserved_scale("users", user_counts),
        item_unobserved=scale,
        day_biases=None if model.day_biases is None else model.day_biases.widened(n_users),
        history=history,
    )
    # Without his history, a user who is only named cannot be solved anew.
    touched = has_changed | (named_users & ((entries.by_user.counts > 0) | (user_counts == 0)))
    return Growth(grown, given, entries, touched, named_items)


def padded(array: NDArray[Any], n: int) -> NDArray[Any]:
    """Return the rows with zeros behind them, n in all; a copy."""
    padded = np.zeros((n, *array.shape[1:]), array.dtype)
    padded[: len(array)] = array
    return padded


def _grown_ids(
    ids: IdMap, interactions: Interactions | None, prior: SidePrior, attributes: Any, what: What
) -> IdMap:
    """Return the ids, behind them new ones: those with entries, and those that attributes name."""
    if interactions is not None:
        given, rows = entries_of_side(interactions, what)
        if rows.n_entries:
            ids = ids.grown(given.decode(np.flatnonzero(rows.counts)), what=what)
    if attributes is not None:
        if prior.encoding is None:
            raise DataError(
                f"{what}_attributes need a model that was fitted with attributes of {what}s, "
                "and this one was not; leave them out, or refit"
            )
        ids = ids.grown(prior.encoding.new_ids(attributes, what=what), what=what)
    return ids


def _given(interactions: Interactions | None, user_ids: IdMap, item_ids: IdMap) -> Interactions:
    if interactions is not None and interactions.n_entries:
        return folding.with_ids(interactions, user_ids=user_ids, item_ids=item_ids)
    none = np.empty(0, np.int32)
    return Interactions.from_codes(user_ids, item_ids, user_index=none, item_index=none)


def _merged(history: Interactions, given: Interactions, mode: str) -> Interactions:
    """Return the history with the entries in it; both have the grown ids."""
    if given.n_entries == 0:
        return history
    if history.n_entries and given.has_values != history.has_values:
        words = (
            "values, and the model's history none"
            if given.has_values
            else "no values, and the model's history some"
        )
        raise DataError(f"these entries have {words}; pass entries like the training data")
    if history.n_entries and history.has_times and not given.has_times:
        raise DataError("the model's history has times, these entries none; name the time column with time=")
    old, new = history.entries(), given.entries()
    if mode == "full":
        keep = given.by_user.counts[old.user_index] == 0
    else:
        keep = ~np.isin(_pairs(old, history.n_items), _pairs(new, history.n_items))
    columns: dict[str, Any] = {}
    for name, mine, theirs in zip(("values", "weights", "times"), old[2:], new[2:], strict=True):
        if name == "times" and mine is None and history.n_entries:
            continue
        if mine is not None or theirs is not None:
            kept = np.ones(int(keep.sum()), np.float32) if mine is None else mine[keep]
            columns[name] = np.concatenate(
                [kept, np.ones(given.n_entries, np.float32) if theirs is None else theirs]
            )
    merged = Interactions.from_codes(
        history.user_ids,
        history.item_ids,
        user_index=np.concatenate([old.user_index[keep], new.user_index]),
        item_index=np.concatenate([old.item_index[keep], new.item_index]),
        **columns,
    )
    return dataclasses.replace(merged, frame_type=history.frame_type)


def _pairs(entries: Any, n_items: int) -> NDArray[np.int64]:
    return np.asarray(entries.user_index.astype(np.int64) * n_items + entries.item_index)


def _grown_prior(
    prior: SidePrior, ids: IdMap, n_others: int, attributes: Any, what: What
) -> tuple[SidePrior, Bool]:
    """Return the prior of more rows, and whose features are from `attributes`: bool, shape (n,)."""
    named = np.zeros(len(ids), np.bool_)
    link = None if prior.link is None else padded(prior.link, n_others)
    features = prior.features
    if features is not None:
        features = features.widened(len(ids), features.n_columns)
        if attributes is not None and prior.encoding is not None:
            named[ids.encode(prior.encoding.new_ids(attributes, what=what), what=what)] = True
            encoded = prior.encoding.encode(attributes, ids, what=what)
            features = _replaced(features, encoded, named)
    return dataclasses.replace(prior, link=link, features=features), named


def _replaced(old: EntryRows, new: EntryRows, named: Bool) -> EntryRows:
    """Return the rows of `new` where `named`, else those of `old`."""
    values = [
        np.ones(rows.n_entries, np.float32) if rows.values is None else rows.values for rows in (old, new)
    ]
    both = EntryRows(
        np.concatenate([old.offsets, new.offsets[1:] + old.n_entries]),
        np.concatenate([old.indices, new.indices]),
        old.n_columns,
        values=np.concatenate(values),
    )
    places = np.arange(old.n_rows) + np.where(named, old.n_rows, 0)
    return both.chosen(places.astype(np.int32))


def _grown_preparation(
    fitted: FittedPreparation | None, entries: Interactions, has_changed: Bool
) -> FittedPreparation | None:
    """Return the preparation with the numbers of users who have changed and of ids without any before."""
    if fitted is None:
        return None
    stored = fitted.stored
    users = {name: padded(array, entries.n_users) for name, array in stored.users.items()}
    items = {name: padded(array, entries.n_items) for name, array in stored.items.items()}
    if has_changed.any() and entries.n_entries:
        fresh = fitted.preparation.fit(entries).fitted
        for name, array in users.items():
            array[has_changed] = fresh.user_constants[name][has_changed]
        # "kept_counts" says who had entries that weigh something, "counts" who had any at all.
        unseen = {name: array == 0 for name, array in items.items() if name.endswith("counts")}
        for name, array in items.items():
            new = unseen[name] if name in unseen else unseen["counts"]
            array[new] = fresh.item_constants[name][new]
    return FittedPreparation(
        fitted.preparation,
        entries.n_users,
        entries.n_items,
        dataclasses.replace(stored, users=users, items=items),
    )
