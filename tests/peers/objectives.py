"""What alternant minimises, in plain float64 over dense matrices, from its estimators' keyword arguments.

The tests of this folder take `implicit_objective` and `explicit_objective` from here and from nowhere else,
so that other code with the same two signatures can take their place.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Data:
    """Stored entries as dense matrices.

    Attributes
    ----------
    stored : bool, shape (n_users, n_items)
    values, weights : float64, shape (n_users, n_items), 0 where nothing is stored
    """

    stored: np.ndarray
    values: np.ndarray
    weights: np.ndarray

    @property
    def user_counts(self):
        return self.stored.sum(axis=1)

    @property
    def item_counts(self):
        return self.stored.sum(axis=0)

    def transposed(self):
        return Data(self.stored.T, self.values.T, self.weights.T)


def implicit_objective(settings, data, user_factors, item_factors):
    """Σ_stored c (t − p)²  +  α₀ Σ_P p²  +  Σ_u λ_u (n_u + α₀ n_items)^ν ‖x_u‖²  +  the same of the items."""
    p = user_factors @ item_factors.T
    alpha0, alpha = settings["unobserved_weight"], settings["alpha"]
    magnitude = {"confidence": np.abs(data.values)}.get(settings["value"], 1.0)
    target = {"confidence": (data.values >= 0).astype(float), "target": data.values}.get(
        settings["value"], 1.0
    )
    added = alpha * data.weights * magnitude
    confidence = alpha0 + added if settings["form"] == "hkv" else added
    unobserved = np.ones_like(p, bool) if settings["form"] == "ials" else ~data.stored
    total = np.sum((confidence * (target - p) ** 2)[data.stored]) + alpha0 * np.sum(p[unobserved] ** 2)
    exponent = settings.get("regularization_exponent", 1 if settings["form"] == "ials" else 0)
    user_lambda = settings["regularization"]
    item_lambda = settings.get("item_regularization", user_lambda)
    n_users, n_items = np.sum(data.user_counts > 0), np.sum(data.item_counts > 0)
    for ridge, counts, n_other, factors in (
        (user_lambda, data.user_counts, n_items, user_factors),
        (item_lambda, data.item_counts, n_users, item_factors),
    ):
        active = counts > 0
        size = counts[active] + alpha0 * n_other
        total += np.sum(ridge * size**exponent * np.sum(factors[active] ** 2, axis=1))
    return total


def explicit_objective(settings, data, user_factors, item_factors, user_biases=0.0, item_biases=0.0):
    """Σ w (r − mean − b_u − b_i − p_u·q_i)²  +  Σ λ n^ν (‖p‖² + b²) of both sides.

    With `bias_regularization` in the settings, that is the ridge of every bias.
    """
    weights = np.where(data.stored, data.weights, 0.0)
    mean = np.sum(weights * data.values) / np.sum(weights) if settings["center"] else 0.0
    user_biases = np.broadcast_to(user_biases, len(user_factors))
    item_biases = np.broadcast_to(item_biases, len(item_factors))
    fitted = mean + user_biases[:, None] + item_biases + user_factors @ item_factors.T
    total = np.sum(weights * (data.values - fitted) ** 2)
    user_lambda = settings["regularization"]
    item_lambda = settings.get("item_regularization", user_lambda)
    for ridge, counts, factors, biases in (
        (user_lambda, data.user_counts, user_factors, user_biases),
        (item_lambda, data.item_counts, item_factors, item_biases),
    ):
        active = counts > 0
        ridges = ridge * counts[active].astype(float) ** settings["regularization_exponent"]
        bias_ridges = settings.get("bias_regularization", ridges)
        total += np.sum(ridges * np.sum(factors[active] ** 2, axis=1))
        total += np.sum(bias_ridges * biases[active] ** 2)
    return total
