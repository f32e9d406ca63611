"""LensKit's ImplicitMFScorer minimises our form "hkv", its BiasedMFScorer our explicit objective with ν = 1
on what its bias model leaves of the ratings.

It has no function for its loss; it is written out here in its own settings and tested on its solutions.
"""

import numpy as np
import pytest

from peers.objectives import Data, explicit_objective, implicit_objective
from peers.problems import N_FACTORS, is_minimum, random_factors, small_data

pandas = pytest.importorskip("pandas")
pytest.importorskip("lenskit")
from lenskit.als import BiasedMFScorer, ImplicitMFScorer  # noqa: E402
from lenskit.data import from_interactions_df  # noqa: E402
from lenskit.training import TrainingOptions  # noqa: E402

pytestmark = pytest.mark.nightly
REGULARIZATION = {"user": 0.3, "item": 0.2}


def converted_settings(*, weight=40.0, use_ratings=False, user_regularization=0.1, item_regularization=0.1):
    """Return ImplicitALS's keyword arguments; the defaults are those of ImplicitMFScorer."""
    return {
        "form": "hkv",
        "value": "confidence" if use_ratings else "ignore",
        "alpha": weight,
        "unobserved_weight": 1.0,
        "regularization": user_regularization,
        "item_regularization": item_regularization,
        "regularization_exponent": 0.0,
    }


def converted_biased_settings(*, user_regularization=0.1, item_regularization=0.1):
    """Return ExplicitALS's keyword arguments for the residuals of the bias model."""
    return {
        "regularization": user_regularization,
        "item_regularization": item_regularization,
        "regularization_exponent": 1.0,
        "biases": False,
        "center": False,
    }


def residuals(data, damping=5.0):
    """The ratings less its bias model: mean, then item biases, then user biases, each damped."""
    left = np.where(data.stored, data.values - data.values[data.stored].mean(), 0.0)
    left = np.where(data.stored, left - left.sum(axis=0) / (data.item_counts + damping), 0.0)
    left = np.where(data.stored, left - (left.sum(axis=1) / (data.user_counts + damping))[:, None], 0.0)
    return Data(data.stored, left, data.weights)


def after_one_epoch(scorer, data, users, items):
    rows, columns = np.nonzero(data.stored)
    frame = pandas.DataFrame({"user_id": rows, "item_id": columns, "rating": data.values[rows, columns]})
    trainer = scorer.create_trainer(from_interactions_df(frame), TrainingOptions(rng=1))
    start = {"user_embeddings": users.astype(np.float32), "item_embeddings": items.astype(np.float32)}
    trainer.load_parameters(start)
    trainer.train_epoch()
    return scorer.user_embeddings.astype(np.float64), scorer.item_embeddings.astype(np.float64)


@pytest.mark.parametrize("use_ratings", [False, True])
def test_its_implicit_loss_is_ours_and_its_solver_minimises_it(use_ratings):
    data = small_data(1)
    users, items, *_ = random_factors(1)

    def theirs(x, y):
        confidence = np.where(data.stored, 1 + 1.7 * (data.values if use_ratings else 1.0), 1.0)
        fit = np.sum(confidence * (data.stored - x @ y.T) ** 2)
        return fit + REGULARIZATION["user"] * np.sum(x**2) + REGULARIZATION["item"] * np.sum(y**2)

    settings = converted_settings(
        weight=1.7, use_ratings=use_ratings, user_regularization=0.3, item_regularization=0.2
    )
    assert theirs(users, items) == pytest.approx(implicit_objective(settings, data, users, items), rel=1e-5)
    scorer = ImplicitMFScorer(
        embedding_size=N_FACTORS, weight=1.7, use_ratings=use_ratings, regularization=REGULARIZATION
    )
    new_users, new_items = after_one_epoch(scorer, data, users, items)
    assert is_minimum(lambda x: theirs(x, items), new_users)
    assert is_minimum(lambda y: theirs(new_users, y), new_items)


def test_its_explicit_loss_is_ours_and_its_solver_minimises_it():
    data = small_data(2)
    users, items, *_ = random_factors(2)
    left = residuals(data)

    def theirs(x, y):
        per_entry = (
            (left.values - x @ y.T) ** 2
            + REGULARIZATION["user"] * np.sum(x**2, axis=1)[:, None]
            + REGULARIZATION["item"] * np.sum(y**2, axis=1)
        )
        return np.sum(per_entry[data.stored])

    settings = converted_biased_settings(user_regularization=0.3, item_regularization=0.2)
    assert theirs(users, items) == pytest.approx(explicit_objective(settings, left, users, items), rel=1e-5)
    scorer = BiasedMFScorer(embedding_size=N_FACTORS, regularization=REGULARIZATION, damping=5.0)
    new_users, new_items = after_one_epoch(scorer, data, users, items)
    assert is_minimum(lambda x: theirs(x, items), new_users)
    assert is_minimum(lambda y: theirs(new_users, y), new_items)
