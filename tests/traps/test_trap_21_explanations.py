"""Trap 21: explanations disagree with the score."""

import numpy as np
import pytest

from alternant import ExplicitALS, ImplicitALS
from small_models import random_history


@pytest.mark.parametrize(
    "estimator", [ExplicitALS(n_factors=5, regularization=0.2), ImplicitALS(n_factors=5)]
)
def test_trap_21_contributions_sum_to_the_score(estimator):
    model = estimator.fit(random_history(40, 30, seed=1))
    users, items = np.arange(40).repeat(30), np.tile(np.arange(30), 40)
    why = model.explain(users, items)
    sums = [one.contribution.sum() for one in why]
    assert np.abs(why.contribution[why.kind == "history"]).max() > 0.05
    np.testing.assert_allclose(sums, model.score(users, items), rtol=1e-5, atol=1e-5)
