"""Dense tables with NaN for unknown cells, as interactions."""

import numpy as np

from alternant import Interactions

NAN = float("nan")
EXAMPLE = np.array([[5, 3, NAN, 1], [4, NAN, 2, 1], [NAN, 4, 5, 3], [1, 1, NAN, 5]])


def ratings_of(dense: np.ndarray, weights: np.ndarray | None = None) -> Interactions:
    """Return the known cells of a dense array with NaN for unknown ones; the ids are 0..n−1."""
    users, items = np.nonzero(~np.isnan(dense))
    return Interactions.from_arrays(
        users,
        items,
        dense[users, items],
        weights=None if weights is None else weights[users, items],
        user_ids=np.arange(dense.shape[0]),
        item_ids=np.arange(dense.shape[1]),
    )


def random_ratings(seed: int, n_users: int, n_items: int, *, known: float = 0.4) -> np.ndarray:
    """Return a dense table of half-star ratings of which about the share `known` is known."""
    rng = np.random.default_rng(seed)
    dense = rng.integers(1, 11, size=(n_users, n_items)) / 2
    dense[rng.random(dense.shape) >= known] = NAN
    return dense
