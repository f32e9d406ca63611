"""From what a model lists and predicts to numbers for each user, and to sums that can be resampled.

Every measure is a function of sums over users, so that one drawing of users serves all intervals:

    of lists      mean of the users' values                 sums: value, 1
    rmse, mae     √(Σ e² / n), Σ |e| / n over all ratings   sums: e² or |e|, n
    r_squared     1 − Σ e² / Σ (r − mean r)²                sums: e², r², r, n
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PerUser:
    """One measure of one model.

    Attributes
    ----------
    name : of the measure
    values : float64, shape (n_users,), one number for each user: the measure of the user's list, or of the
        user's ratings alone; NaN where it is undefined
    sums : float64, shape (n_users, n), what is added up over users
    of_sums : from sums, shape (…, n), to the measure, shape (…,)
    """

    name: str
    values: Floats
    sums: Floats
    of_sums: Callable[[Floats], Floats]

    def over(self, chosen: NDArray[np.bool_] | None = None) -> float:
        """Return the measure of all users, or of those `chosen`: bool, shape (n_users,)."""
        some = self.sums if chosen is None else self.sums[chosen]
        return float(self.of_sums(np.sum(some, axis=0)))


def of_lists(name: str, values: Floats) -> PerUser:
    """Return a measure of lists; NaN does not count."""
    known = ~np.isnan(values)
    sums = np.stack([np.where(known, values, 0.0), known.astype(np.float64)], axis=1)
    return PerUser(name, values, sums, _mean)


def of_ratings(
    name: str, users: NDArray[np.int32], n_users: int, predicted: Floats, actual: Floats
) -> PerUser:
    """Return an error of ratings.

    Parameters
    ----------
    users : int32, shape (n,), from 0 to n_users − 1
    predicted, actual : float64, shape (n,)
    """
    errors = predicted - actual

    def total(values: Floats | None) -> Floats:
        return np.bincount(users, values, n_users).astype(np.float64)

    n = total(None)
    if name == "mae":
        sums, of_sums = np.stack([total(np.abs(errors)), n], axis=1), _mean
    elif name == "rmse":
        sums, of_sums = np.stack([total(errors**2), n], axis=1), _root_mean
    else:
        sums = np.stack([total(errors**2), total(actual**2), total(actual), n], axis=1)
        of_sums = _explained
    return PerUser(name, of_sums(sums), sums, of_sums)


def _mean(sums: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums[..., 0] / sums[..., 1])


def _root_mean(sums: Floats) -> Floats:
    return np.sqrt(_mean(sums))


def _explained(sums: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = sums[..., 1] - sums[..., 2] ** 2 / sums[..., 3]
        return np.where(spread > 0, 1.0 - sums[..., 0] / spread, np.nan)
