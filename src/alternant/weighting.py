"""Choose which interactions count: conditions on the value, and users and items with enough entries.

It must not know models: what is chosen keeps its raw values.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alternant.errors import DataError
from alternant.interactions import Interactions, check_interactions

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt,
    "==": operator.eq, "!=": operator.ne
}  # fmt: skip
_CONDITION = re.compile(r"\s*(>=|>|<=|<|==|!=)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*")


def select(
    interactions: Interactions,
    *,
    positive_if: str | None = None,
    min_user_entries: int = 1,
    min_item_entries: int = 1,
) -> Interactions:
    """Keep the entries that fulfil a condition, of users and items that have enough of them.

    Parameters
    ----------
    interactions : Interactions
    positive_if : a condition on the value: one of ``>= > <= < == !=`` and a number, as in ``">= 4"``;
        None keeps all
    min_user_entries, min_item_entries : at least 1; users and items with fewer entries go, again and
        again until all that are left have enough (the k-core)

    Returns
    -------
    Interactions whose ids all have entries; values stay as they are, ``report.n_deselected`` counts what went

    Raises
    ------
    DataError : a condition that cannot be read, or one without values to compare; a minimum below 1

    Examples
    --------
    >>> data = Interactions.from_arrays(["ann", "ann", "bob"], ["x", "y", "x"], [5, 2, 4])
    >>> select(data, positive_if=">= 4").item_ids.labels.tolist()
    ['x']
    """
    check_interactions(interactions)
    for name, number in (("min_user_entries", min_user_entries), ("min_item_entries", min_item_entries)):
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 1:
            raise DataError(f"{name} must be a positive integer, got {number!r}")
    entries = interactions.entries()
    keep = np.ones(interactions.n_entries, dtype=np.bool_)
    if positive_if is not None:
        if entries.values is None:
            raise DataError(f"positive_if={positive_if!r} needs values, and these interactions have none")
        keep = fulfils(entries.values, positive_if)
    while True:
        users = np.bincount(entries.user_index[keep], minlength=interactions.n_users)
        items = np.bincount(entries.item_index[keep], minlength=interactions.n_items)
        enough = (users >= min_user_entries)[entries.user_index] & (items >= min_item_entries)[
            entries.item_index
        ]
        if not (keep & ~enough).any():
            break
        keep &= enough
    chosen = interactions.take(keep, prune=True)
    n_gone = interactions.n_entries - chosen.n_entries
    report = replace(chosen.report, n_deselected=chosen.report.n_deselected + n_gone)
    return replace(chosen, report=report)


def fulfils(values: NDArray[np.float32], condition: str) -> NDArray[np.bool_]:
    """Return where `values` (float32, shape (n,)) fulfil `condition`, as in ``">= 4"``: bool, shape (n,).

    The number is rounded to float32 as the values are, so that ``"== 0.1"`` finds what was given as 0.1.

    Examples
    --------
    >>> fulfils(np.array([0.1, 4.0], dtype=np.float32), "== 0.1").tolist()
    [True, False]
    """
    match = _CONDITION.fullmatch(condition) if isinstance(condition, str) else None
    if match is None:
        raise DataError(
            f'a condition is one of >=, >, <=, <, ==, != and a number, as in ">= 4", got {condition!r}'
        )
    return np.asarray(_OPERATORS[match[1]](values, np.float32(match[2])), dtype=np.bool_)
