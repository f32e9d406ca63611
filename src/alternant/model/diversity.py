"""Lists that repeat themselves less: maximal marginal relevance over item factors.

Carbonell and Goldstein 1998 (doi:10.1145/290941.291025). The scores of a pool are scaled to [0, 1]; then the
next of the list is always the one with the most

    (1 − diversity) · score  −  diversity · (largest cosine to those chosen),

ties in the order of the pool.
"""

import numpy as np
from numpy.typing import NDArray

POOL_FACTOR = 10
LEAST_POOL = 100
USERS_AT_ONCE = 4096


def pool_size(k: int) -> int:
    """Return how many of the best a list of k is chosen from."""
    return max(POOL_FACTOR * k, LEAST_POOL)


def spread_out(
    offsets: NDArray[np.int64],
    indices: NDArray[np.int32],
    scores: NDArray[np.float32],
    factors: NDArray[np.float32],
    k: int,
    diversity: float,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """Choose k of each pool, in their new order, with the scores that they have there.

    Parameters
    ----------
    offsets : int64, shape (n + 1,), pools as :func:`alternant.retrieval.top_k` returns them
    indices : int32, shape (offsets[-1],)
    scores : float32, shape (offsets[-1],)
    factors : float32, shape (n_items, n_factors)

    Returns
    -------
    offsets, indices, scores : as above, lists of at most k
    """
    lengths = np.minimum(np.diff(offsets), k)
    places = np.empty(int(lengths.sum()), np.int64)
    out_offsets = np.zeros(len(offsets), np.int64)
    np.cumsum(lengths, out=out_offsets[1:])
    for query in range(len(lengths)):
        pool = slice(int(offsets[query]), int(offsets[query + 1]))
        order = chosen_order(scores[pool], factors[indices[pool]], int(lengths[query]), diversity)
        places[out_offsets[query] : out_offsets[query + 1]] = order + offsets[query]
    return out_offsets, indices[places], scores[places]


def chosen_order(
    scores: NDArray[np.float32], factors: NDArray[np.float32], k: int, diversity: float
) -> NDArray[np.int64]:
    """Return which k of one pool are chosen, in order: int64, shape (k,).

    Parameters
    ----------
    scores : float32, shape (n,), descending
    factors : float32, shape (n, n_factors); a row of zeros is like nothing else
    k : int, at most n

    Examples
    --------
    >>> factors = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    >>> chosen_order(np.array([3, 2.9, 2], np.float32), factors, 3, 0.7).tolist()
    [0, 2, 1]
    """
    units = factors.astype(np.float64)
    lengths = np.sqrt(np.einsum("ij,ij->i", units, units))
    units /= np.where(lengths > 0, lengths, 1.0)[:, None]
    gain = scores.astype(np.float64)
    if len(gain):
        lowest, highest = gain.min(), gain.max()
        gain = (gain - lowest) / (highest - lowest if highest > lowest else 1.0)
    gain *= 1.0 - diversity
    order = np.empty(k, np.int64)
    nearest = np.full(len(gain), -np.inf)
    left = np.ones(len(gain), np.bool_)
    for place in range(k):
        marginal = gain if place == 0 else gain - diversity * nearest
        best = int(np.argmax(np.where(left, marginal, -np.inf)))
        order[place], left[best] = best, False
        np.maximum(nearest, np.einsum("ij,j->i", units, units[best]), out=nearest)
    return order
