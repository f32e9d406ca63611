"""Measures of ranked lists against sets of relevant items, one number for each user.

With a user's list i_1, i_2, … cut after k places, the relevant items R, and hit_j = 1 where i_j is in R:

    precision                    Σ hit_j / k                    k as asked for, however short the list
    recall                       Σ hit_j / |R|
    truncated_recall             Σ hit_j / min(k, |R|)          recall of Liang et al. 2018
    hit_rate                     1 where there is a hit, else 0
    ndcg                         Σ hit_j / log2(1 + j)  over the same sum of the best list: min(k, |R|) hits
    linear_ndcg                  the same with gain g of the item in place of hit_j
    exponential_ndcg             the same with 2^g − 1
    average_precision            Σ hit_j · (Σ_{l ≤ j} hit_l / j) / |R|        its mean is MAP
    truncated_average_precision  the same over min(k, |R|)
    reciprocal_rank              1 / (place of the first hit), 0 without    its mean is MRR
    auc                          P(a relevant item stands before one that is not); those not listed are tied,
                                 behind the list

(Järvelin and Kekäläinen 2002, doi:10.1145/582415.582418; Liang et al. 2018, arXiv:1802.05814.) Without a
length the whole list counts, and min(k, |R|) is |R|; precision is then over the length of the list.
"""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alternant.errors import DataError
from alternant.metrics._lists import Hits, find_hits
from alternant.metrics._names import RANKING_METRICS, measures

Floats = NDArray[np.float64]


def ranking_metrics(
    list_offsets: NDArray[np.int64],
    list_items: NDArray[np.int32],
    relevant_offsets: NDArray[np.int64],
    relevant_items: NDArray[np.int32],
    *,
    metrics: str | Iterable[str],
    n_items: int,
    n_candidates: ArrayLike | None = None,
    gains: ArrayLike | None = None,
) -> dict[str, Floats]:
    """Measure each user's ranked list.

    Parameters
    ----------
    list_offsets, list_items : int64, shape (n_users + 1,), and int32: user u's list, best first, is
        ``list_items[list_offsets[u]:list_offsets[u + 1]]``; no item twice, never padded
    relevant_offsets, relevant_items : the same of what is relevant, in any order
    metrics : names from `RANKING_METRICS`, with the number of places as in "ndcg@20"
    n_items : int
        Positions lie in [0, n_items).
    n_candidates : integers, shape (n_users,) or (), optional
        How many items each list was chosen from, for "auc"; `n_items` by default.
    gains : numbers of at least 0, shape of `relevant_items`, for "linear_ndcg" and "exponential_ndcg"

    Returns
    -------
    dict of name → float64, shape (n_users,)
        NaN for a user for whom nothing is relevant (and for "auc" where everything is): undefined, to be left
        out of means.

    Raises
    ------
    DataError
        An unknown name, arrays that do not fit together, a position out of range (such as the −1 of a
        padded list), an item listed twice, a gain that is negative or not finite, or no gains.

    Examples
    --------
    >>> import numpy as np
    >>> lists = np.array([0, 3]), np.array([4, 0, 2])
    >>> relevant = np.array([0, 2]), np.array([0, 1])
    >>> ranking_metrics(*lists, *relevant, metrics=["precision@3", "recall@3"], n_items=5)
    {'precision@3': array([0.33333333]), 'recall@3': array([0.5])}
    """
    asked = measures(metrics, RANKING_METRICS)
    weights = None if gains is None else _checked_gains(gains, np.shape(relevant_items))
    hits = find_hits(
        list_offsets, list_items, relevant_offsets, relevant_items, n_items=n_items, gains=weights
    )
    candidates = np.broadcast_to(
        np.asarray(n_items if n_candidates is None else n_candidates, np.int64), (hits.n_users,)
    )
    if (candidates < hits.list_lengths).any():
        raise DataError("n_candidates must be at least the length of each list")
    undefined = hits.n_relevant == 0
    result = {}
    for measure in asked:
        with np.errstate(invalid="ignore", divide="ignore"):
            if measure.name == "auc":
                values = _auc(hits, measure.k, candidates)
            else:
                values = _MEASURES[measure.name](hits, measure.k)
        values[undefined] = np.nan
        result[str(measure)] = values
    return result


def _n_hits(hits: Hits, k: int | None) -> Floats:
    return hits.per_user(None, hits.within(k))


def _best(hits: Hits, k: int | None) -> NDArray[np.int64]:
    """Return min(k, |R|) of each user."""
    return hits.n_relevant if k is None else np.minimum(hits.n_relevant, k)


def _precision(hits: Hits, k: int | None) -> Floats:
    if k is not None:
        return _n_hits(hits, k) / k
    return np.asarray(_n_hits(hits, k) / np.maximum(hits.list_lengths, 1))


def _recall(hits: Hits, k: int | None) -> Floats:
    return _n_hits(hits, k) / hits.n_relevant


def _truncated_recall(hits: Hits, k: int | None) -> Floats:
    return _n_hits(hits, k) / _best(hits, k)


def _hit_rate(hits: Hits, k: int | None) -> Floats:
    return (_n_hits(hits, k) > 0).astype(np.float64)


def _discount(place: NDArray[np.int64]) -> Floats:
    return np.asarray(1.0 / np.log2(place + 2.0), np.float64)


def _ndcg(hits: Hits, k: int | None) -> Floats:
    best = _best(hits, k)
    ideal = np.concatenate([[0.0], np.cumsum(_discount(np.arange(int(best.max(initial=0)))))])
    return np.asarray(hits.per_user(_discount(hits.place), hits.within(k)) / ideal[best])


def _graded_ndcg(gain_of: Callable[[Floats], Floats], name: str) -> Callable[[Hits, int | None], Floats]:
    def measure(hits: Hits, k: int | None) -> Floats:
        if hits.gains is None:
            raise DataError(f"{name} needs gains, one for each relevant item; ndcg counts all alike")
        gains = gain_of(hits.gains)
        rows = np.repeat(np.arange(hits.n_users), hits.n_relevant)
        order = np.lexsort((-gains, rows))
        place = np.arange(len(order)) - hits.relevant_offsets[:-1][rows]
        keep = np.ones(len(place), np.bool_) if k is None else place < k
        ideal = np.bincount(rows[keep], gains[order][keep] * _discount(place[keep]), hits.n_users)
        found = hits.per_user(gains[hits.relevant] * _discount(hits.place), hits.within(k))
        return np.where(ideal > 0, found / ideal, np.where(hits.n_relevant > 0, 0.0, np.nan))

    return measure


def _precision_sum(hits: Hits, k: int | None) -> Floats:
    return hits.per_user(hits.number / (hits.place + 1.0), hits.within(k))


def _average_precision(hits: Hits, k: int | None) -> Floats:
    return _precision_sum(hits, k) / hits.n_relevant


def _truncated_average_precision(hits: Hits, k: int | None) -> Floats:
    return _precision_sum(hits, k) / _best(hits, k)


def _reciprocal_rank(hits: Hits, k: int | None) -> Floats:
    return hits.per_user(np.asarray(1.0 / (hits.place + 1.0)), hits.within(k) & (hits.number == 1))


def _auc(hits: Hits, k: int | None, candidates: NDArray[np.int64]) -> Floats:
    """Count the pairs (relevant, other) in the right order, ties half.

    A hit stands before the others that are listed after it and before all others that are not listed; a
    relevant item that is not listed is tied with those.
    """
    keep = hits.within(k)
    length = hits.list_lengths if k is None else np.minimum(hits.list_lengths, k)
    n_hits = hits.per_user(None, keep)
    others = candidates - hits.n_relevant.astype(np.float64)
    before = hits.per_user((hits.place + 1 - hits.number).astype(np.float64), keep)  # others before each hit
    unlisted_others = others - (length - n_hits)
    missed = hits.n_relevant - n_hits
    right = n_hits * others - before + 0.5 * missed * unlisted_others
    return right / (hits.n_relevant * others)


_MEASURES: dict[str, Callable[[Hits, int | None], Floats]] = {
    "precision": _precision,
    "recall": _recall,
    "truncated_recall": _truncated_recall,
    "hit_rate": _hit_rate,
    "ndcg": _ndcg,
    "linear_ndcg": _graded_ndcg(lambda gains: gains, "linear_ndcg"),
    "exponential_ndcg": _graded_ndcg(lambda gains: np.exp2(gains) - 1.0, "exponential_ndcg"),
    "average_precision": _average_precision,
    "truncated_average_precision": _truncated_average_precision,
    "reciprocal_rank": _reciprocal_rank,
}


def _checked_gains(gains: ArrayLike, shape: tuple[int, ...]) -> Floats:
    found = np.asarray(gains, np.float64)
    if found.shape != shape:
        raise DataError(f"gains must have the shape of the relevant items, {shape}, got {found.shape}")
    if not np.isfinite(found).all() or (found < 0).any():
        raise DataError("gains must be finite and at least 0")
    return found
