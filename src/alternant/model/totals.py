"""The objective of a model, recomputed from data."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from alternant.days import UserDays
from alternant.interactions import Interactions
from alternant.model.folding import with_ids
from alternant.model.priors import prior_parts
from alternant.objective import Side, rows_of
from alternant.prior import coefficient_penalty, prior_mean

if TYPE_CHECKING:
    from alternant.model.snapshot import Snapshot


def objective(model: "Snapshot", interactions: Interactions) -> float:
    """Compute the objective in float64; see :meth:`FactorModel.objective`."""
    known = with_ids(interactions, user_ids=model.user_ids, item_ids=model.item_ids)
    prepared = model.prepared(known, own="both")
    means: dict[str, NDArray[np.float32] | None] = {}
    penalty = 0.0
    sides: tuple[Side, Side] = ("users", "items")
    for side in sides:
        prior = model.prior(side)
        parts = prior_parts(model.problem, side, rows_of(prepared, side), prior.features)
        means[side] = prior_mean(parts, prior.coefficients, n_threads=1)
        penalty += coefficient_penalty(parts, prior.coefficients)
    ridge, days = model.problem.day_ridge, model.day_biases
    if ridge is not None and days is not None:
        users = UserDays.of(prepared.by_user)
        found = days.at(np.repeat(np.arange(days.n_users), np.diff(users.offsets)), users.days)
        penalty += ridge * float(np.sum(np.square(found, dtype=np.float64)))
    return penalty + model.problem.total(
        model.without_days(prepared),
        model.user_table,
        model.item_table,
        user_mean=means["users"],
        item_mean=means["items"],
    )
