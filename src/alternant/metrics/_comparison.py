"""Two models on the same users: the difference, how sure it is, and whether chance explains it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alternant import _settings
from alternant.errors import DataError
from alternant.metrics._spread import bootstrap_interval

_SIGNS_AT_ONCE = 1 << 22


class Comparison(NamedTuple):
    """The mean of first − second over users.

    difference, low, high : the mean and its bootstrap interval; p : two-sided, of a randomisation test of
        signs: how often chance alone would make it as large; n_users : who took part
    """

    difference: float
    low: float
    high: float
    p: float
    n_users: int


def compare(
    first: ArrayLike,
    second: ArrayLike,
    *,
    level: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Compare two models by their values for the same users, pair by pair.

    If the models were alike, each user's difference could as well have the other sign: p is the share of
    random signs, the observed ones included, whose mean is at least as far from 0 (Fisher 1935), so it is
    never less than 1 / (n_resamples + 1).

    Parameters
    ----------
    first, second : numbers, shape (n_users,); a user with NaN in either is left out
    level, n_resamples, seed : as in :func:`bootstrap_interval`

    Raises
    ------
    DataError : shapes that differ, no user with both values, a setting out of range

    Examples
    --------
    >>> compare([0.5, 0.25, 1.0], [0.25, 0.5, 1.0]).difference
    0.0
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise DataError(
            f"first and second must have one number for each of the same users, got {a.shape} and {b.shape}"
        )
    differences = (a - b)[~np.isnan(a) & ~np.isnan(b)]
    value, low, high = bootstrap_interval(differences, level=level, n_resamples=n_resamples, seed=seed)
    return Comparison(
        value, low, high, sign_test(differences, n_resamples=n_resamples, seed=seed), len(differences)
    )


def sign_test(differences: NDArray[np.float64], *, n_resamples: int, seed: int) -> float:
    """Return how often random signs make the sum of `differences` as large as it is; see :func:`compare`."""
    # Users without a difference have no sign. The sum of the others is scaled so that rounding of equal
    # sums in another order does not decide.
    moved = differences[differences != 0]
    observed = abs(float(np.sum(moved))) * (1 - 1e-12)
    seed = _settings.integer("seed", seed, 0, 2**64 - 1)
    rng = np.random.default_rng([seed, 1])
    n_as_large, n_done = 0, 0
    size = max(1, _SIGNS_AT_ONCE // max(len(moved), 1))
    while n_done < n_resamples:
        n = min(size, n_resamples - n_done)
        bits = np.unpackbits(
            np.frombuffer(rng.bytes(n * (-(-max(len(moved), 1) // 8))), np.uint8).reshape(n, -1), axis=1
        )[:, : len(moved)]
        sums = 2.0 * (bits @ moved) - np.sum(moved)
        n_as_large += int(np.count_nonzero(np.abs(sums) >= observed))
        n_done += n
    return (1 + n_as_large) / (1 + n_resamples)
