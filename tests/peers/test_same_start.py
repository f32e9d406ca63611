"""After 15 sweeps from one start, our training loss is no higher than that of libraries that take one."""

import numpy as np
import pytest

from alternant import ExplicitALS, ImplicitALS, Interactions
from peers.objectives import Data, explicit_objective, implicit_objective

sparse = pytest.importorskip("scipy.sparse")
pytestmark = pytest.mark.nightly
N_USERS, N_ITEMS, N_FACTORS, N_SWEEPS = 400, 300, 16, 15


def problem(seed=0):
    """Power-law rows and columns, values from 1 to 5; random item factors to start from, and user factors."""
    rng = np.random.default_rng(seed)
    odds = np.outer(rng.pareto(1.5, N_USERS) + 1, rng.pareto(1.5, N_ITEMS) + 1)
    stored = rng.random(odds.shape) < np.minimum(odds * 0.02, 0.9)
    stored[np.arange(N_USERS), np.arange(N_USERS) % N_ITEMS] = True
    values = np.where(stored, rng.integers(1, 6, odds.shape), 0).astype(np.float64)
    users, items = (0.1 * rng.standard_normal((n, N_FACTORS)).astype(np.float32) for n in (N_USERS, N_ITEMS))
    return Data(stored, values, np.where(stored, 1.0, 0.0)), users, items


def ours(settings, data, items, estimator=ImplicitALS):
    """The loss after the last item half-sweep, which is where the others end too."""
    users_at, items_at = np.nonzero(data.stored)
    model = estimator(n_factors=N_FACTORS, n_sweeps=N_SWEEPS, tol=0.0, **settings).fit(
        Interactions.from_arrays(users_at, items_at, data.values[data.stored]), initial=items
    )
    return next(e.objective for e in model.trace if e.sweep == N_SWEEPS and e.side == "items")


@pytest.mark.parametrize("use_cg", [False, True])
def test_implicit(use_cg):
    pytest.importorskip("implicit")
    from implicit.cpu.als import AlternatingLeastSquares

    from peers.test_implicit_peer import converted_settings

    data, users, items = problem()
    settings = {"regularization": 0.5, "alpha": 2.0}
    peer = AlternatingLeastSquares(
        factors=N_FACTORS, iterations=N_SWEEPS, use_cg=use_cg, num_threads=1, **settings
    )
    peer.user_factors, peer.item_factors = users.copy(), items.copy()
    peer.fit(sparse.csr_matrix(data.values.astype(np.float32)), show_progress=False)
    converted = converted_settings(**settings)
    theirs = implicit_objective(
        converted, data, peer.user_factors.astype(float), peer.item_factors.astype(float)
    )
    assert ours(converted, data, items) <= theirs * (1 + 1e-6)


@pytest.mark.parametrize("solver_type", ["CHOLESKY", "CG", "IALSPP"])
@pytest.mark.parametrize("loss_type", ["IALSPP", "ORIGINAL"])
def test_irspack(loss_type, solver_type):
    recommender = pytest.importorskip("irspack").IALSRecommender

    from peers.test_irspack_peer import converted_settings

    data, users, items = problem()
    settings = {"loss_type": loss_type, "alpha0": 0.3, "reg": 0.05, "nu": 1.0}
    peer = recommender(
        sparse.csr_matrix(data.values.astype(np.float32)),
        n_components=N_FACTORS,
        solver_type=solver_type,
        n_threads=1,
        **settings,
    )
    peer.start_learning()
    core = peer.trainer.core_trainer
    core.user, core.item = users.copy(), items.copy()
    for _ in range(N_SWEEPS):
        peer.run_epoch()
    converted = converted_settings(**settings)
    theirs = implicit_objective(converted, data, core.user.astype(float), core.item.astype(float))
    assert ours(converted, data, items) <= theirs * (1 + 1e-6)


def lenskit_tables(scorer, data, users, items):
    """Its user and item factors after 15 epochs from these."""
    pandas = pytest.importorskip("pandas")
    from lenskit.data import from_interactions_df
    from lenskit.training import TrainingOptions

    rows, columns = np.nonzero(data.stored)
    frame = pandas.DataFrame({"user_id": rows, "item_id": columns, "rating": data.values[rows, columns]})
    trainer = scorer.create_trainer(from_interactions_df(frame), TrainingOptions(rng=1))
    trainer.load_parameters({"user_embeddings": users.copy(), "item_embeddings": items.copy()})
    for _ in range(N_SWEEPS):
        trainer.train_epoch()
    return scorer.user_embeddings.astype(float), scorer.item_embeddings.astype(float)


def test_lenskit_implicit():
    als = pytest.importorskip("lenskit.als")

    from peers.test_lenskit_peer import converted_settings

    data, users, items = problem()
    scorer = als.ImplicitMFScorer(embedding_size=N_FACTORS, weight=2.0, regularization=0.5)
    converted = converted_settings(weight=2.0, user_regularization=0.5, item_regularization=0.5)
    theirs = implicit_objective(converted, data, *lenskit_tables(scorer, data, users, items))
    assert ours(converted, data, items) <= theirs * (1 + 1e-6)


def test_lenskit_explicit():
    """On what its bias model leaves of the ratings, as its factors are."""
    als = pytest.importorskip("lenskit.als")

    from peers.test_lenskit_peer import converted_biased_settings, residuals

    data, users, items = problem()
    left = residuals(data)
    scorer = als.BiasedMFScorer(embedding_size=N_FACTORS, regularization=0.1, damping=5.0)
    converted = converted_biased_settings()
    theirs = explicit_objective(converted, left, *lenskit_tables(scorer, data, users, items))
    assert ours(converted, left, items, ExplicitALS) <= theirs * (1 + 1e-6)
