"""The bias model: what the mean and biases alone explain, and the scale of what they leave."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from alternant.interactions import Interactions
from alternant.kernels import biases
from alternant.objective._problem import ENTRIES_AT_ONCE, Float64, Side, rows_of

BIAS_MODEL_PASSES = 8
BIAS_MODEL_SHRINKAGE = 5.0


@dataclass(frozen=True)
class BiasModel:
    """What the mean and biases alone explain.

    user_biases, item_biases : float64, shapes (n_users,) and (n_items,)
    mean : the weighted mean of the values, or 0 without centring
    scale : s, the weighted standard deviation of what is left, in the units of the values; at least 1e-3 of
        the root mean square of value − mean, so 0 only where every value equals the mean
    """

    user_biases: Float64
    item_biases: Float64
    mean: float
    scale: float

    def predict(self, users: npt.NDArray[np.int32], items: npt.NDArray[np.int32]) -> Float64:
        """Return mean + b_u + b_i for pairs of positions."""
        return self.mean + self.user_biases[users] + self.item_biases[items]


def weighted_mean(interactions: Interactions) -> tuple[float, float]:
    """Return the weighted mean of the values and the sum of the weights, in float64."""
    values, weights = [], []
    for block in interactions.by_user.blocks(ENTRIES_AT_ONCE * 64):
        numbers = np.ones(len(block.indices)) if block.values is None else block.values.astype(np.float64)
        values.append(float(np.sum(numbers if block.weights is None else numbers * block.weights)))
        weights.append(
            float(len(numbers)) if block.weights is None else float(block.weights.sum(dtype=np.float64))
        )
    return sum(values) / sum(weights), sum(weights)


def fit_biases(interactions: Interactions, *, center: bool, n_threads: int) -> BiasModel:
    """Fit value ≈ mean + b_u + b_i by eight alternating passes, each bias shrunk by 5 entries.

    b_u = Σ w (r − mean − b_i) / (Σ w + 5), then the same for items; users first.
    """
    mean, weight = weighted_mean(interactions)
    mean = mean if center else 0.0
    tables = {"users": np.zeros(interactions.n_users), "items": np.zeros(interactions.n_items)}
    sides: tuple[Side, Side] = ("users", "items")
    square = 0.0
    for _ in range(BIAS_MODEL_PASSES):
        for side in sides:
            fixed = tables["items" if side == "users" else "users"]
            square = 0.0
            for block in rows_of(interactions, side).blocks():
                found, squares = biases.bias_pass(
                    block,
                    block.weights,
                    fixed,
                    mean=mean,
                    shrinkage=BIAS_MODEL_SHRINKAGE,
                    n_threads=n_threads,
                )
                tables[side][block.begin : block.end] = found
                square += float(squares.sum())
    spread = _root_mean_square(interactions, mean, weight)
    scale = max(np.sqrt(max(square, 0.0) / weight), 1e-3 * spread)
    return BiasModel(tables["users"], tables["items"], mean, float(scale))


def _root_mean_square(interactions: Interactions, mean: float, weight: float) -> float:
    total = 0.0
    for block in interactions.by_user.blocks(ENTRIES_AT_ONCE * 64):
        numbers = np.ones(len(block.indices)) if block.values is None else block.values.astype(np.float64)
        square = (numbers - mean) ** 2
        total += float(np.sum(square if block.weights is None else square * block.weights))
    return float(np.sqrt(total / weight))
