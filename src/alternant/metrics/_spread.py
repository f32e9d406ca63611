"""How sure a mean over users is, and how the worst-off users fare."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alternant import _settings
from alternant.errors import DataError

Floats = NDArray[np.float64]
_DRAWS_AT_ONCE = 1 << 22


class Interval(NamedTuple):
    """A value with the interval that holds it."""

    value: float
    low: float
    high: float


def bootstrap_interval(
    values: ArrayLike, *, level: float = 0.95, n_resamples: int = 1000, seed: int = 0
) -> Interval:
    """Return the mean of values of users with its bootstrap percentile interval (Efron 1979).

    Parameters
    ----------
    values : numbers, shape (n_users,); NaN, which is undefined, is left out
    level : float in (0, 1), how often such an interval holds the mean of all such users
    n_resamples : int
    seed : integer in [0, 2^64)

    Raises
    ------
    DataError : a setting out of range, or nothing to average

    Examples
    --------
    >>> bootstrap_interval([0.5] * 10)
    Interval(value=0.5, low=0.5, high=0.5)
    """
    found = _defined(values)
    return intervals(lambda weights: weights @ found / len(found), len(found), level, n_resamples, seed)


def intervals(
    statistic: Callable[[Floats], Floats], n_users: int, level: float, n_resamples: int, seed: int
) -> Interval:
    """Return a statistic of weighted users, with its bootstrap percentile interval.

    `statistic` takes how often each user is drawn, float64, shape (n, n_users), and returns n numbers.
    """
    share = _settings.number("level", level, "a number between 0 and 1", lambda x: 0 < x < 1)
    n_resamples = _settings.integer("n_resamples", n_resamples, 1)
    value = float(statistic(np.ones((1, n_users)))[0])
    drawn = np.concatenate([statistic(weights) for weights in resamples(n_users, n_resamples, seed)])
    low, high = np.quantile(drawn, [(1 - share) / 2, (1 + share) / 2])
    return Interval(value, float(low), float(high))


def resampled_sums(columns: Floats, *, n_resamples: int, seed: int) -> Floats:
    """Return the sums of columns over resampled users: float64, shape (n_resamples, n_columns).

    Parameters
    ----------
    columns : float64, shape (n_users, n_columns)
    """
    return np.concatenate([weights @ columns for weights in resamples(len(columns), n_resamples, seed)])


def resamples(n_users: int, n_resamples: int, seed: int) -> Iterator[Floats]:
    """Yield blocks of resamples: how often each of `n_users` is drawn, float64, shape (n, n_users)."""
    seed = _settings.integer("seed", seed, 0, 2**64 - 1)
    rng = np.random.default_rng(seed)
    size = max(1, _DRAWS_AT_ONCE // n_users)
    for begin in range(0, n_resamples, size):
        n = min(size, n_resamples - begin)
        drawn = rng.integers(0, n_users, (n, n_users), dtype=np.int64)
        drawn += np.arange(n)[:, None] * n_users
        yield np.bincount(drawn.ravel(), minlength=n * n_users).reshape(n, n_users).astype(np.float64)


def worst_share(values: ArrayLike, *, share: float = 0.3) -> float:
    """Return the mean of the lowest `share` of the values, at least one: how the worst-off users fare.

    Examples
    --------
    >>> worst_share([0.0, 0.25, 0.5, 0.5, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0])
    0.25
    """
    part = _settings.number("share", share, "a number above 0 and at most 1", lambda x: 0 < x <= 1)
    found = _defined(values)
    n = max(1, round(part * len(found)))
    return float(np.partition(found, n - 1)[:n].mean())


def _defined(values: ArrayLike) -> Floats:
    found = np.asarray(values, np.float64)
    if found.ndim != 1:
        raise DataError(f"values must have one number for each user, got shape {found.shape}")
    found = found[~np.isnan(found)]
    if len(found) == 0:
        raise DataError("the mean of no users is undefined, got no value that is not NaN")
    return found
