"""Measures of one relevant item among a few sampled others: for comparison with published numbers only."""

import warnings
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alternant.errors import DataError
from alternant.metrics._names import measures

_NAMES = ("sampled_hit_rate", "sampled_ndcg")


def sampled_metrics(
    relevant_scores: ArrayLike,
    other_scores: ArrayLike,
    *,
    metrics: str | Iterable[str],
    relevant_first: NDArray[np.bool_] | None = None,
) -> dict[str, NDArray[np.float64]]:
    """Measure where one relevant item stands among sampled others.

    Such numbers do not estimate those of the whole catalogue and can order models otherwise (Krichene and
    Rendle 2020, doi:10.1145/3394486.3403226), which a warning says.

    Parameters
    ----------
    relevant_scores : numbers, shape (n,)
    other_scores : numbers, shape (n, n_others); NaN for no item
    metrics : "sampled_hit_rate@k", "sampled_ndcg@k" (1 / log2(1 + rank) within k places, else 0)
    relevant_first : bool, shape (n, n_others), optional
        Whether the relevant item goes first where scores are equal (as its position is smaller); without it
        the others do.

    Returns
    -------
    dict of name → float64, shape (n,)

    Raises
    ------
    DataError : an unknown name, or shapes that do not fit

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     sampled_metrics([2.0], [[3.0, 1.0]], metrics="sampled_hit_rate@1")
    {'sampled_hit_rate@1': array([0.])}
    """
    asked = measures(metrics, _NAMES)
    own, others = np.asarray(relevant_scores, np.float64), np.asarray(other_scores, np.float64)
    if own.ndim != 1 or others.ndim != 2 or len(own) != len(others):
        raise DataError(f"scores must have shapes (n,) and (n, n_others), got {own.shape} and {others.shape}")
    warnings.warn(
        "metrics of sampled items do not estimate those of the whole catalogue and can order models "
        "otherwise; use them for comparison with published numbers only",
        stacklevel=2,
    )
    tied = others == own[:, None]
    if relevant_first is not None:
        tied &= ~relevant_first
    rank = np.count_nonzero(others > own[:, None], axis=1) + np.count_nonzero(tied, axis=1)
    result = {}
    for measure in asked:
        value = np.ones(len(rank)) if measure.name == "sampled_hit_rate" else 1.0 / np.log2(rank + 2.0)
        result[str(measure)] = value if measure.k is None else np.where(rank < measure.k, value, 0.0)
    return result
