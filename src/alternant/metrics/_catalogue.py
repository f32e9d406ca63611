"""Measures of what is listed, whether or not it is relevant.

With the lists cut after k places, c_i the lists that have item i, and n_i its training entries:

    coverage               share of the items that at least one list has
    gini                   Gini coefficient of the c_i of all items: 0 all alike, near 1 a few have all
    novelty                mean over lists of the mean of −log2(max(n_i, 1) / n_users)
    popularity             mean over lists of the mean n_i
    popularity_lift        (popularity of the lists − of the users' own training items) / of the latter, both
                           means over users of mean n_i (Abdollahpouri et al. 2019, arXiv:1907.13286)
    intra_list_similarity  mean over lists of the mean cosine of two different items of the list
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from alternant.errors import DataError
from alternant.metrics._lists import ragged
from alternant.metrics._names import CATALOGUE_METRICS, measures

Floats = NDArray[np.float64]
_ROWS_AT_ONCE = 1 << 17


def catalogue_metrics(
    list_offsets: NDArray[np.int64],
    list_items: NDArray[np.int32],
    *,
    metrics: str | Iterable[str],
    item_counts: NDArray[np.int64],
    n_users: int,
    history_popularity: NDArray[np.float64] | None = None,
    item_vectors: NDArray[np.float32] | None = None,
) -> dict[str, float]:
    """Measure all lists together.

    Parameters
    ----------
    list_offsets, list_items : ragged lists as in :func:`ranking_metrics`
    metrics : names from `CATALOGUE_METRICS`, with the number of places as in "coverage@20"
    item_counts : int64, shape (n_items,), training entries of each item
    n_users : users of the training data
    history_popularity : float64, shape (number of lists,), for "popularity_lift": the mean `item_counts` of
        what each user has in the training data, NaN for one who has nothing
    item_vectors : float32, shape (n_items, width), for "intra_list_similarity"

    Returns
    -------
    dict of name → float; NaN where nothing is listed

    Raises
    ------
    DataError : an unknown name, lists that break a promise, or something a measure needs is not given

    Examples
    --------
    >>> import numpy as np
    >>> lists = np.array([0, 2, 4]), np.array([0, 1, 1, 0])
    >>> counts = np.array([2, 1, 0, 0])
    >>> catalogue_metrics(*lists, metrics=["coverage@2", "gini@1"], item_counts=counts, n_users=2)
    {'coverage@2': 0.5, 'gini@1': 0.5}
    """
    counts: Floats = np.asarray(item_counts, np.float64)
    n_items = len(counts)
    offsets, items = ragged(list_offsets, list_items, n_items, "list")
    lengths = np.diff(offsets)
    place = np.arange(len(items)) - np.repeat(offsets[:-1], lengths)
    whose = np.repeat(np.arange(len(lengths)), lengths)
    result = {}
    for measure in measures(metrics, CATALOGUE_METRICS):
        keep = np.ones(len(items), np.bool_) if measure.k is None else place < measure.k
        listed, lists = items[keep], whose[keep]
        if measure.name in ("coverage", "gini"):
            times = np.bincount(listed, minlength=n_items)
            value = _gini(times) if measure.name == "gini" else np.count_nonzero(times) / max(n_items, 1)
        elif measure.name == "novelty":
            surprise = -np.log2(np.maximum(counts, 1.0) / max(n_users, 1))
            value = _mean_of_means(surprise[listed], lists, len(lengths))
        elif measure.name == "popularity":
            value = _mean_of_means(counts[listed], lists, len(lengths))
        elif measure.name == "popularity_lift":
            value = _lift(counts[listed], lists, history_popularity, len(lengths))
        else:
            value = _similarity(listed, lists, item_vectors, n_items, len(lengths))
        result[str(measure)] = float(value)
    return result


def _gini(times: NDArray[np.int64]) -> float:
    """Return Σ (2j − n − 1) c_(j) / (n Σ c) of the counts in rising order."""
    total, n = times.sum(), len(times)
    if total == 0:
        return float("nan")
    return float(np.sum((2.0 * np.arange(1, n + 1) - n - 1) * np.sort(times)) / (n * total))


def _means(values: Floats, lists: NDArray[np.int64], n: int) -> Floats:
    """Return the mean of each list: float64, shape (n,), NaN for an empty one."""
    counts = np.bincount(lists, minlength=n)
    sums = np.bincount(lists, values, n)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _mean_of_means(values: Floats, lists: NDArray[np.int64], n: int) -> float:
    means = _means(values, lists, n)
    known = ~np.isnan(means)
    return float(means[known].mean()) if known.any() else float("nan")


def _lift(
    values: NDArray[np.float64], lists: NDArray[np.int64], own: NDArray[np.float64] | None, n: int
) -> float:
    if own is None or np.shape(own) != (n,):
        raise DataError(f"popularity_lift needs history_popularity, shape ({n},)")
    listed = _means(values, lists, n)
    both = ~np.isnan(listed) & ~np.isnan(own)
    usual = own[both].mean() if both.any() else 0.0
    return float((listed[both].mean() - usual) / usual) if usual > 0 else float("nan")


def _similarity(
    listed: NDArray[np.int64],
    lists: NDArray[np.int64],
    vectors: NDArray[np.float32] | None,
    n_items: int,
    n: int,
) -> float:
    """Return the mean over lists of (‖Σ v‖² − Σ ‖v‖²) / (m (m − 1)) over unit vectors v of its m items.

    Items whose vector is zero are like nothing.
    """
    if vectors is None or len(vectors) != n_items:
        raise DataError(f"intra_list_similarity needs item_vectors, shape ({n_items}, width)")
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    counts = np.bincount(lists, minlength=n)
    starts = np.concatenate([[0], np.cumsum(counts)])
    squares = np.zeros(n)
    begin = 0
    while begin < n:
        end = max(begin + 1, int(np.searchsorted(starts, starts[begin] + _ROWS_AT_ONCE, side="right")) - 1)
        some = listed[starts[begin] : starts[end]]
        unit = vectors[some] / np.maximum(norms[some], np.finfo(np.float64).tiny)[:, None]
        full = np.flatnonzero(counts[begin:end])
        if len(full):
            sums = np.add.reduceat(unit, (starts[begin:end] - starts[begin])[full], axis=0)
            squares[begin + full] = np.einsum("ij,ij->i", sums, sums)
        begin = end
    own = np.bincount(lists, (norms[listed] > 0).astype(np.float64), n)
    pairs = counts * (counts - 1.0)
    several = pairs > 0
    return float(np.mean((squares - own)[several] / pairs[several])) if several.any() else float("nan")
