"""Back from targets to values: what predictions of transformed values mean on the scale of the raw ones.

log and normalize can be undone for a pair of which nothing but the user's history is known; bm25 and tfidf
change a value by its item, and have no meaning as a rating of it.
"""

from typing import TYPE_CHECKING

import numpy as np

from alternant.interactions import EntryRows
from alternant.preparation._constants import Float64
from alternant.preparation._transforms import HalfLife, Log, Normalize

if TYPE_CHECKING:
    from alternant.preparation._preparation import Preparation


def value_steps(preparation: "Preparation") -> list[tuple[str, Log | Normalize]] | None:
    """Return the steps that values go through, and their names; None where they cannot be undone.

    Without such steps, and where values are no ratings, there is nothing to undo: an empty list.
    """
    steps = [(f"step{i}", step) for i, step in enumerate(preparation.steps) if not isinstance(step, HalfLife)]
    if preparation.value != "rating":
        return None if steps and preparation.value == "target" else []
    undone = [(name, step) for name, step in steps if isinstance(step, Log | Normalize)]
    return undone if len(undone) == len(steps) else None


def user_means(preparation: "Preparation", rows: EntryRows) -> dict[str, Float64]:
    """Return what each normalize step divides the values of rows by: float64, shape (n_rows,), by its name.

    `rows` holds the whole raw histories of users.
    """
    found: dict[str, Float64] = {}
    v = np.ones(rows.n_entries) if rows.values is None else np.abs(rows.values.astype(np.float64))
    users = rows.row_index()
    for name, step in value_steps(preparation) or ():
        if isinstance(step, Log):
            v = np.log1p(v / step.epsilon)
            continue
        sums = np.bincount(users, weights=v, minlength=rows.n_rows)
        means = sums / np.maximum(rows.counts, 1)
        found[name] = np.where(means > 0, means, 1.0)
        v /= found[name][users]
    return found


def undone(preparation: "Preparation", targets: Float64, means: dict[str, Float64]) -> Float64:
    """Return the values of targets: float64, shape (n,).

    Parameters
    ----------
    targets : float64, shape (n,)
    means : of each normalize step, the divisor of each target: float64, shape (n,)
    """
    found = targets
    for name, step in reversed(value_steps(preparation) or []):
        found = step.epsilon * np.expm1(found) if isinstance(step, Log) else found * means[name]
    return found
