"""Trap 10: a singular row fails with a bare LAPACK code. Ours: id, entries, the setting to raise."""

import dataclasses

import numpy as np
import pytest

from alternant import ExplicitALS, Interactions
from alternant.errors import SingularSystemError
from alternant.objective import Ridge
from small_models import random_history, random_model


def test_trap_10_fold_in_names_the_user():
    model = random_model(random_history(5, 6), biases=False)
    no_ridge = dataclasses.replace(model.problem, user_ridge=Ridge(0.0))
    model = dataclasses.replace(model, problem=no_ridge)
    history = Interactions.from_arrays(["alice", "alice"], [0, 3], [4.0, 5.0])
    with pytest.raises(
        SingularSystemError,
        match=r"^no unique solution for user 'alice' \(2 interactions\): raise regularization",
    ):
        model.fold_in(history)


def test_trap_10_fit_names_the_user():
    history = Interactions.from_arrays(["alice", "alice", "bob"], ["x", "y", "x"], [4.0, 5.0, 3.0])
    estimator = ExplicitALS(n_factors=4, regularization=0.0, biases=False)
    with pytest.raises(SingularSystemError, match=r"no unique solution for user 'alice' \(2 interactions\)"):
        estimator.fit(history)


def test_trap_10_enough_entries_need_no_ridge():
    model = random_model(random_history(5, 6), biases=False, n_factors=2)
    model = dataclasses.replace(model, problem=dataclasses.replace(model.problem, user_ridge=Ridge(0.0)))
    assert np.isfinite(model.fold_in({0: 1.0, 1: 2.0, 2: 3.0}).table).all()
