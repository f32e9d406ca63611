"""From the numbers of users to rows with intervals, and to differences from baselines."""

import numpy as np
from numpy.typing import NDArray

from alternant.evaluation._asked import Asked, higher_is_better
from alternant.evaluation._measuring import PerUser
from alternant.evaluation._report import Difference, Row
from alternant.evaluation._testing import Measured
from alternant.evaluation.baselines._fitted import Fitted
from alternant.metrics import worst_share
from alternant.metrics._comparison import sign_test
from alternant.metrics._spread import resampled_sums

Floats = NDArray[np.float64]


def drawn_measures(measured: list[Measured], n_resamples: int, seed: int) -> list[dict[str, Floats]]:
    """Return each model's measures over the same resampled users: name → float64, shape (n_resamples,)."""
    ones = [one for found in measured for one in found.per_user]
    if not ones:
        return [{} for _ in measured]
    sums = resampled_sums(
        np.concatenate([one.sums for one in ones], axis=1), n_resamples=n_resamples, seed=seed
    )
    parts = np.split(sums, np.cumsum([one.sums.shape[1] for one in ones])[:-1], axis=1)
    values = iter([one.of_sums(part) for one, part in zip(ones, parts, strict=True)])
    return [{one.name: next(values) for one in found.per_user} for found in measured]


def rows_of(
    models: list[Fitted], measured: list[Measured], drawn: list[dict[str, Floats]], level: float
) -> tuple[Row, ...]:
    """Return a row for each measure of each model, with its interval from `drawn`."""
    rows = []
    nan = float("nan")
    for model, found, draws in zip(models, measured, drawn, strict=True):
        for one in found.per_user:
            low, high = _quantiles(draws[one.name], level)
            n_users = int(np.count_nonzero(one.sums[:, -1]))
            rows.append(Row(model.name, one.name, one.over(), low, high, _worst(one), n_users))
        n_listed = 0 if found.lists is None else len(found.lists.offsets) - 1
        rows += [
            Row(model.name, metric, value, nan, nan, nan, n_listed)
            for metric, value in found.catalogue.items()
        ]
    return tuple(rows)


def _worst(one: PerUser) -> float:
    """Return the mean of the 30 % of users' values that are worst: the smallest, or the largest errors.

    NaN for R², of which a user's own says little.
    """
    values = one.values[~np.isnan(one.values)]
    if len(values) == 0 or one.name == "r_squared":
        return float("nan")
    sign = 1.0 if higher_is_better(one.name) else -1.0
    return sign * worst_share(sign * values, share=0.3)


def _quantiles(values: Floats, level: float) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def differences_of(
    models: list[Fitted],
    measured: list[Measured],
    drawn: list[dict[str, Floats]],
    wanted: Asked,
    level: float,
    n_resamples: int,
    seed: int,
) -> tuple[Difference, ...]:
    """Return the first model less each other one, by the measure that models are compared by."""

    def primary(found: Measured) -> PerUser | None:
        return next((one for one in found.per_user if one.name == wanted.primary), None)

    own = primary(measured[0])
    if own is None:
        return ()
    rows = []
    for model, found, draws in zip(models[1:], measured[1:], drawn[1:], strict=True):
        theirs = primary(found)
        if theirs is None:
            continue
        low, high = _quantiles(drawn[0][own.name] - draws[theirs.name], level)
        # Of lists the first sum is the user's value; of ratings, the errors that make the measure.
        per_user = own.sums[:, 0] - theirs.sums[:, 0]
        counted = int(np.count_nonzero(own.sums[:, -1]))
        p = sign_test(per_user, n_resamples=n_resamples, seed=seed)
        rows.append(Difference(own.name, model.name, own.over() - theirs.over(), low, high, p, counted))
    return tuple(rows)
