"""Small problems for the comparisons with other libraries, and the gradient that shows a minimum."""

import numpy as np

from peers.objectives import Data

N_USERS, N_ITEMS, N_FACTORS = 15, 11, 3


def small_data(seed, *, negative=False, weighted=False, empty=False):
    """Values from 1 to 5 in under half of the cells; `empty` leaves a user and an item without any."""
    rng = np.random.default_rng(seed)
    stored = rng.random((N_USERS, N_ITEMS)) < 0.45
    stored[np.arange(N_USERS), np.arange(N_USERS) % N_ITEMS] = True
    if empty:
        stored[3] = stored[:, 4] = False
    values = rng.integers(1, 6, stored.shape) * (rng.choice([1, 1, -1], stored.shape) if negative else 1.0)
    weights = rng.uniform(0.5, 2.0, stored.shape) if weighted else np.ones(stored.shape)
    return Data(stored, np.where(stored, values, 0.0), np.where(stored, weights, 0.0))


def random_factors(seed):
    """Standard normal factors and biases, rounded to float32 so that every library sees the same numbers."""
    rng = np.random.default_rng([seed, 1])
    shapes = ((N_USERS, N_FACTORS), (N_ITEMS, N_FACTORS), N_USERS, N_ITEMS)
    return tuple(rng.standard_normal(shape).astype(np.float32).astype(np.float64) for shape in shapes)


def gradient(loss, at):
    """Central differences, which have no error of truncation where `loss` is quadratic."""
    at = np.asarray(at, np.float64)
    slopes = np.empty(at.shape)
    for place in np.ndindex(at.shape):
        step = np.zeros(at.shape)
        step[place] = 1e-2
        slopes[place] = (loss(at + step) - loss(at - step)) / 2e-2
    return slopes


def is_minimum(loss, at, rtol=1e-5):
    """Whether the gradient at `at` is nothing beside what it is at 0."""
    return np.max(np.abs(gradient(loss, at))) <= rtol * np.max(np.abs(gradient(loss, np.zeros_like(at))))
