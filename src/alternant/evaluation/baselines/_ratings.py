"""The mean of the ratings, and the mean with a bias for each user and item."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alternant import _settings
from alternant.errors import DataError
from alternant.evaluation.baselines._fitted import Baseline
from alternant.interactions import Interactions, check_interactions

_SWEEPS = 20


@dataclass(frozen=True, kw_only=True)
class Mean:
    """Predict the training mean everywhere.

    Examples
    --------
    >>> import numpy as np
    >>> fitted = Mean().fit(Interactions.from_arrays([1, 2], [1, 1], [2.0, 4.0]))
    >>> fitted.predictions(np.array([0]), np.array([0]), None)
    array([3.])
    """

    def fit(self, interactions: Interactions) -> Baseline:
        """Return what predicts the mean of `interactions`."""
        values = _values(interactions)
        none = np.zeros(0)
        return _BiasModel("mean", float(values.mean()), none, none, float(values.min()), float(values.max()))


@dataclass(frozen=True, kw_only=True)
class Biases:
    """Predict mean + b_u + b_i, with Σ (r − mean − b_u − b_i)² + ridge·(Σ b_u² + Σ b_i²) at its minimum.

    Parameters
    ----------
    ridge : float, above 0, default 3
        As if each user and each item had so many more ratings that are just the mean.

    Examples
    --------
    >>> import numpy as np
    >>> data = Interactions.from_arrays([1, 1, 2], [1, 2, 1], [5.0, 4.0, 3.0])
    >>> Biases().fit(data).predictions(np.array([1]), np.array([1]), None).round(3)
    array([3.696])
    """

    ridge: float = 3.0

    def __post_init__(self) -> None:
        _settings.number("ridge", self.ridge, "a number above 0", lambda x: x > 0)

    def fit(self, interactions: Interactions) -> Baseline:
        """Return what predicts by the biases of `interactions`."""
        values = _values(interactions)
        entries = interactions.entries()
        mean = float(values.mean())
        n_user = interactions.by_user.counts + self.ridge
        n_item = interactions.by_item.counts + self.ridge
        centred = values - mean
        b_user, b_item = np.zeros(len(n_user)), np.zeros(len(n_item))
        for _ in range(_SWEEPS):
            rest = centred - b_item[entries.item_index]
            b_user = np.bincount(entries.user_index, rest, len(n_user)) / n_user
            rest = centred - b_user[entries.user_index]
            b_item = np.bincount(entries.item_index, rest, len(n_item)) / n_item
        return _BiasModel("biases", mean, b_user, b_item, float(values.min()), float(values.max()))


class _BiasModel(Baseline):
    def __init__(
        self,
        name: str,
        mean: float,
        b_user: NDArray[np.float64],
        b_item: NDArray[np.float64],
        low: float,
        high: float,
    ) -> None:
        self.name, self._mean, self._b_user, self._b_item = name, mean, b_user, b_item
        self._low, self._high = low, high

    def predictions(
        self, users: NDArray[np.int32], items: NDArray[np.int32], times: NDArray[np.int64] | None
    ) -> NDArray[np.float64]:
        """Predict pairs, within the range of the training values; an id without entries has bias 0."""
        values = np.full(len(users), self._mean)
        if len(self._b_user):
            values += self._b_user[users] + self._b_item[items]
        return np.asarray(np.clip(values, self._low, self._high))


def _values(interactions: Interactions) -> NDArray[np.float64]:
    check_interactions(interactions)
    values = interactions.entries().values
    if values is None or len(values) == 0:
        raise DataError("a baseline of ratings needs values, and these interactions have none")
    return values.astype(np.float64)
