"""irspack's IALSRecommender minimises half of our form "ials" (IALSPP) or "hkv" (ORIGINAL)."""

import numpy as np
import pytest

from peers.objectives import implicit_objective
from peers.problems import N_FACTORS, is_minimum, random_factors, small_data

sparse = pytest.importorskip("scipy.sparse")
IALSRecommender = pytest.importorskip("irspack").IALSRecommender

pytestmark = pytest.mark.nightly
SETTINGS = pytest.mark.parametrize(
    "settings",
    [
        {"loss_type": loss_type, "alpha0": alpha0, "reg": 0.07, "nu": nu}
        for loss_type in ("IALSPP", "ORIGINAL")
        for alpha0 in (0.3, 1.0)
        for nu in (0.0, 0.5, 1.0)
    ],
    ids=lambda settings: "-".join(str(part) for part in settings.values()),
)


def converted_settings(*, loss_type="IALSPP", alpha0=0.0, reg=1e-3, nu=1.0):
    """Return ImplicitALS's keyword arguments; the defaults are those of IALSRecommender.

    `reg` is `recommender.scaled_reg` where `nu_star` is given. Values are those after its confidence scaling.
    """
    return {
        "form": {"IALSPP": "ials", "ORIGINAL": "hkv"}[loss_type],
        "value": "confidence",
        "alpha": 1.0,
        "unobserved_weight": alpha0,
        "regularization": reg,
        "regularization_exponent": nu,
    }


def started(data, users, items, settings, **more):
    """A recommender whose factors are set, not trained."""
    peer = IALSRecommender(
        sparse.csr_matrix(data.values.astype(np.float32)),
        n_components=N_FACTORS,
        solver_type="CHOLESKY",
        n_threads=1,
        **settings,
        **more,
    )
    peer.start_learning()
    core = peer.trainer.core_trainer
    core.user, core.item = users.astype(np.float32), items.astype(np.float32)
    return peer


@SETTINGS
def test_its_loss_is_half_of_ours(settings):
    data = small_data(1)
    users, items, *_ = random_factors(1)
    peer = started(data, users, items, settings)
    ours = implicit_objective(converted_settings(**settings), data, users, items)
    assert 2 * peer.trainer.compute_loss() == pytest.approx(ours, rel=1e-5)


@SETTINGS
def test_its_solver_minimises_ours_from_a_start_that_we_set(settings):
    data = small_data(2)
    users, items, *_ = random_factors(2)
    peer = started(data, users, items, settings)
    peer.run_epoch()
    mine = converted_settings(**settings)
    new_users = peer.get_user_embedding().astype(np.float64)
    new_items = peer.get_item_embedding().astype(np.float64)
    assert is_minimum(lambda x: implicit_objective(mine, data, x, items), new_users)
    assert is_minimum(lambda y: implicit_objective(mine, data, new_users, y), new_items)


def test_nu_star_only_rescales_its_ridge():
    data = small_data(3)
    users, items, *_ = random_factors(3)
    settings = {"loss_type": "IALSPP", "alpha0": 0.3, "reg": 0.07, "nu": 0.5}
    peer = started(data, users, items, settings, nu_star=1.0)
    assert peer.scaled_reg != pytest.approx(settings["reg"], rel=0.1)
    settings["reg"] = peer.scaled_reg
    ours = implicit_objective(converted_settings(**settings), data, users, items)
    assert 2 * peer.trainer.compute_loss() == pytest.approx(ours, rel=1e-5)


def test_it_counts_rows_and_columns_without_entries():
    """The one difference: its n_other is the matrix's width, ours the number of ids with entries."""
    data = small_data(4, empty=True)
    users, items, *_ = random_factors(4)
    users[data.user_counts == 0] = 0.0
    items[data.item_counts == 0] = 0.0
    settings = {"loss_type": "IALSPP", "alpha0": 0.3, "reg": 0.07, "nu": 1.0}
    theirs = 2 * started(data, users, items, settings).trainer.compute_loss()
    ours = implicit_objective(converted_settings(**settings), data, users, items)
    one_more = settings["reg"] * settings["alpha0"] * (np.sum(users**2) + np.sum(items**2))
    assert one_more > 1e-3 * ours
    assert theirs == pytest.approx(ours + one_more, rel=1e-5)
