"""A new snapshot of a model after entries, ids or attributes have come, changed or gone.

Removal (removing.py), growth (growing.py) and solving, here, are one after the other: each makes a whole
model of the one before.
"""

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from alternant._settings import choice
from alternant.errors import DataError
from alternant.interactions import Interactions, check_interactions
from alternant.model import folding
from alternant.model.growing import Growth, padded, with_more
from alternant.model.removing import Bool, positions_of, rows_to_remove, without_rows
from alternant.preparation import value_steps

if TYPE_CHECKING:
    from alternant.model.factor_model import FactorModel


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
    if model.draws is not None:
        raise DataError(
            "a sampled model cannot be updated, as its draws hang together: fit again, or give new users to "
            "fold_in"
        )
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
    gone_users = rows_to_remove(model.user_ids, remove_users, "user", interactions)
    gone_items = rows_to_remove(model.item_ids, remove_items, "item", interactions)
    reduced, changed = without_rows(model, ~gone_users, ~gone_items)
    growth = with_more(reduced, changed, interactions, mode, user_attributes, item_attributes)
    with_items = _with_new_items(reduced, growth, n_threads)
    chosen = np.ones_like(growth.touched_users) if refresh == "users" else growth.touched_users
    solved = _with_users(with_items, growth.entries, chosen, n_threads)
    stopped = model.stopped if model.stopped.endswith("; updated") else f"{model.stopped}; updated"
    return dataclasses.replace(
        solved,
        stopped=stopped,
        value_range=_value_range(model, solved, growth.given),
    )


def _value_range(old: "FactorModel", model: "FactorModel", given: Interactions) -> tuple[float, float] | None:
    """Return the range of predictions: of the history, or of what was known of it and the new entries."""

    def of(entries: Interactions) -> tuple[float, float] | None:
        undoes = model.preparation is not None and bool(value_steps(model.preparation.preparation))
        return (entries if undoes else model.prepared(entries, own="both")).summary().value_range

    if model.history is not None:
        return of(model.history)
    ranges = [old.value_range, of(given)]
    known = [one for one in ranges if one is not None]
    return (min(low for low, _ in known), max(high for _, high in known)) if known else None


def _with_new_items(old: "FactorModel", growth: Growth, n_threads: int | None) -> "FactorModel":
    """Solve the items that had no entries, from their entries by users who had some."""
    model, given = growth.model, growth.given
    had_none = padded(old.item_counts, model.n_items) == 0
    index = positions_of(had_none & (growth.named_items | (given.by_item.counts > 0)))
    if len(index) == 0:
        return model
    old_counts = padded(old.user_counts, model.n_users)
    known = given.take((old_counts > 0)[given.entries().user_index])
    by_item = known.by_item.chosen(index)
    history = Interactions(
        model.user_ids,
        model.item_ids.subset(index),
        by_item.transposed(),
        by_item,
        known.report,
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
    index = positions_of(chosen)
    if len(index) == 0:
        return model
    by_user = entries.by_user.chosen(index)
    history = Interactions(
        model.user_ids.subset(index),
        model.item_ids,
        by_user,
        by_user.transposed(),
        entries.report,
    )
    folded = folding.fold_in(model, history, unknown="error", attributes=None, n_threads=n_threads)
    table = model.user_table.copy()
    table[index] = folded.table
    day_biases = model.day_biases
    if day_biases is not None and folded.day_biases is not None:
        day_biases = day_biases.replaced(index, folded.day_biases)
    return dataclasses.replace(model, user_table=table, day_biases=day_biases)
