"""Small factor models from random tables, for tests of what a model answers."""

import numpy as np

from alternant.interactions import Interactions
from alternant.model import FactorModel, TraceEntry
from alternant.objective import Ridge
from objectives import explicit


def random_history(n_users, n_items, *, seed=0, density=0.4, strings=False):
    """Every user and every item has an entry; values are half stars."""
    rng = np.random.default_rng(seed)
    stored = rng.random((n_users, n_items)) < density
    stored[np.arange(n_users), np.arange(n_users) % n_items] = True
    stored[np.arange(n_items) % n_users, np.arange(n_items)] = True
    users, items = np.nonzero(stored)
    values = rng.integers(1, 11, len(users)) / 2
    if strings:
        return Interactions.from_arrays([f"u{u:03}" for u in users], [f"i{i:03}" for i in items], values)
    return Interactions.from_arrays(users, items, values)


def random_model(data, /, *, n_factors=3, biases=True, mean=3.5, seed=0, tables=None, **fields):
    """Random tables; without entries a row is zero, as after a fit."""
    rng = np.random.default_rng(seed)
    width = n_factors + biases
    user_counts, item_counts = data.by_user.counts, data.by_item.counts
    if tables is None:
        tables = [
            rng.standard_normal((len(counts), width)).astype(np.float32) * (counts > 0)[:, None]
            for counts in (user_counts, item_counts)
        ]
    settings = {
        "user_ids": data.user_ids,
        "item_ids": data.item_ids,
        "user_table": tables[0],
        "item_table": tables[1],
        "problem": explicit(n_factors, biases, mean, Ridge(0.5, 0.5, 0.1), Ridge(0.25)),
        "settings": {"estimator": "ExplicitALS", "n_factors": n_factors, "biases": biases, "seed": None},
        "user_counts": user_counts,
        "item_counts": item_counts,
        "omega": np.linspace(2, 1, n_factors),
        "history": data,
        "trace": (TraceEntry(1, "users", 12.5, 0.25), TraceEntry(1, "items", 10.25, 0.5)),
        "stopped": "the decrease fell under tol",
        "value_range": (0.5, 5.0),
        "frame_type": None,
    }
    return FactorModel(**(settings | fields))


def named_model():
    """alice saw x and y, bob saw x, carol (a catalogue user) nothing; z is seen by nobody."""
    history = Interactions.from_arrays(
        ["alice", "alice", "bob"],
        ["x", "y", "x"],
        [5.0, 3.0, 4.0],
        user_ids=["alice", "bob", "carol"],
        item_ids=["x", "y", "z"],
    )
    users = np.array([[1, 0, 0.5], [0, 1, -0.5], [0, 0, 0]], np.float32)
    items = np.array([[1, 0, 0.25], [0, 2, 0], [0, 0, 0]], np.float32)
    return random_model(history, n_factors=2, tables=[users, items], mean=4.0, value_range=(3.0, 5.0))
