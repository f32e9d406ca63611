"""A new snapshot of a model after entries, ids or attributes have come, changed or gone.

Removal, growth and solving are one after the other: each makes a whole model of the one before.
"""

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from alternant._settings import choice
from alternant.errors import DataError
from alternant.ids import IdMap
from alternant.interactions import EntryRows, Interactions, check_interactions
from alternant.model import folding
from alternant.model.priors import SidePrior
from alternant.preparation import FittedPreparation

if TYPE_CHECKING:
    from alternant.model.factor_model import FactorModel

What = Literal["user", "item"]
Bool = NDArray[np.bool_]


def updated(
    model: "FactorModel",
    interactions: Interactions | None,
    *,
    remove_users: Any,
    remove_items: Any,
    mode: str,
    refresh: str,
    user_attributes: Any,
    item_attributes: Any,
    n_threads: int | None,
) -> "FactorModel":
    """Return the next snapshot; see :meth:`FactorModel.updated`."""
    choice("mode", mode, ("delta", "full"))
    choice("refresh", refresh, ("touched", "users"))
    if interactions is not None:
        check_interactions(interactions)
        if model.history is None and mode == "delta":
            raise DataError(
                'mode="delta" needs the model\'s history, and this model holds none; '
                'pass the whole history of each user with mode="full"'
            )
    if model.history is None and refresh == "users":
        raise DataError('refresh="users" needs the model\'s history, and this model holds none; refit it')
    gone_users = _to_remove(model.user_ids, remove_users, "user", interactions)
    gone_items = _to_remove(model.item_ids, remove_items, "item", interactions)
    reduced, changed = _removed(model, ~gone_users, ~gone_items)
    growth = _grown(reduced, changed, interactions, mode, user_attributes, item_attributes)
    with_items = _with_new_items(reduced, growth, n_threads)
    chosen = np.ones_like(growth.touched_users) if refresh == "users" else growth.touched_users
    solved = _with_users(with_items, growth.entries, chosen, n_threads)
    stopped = model.stopped if model.stopped.endswith("; updated") else f"{model.stopped}; updated"
    return dataclasses.replace(solved, stopped=stopped)


# -- removal -------------------------------------------------------------------------------------------


def _to_remove(ids: IdMap, asked: Any, what: What, interactions: Interactions | None) -> Bool:
    """Return which rows go: bool, shape (n,)."""
    gone = np.zeros(len(ids), np.bool_)
    if asked is None:
        return gone
    many = [asked] if isinstance(asked, str | int | np.integer) else asked
    gone[ids.encode(many, what=what)] = True
    if interactions is not None:
        given, rows = _side(interactions, what)
        positions = ids.encode(given.decode(np.flatnonzero(rows.counts)), what=what, unknown="mark")
        both = positions[(positions >= 0) & gone[positions]]
        if len(both):
            label = ids.decode(both[:1]).tolist()[0]
            raise DataError(f"{what} {label!r} is to be removed and has entries; leave out one of the two")
    return gone


def _side(interactions: Interactions, what: What) -> tuple[IdMap, EntryRows]:
    if what == "user":
        return interactions.user_ids, interactions.by_user
    return interactions.item_ids, interactions.by_item


@dataclass(frozen=True, eq=False)
class _Changed:
    """Which rows a removal has changed: users who have lost entries, items that have lost all of theirs."""

    users: Bool
    items: Bool


def _removed(model: "FactorModel", users: Bool, items: Bool) -> tuple["FactorModel", _Changed]:
    """Return the model with the rows `users` and `items` alone."""
    if users.all() and items.all():
        return model, _Changed(np.zeros(model.n_users, np.bool_), np.zeros(model.n_items, np.bool_))
    user_ids, item_ids = _ids_at(model.user_ids, users), _ids_at(model.item_ids, items)
    user_counts, item_counts, history = model.user_counts[users], model.item_counts[items], model.history
    value_range = model.value_range
    if history is not None:
        history = _kept(history, user_ids, item_ids, users, items)
        user_counts, item_counts = history.by_user.counts, history.by_item.counts
        value_range = _range(history)
    changed = _Changed(
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
        history=history,
        value_range=value_range,
    )
    return reduced, changed


def _zeroed(rows: NDArray[Any], index: NDArray[np.intp]) -> NDArray[Any]:
    """Return fresh `rows`, 0 at `index`."""
    rows[index] = 0
    return rows


def _ids_at(ids: IdMap, keep: NDArray[Any]) -> IdMap:
    """Return the map of some of the labels, a mask or positions, in this order."""
    if ids.integers is not None:
        return IdMap(integers=ids.integers[keep])
    positions = np.flatnonzero(keep) if keep.dtype == np.bool_ else keep
    texts = [label.encode() for label in ids.decode(positions).tolist()]
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in texts], out=offsets[1:])
    return IdMap(offsets=offsets, utf8=np.frombuffer(b"".join(texts), np.uint8))


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
        features=None if prior.features is None else prior.features.chosen(_positions(rows)),
    )


def _positions(mask: Bool) -> NDArray[np.int32]:
    return np.flatnonzero(mask).astype(np.int32)


def _range(history: Interactions) -> tuple[float, float] | None:
    summary = history.summary()
    if summary.value_min is None or summary.value_max is None:
        return None
    return summary.value_min, summary.value_max


# -- growth --------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Growth:
    """A model that has grown, its new rows 0 as yet.

    given, entries : Interactions with the grown ids: the new entries, and the whole histories that are known
    touched_users, named_items : bool, one for each row: new or changed; new, or given attributes
    """

    model: "FactorModel"
    given: Interactions
    entries: Interactions
    touched_users: Bool
    named_items: Bool


def _grown(
    model: "FactorModel",
    changed: _Changed,
    interactions: Interactions | None,
    mode: str,
    user_attributes: Any,
    item_attributes: Any,
) -> _Growth:
    user_ids = _grown_ids(model.user_ids, interactions, model.user_prior, user_attributes, "user")
    item_ids = _grown_ids(model.item_ids, interactions, model.item_prior, item_attributes, "item")
    n_users, n_items = len(user_ids), len(item_ids)
    given = _given(interactions, user_ids, item_ids)
    is_given = given.by_user.counts > 0
    old_users, old_items = _padded(model.user_counts, n_users), _padded(model.item_counts, n_items)
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
    has_changed = is_given | _padded(changed.users, n_users)
    ranges = [one for one in (model.value_range, _range(given if history is None else history)) if one]
    scale = model.problem.unobserved_scale("items", item_counts)
    if scale is not None and model.item_unobserved is not None:
        # Weights of items that had entries are part of the frozen Gramian.
        frozen = old_items > 0
        scale[frozen] = _padded(model.item_unobserved, n_items)[frozen]
    grown = dataclasses.replace(
        model,
        user_ids=user_ids,
        item_ids=item_ids,
        user_table=_padded(model.user_table, n_users),
        item_table=_padded(model.item_table, n_items),
        user_counts=user_counts,
        item_counts=item_counts,
        preparation=_grown_preparation(model.preparation, entries, has_changed),
        user_prior=user_prior,
        item_prior=item_prior,
        user_unobserved=model.problem.unobserved_scale("users", user_counts),
        item_unobserved=scale,
        history=history,
        value_range=None if not ranges else (min(one[0] for one in ranges), max(one[1] for one in ranges)),
    )
    # Without his history, a user who is only named cannot be solved anew.
    touched = has_changed | (named_users & ((entries.by_user.counts > 0) | (user_counts == 0)))
    return _Growth(grown, given, entries, touched, named_items)


def _padded(array: NDArray[Any], n: int) -> NDArray[Any]:
    """Return the rows with zeros behind them, n in all; a copy."""
    padded = np.zeros((n, *array.shape[1:]), array.dtype)
    padded[: len(array)] = array
    return padded


def _grown_ids(
    ids: IdMap, interactions: Interactions | None, prior: SidePrior, attributes: Any, what: What
) -> IdMap:
    """Return the ids, behind them new ones: those with entries, and those that attributes name."""
    if interactions is not None:
        given, rows = _side(interactions, what)
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
    link = None if prior.link is None else _padded(prior.link, n_others)
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
    users = {name: _padded(array, entries.n_users) for name, array in stored.users.items()}
    items = {name: _padded(array, entries.n_items) for name, array in stored.items.items()}
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


# -- solving -------------------------------------------------------------------------------------------


def _with_new_items(old: "FactorModel", growth: _Growth, n_threads: int | None) -> "FactorModel":
    """Solve the items that had no entries, from their entries by users who had some."""
    model, given = growth.model, growth.given
    had_none = _padded(old.item_counts, model.n_items) == 0
    index = _positions(had_none & (growth.named_items | (given.by_item.counts > 0)))
    if len(index) == 0:
        return model
    old_counts = _padded(old.user_counts, model.n_users)
    known = given.take((old_counts > 0)[given.entries().user_index])
    by_item = known.by_item.chosen(index)
    history = Interactions(
        model.user_ids, _ids_at(model.item_ids, index), by_item.transposed(), by_item, known.report
    )
    then = dataclasses.replace(
        model, user_counts=old_counts, user_unobserved=model.problem.unobserved_scale("users", old_counts)
    )
    folded = folding.fold_in_items(then, history, unknown="error", attributes=None, n_threads=n_threads)
    table = model.item_table.copy()
    table[index] = folded.table
    return dataclasses.replace(model, item_table=table)


def _with_users(
    model: "FactorModel", entries: Interactions, chosen: Bool, n_threads: int | None
) -> "FactorModel":
    """Solve the users `chosen` from their whole history, as a fold-in does."""
    index = _positions(chosen)
    if len(index) == 0:
        return model
    by_user = entries.by_user.chosen(index)
    history = Interactions(
        _ids_at(model.user_ids, index), model.item_ids, by_user, by_user.transposed(), entries.report
    )
    folded = folding.fold_in(model, history, unknown="error", attributes=None, n_threads=n_threads)
    table = model.user_table.copy()
    table[index] = folded.table
    return dataclasses.replace(model, user_table=table)
