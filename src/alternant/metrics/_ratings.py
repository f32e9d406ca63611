"""Error measures of predictions against ratings. Knows arrays only."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alternant.errors import DataError


def rmse(predicted: ArrayLike, actual: ArrayLike) -> float:
    """Return the root mean squared error, sqrt(mean((predicted − actual)²)), computed in float64.

    Parameters
    ----------
    predicted, actual : numbers, shape (n,)

    Returns
    -------
    float
        In the units of the ratings; 0 is perfect.

    Raises
    ------
    DataError
        The shapes differ, there is nothing to average, or a number is NaN or infinite.

    Examples
    --------
    >>> rmse([3.0, 5.0], [4.0, 4.0])
    1.0
    """
    return float(np.sqrt(np.mean(np.square(_errors(predicted, actual)))))


def mae(predicted: ArrayLike, actual: ArrayLike) -> float:
    """Return the mean absolute error, mean(|predicted − actual|), computed in float64.

    Parameters, units and errors are those of :func:`rmse`.

    Examples
    --------
    >>> mae([3.0, 5.0], [4.0, 6.0])
    1.0
    """
    return float(np.mean(np.abs(_errors(predicted, actual))))


def r_squared(predicted: ArrayLike, actual: ArrayLike) -> float:
    """Return 1 − Σ(predicted − actual)² / Σ(actual − mean actual)², computed in float64.

    1 is perfect, 0 no better than the mean of `actual`; it may be negative. NaN where all of `actual` are
    equal. Parameters and errors are those of :func:`rmse`.

    Examples
    --------
    >>> r_squared([3.0, 5.0], [4.0, 6.0])
    0.0
    """
    errors = _errors(predicted, actual)
    values = np.asarray(actual, np.float64)
    total = float(np.sum(np.square(values - values.mean())))
    return 1.0 - float(np.sum(np.square(errors))) / total if total > 0 else float("nan")


def _errors(predicted: ArrayLike, actual: ArrayLike) -> NDArray[np.float64]:
    a, b = np.asarray(predicted, np.float64), np.asarray(actual, np.float64)
    if a.shape != b.shape:
        raise DataError(f"predicted and actual must have the same shape, got {a.shape} and {b.shape}")
    if a.size == 0:
        raise DataError("the error of no predictions is undefined, got empty arrays")
    for values, name in ((a, "predicted"), (b, "actual")):
        bad = np.count_nonzero(~np.isfinite(values))
        if bad:
            raise DataError(
                f"{name} must be finite, got {bad:,} of {values.size:,} values NaN or infinite; "
                "leave those pairs out and report how many there were"
            )
    return a - b
